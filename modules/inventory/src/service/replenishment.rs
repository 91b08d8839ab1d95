//! Replenishment requests: made, read, submitted, rejected and cancelled, each request once.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use diesel::PgConnection;
use kernel::{
    answers::{Answered, Asked, once, replay},
    audit::{self, Entry},
    auth::Scope,
    call::Cx,
    idempotency::IdempotencyKey,
    ids::{ProductId, StoreId},
    outbox,
    text::Text,
};
use serde::Serialize;
use uuid::Uuid;

use crate::{
    Inventory,
    domain::replenishment::{RequestStatus, Step},
    dto::{CreateRequest, RejectRequest, RequestLine, RequestView, SubmitRequest},
    error::Error,
    events,
    repo::{
        columns::Status,
        replenishment::{self, NewLine, NewRow, Request, RequestFilter, RequestRow},
    },
};

/// Lines of one request at most.
pub(crate) const MAX_LINES: usize = 200;

/// A request that is about to be made.
#[derive(Debug)]
pub(crate) struct Opening {
    pub(crate) id: Uuid,
    pub(crate) store_id: StoreId,
    pub(crate) status: RequestStatus,
    pub(crate) lines: Vec<NewLine>,
    pub(crate) note: Option<String>,
    pub(crate) needed_by: Option<NaiveDate>,
}

impl Inventory {
    pub(crate) async fn create_request(
        &self,
        cx: &Cx,
        key: &IdempotencyKey,
        body: CreateRequest,
    ) -> Result<Answered<RequestView>, Error> {
        let asked = Asked::new(key.id_for(cx.actor), &body)?;
        let (asked, stored) = self.stored(asked).await?;
        if let Some(answered) = stored {
            return Ok(answered);
        }
        self.check(cx, body.store_id, &body.lines, "lines").await?;
        let line =
            |line: &RequestLine| (line.product_id, line.quantity.get(), line.source_store_id);
        let opening = Opening {
            id: asked.id,
            store_id: body.store_id,
            status: if body.draft {
                RequestStatus::Draft
            } else {
                RequestStatus::Requested
            },
            lines: body.lines.iter().map(line).collect(),
            note: body.note.map(Text::into_string),
            needed_by: body.needed_by.map(|day| day.0),
        };
        let cx = cx.clone();
        self.db
            .transaction(move |conn| once(conn, &cx, &asked, |conn| open(conn, &cx, &opening)))
            .await
    }

    /// The stored answer to what is asked, if there is one.
    pub(crate) async fn stored(
        &self,
        asked: Asked,
    ) -> Result<(Asked, Option<Answered<RequestView>>), Error> {
        self.db
            .run(move |conn| {
                let stored = replay::<_, Error>(conn, &asked)?;
                Ok((asked, stored))
            })
            .await
    }

    /// Whether the store can ask for these lines, which stand under `field` of the body.
    pub(crate) async fn check(
        &self,
        cx: &Cx,
        store: StoreId,
        lines: &[RequestLine],
        field: &str,
    ) -> Result<(), Error> {
        check_lines(lines.iter().map(|line| line.product_id), field)?;
        let sources = lines.iter().filter_map(|line| line.source_store_id);
        let stores = self.stores(cx, sources.chain([store])).await?;
        stores.open(store)?;
        let products = self
            .known(lines.iter().map(|l| l.product_id).collect())
            .await?;
        for (place, line) in lines.iter().enumerate() {
            let invalid = |member: &str, detail: &str| {
                Error::invalid(&format!("/{field}/{place}/{member}"), detail)
            };
            match products.get(&line.product_id) {
                None => return Err(invalid("product_id", "there is no such product")),
                Some(true) => return Err(invalid("product_id", "the product is archived")),
                Some(false) => {}
            }
            if let Some(source) = line.source_store_id {
                stores
                    .check_source(source, store)
                    .map_err(|detail| invalid("source_store_id", detail))?;
            }
        }
        Ok(())
    }

    /// A request of a store in `scope`.
    pub(crate) async fn request(&self, id: Uuid, scope: Scope) -> Result<Request, Error> {
        self.db
            .run(move |conn| {
                replenishment::find(conn, id, &scope)?.ok_or(Error::NotFound("request"))
            })
            .await
    }

    /// One more request than the filter's limit.
    pub(crate) async fn requests(&self, filter: RequestFilter) -> Result<Vec<RequestRow>, Error> {
        self.db
            .run(move |conn| replenishment::list(conn, filter).map_err(Error::from))
            .await
    }

    /// Sends a draft to logistics.
    pub(crate) async fn submit_request(
        &self,
        cx: &Cx,
        key: &IdempotencyKey,
        id: Uuid,
    ) -> Result<Answered<RequestView>, Error> {
        self.step(cx, key, id, Step::Submit, SubmitRequest {}, |_, row, _| {
            row.status = Status(RequestStatus::Requested);
            row.requested_at = Some(kernel::time::now());
        })
        .await
    }

