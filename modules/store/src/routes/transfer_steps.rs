//! `/api/stocks/transfers/{id}/…`: what is done to a transfer, and at which end.

use actix_web::{HttpResponse, http::StatusCode, post, web::Data};
use kernel::{
    auth::{Can, Permission},
    call::Cx,
    extract::{Json, Path, etag},
    idempotency::{IdempotencyHeader, IdempotencyKey},
    ids::TransferId,
    problem::Problem,
    responses::WriteProblems,
};

use super::transfers::created;
use crate::{
    Store,
    dto::{
        CloseTransfer, ReceiveTransfer, ReturnTransfer, StopTransfer, TransferPicks, TransferView,
    },
    error::Error,
    permissions::{TransferApprove, TransferRead, TransferWrite},
    service::transfers::Answered,
};

/// Where something is done to a transfer.
#[derive(Debug, Clone, Copy)]
pub(super) enum End {
    Source,
    Destination,
    Either,
}

/// The caller's context, where they may do this at that end. 404 where they see neither end.
pub(super) async fn act<P: Permission>(
    store: &Store,
    can: &Can<P>,
    id: TransferId,
    end: End,
) -> Result<Cx, Error> {
    let scope = can.principal().scope(TransferRead::ROLES);
    let row = store.transfer(id, scope).await?.row;
    let (stores, place) = match end {
        End::Source => (vec![row.from_store_id], "at the store that gives"),
        End::Destination => (vec![row.to_store_id], "at the store that gets"),
        End::Either => (vec![row.from_store_id, row.to_store_id], "at either store"),
    };
    let cx = stores.into_iter().find_map(|store| can.at(store).ok());
    cx.ok_or_else(|| {
        let roles: Vec<_> = P::ROLES.iter().map(|role| role.as_str()).collect();
        let detail = format!(
            "This is done {place} of the transfer, with one of these roles there: {}.",
            roles.join(", ")
        );
        Problem::new(StatusCode::FORBIDDEN, "forbidden", detail).into()
    })
}

fn done(key: &IdempotencyKey, answered: &Answered) -> HttpResponse {
    let Answered { view, replayed } = answered;
    let mut response = HttpResponse::Ok();
    key.answer(&mut response, *replayed);
    response.insert_header(etag(view.head.version)).json(view)
}

/// Ask the source for the goods.
#[utoipa::path(
    tag = "transfers",
    operation_id = "request_transfer",
    description = "By the destination, of a draft, whose lines are fixed from here on.",
    security(("bearer" = [])),
    params(("id" = TransferId, Path, description = "The transfer", example = "a11a2d00-97af-5784-8380-c3b8da3ab364"), IdempotencyHeader),
    responses((status = 200, description = "The requested transfer", body = TransferView), WriteProblems)
)]
#[post("/api/stocks/transfers/{id}/request")]
pub(crate) async fn request_transfer(
    can: Can<TransferWrite>,
    id: Path<TransferId>,
    key: IdempotencyKey,
    store: Data<Store>,
) -> Result<HttpResponse, Error> {
    let id = id.into_inner();
    let cx = act(&store, &can, id, End::Destination).await?;
    let answered = store.request_transfer(&cx, &key, id).await?;
    Ok(done(&key, &answered))
}

/// Promise the goods.
#[utoipa::path(
    tag = "transfers",
    operation_id = "approve_transfer",
    description = "By the source's manager or an admin: all that was requested, or what `lines` \
        name. The goods are `reserved` at the source, so that they are promised only once; tills \
        there may still sell them. 409 `insufficient-stock` names what is there and not promised.",
    security(("bearer" = [])),
    params(("id" = TransferId, Path, description = "The transfer", example = "610000c8-7cc3-52df-a264-b481495893a5"), IdempotencyHeader),
    request_body(content = TransferPicks, example = json!({"lines": [
        {"product_id": "0198c0de-0000-7000-8000-000000010001", "quantity": 6}
    ]})),
    responses((status = 200, description = "The approved transfer", body = TransferView), WriteProblems)
)]
#[post("/api/stocks/transfers/{id}/approve")]
pub(crate) async fn approve_transfer(
    can: Can<TransferApprove>,
    id: Path<TransferId>,
    key: IdempotencyKey,
    body: Json<TransferPicks>,
    store: Data<Store>,
) -> Result<HttpResponse, Error> {
    let id = id.into_inner();
    let cx = act(&store, &can, id, End::Source).await?;
    let answered = store
        .approve_transfer(&cx, &key, id, body.into_inner())
        .await?;
    Ok(done(&key, &answered))
}

