//! `/api/stocks/transfers`: made, read and changed; `transfer_steps` moves them on.

use actix_web::{HttpResponse, get, http::header, patch, post, web::Data};
use kernel::{
    auth::Can,
    extract::{IfMatch, Json, Path, Query, etag},
    idempotency::{IdempotencyHeader, IdempotencyKey},
    ids::{ProductId, StoreId, TransferId},
    page::{self, Cursor, Limit, Page},
    responses::{ReadProblems, WriteProblems},
};
use serde::Deserialize;
use store_api::TransferStatus;
use utoipa::IntoParams;

use super::{
    narrow,
    transfer_steps::{End, act},
};
use crate::{
    Store,
    dto::{CreateTransfer, TransferHead, TransferReceiptView, TransferView, UpdateTransfer},
    error::Error,
    permissions::{TransferRead, TransferWrite},
    repo::{columns::Status, transfers::TransferFilter},
    service::transfers::Answered,
};

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListTransfers {
    /// Only from or to this store.
    store_id: Option<StoreId>,
    /// Only from this store.
    from_store_id: Option<StoreId>,
    /// Only to this store.
    to_store_id: Option<StoreId>,
    /// Only those that stand there.
    status: Option<TransferStatus>,
    /// Only with this product.
    product_id: Option<ProductId>,
    /// Only those that bring back goods of this transfer.
    return_of: Option<TransferId>,
    /// Items on a page.
    #[param(inline)]
    limit: Option<Limit>,
    /// `next_cursor` of the page before.
    #[param(inline)]
    cursor: Option<Cursor>,
}

/// List the transfers from and to the stores that you may see.
#[utoipa::path(
    tag = "transfers",
    operation_id = "list_transfers",
    description = "The newest first, by number, without their lines.",
    security(("bearer" = [])),
    params(ListTransfers),
    responses((status = 200, description = "A page of transfers", body = Page<TransferHead>), ReadProblems)
)]
#[get("/api/stocks/transfers")]
pub(crate) async fn list_transfers(
    can: Can<TransferRead>,
    query: Query<ListTransfers>,
    store: Data<Store>,
) -> Result<HttpResponse, Error> {
    let query = query.into_inner();
    let limit = query.limit.unwrap_or_default();
    let rows = store
        .transfers(TransferFilter {
            scope: narrow(&can, query.store_id)?,
            from_store_id: query.from_store_id,
            to_store_id: query.to_store_id,
            status: query.status.map(Status),
            product_id: query.product_id,
            return_of: query.return_of,
            after: page::after(query.cursor.as_ref())?,
            limit,
        })
        .await?;
    let page = Page::build(rows, limit, |row| row.number, TransferHead::from);
    Ok(HttpResponse::Ok().json(page))
}

/// Make a transfer, as a draft.
#[utoipa::path(
    tag = "transfers",
    operation_id = "create_transfer",
    description = "Made at the store that is to get the goods. Nothing is promised or moved until \
        the source approves and dispatches it: `request` asks for that.",
    security(("bearer" = [])),
    params(IdempotencyHeader),
    request_body(content = CreateTransfer, example = json!({
        "from_store_id": "0198c0de-0000-7000-8000-000000000006",
        "to_store_id": "0198c0de-0000-7000-8000-000000000001",
        "lines": [
            {"product_id": "0198c0de-0000-7000-8000-000000010001", "quantity": 12},
            {"product_id": "0198c0de-0000-7000-8000-000000010002", "quantity": 6}
        ],
        "note": "For the weekend"
    })),
    responses((status = 201, description = "The draft", body = TransferView), WriteProblems)
)]
#[post("/api/stocks/transfers")]
pub(crate) async fn create_transfer(
    can: Can<TransferWrite>,
    key: IdempotencyKey,
    body: Json<CreateTransfer>,
    store: Data<Store>,
) -> Result<HttpResponse, Error> {
    let body = body.into_inner();
    let cx = can.at(body.to_store_id)?;
    let answered = store.create_transfer(&cx, &key, body).await?;
    Ok(created(&key, &answered))
}