    pub(crate) async fn reject_request(
        &self,
        cx: &Cx,
        key: &IdempotencyKey,
        id: Uuid,
        body: RejectRequest,
    ) -> Result<Answered<RequestView>, Error> {
        self.step(cx, key, id, Step::Reject, body, |cx, row, body| {
            let now = kernel::time::now();
            row.status = Status(RequestStatus::Rejected);
            row.reason = Some(body.reason.into_string());
            row.decided_by = Some(cx.actor);
            row.decided_at = Some(now);
            row.ended_at = Some(now);
        })
        .await
    }

    pub(crate) async fn cancel_request(
        &self,
        cx: &Cx,
        key: &IdempotencyKey,
        id: Uuid,
    ) -> Result<Answered<RequestView>, Error> {
        self.step(cx, key, id, Step::Cancel, SubmitRequest {}, |_, row, _| {
            row.status = Status(RequestStatus::Cancelled);
            row.ended_at = Some(kernel::time::now());
        })
        .await
    }

    /// A step that concerns nothing but the request: once, where it stands where it may be.
    async fn step<B, F>(
        &self,
        cx: &Cx,
        key: &IdempotencyKey,
        id: Uuid,
        step: Step,
        body: B,
        work: F,
    ) -> Result<Answered<RequestView>, Error>
    where
        B: Serialize + Send + 'static,
        F: FnOnce(&Cx, &mut RequestRow, B) + Send + 'static,
    {
        let asked = Asked::new(key.id_for(cx.actor), &body)?;
        let cx = cx.clone();
        self.db
            .transaction(move |conn| {
                once(conn, &cx, &asked, |conn| {
                    let before = locked(conn, id, step)?;
                    let mut row = before.row.clone();
                    work(&cx, &mut row, body);
                    change(conn, &cx, step.action(), before, row)
                })
            })
            .await
    }
}

/// 1 to 200, no product twice.
pub(crate) fn check_lines(
    products: impl Iterator<Item = ProductId>,
    field: &str,
) -> Result<(), Error> {
    let mut seen = BTreeSet::new();
    let bounds = || Error::invalid(&format!("/{field}"), "must be 1 to 200 lines");
    for (place, product) in products.enumerate() {
        if place >= MAX_LINES {
            return Err(bounds());
        }
        if !seen.insert(product) {
            let pointer = format!("/{field}/{place}/product_id");
            return Err(Error::invalid(&pointer, "is named twice"));
        }
    }
    if seen.is_empty() {
        Err(bounds())
    } else {
        Ok(())
    }
}

/// The request, locked, where this may be done to it.
pub(crate) fn locked(conn: &mut PgConnection, id: Uuid, step: Step) -> Result<Request, Error> {
    let request = replenishment::lock(conn, id)?.ok_or(Error::NotFound("request"))?;
    let status = request.row.status.0;
    if step.is_allowed_in(status) {
        return Ok(request);
    }
    let (word, instead) = status.instead();
    let done = step.done();
    Err(Error::RequestStatus(format!(
        "The request is {word}, so it cannot be {done}: {instead}."
    )))
}

/// Makes a request of lines that were checked.
pub(crate) fn open(
    conn: &mut PgConnection,
    cx: &Cx,
    opening: &Opening,
) -> Result<RequestView, Error> {
    let at = kernel::time::now();
    let new = NewRow {
        id: opening.id,
        store_id: opening.store_id,
        status: Status(opening.status),
        note: opening.note.as_deref(),
        needed_by: opening.needed_by,
        created_by: cx.actor,
        at,
        requested_at: (opening.status == RequestStatus::Requested).then_some(at),
    };
    replenishment::insert(conn, &new)?;
    replenishment::insert_lines(conn, opening.id, &opening.lines)?;
    noted(conn, cx, "replenishment.create", opening.id, None)
}

/// The one way a request changes: written with the next version, noted and published. Its lines and
/// transfers were written before.
pub(crate) fn change(
    conn: &mut PgConnection,
    cx: &Cx,
    action: &'static str,
    before: Request,
    mut row: RequestRow,
) -> Result<RequestView, Error> {
    row.version = before.row.version + 1;
    row.updated_at = kernel::time::now();
    replenishment::save(conn, &row)?;
    noted(conn, cx, action, row.id, Some(before))
}

fn noted(
    conn: &mut PgConnection,
    cx: &Cx,
    action: &'static str,
    id: Uuid,
    before: Option<Request>,
) -> Result<RequestView, Error> {
    let now = replenishment::find(conn, id, &Scope::All)?.ok_or(Error::NotFound("request"))?;
    let event = events::replenishment_changed(cx, &now.row)?;
    let (before, now) = (before.map(RequestView::from), RequestView::from(now));
    let entry = Entry::new(cx, action, id).at(now.head.store_id);
    audit::append(conn, &[entry.change(before.as_ref(), Some(&now))?])?;
    outbox::publish(conn, &[event])?;
    Ok(now)
}
