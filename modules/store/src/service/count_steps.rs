//! What is done to a count, from its first entry to its end: each step once per key, under the
//! count's row lock. Locks are taken in the order count, store, levels.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use diesel::PgConnection;
use kernel::{
    answers::{self, Asked, once, replay},
    audit::{self, Entry},
    call::Cx,
    idempotency::IdempotencyKey,
    ids::{CountId, ProductId},
    money::BasisPoints,
    text::Text,
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::json;
use store_api::{CountKind, CountStatus};

use super::counts::{Answered, told};
use crate::{
    Store,
    domain::{
        count::{Line, Seen, Sight, Step, settle},
        ledger::{Cause, Change, Key},
        reason::MovementReason,
    },
    dto::{
        CancelCount, CountEntry, CountLineView, CountedLines, EnterCount, PostCount, RecountLines,
        StockCount,
    },
    error::Error,
    repo::{
        columns::{CountStatusText, EntryModeText, UncountedText},
        count_entries::{self, NewEntry},
        count_lines::{self, Doubt, SheetProduct},
        counts::{self, CountRow},
        ledger, stores,
    },
};

impl Store {
    /// The one way a step is done: once, to a count that is locked and stands where it may be.
    async fn count_step<B, T, F>(
        &self,
        cx: &Cx,
        key: &IdempotencyKey,
        id: CountId,
        step: Step,
        body: B,
        work: F,
    ) -> Result<answers::Answered<T>, Error>
    where
        B: Serialize + Send + 'static,
        T: Serialize + DeserializeOwned + Send + 'static,
        F: FnOnce(&mut PgConnection, &Cx, B, CountRow) -> Result<T, Error> + Send + 'static,
    {
        let request = Asked::new(key.id_for(cx.actor), &body)?;
        let cx = cx.clone();
        self.db
            .transaction(move |conn| {
                once(conn, &cx, &request, |conn| {
                    let row = counts::lock(conn, id)?.ok_or(Error::NotFound("count"))?;
                    step.check(row.status.0)?;
                    work(conn, &cx, body, row)
                })
            })
            .await
    }

    /// Enters what was scanned. `sight` is that of the caller, who is shown the lines.
    pub(crate) async fn enter_count(
        &self,
        cx: &Cx,
        key: &IdempotencyKey,
        id: CountId,
        sight: Sight,
        body: EnterCount,
    ) -> Result<answers::Answered<CountedLines>, Error> {
        let keys = body.keys()?;
        let request = Asked::new(key.id_for(cx.actor), &body)?;
        let stored = self
            .db
            .run(move |conn| replay::<_, Error>(conn, &request))
            .await?;
        if let Some(answered) = stored {
            return Ok(answered);
        }
        let found = self.catalog.resolve(cx, keys.clone()).await?;
        let found: HashMap<_, _> = found.into_iter().map(|f| (f.key, f.product)).collect();
        let sheet = |(index, key)| match found.get(key) {
            Some(product) => Ok(SheetProduct {
                id: product.id,
                sku: product.sku.clone(),
                name: product.name.clone(),
                only_stocked: false,
            }),
            None => {
                let pointer = format!("/entries/{index}");
                Err(Error::invalid(&pointer, "there is no such product"))
            }
        };
        let named: Result<Vec<SheetProduct>, Error> = keys.iter().enumerate().map(sheet).collect();
        let named = named?;
        self.count_step(
            cx,
            key,
            id,
            Step::Enter,
            body,
            move |conn, cx, body, row| enter(conn, cx, row, &body, named, sight),
        )
        .await
    }

    /// Asks for lines once more whose figures are in doubt.
    pub(crate) async fn recount(
        &self,
        cx: &Cx,
        key: &IdempotencyKey,
        id: CountId,
        body: RecountLines,
    ) -> Result<Answered, Error> {
        let doubt = Doubt {
            over_units: body.over_units.map(StockCount::get),
            over_basis_points: body.over_basis_points.map(BasisPoints::get),
            moved: body.moved,
        };
        if doubt.over_units.is_none() && doubt.over_basis_points.is_none() && !doubt.moved {
            let detail = "must name over_units, over_basis_points or moved";
            return Err(Error::invalid("", detail));
        }
        self.count_step(
            cx,
            key,
            id,
            Step::Recount,
            body,
            move |conn, cx, _, before| {
                let mut after = before.clone();
                if count_lines::ask_again(conn, &after, doubt)? > 0 {
                    after.status = CountStatusText(CountStatus::Recounting);
                }
                after.updated_at = kernel::time::now();
                counts::save(conn, &after)?;
                told(conn, cx, "count.recount", Some(before), id)
            },
        )
        .await
    }

    /// Brings what was found into the books.
    pub(crate) async fn post_count(
        &self,
        cx: &Cx,
        key: &IdempotencyKey,
        id: CountId,
        body: PostCount,
    ) -> Result<Answered, Error> {
        self.count_step(
            cx,
            key,
            id,
            Step::Post,
            body,
            move |conn, cx, body, before| {
                let mut after = before.clone();
                post(conn, cx, &after, &body)?;
                after.uncounted = Some(UncountedText(body.uncounted));
                end(conn, cx, &mut after, CountStatus::Posted)?;
                told(conn, cx, "count.post", Some(before), id)
            },
        )
        .await
    }

    /// Gives a count up. Nothing moves.
    pub(crate) async fn cancel_count(
        &self,
        cx: &Cx,
        key: &IdempotencyKey,
        id: CountId,
        body: CancelCount,
    ) -> Result<Answered, Error> {
        self.count_step(
            cx,
            key,
            id,
            Step::Cancel,
            body,
            move |conn, cx, body, before| {
                let mut after = before.clone();
                count_lines::free(conn, &after)?;
                after.reason = Some(Text::into_string(body.reason));
                end(conn, cx, &mut after, CountStatus::Cancelled)?;
                told(conn, cx, "count.cancel", Some(before), id)
            },
        )
        .await
    }
}

fn end(
    conn: &mut PgConnection,
    cx: &Cx,
    row: &mut CountRow,
    status: CountStatus,
) -> Result<(), Error> {
    let now = kernel::time::now();
    row.status = CountStatusText(status);
    row.updated_at = now;
    row.ended_by = Some(cx.actor);
    row.ended_at = Some(now);
    Ok(counts::save(conn, row)?)
}

/// Enters what `body` says of the products in `named`, one for each entry.
fn enter(
    conn: &mut PgConnection,
    cx: &Cx,
    mut row: CountRow,
    body: &EnterCount,
    named: Vec<SheetProduct>,
    sight: Sight,
) -> Result<CountedLines, Error> {
    let products: Vec<ProductId> = named.iter().map(|product| product.id).collect();
    let distinct: BTreeMap<ProductId, SheetProduct> = named
        .into_iter()
        .map(|product| (product.id, product))
        .collect();
    let asked: Vec<ProductId> = distinct.keys().copied().collect();
    if row.kind.0 == CountKind::Full {
        // What is found belongs to the store, whether or not the books knew of it.
        let sheet = distinct.into_values().collect();
        count_lines::add(conn, row.store_id, row.id, sheet)?;
    }
    let met = count_lines::meet(conn, row.store_id, row.id, &asked)?;
    let mut lines: BTreeMap<ProductId, (Line, Seen)> = met
        .into_iter()
        .map(|(line, seen)| (line.product_id, (line, seen)))
        .collect();
    let entries = scan(&mut lines, &products, body)?;
    let mut entered: Vec<Line> = lines.into_values().map(|(line, _)| line).collect();
    count_lines::save_figures(conn, &row, &entered)?;
    count_entries::insert(conn, &row, cx.actor, &entries)?;
    row.status = CountStatusText(CountStatus::Counting);
    row.updated_at = kernel::time::now();
    if count_lines::any_awaits_recount(conn, &row)? {
        row.status = CountStatusText(CountStatus::Recounting);
    }
    counts::save(conn, &row)?;
    // The entries themselves are kept; the trail only has to lead to them.
    let after = json!({"count_id": row.id, "entries": entries.len(), "lines": entered.len()});
    let entry = Entry::new(cx, "count.enter", row.id).at(row.store_id);
    audit::append(conn, &[entry.change(None, Some(&after))?])?;
    entered.sort_by(|a, b| (&a.sku, a.product_id).cmp(&(&b.sku, b.product_id)));
    let status = row.status.0;
    let view = |line| CountLineView::new(line, row.blind, status, sight);
    Ok(CountedLines {
        status,
        lines: entered.into_iter().map(view).collect(),
    })
}

/// Changes the figures, entry by entry.
fn scan(
    lines: &mut BTreeMap<ProductId, (Line, Seen)>,
    products: &[ProductId],
    body: &EnterCount,
) -> Result<Vec<NewEntry>, Error> {
    let one = |(index, (product, entry)): (usize, (&ProductId, &CountEntry))| {
        let Some((line, seen)) = lines.get_mut(product) else {
            let pointer = format!("/entries/{index}");
            return Err(Error::invalid(
                &pointer,
                "is not on the sheet of this count",
            ));
        };
        let quantity = entry.quantity.get();
        let figure = line.enter(entry.mode, quantity, *seen).ok_or_else(|| {
            let pointer = format!("/entries/{index}/quantity");
            Error::invalid(&pointer, "makes more than 1,000,000,000 in all")
        })?;
        Ok(NewEntry {
            product_id: *product,
            seq: line.entries,
            pass: line.pass,
            mode: EntryModeText(entry.mode),
            quantity,
            figure,
            level_version: seen.version,
            on_hand: seen.on_hand,
        })
    };
    let scanned = products.iter().zip(&body.entries).enumerate();
    scanned.map(one).collect()
}

/// Moves what was found otherwise, in as many statements however many lines there are.
fn post(conn: &mut PgConnection, cx: &Cx, row: &CountRow, body: &PostCount) -> Result<(), Error> {
    let store = row.store_id;
    if stores::share(conn, &[store])?.iter().any(|s| s.archived) {
        return Err(Error::StoreArchived);
    }
    let mut lines = count_lines::all(conn, row)?;
    let key = |product: ProductId| -> Key { (store, product) };
    let moving = lines.iter().filter(|line| line.moves(body.uncounted));
    let keys: BTreeSet<Key> = moving.map(|line| key(line.product_id)).collect();
    ledger::prepare(conn, false)?;
    ledger::ensure(conn, &keys)?;
    let mut ledger = ledger::lock(conn, &keys)?;
    settle(&mut lines, body.uncounted, &ledger, key)?;
    let cause = Cause {
        reason: MovementReason::Count,
        document_id: row.id.0,
        actor: cx.actor,
        occurred_at: kernel::time::now(),
        note: None,
    };
    for line in &lines {
        let change = Change {
            on_hand: line.posted.unwrap_or_default(),
            damaged: 0,
        };
        if change.on_hand != 0 {
            // Not refused: it was settled with these very levels.
            let posted = ledger.post(key(line.product_id), change, &cause);
            posted.map_err(|_| diesel::result::Error::RollbackTransaction)?;
        }
    }
    ledger::write(conn, &ledger)?;
    Ok(count_lines::close(conn, row, &lines)?)
}
