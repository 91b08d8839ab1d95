//! Makes, reads and changes transfers, each request once: what happens to stock on the way is in
//! [`transfer_stock`](super::transfer_stock).

use std::collections::{BTreeMap, BTreeSet};

use diesel::PgConnection;
use inventory_api::ProductKey;
use kernel::{
    answers::{self, Asked, once, replay},
    audit::{self, Entry},
    auth::Scope,
    call::Cx,
    extract::IfMatch,
    idempotency::IdempotencyKey,
    ids::{ProductId, StoreId, TransferId},
    page::Limit,
    text::Text,
};
use store_api::{SourceDocument, TransferStart, TransferStatus};

use crate::{
    Store,
    domain::transfer::{Line, Step},
    dto::{CreateTransfer, TransferQuantity, TransferView, UpdateTransfer},
    error::Error,
    events,
    repo::{
        columns::Status,
        stores,
        transfer_receipts::{self, ReceiptRow},
        transfers::{self, NewRow, Transfer, TransferFilter, TransferRow},
    },
};

/// Lines of one transfer at most.
const MAX_LINES: usize = 200;

/// A transfer as it is after a request, and whether that is a stored answer.
pub(crate) type Answered = answers::Answered<TransferView>;

/// A transfer that is about to be made.
#[derive(Debug)]
pub(crate) struct Opening {
    pub(crate) id: TransferId,
    pub(crate) from_store_id: StoreId,
    pub(crate) to_store_id: StoreId,
    pub(crate) lines: Vec<Line>,
    pub(crate) note: Option<String>,
    pub(crate) source: Option<SourceDocument>,
    pub(crate) return_of: Option<TransferId>,
    pub(crate) start: TransferStart,
}

impl Store {
    pub(crate) async fn create_transfer(
        &self,
        cx: &Cx,
        key: &IdempotencyKey,
        body: CreateTransfer,
    ) -> Result<Answered, Error> {
        let request = Asked::new(key.id_for(cx.actor), &body)?;
        let id = TransferId(request.id);
        let (request, stored) = self
            .db
            .run(move |conn| {
                let stored = replay::<_, Error>(conn, &request)?;
                Ok::<_, Error>((request, stored))
            })
            .await?;
        if let Some(answered) = stored {
            return Ok(answered);
        }
        let lines = self.described(cx, &body.lines).await?;
        let opening = Opening {
            id,
            from_store_id: body.from_store_id,
            to_store_id: body.to_store_id,
            lines,
            note: body.note.map(Text::into_string),
            source: None,
            return_of: None,
            start: TransferStart::Draft,
        };
        let cx = cx.clone();
        self.db
            .transaction(move |conn| {
                once(conn, &cx, &request, |conn| {
                    open(conn, &cx, &opening).map(TransferView::from)
                })
            })
            .await
    }

    /// A transfer from or to a store in `scope`.
    pub(crate) async fn transfer(&self, id: TransferId, scope: Scope) -> Result<Transfer, Error> {
        self.db
            .run(move |conn| transfers::find(conn, id, &scope)?.ok_or(Error::NotFound("transfer")))
            .await
    }

    pub(crate) async fn transfers(
        &self,
        filter: TransferFilter,
    ) -> Result<Vec<TransferRow>, Error> {
        self.db
            .run(move |conn| transfers::list(conn, filter).map_err(Error::from))
            .await
    }

    /// Only where there are none is it asked whether there is such a transfer.
    pub(crate) async fn transfer_receipts(
        &self,
        id: TransferId,
        scope: Scope,
        after: Option<i64>,
        limit: Limit,
    ) -> Result<Vec<ReceiptRow>, Error> {
        self.db
            .run(move |conn| {
                let rows = transfer_receipts::list(conn, id, &scope, after, limit)?;
                if rows.is_empty() {
                    transfers::find(conn, id, &scope)?.ok_or(Error::NotFound("transfer"))?;
                }
                Ok(rows)
            })
            .await
    }

    /// Changes a draft; a patch that changes nothing leaves it as it is.
    pub(crate) async fn update_transfer(
        &self,
        cx: &Cx,
        id: TransferId,
        if_match: IfMatch,
        patch: UpdateTransfer,
    ) -> Result<Transfer, Error> {
        let UpdateTransfer { lines, note } = patch;
        let lines = match lines {
            Some(lines) => Some(self.described(cx, &lines).await?),
            None => None,
        };
        let cx = cx.clone();
        self.db
            .transaction(move |conn| {
                let before = transfers::lock(conn, id)?.ok_or(Error::NotFound("transfer"))?;
                if_match.check(before.row.version)?;
                Step::Edit.check(before.row.status.0)?;
                let mut after = before.clone();
                if let Some(note) = note {
                    after.row.note = note.map(Text::into_string);
                }
                if let Some(lines) = lines {
                    after.lines = lines;
                }
                if after.row.note == before.row.note && after.lines == before.lines {
                    return Ok(before);
                }
                if after.lines != before.lines {
                    transfers::remove_lines(conn, id)?;
                    transfers::insert_lines(conn, id, &after.lines)?;
                }
                change(conn, &cx, Step::Edit, before, &mut after)?;
                Ok(after)
            })
            .await
    }

