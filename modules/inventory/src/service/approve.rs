//! Approval: which goods come from where is decided and noted first, in one transaction; then the
//! transfers are made, under ids that follow from the request's.

use std::collections::{BTreeMap, HashMap, HashSet};

use diesel::PgConnection;
use kernel::{
    answers::{Answered, Asked, once},
    call::Cx,
    idempotency::IdempotencyKey,
    ids::{ProductId, StoreId, TransferId},
    problem::FieldError,
};
use uuid::Uuid;

use super::{
    replenishment::{change, check_lines, locked},
    supply::{Supply, asked},
};
use crate::{
    Inventory,
    domain::{
        replenishment::{RequestStatus, Step},
        supply::choose,
    },
    dto::{ApproveRequest, RequestView},
    error::Error,
    repo::{
        columns::Status,
        replenishment::{self, LineRow, Request, lock_all},
        replenishment_transfers::{self, NewSupply},
    },
};

/// How much of a line is approved, and who gives it where someone is named.
#[derive(Debug, Clone, Copy)]
struct Pick {
    quantity: i64,
    source: Option<StoreId>,
}

/// What is approved, by product.
type Picks = BTreeMap<ProductId, Pick>;

impl Inventory {
    /// Approves a request. The answer is the request as it is noted, with its transfers still
    /// planned: those that cannot be made now, because the store module is away, are made when it is
    /// back.
    pub(crate) async fn approve_request(
        &self,
        cx: &Cx,
        key: &IdempotencyKey,
        found: Request,
        body: ApproveRequest,
    ) -> Result<Answered<RequestView>, Error> {
        let id = found.row.id;
        let request = Asked::new(key.id_for(cx.actor), &body)?;
        let (request, stored) = self.stored(request).await?;
        let answered = match stored {
            Some(answered) => answered,
            None => self.note(cx, request, found, &body).await?,
        };
        // An earlier try may have ended before its transfers were made.
        self.make_planned_of(id).await;
        Ok(answered)
    }

    /// Decides who gives what, and notes it: from here on it will happen.
    async fn note(
        &self,
        cx: &Cx,
        request: Asked,
        found: Request,
        body: &ApproveRequest,
    ) -> Result<Answered<RequestView>, Error> {
        let picks = picks(&found, body)?;
        self.check_sources(cx, &found, &picks).await?;
        let open: Vec<ProductId> = picks
            .iter()
            .filter(|(_, pick)| pick.quantity > 0 && pick.source.is_none())
            .map(|(product, _)| *product)
            .collect();
        let supply = if open.is_empty() {
            None
        } else {
            let window = self.window(cx, found.row.store_id).await?;
            Some(self.supply(cx, open, window).await?)
        };
        let (id, cx) = (found.row.id, cx.clone());
        self.db
            .transaction(move |conn| {
                once(conn, &cx, &request, |conn| {
                    lock_all(conn)?;
                    let before = locked(conn, id, Step::Approve)?;
                    approve(conn, &cx, before, &picks, supply.as_ref())
                })
            })
            .await
    }

    /// The sources that are named must be there.
    async fn check_sources(&self, cx: &Cx, found: &Request, picks: &Picks) -> Result<(), Error> {
        let store = found.row.store_id;
        let named = picks.values().filter(|pick| pick.quantity > 0);
        let named: HashSet<StoreId> = named.filter_map(|pick| pick.source).collect();
        let stores = self
            .stores(cx, named.iter().copied().chain([store]))
            .await?;
        stores.open(store)?;
        for source in named {
            stores
                .check_source(source, store)
                .map_err(|detail| Error::invalid("/lines", format!("{source}: {detail}")))?;
        }
        Ok(())
    }
}