/// Refuse the goods.
#[utoipa::path(
    tag = "transfers",
    operation_id = "reject_transfer",
    description = "By the source's manager or an admin, of a requested transfer.",
    security(("bearer" = [])),
    params(("id" = TransferId, Path, description = "The transfer", example = "610000c8-7cc3-52df-a264-b481495893a5"), IdempotencyHeader),
    request_body(content = StopTransfer, example = json!({"reason": "We need them ourselves"})),
    responses((status = 200, description = "The rejected transfer", body = TransferView), WriteProblems)
)]
#[post("/api/stocks/transfers/{id}/reject")]
pub(crate) async fn reject_transfer(
    can: Can<TransferApprove>,
    id: Path<TransferId>,
    key: IdempotencyKey,
    body: Json<StopTransfer>,
    store: Data<Store>,
) -> Result<HttpResponse, Error> {
    let id = id.into_inner();
    let cx = act(&store, &can, id, End::Source).await?;
    let answered = store
        .reject_transfer(&cx, &key, id, body.into_inner())
        .await?;
    Ok(done(&key, &answered))
}

/// Send the goods.
#[utoipa::path(
    tag = "transfers",
    operation_id = "dispatch_transfer",
    description = "By the source: all that was approved, or what `lines` name of it, in one step; \
        what is not sent is not owed any more. The goods leave the source's stock \
        (`transfer_out`) and are `incoming` at the destination. 409 `insufficient-stock` names \
        what is there, for tills may have sold it.",
    security(("bearer" = [])),
    params(("id" = TransferId, Path, description = "The transfer", example = "82991d77-57f1-503f-8f85-31503f6f7643"), IdempotencyHeader),
    request_body(content = TransferPicks, example = json!({"lines": [
        {"product_id": "0198c0de-0000-7000-8000-000000010001", "quantity": 8}
    ]})),
    responses((status = 200, description = "The transfer in transit", body = TransferView), WriteProblems)
)]
#[post("/api/stocks/transfers/{id}/dispatch")]
pub(crate) async fn dispatch_transfer(
    can: Can<TransferWrite>,
    id: Path<TransferId>,
    key: IdempotencyKey,
    body: Json<TransferPicks>,
    store: Data<Store>,
) -> Result<HttpResponse, Error> {
    let id = id.into_inner();
    let cx = act(&store, &can, id, End::Source).await?;
    let answered = store
        .dispatch_transfer(&cx, &key, id, body.into_inner())
        .await?;
    Ok(done(&key, &answered))
}

/// Receive goods, in one part or several.
#[utoipa::path(
    tag = "transfers",
    operation_id = "receive_transfer",
    description = "By the destination. Each line says what became of goods in transit: `received` \
        go on the shelf and `damaged` beside it (`transfer_in`), `lost` nowhere. What is said \
        nothing of stays in transit. 409 `more-than-in-transit` where more came than is: a \
        surplus is found stock, and an adjustment.",
    security(("bearer" = [])),
    params(("id" = TransferId, Path, description = "The transfer", example = "10f4f35d-6424-52fc-9426-555f35e9cf6f"), IdempotencyHeader),
    request_body(content = ReceiveTransfer, example = json!({"lines": [
        {"product_id": "0198c0de-0000-7000-8000-000000010001", "received": 3, "damaged": 2}
    ], "note": "Two boxes were wet"})),
    responses((status = 200, description = "The transfer as it is now", body = TransferView), WriteProblems)
)]
#[post("/api/stocks/transfers/{id}/receive")]
pub(crate) async fn receive_transfer(
    can: Can<TransferWrite>,
    id: Path<TransferId>,
    key: IdempotencyKey,
    body: Json<ReceiveTransfer>,
    store: Data<Store>,
) -> Result<HttpResponse, Error> {
    let id = id.into_inner();
    let cx = act(&store, &can, id, End::Destination).await?;
    let answered = store
        .receive_transfer(&cx, &key, id, body.into_inner())
        .await?;
    Ok(done(&key, &answered))
}

