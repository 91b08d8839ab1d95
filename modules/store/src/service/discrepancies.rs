//! Reads what was taken that was not there, and notes how people explain it.

use kernel::{
    answers::{Answered, Asked, once},
    audit::{self, Entry},
    auth::Scope,
    call::Cx,
    idempotency::IdempotencyKey,
    text::Text,
};
use uuid::Uuid;

use crate::{
    Store,
    domain::discrepancy::{DiscrepancyState, Resolution},
    dto::{DiscrepancyView, ResolveDiscrepancy},
    error::Error,
    repo::{
        columns::{Answer, Standing},
        discrepancies::{self, DiscrepancyFilter, DiscrepancyRow},
    },
};

impl Store {
    /// A discrepancy of a store in `scope`.
    pub(crate) async fn discrepancy(
        &self,
        id: Uuid,
        scope: Scope,
    ) -> Result<DiscrepancyRow, Error> {
        self.db
            .run(move |conn| {
                discrepancies::find(conn, id, &scope)?.ok_or(Error::NotFound("discrepancy"))
            })
            .await
    }

    pub(crate) async fn discrepancies(
        &self,
        filter: DiscrepancyFilter,
    ) -> Result<Vec<DiscrepancyRow>, Error> {
        self.db
            .run(move |conn| discrepancies::list(conn, filter).map_err(Error::from))
            .await
    }

    /// Notes how a discrepancy came about. Stock does not change: the books are put right by a
    /// count, a delivery or an adjustment.
    pub(crate) async fn resolve_discrepancy(
        &self,
        cx: &Cx,
        key: &IdempotencyKey,
        id: Uuid,
        body: ResolveDiscrepancy,
    ) -> Result<Answered<DiscrepancyView>, Error> {
        let request = Asked::new(key.id_for(cx.actor), &body)?;
        let cx = cx.clone();
        self.db
            .transaction(move |conn| {
                once(conn, &cx, &request, |conn| {
                    let before =
                        discrepancies::lock(conn, id)?.ok_or(Error::NotFound("discrepancy"))?;
                    if let Some(at) = before.resolved_at {
                        return Err(Error::DiscrepancyResolved { at });
                    }
                    let resolution = Answer(Resolution::from(body.resolution));
                    let mut after = before.clone();
                    after.state = Standing(DiscrepancyState::Resolved);
                    after.resolution = Some(resolution);
                    after.note = Some(Text::into_string(body.note));
                    after.resolved_by = Some(cx.actor);
                    after.resolved_at = Some(kernel::time::now());
                    discrepancies::resolve(conn, &after, resolution)?;
                    let (before, after) =
                        (DiscrepancyView::from(before), DiscrepancyView::from(after));
                    let entry = Entry::new(&cx, "discrepancy.resolve", id).at(after.store_id);
                    audit::append(conn, &[entry.change(Some(&before), Some(&after))?])?;
                    Ok(after)
                })
            })
            .await
    }
}