/// What of the request is approved: all of it, or what `body` says.
fn picks(found: &Request, body: &ApproveRequest) -> Result<Picks, Error> {
    let requested = found.lines.iter();
    let Some(lines) = &body.lines else {
        return Ok(requested
            .map(|line| {
                let pick = Pick {
                    quantity: line.quantity,
                    source: line.source_store_id,
                };
                (line.product_id, pick)
            })
            .collect());
    };
    check_lines(lines.iter().map(|line| line.product_id), "lines")?;
    let known: HashMap<ProductId, &LineRow> = requested.map(|l| (l.product_id, l)).collect();
    let mut picks = Picks::new();
    for (place, line) in lines.iter().enumerate() {
        let invalid = |member: &str, detail: &str| {
            Error::invalid(&format!("/lines/{place}/{member}"), detail)
        };
        let asked = known
            .get(&line.product_id)
            .ok_or_else(|| invalid("product_id", "is not on the request"))?;
        if line.quantity.get() > asked.quantity {
            let detail = format!("{} is the most: no more was requested", asked.quantity);
            return Err(invalid("quantity", &detail));
        }
        if line.source_store_id == Some(found.row.store_id) {
            return Err(invalid("source_store_id", "must be another store"));
        }
        let pick = Pick {
            quantity: line.quantity.get(),
            source: line.source_store_id.or(asked.source_store_id),
        };
        picks.insert(line.product_id, pick);
    }
    if picks.values().all(|pick| pick.quantity == 0) {
        let detail = "must name at least one unit: to approve nothing, reject the request";
        return Err(Error::invalid("/lines", detail));
    }
    Ok(picks)
}

/// Notes what is approved and the transfers that are to be made.
fn approve(
    conn: &mut PgConnection,
    cx: &Cx,
    before: Request,
    picks: &Picks,
    supply: Option<&Supply>,
) -> Result<RequestView, Error> {
    let (id, store) = (before.row.id, before.row.store_id);
    let given = given(conn, &before, picks, supply)?;
    let mut approved = Vec::with_capacity(before.lines.len());
    let mut supplies: BTreeMap<StoreId, NewSupply> = BTreeMap::new();
    for line in &before.lines {
        let Some((source, quantity)) = given.get(&line.product_id).copied() else {
            approved.push((line.product_id, 0));
            continue;
        };
        approved.push((line.product_id, quantity));
        let supply = supplies.entry(source).or_insert_with(|| NewSupply {
            transfer_id: transfer_id(id, source),
            request_id: id,
            from_store_id: source,
            lines: Vec::new(),
        });
        let (sku, name) = (line.sku.clone(), line.name.clone());
        supply.lines.push((line.product_id, sku, name, quantity));
    }
    debug_assert!(!supplies.contains_key(&store), "a store gives to another");
    let now = kernel::time::now();
    replenishment::approve_lines(conn, id, &approved)?;
    let supplies: Vec<NewSupply> = supplies.into_values().collect();
    replenishment_transfers::plan(conn, &supplies, now)?;
    let mut row = before.row.clone();
    row.status = Status(RequestStatus::Approved);
    row.decided_by = Some(cx.actor);
    row.decided_at = Some(now);
    change(conn, cx, Step::Approve.action(), before, row)
}

/// Who gives how much of each product that is approved.
fn given(
    conn: &mut PgConnection,
    request: &Request,
    picks: &Picks,
    supply: Option<&Supply>,
) -> Result<BTreeMap<ProductId, (StoreId, i64)>, Error> {
    let (id, store) = (request.row.id, request.row.store_id);
    let picks = picks.iter().filter(|(_, pick)| pick.quantity > 0);
    let (mut given, mut missing) = (BTreeMap::new(), Vec::new());
    let products: Vec<ProductId> = picks.clone().map(|(product, _)| *product).collect();
    let asked = asked(conn, &products, Some(id))?;
    for (product, pick) in picks {
        if let Some(source) = pick.source {
            given.insert(*product, (source, pick.quantity));
            continue;
        }
        let suppliers = supply.map(|s| s.suppliers(*product, store, &asked));
        let preferred = supply.and_then(|s| s.preferred(store, *product));
        match choose(pick.quantity, 1, preferred, &suppliers.unwrap_or_default()) {
            Some(choice) => drop(given.insert(*product, (choice.store_id, choice.quantity))),
            None => missing.push(*product),
        }
    }
    if missing.is_empty() {
        return Ok(given);
    }
    let error = |product: ProductId| {
        FieldError::new("/lines", "no-source", "No store can do without any of it.")
            .with("product_id", product.to_string())
    };
    Err(Error::NoSource(missing.into_iter().map(error).collect()))
}

/// The id of the transfer from a source: the same however often it is made.
fn transfer_id(request: Uuid, source: StoreId) -> TransferId {
    TransferId(Uuid::new_v5(&request, source.0.as_bytes()))
}