/// 201 with the path of what was made.
pub(super) fn created(key: &IdempotencyKey, answered: &Answered) -> HttpResponse {
    let Answered { view, replayed } = answered;
    let mut response = HttpResponse::Created();
    key.answer(&mut response, *replayed);
    let location = format!("/api/stocks/transfers/{}", view.head.id);
    response
        .insert_header((header::LOCATION, location))
        .insert_header(etag(view.head.version))
        .json(view)
}

/// Read a transfer.
#[utoipa::path(
    tag = "transfers",
    operation_id = "get_transfer",
    description = "With its lines. Both ends see it.",
    security(("bearer" = [])),
    params(("id" = TransferId, Path, description = "The transfer", example = "10f4f35d-6424-52fc-9426-555f35e9cf6f")),
    responses((status = 200, description = "The transfer", body = TransferView), ReadProblems)
)]
#[get("/api/stocks/transfers/{id}")]
pub(crate) async fn get_transfer(
    can: Can<TransferRead>,
    id: Path<TransferId>,
    store: Data<Store>,
) -> Result<HttpResponse, Error> {
    let transfer = store.transfer(id.into_inner(), can.scope()).await?;
    Ok(versioned(transfer.into()))
}

fn versioned(view: TransferView) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header(etag(view.head.version))
        .json(view)
}

/// Change a draft's lines or note.
#[utoipa::path(
    tag = "transfers",
    operation_id = "update_transfer",
    description = "A merge patch (RFC 7396) by the destination: what is left out stays, `lines` \
        stand in the place of all that there were, `null` clears the note. With `If-Match`, only \
        the version that you have seen is changed. 409 `transfer-status` once it is requested.",
    security(("bearer" = [])),
    params(
        ("id" = TransferId, Path, description = "The transfer", example = "a11a2d00-97af-5784-8380-c3b8da3ab364"),
        ("If-Match" = Option<String>, Header, description = "The `ETag` that you have seen"),
    ),
    request_body(content = UpdateTransfer, example = json!({
        "lines": [{"product_id": "0198c0de-0000-7000-8000-000000010001", "quantity": 24}]
    })),
    responses((status = 200, description = "The draft as it is now", body = TransferView), WriteProblems)
)]
#[patch("/api/stocks/transfers/{id}")]
pub(crate) async fn update_transfer(
    can: Can<TransferWrite>,
    id: Path<TransferId>,
    if_match: IfMatch,
    body: Json<UpdateTransfer>,
    store: Data<Store>,
) -> Result<HttpResponse, Error> {
    let id = id.into_inner();
    let cx = act(&store, &can, id, End::Destination).await?;
    let transfer = store
        .update_transfer(&cx, id, if_match, body.into_inner())
        .await?;
    Ok(versioned(transfer.into()))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListReceipts {
    /// Items on a page.
    #[param(inline)]
    limit: Option<Limit>,
    /// `next_cursor` of the page before.
    #[param(inline)]
    cursor: Option<Cursor>,
}

/// List what was received of a transfer, and what was given up.
#[utoipa::path(
    tag = "transfers",
    operation_id = "list_transfer_receipts",
    description = "In the order in which it was said. Together they make up what the lines of the \
        transfer count as received, damaged and lost.",
    security(("bearer" = [])),
    params(("id" = TransferId, Path, description = "The transfer", example = "10f4f35d-6424-52fc-9426-555f35e9cf6f"), ListReceipts),
    responses((status = 200, description = "A page of receipts", body = Page<TransferReceiptView>), ReadProblems)
)]
#[get("/api/stocks/transfers/{id}/receipts")]
pub(crate) async fn list_transfer_receipts(
    can: Can<TransferRead>,
    id: Path<TransferId>,
    query: Query<ListReceipts>,
    store: Data<Store>,
) -> Result<HttpResponse, Error> {
    let query = query.into_inner();
    let limit = query.limit.unwrap_or_default();
    let after = page::after(query.cursor.as_ref())?;
    let rows = store
        .transfer_receipts(id.into_inner(), can.scope(), after, limit)
        .await?;
    let Page {
        items,
        next_cursor,
        total,
    } = Page::build(rows, limit, |row| row.seq, TransferReceiptView::try_from);
    let items: Result<Vec<TransferReceiptView>, _> = items.into_iter().collect();
    Ok(HttpResponse::Ok().json(Page {
        items: items?,
        next_cursor,
        total,
    }))
}
