//! `/api/inventory/replenishment/requests/{id}/…`: what is done to a request, and by whom.

use actix_web::{HttpResponse, post, web::Data};
use kernel::{
    answers::Answered,
    auth::{Can, Role},
    call::Cx,
    extract::{Json, Path, etag},
    idempotency::{IdempotencyHeader, IdempotencyKey},
    responses::WriteProblems,
};
use uuid::Uuid;

use super::replenishment::seen;
use crate::{
    Inventory,
    dto::{ApproveRequest, RejectRequest, RequestView},
    error::Error,
    permissions::{ReplenishmentApprove, ReplenishmentWrite},
    repo::replenishment::Request,
};

/// The caller's context at the store that asks. 404 where they do not see the request.
async fn at_store(
    inventory: &Inventory,
    can: &Can<ReplenishmentWrite>,
    id: Uuid,
) -> Result<Cx, actix_web::Error> {
    let (_, scope) = seen(inventory, can).await?;
    let request = inventory.request(id, scope).await?;
    Ok(can.at(request.row.store_id)?)
}

/// The caller's context where they decide: an admin of the store that asks, or logistics. 404 where
/// they do not see the request.
async fn decides(
    inventory: &Inventory,
    can: &Can<ReplenishmentApprove>,
    id: Uuid,
) -> Result<(Cx, Request), Error> {
    let (cx, scope) = seen(inventory, can).await?;
    let request = inventory.request(id, scope).await?;
    let is_admin = can.principal().holds(&[Role::Admin], request.row.store_id);
    if is_admin || inventory.is_logistics(&cx, can.principal()).await? {
        Ok((cx, request))
    } else {
        Err(Error::NotLogistics)
    }
}

fn done(key: &IdempotencyKey, answered: &Answered<RequestView>) -> HttpResponse {
    let Answered { view, replayed } = answered;
    let mut response = HttpResponse::Ok();
    key.answer(&mut response, *replayed);
    response.insert_header(etag(view.head.version)).json(view)
}

/// Send a draft to logistics.
#[utoipa::path(
    tag = "replenishment",
    operation_id = "submit_replenishment_request",
    description = "By the store that asks. 409 `replenishment-status` where it is no draft.",
    security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The request", example = "88a896fb-a2c1-5ae9-b132-4dcd14eaeb96"), IdempotencyHeader),
    responses((status = 200, description = "The request", body = RequestView), WriteProblems)
)]
#[post("/api/inventory/replenishment/requests/{id}/submit")]
pub(crate) async fn submit_replenishment_request(
    can: Can<ReplenishmentWrite>,
    id: Path<Uuid>,
    key: IdempotencyKey,
    inventory: Data<Inventory>,
) -> Result<HttpResponse, actix_web::Error> {
    let id = id.into_inner();
    let cx = at_store(&inventory, &can, id).await?;
    let answered = inventory.submit_request(&cx, &key, id).await?;
    Ok(done(&key, &answered))
}

/// Approve what a store asks for.
#[utoipa::path(
    tag = "replenishment",
    operation_id = "approve_replenishment_request",
    description = "By an admin of the store, or a manager of a warehouse. Makes a transfer from each \
        source, already requested there: from the one that the line names, or the best one there \
        is, which is the preferred one of the store's rule if it has enough, then the store with \
        the largest surplus, then the warehouse. Where that one can do without less than was asked \
        for, less is approved; 409 `no-source` where nobody can give any. The answer shows \
        the transfers as they are planned; they are made right after, each once, whatever fails: \
        read the request for their numbers.",
    security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The request", example = "3bef10fa-cc1c-5ec3-ad47-42bef98d9783"), IdempotencyHeader),
    request_body(content = ApproveRequest, example = json!({"lines": [
        {"product_id": "0198c0de-0000-7000-8000-000000010001", "quantity": 12,
         "source_store_id": "0198c0de-0000-7000-8000-000000000006"}
    ]})),
    responses((status = 200, description = "The approved request", body = RequestView), WriteProblems)
)]
#[post("/api/inventory/replenishment/requests/{id}/approve")]
pub(crate) async fn approve_replenishment_request(
    can: Can<ReplenishmentApprove>,
    id: Path<Uuid>,
    key: IdempotencyKey,
    body: Json<ApproveRequest>,
    inventory: Data<Inventory>,
) -> Result<HttpResponse, actix_web::Error> {
    let (cx, request) = decides(&inventory, &can, id.into_inner()).await?;
    let body = body.into_inner();
    let answered = inventory.approve_request(&cx, &key, request, body).await?;
    Ok(done(&key, &answered))
}

/// Reject what a store asks for.
#[utoipa::path(
    tag = "replenishment",
    operation_id = "reject_replenishment_request",
    description = "By an admin of the store, or a manager of a warehouse, with a reason.",
    security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The request", example = "3bef10fa-cc1c-5ec3-ad47-42bef98d9783"), IdempotencyHeader),
    request_body(content = RejectRequest, example = json!({"reason": "Ask again next week"})),
    responses((status = 200, description = "The rejected request", body = RequestView), WriteProblems)
)]
#[post("/api/inventory/replenishment/requests/{id}/reject")]
pub(crate) async fn reject_replenishment_request(
    can: Can<ReplenishmentApprove>,
    id: Path<Uuid>,
    key: IdempotencyKey,
    body: Json<RejectRequest>,
    inventory: Data<Inventory>,
) -> Result<HttpResponse, actix_web::Error> {
    let id = id.into_inner();
    let (cx, _) = decides(&inventory, &can, id).await?;
    let answered = inventory
        .reject_request(&cx, &key, id, body.into_inner())
        .await?;
    Ok(done(&key, &answered))
}

/// Give a request up.
#[utoipa::path(
    tag = "replenishment",
    operation_id = "cancel_replenishment_request",
    description = "By the store that asks, before it is decided: what is approved is given up by \
        cancelling its transfers.",
    security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The request", example = "3bef10fa-cc1c-5ec3-ad47-42bef98d9783"), IdempotencyHeader),
    responses((status = 200, description = "The cancelled request", body = RequestView), WriteProblems)
)]
#[post("/api/inventory/replenishment/requests/{id}/cancel")]
pub(crate) async fn cancel_replenishment_request(
    can: Can<ReplenishmentWrite>,
    id: Path<Uuid>,
    key: IdempotencyKey,
    inventory: Data<Inventory>,
) -> Result<HttpResponse, actix_web::Error> {
    let id = id.into_inner();
    let cx = at_store(&inventory, &can, id).await?;
    let answered = inventory.cancel_request(&cx, &key, id).await?;
    Ok(done(&key, &answered))
}