/// End a transfer.
#[utoipa::path(
    tag = "transfers",
    operation_id = "close_transfer",
    description = "By the destination. With `write_off`, what is still in transit is lost; \
        without it, 409 `goods-in-transit` where there is any.",
    security(("bearer" = [])),
    params(("id" = TransferId, Path, description = "The transfer", example = "10f4f35d-6424-52fc-9426-555f35e9cf6f"), IdempotencyHeader),
    request_body(content = CloseTransfer, example = json!({
        "write_off": true, "reason": "The carrier lost a pallet"
    })),
    responses((status = 200, description = "The closed transfer", body = TransferView), WriteProblems)
)]
#[post("/api/stocks/transfers/{id}/close")]
pub(crate) async fn close_transfer(
    can: Can<TransferWrite>,
    id: Path<TransferId>,
    key: IdempotencyKey,
    body: Json<CloseTransfer>,
    store: Data<Store>,
) -> Result<HttpResponse, Error> {
    let id = id.into_inner();
    let cx = act(&store, &can, id, End::Destination).await?;
    let answered = store
        .close_transfer(&cx, &key, id, body.into_inner())
        .await?;
    Ok(done(&key, &answered))
}

/// Give a transfer up before anything has left.
#[utoipa::path(
    tag = "transfers",
    operation_id = "cancel_transfer",
    description = "By either end, of a draft, a requested or an approved transfer; what was \
        promised is free again. Once dispatched it is received or closed instead, and may be \
        returned.",
    security(("bearer" = [])),
    params(("id" = TransferId, Path, description = "The transfer", example = "a11a2d00-97af-5784-8380-c3b8da3ab364"), IdempotencyHeader),
    request_body(content = StopTransfer, example = json!({"reason": "Ordered twice"})),
    responses((status = 200, description = "The cancelled transfer", body = TransferView), WriteProblems)
)]
#[post("/api/stocks/transfers/{id}/cancel")]
pub(crate) async fn cancel_transfer(
    can: Can<TransferWrite>,
    id: Path<TransferId>,
    key: IdempotencyKey,
    body: Json<StopTransfer>,
    store: Data<Store>,
) -> Result<HttpResponse, Error> {
    let id = id.into_inner();
    let cx = act(&store, &can, id, End::Either).await?;
    let answered = store
        .cancel_transfer(&cx, &key, id, body.into_inner())
        .await?;
    Ok(done(&key, &answered))
}

/// Send goods back that a transfer brought.
#[utoipa::path(
    tag = "transfers",
    operation_id = "return_transfer",
    description = "By the destination, of goods that were received whole: makes a transfer in the \
        other direction (`return_of`), already requested, which goes the way of any other. 409 \
        `more-than-received` counts other returns that were not cancelled or rejected.",
    security(("bearer" = [])),
    params(("id" = TransferId, Path, description = "The transfer", example = "54641084-e2a1-50d8-9b75-a17e562b5c94"), IdempotencyHeader),
    request_body(content = ReturnTransfer, example = json!({"lines": [
        {"product_id": "0198c0de-0000-7000-8000-000000010001", "quantity": 4}
    ], "reason": "Sent too many"})),
    responses((status = 201, description = "The transfer that brings them back", body = TransferView), WriteProblems)
)]
#[post("/api/stocks/transfers/{id}/return")]
pub(crate) async fn return_transfer(
    can: Can<TransferWrite>,
    id: Path<TransferId>,
    key: IdempotencyKey,
    body: Json<ReturnTransfer>,
    store: Data<Store>,
) -> Result<HttpResponse, Error> {
    let id = id.into_inner();
    let cx = act(&store, &can, id, End::Destination).await?;
    let answered = store
        .return_transfer(&cx, &key, id, body.into_inner())
        .await?;
    Ok(created(&key, &answered))
}
