//! `/api/stocks/counts/{id}/…`: what is done to a count, and by whom.

use actix_web::{HttpResponse, post, web::Data};
use kernel::{
    auth::{Can, Permission},
    call::Cx,
    extract::{Json, Path},
    idempotency::{IdempotencyHeader, IdempotencyKey},
    ids::{CountId, StoreId},
    responses::WriteProblems,
};

use super::counts::sight;
use crate::{
    Store,
    dto::{CancelCount, CountView, CountedLines, EnterCount, PostCount, RecountLines},
    error::Error,
    permissions::{CountPost, CountRead, CountWrite},
};

/// The caller's context at the count's store, and which that is. 404 where they do not see the
/// count.
async fn act<P: Permission>(
    store: &Store,
    can: &Can<P>,
    id: CountId,
) -> Result<(Cx, StoreId), Error> {
    let visible = can.principal().scope(CountRead::ROLES);
    let at = store.count(id, visible).await?.head.store_id;
    Ok((can.at(at)?, at))
}

/// Enter what was scanned.
#[utoipa::path(
    tag = "counts",
    operation_id = "enter_count_lines",
    description = "By those who count, in as many passes as it takes. An entry adds to the figure \
        of its product, or sets it; the first one after a recount was asked for begins anew. All \
        of a request is entered, or nothing. A figure is compared with what the books said when \
        it began, so what is sold meanwhile does no harm.",
    security(("bearer" = [])),
    params(("id" = CountId, Path, description = "The count", example = "b99eaeb8-c5db-5617-8aff-979aa32c5c18"), IdempotencyHeader),
    request_body(content = EnterCount, example = json!({"entries": [
        {"product_id": "0198c0de-0000-7000-8000-000000010021", "quantity": 12},
        {"product_id": "0198c0de-0000-7000-8000-000000010021", "quantity": 4, "mode": "add"},
        {"product_id": "0198c0de-0000-7000-8000-000000010022", "quantity": 9, "mode": "set"}
    ]})),
    responses((status = 200, description = "The lines that were entered, as they are now", body = CountedLines), WriteProblems)
)]
#[post("/api/stocks/counts/{id}/lines")]
pub(crate) async fn enter_count_lines(
    can: Can<CountWrite>,
    id: Path<CountId>,
    key: IdempotencyKey,
    body: Json<EnterCount>,
    store: Data<Store>,
) -> Result<HttpResponse, Error> {
    let id = id.into_inner();
    let (cx, at) = act(&store, &can, id).await?;
    let answered = store
        .enter_count(&cx, &key, id, sight(&can, at), body.into_inner())
        .await?;
    Ok(answered.ok(&key))
}

/// Have lines counted again.
#[utoipa::path(
    tag = "counts",
    operation_id = "recount_lines",
    description = "By the store's manager or an admin: those lines that deviate by more than \
        `over_units` or `over_basis_points`, or, with `moved`, whose goods moved between their \
        first entry and their last. What was found stands until the next entry takes its place; \
        the count cannot be posted before.",
    security(("bearer" = [])),
    params(("id" = CountId, Path, description = "The count", example = "b99eaeb8-c5db-5617-8aff-979aa32c5c18"), IdempotencyHeader),
    request_body(content = RecountLines, example = json!({"over_units": 5, "moved": true})),
    responses((status = 200, description = "The count", body = CountView), WriteProblems)
)]
#[post("/api/stocks/counts/{id}/recount")]
pub(crate) async fn recount_lines(
    can: Can<CountPost>,
    id: Path<CountId>,
    key: IdempotencyKey,
    body: Json<RecountLines>,
    store: Data<Store>,
) -> Result<HttpResponse, Error> {
    let id = id.into_inner();
    let (cx, _) = act(&store, &can, id).await?;
    let answered = store.recount(&cx, &key, id, body.into_inner()).await?;
    Ok(answered.ok(&key))
}

/// Bring what was found into the books.
#[utoipa::path(
    tag = "counts",
    operation_id = "post_count",
    description = "By the store's manager or an admin, once and whole: every line's variance is \
        moved (`count`), whatever the level is by now. `uncounted` says what becomes of lines \
        that nobody counted: `keep` leaves the books alone, `zero` takes out what was there when \
        the line came onto the sheet, as far as it is still there. 409 `count-outsold` names \
        lines of which more was sold since than was counted: they were miscounted, so count them \
        once more.",
    security(("bearer" = [])),
    params(("id" = CountId, Path, description = "The count", example = "b99eaeb8-c5db-5617-8aff-979aa32c5c18"), IdempotencyHeader),
    request_body(content = PostCount, example = json!({"uncounted": "keep"})),
    responses((status = 200, description = "The posted count", body = CountView), WriteProblems)
)]
#[post("/api/stocks/counts/{id}/post")]
pub(crate) async fn post_count(
    can: Can<CountPost>,
    id: Path<CountId>,
    key: IdempotencyKey,
    body: Json<PostCount>,
    store: Data<Store>,
) -> Result<HttpResponse, Error> {
    let id = id.into_inner();
    let (cx, _) = act(&store, &can, id).await?;
    let answered = store.post_count(&cx, &key, id, body.into_inner()).await?;
    Ok(answered.ok(&key))
}

/// Give a count up.
#[utoipa::path(
    tag = "counts",
    operation_id = "cancel_count",
    description = "By the store's manager or an admin, before it is posted. Nothing moves.",
    security(("bearer" = [])),
    params(("id" = CountId, Path, description = "The count", example = "b99eaeb8-c5db-5617-8aff-979aa32c5c18"), IdempotencyHeader),
    request_body(content = CancelCount, example = json!({"reason": "The delivery came early"})),
    responses((status = 200, description = "The cancelled count", body = CountView), WriteProblems)
)]
#[post("/api/stocks/counts/{id}/cancel")]
pub(crate) async fn cancel_count(
    can: Can<CountPost>,
    id: Path<CountId>,
    key: IdempotencyKey,
    body: Json<CancelCount>,
    store: Data<Store>,
) -> Result<HttpResponse, Error> {
    let id = id.into_inner();
    let (cx, _) = act(&store, &can, id).await?;
    let answered = store.cancel_count(&cx, &key, id, body.into_inner()).await?;
    Ok(answered.ok(&key))
}