    /// The lines as the catalogue describes them, by product.
    async fn described(&self, cx: &Cx, lines: &[TransferQuantity]) -> Result<Vec<Line>, Error> {
        check_lines(lines.iter().map(|line| line.product_id))?;
        let keys = lines.iter().map(|line| ProductKey::Id(line.product_id));
        let resolved = self.catalog.resolve(cx, keys.collect()).await?;
        let mut known: BTreeMap<ProductId, _> = resolved
            .into_iter()
            .map(|found| (found.product.id, found.product))
            .collect();
        let line = |(index, line): (usize, &TransferQuantity)| {
            let product = known.remove(&line.product_id).ok_or_else(|| {
                let pointer = format!("/lines/{index}/product_id");
                Error::invalid(&pointer, "there is no such product")
            })?;
            let quantity = line.quantity.get();
            Ok(Line::new(product.id, product.sku, product.name, quantity))
        };
        let described: Result<Vec<Line>, Error> = lines.iter().enumerate().map(line).collect();
        let mut described = described?;
        described.sort_by_key(|line| line.product_id);
        Ok(described)
    }
}

/// 1 to 200, no product twice.
pub(crate) fn check_lines(products: impl Iterator<Item = ProductId>) -> Result<(), Error> {
    let mut seen = BTreeSet::new();
    for (index, product) in products.enumerate() {
        if index >= MAX_LINES {
            return Err(Error::invalid("/lines", "must be 1 to 200 lines"));
        }
        if !seen.insert(product) {
            let pointer = format!("/lines/{index}/product_id");
            return Err(Error::invalid(&pointer, "is named twice"));
        }
    }
    if seen.is_empty() {
        return Err(Error::invalid("/lines", "must be 1 to 200 lines"));
    }
    Ok(())
}

/// Makes a transfer between two stores that are in use.
pub(crate) fn open(conn: &mut PgConnection, cx: &Cx, opening: &Opening) -> Result<Transfer, Error> {
    if opening.from_store_id == opening.to_store_id {
        let detail = "must not be the store that gives";
        return Err(Error::invalid("/to_store_id", detail));
    }
    check_stores(conn, opening.from_store_id, opening.to_store_id)?;
    let at = kernel::time::now();
    let (status, requested_at) = match opening.start {
        TransferStart::Draft => (TransferStatus::Draft, None),
        TransferStart::Requested => (TransferStatus::Requested, Some(at)),
    };
    let source = opening.source.as_ref();
    let new = NewRow {
        id: opening.id,
        from_store_id: opening.from_store_id,
        to_store_id: opening.to_store_id,
        status: Status(status),
        note: opening.note.as_deref(),
        source: source.map(|source| (source.kind.as_str(), source.id)),
        return_of: opening.return_of,
        created_by: cx.actor,
        at,
        requested_at,
    };
    let row = transfers::insert(conn, &new)?;
    transfers::insert_lines(conn, opening.id, &opening.lines)?;
    let transfer = Transfer {
        row,
        lines: opening.lines.clone(),
    };
    note(conn, cx, "transfer.create", None, &transfer)?;
    Ok(transfer)
}

/// Keeps both stores from being archived until the transaction ends.
pub(crate) fn check_stores(
    conn: &mut PgConnection,
    from: StoreId,
    to: StoreId,
) -> Result<(), Error> {
    let found = stores::share(conn, &[from, to])?;
    for (id, pointer) in [(from, "/from_store_id"), (to, "/to_store_id")] {
        match found.iter().find(|store| store.id == id) {
            None => return Err(Error::UnknownStore { pointer }),
            Some(store) if store.archived => return Err(Error::StoreArchived),
            Some(_) => {}
        }
    }
    Ok(())
}

/// The one way a transfer changes: written with the next version, noted and published.
pub(crate) fn change(
    conn: &mut PgConnection,
    cx: &Cx,
    step: Step,
    before: Transfer,
    after: &mut Transfer,
) -> Result<(), Error> {
    let version = before.row.version;
    after.row.version = version + 1;
    after.row.updated_at = kernel::time::now();
    transfers::save(conn, after, version)?;
    note(conn, cx, step.action(), Some(before), after)
}

/// The trail of the destination tells of the transfer, for it is the one that asks for it; that of
/// the source tells of what was done there.
fn note(
    conn: &mut PgConnection,
    cx: &Cx,
    action: &'static str,
    before: Option<Transfer>,
    after: &Transfer,
) -> Result<(), Error> {
    let at = match after.row.status.0 {
        TransferStatus::Approved | TransferStatus::Rejected | TransferStatus::InTransit => {
            after.row.from_store_id
        }
        TransferStatus::Draft
        | TransferStatus::Requested
        | TransferStatus::PartiallyReceived
        | TransferStatus::Received
        | TransferStatus::Closed
        | TransferStatus::Cancelled => after.row.to_store_id,
    };
    let (before, now) = (
        before.map(TransferView::from),
        TransferView::from(after.clone()),
    );
    let entry = Entry::new(cx, action, after.row.id).at(at);
    let entry = entry.change(before.as_ref(), Some(&now))?;
    audit::append(conn, &[entry])?;
    Ok(events::transfer_changed(conn, after, cx.actor)?)
}
