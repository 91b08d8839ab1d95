//! `/api/inventory/replenishment/requests`: made and read; `replenishment_steps` moves them on.

use actix_web::{HttpResponse, get, http::header, post, web::Data};
use kernel::{
    answers::Answered,
    auth::{Can, Permission, Scope},
    call::Cx,
    extract::{Json, Path, Query, etag},
    idempotency::{IdempotencyHeader, IdempotencyKey},
    ids::{ProductId, StoreId},
    page::{Cursor, Limit, Page, after},
    responses::{ReadProblems, WriteProblems},
};
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use crate::{
    Inventory,
    domain::replenishment::RequestStatus,
    dto::{CreateRequest, RequestHead, RequestView},
    error::Error,
    permissions::{ReplenishmentRead, ReplenishmentWrite},
    repo::{columns::Status, replenishment::RequestFilter},
};

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListRequests {
    /// Only of this store.
    store_id: Option<StoreId>,
    /// Only those that stand there.
    status: Option<RequestStatus>,
    /// Only with this product.
    product_id: Option<ProductId>,
    /// Items on a page.
    #[param(inline)]
    limit: Option<Limit>,
    /// `next_cursor` of the page before.
    #[param(inline)]
    cursor: Option<Cursor>,
}

/// The stores whose requests the caller sees: their own, and every one where they are logistics.
pub(super) async fn seen<P: Permission>(
    inventory: &Inventory,
    can: &Can<P>,
) -> Result<(Cx, Scope), Error> {
    let own = can.principal().scope(ReplenishmentRead::ROLES);
    let cx = can.scoped().0;
    if own == Scope::All || inventory.is_logistics(&cx, can.principal()).await? {
        return Ok((cx, Scope::All));
    }
    Ok((cx, own))
}

/// List what stores ask for.
#[utoipa::path(
    tag = "replenishment",
    operation_id = "list_replenishment_requests",
    description = "The newest first, by number, without their lines. Of the stores that you may \
        see; who manages a warehouse sees every store's.",
    security(("bearer" = [])),
    params(ListRequests),
    responses((status = 200, description = "A page of requests", body = Page<RequestHead>), ReadProblems)
)]
#[get("/api/inventory/replenishment/requests")]
pub(crate) async fn list_replenishment_requests(
    can: Can<ReplenishmentRead>,
    query: Query<ListRequests>,
    inventory: Data<Inventory>,
) -> Result<HttpResponse, actix_web::Error> {
    let query = query.into_inner();
    let limit = query.limit.unwrap_or_default();
    let after = after(query.cursor.as_ref())?;
    let (_, scope) = seen(&inventory, &can).await?;
    let scope = match query.store_id {
        Some(store) if scope == Scope::All => Scope::Only(vec![store]),
        Some(store) => {
            can.at(store)?;
            Scope::Only(vec![store])
        }
        None => scope,
    };
    let rows = inventory
        .requests(RequestFilter {
            scope,
            status: query.status.map(Status),
            product_id: query.product_id,
            after,
            limit,
        })
        .await?;
    let page = Page::build(rows, limit, |row| row.number, RequestHead::from);
    Ok(HttpResponse::Ok().json(page))
}

/// Ask for goods for a store.
#[utoipa::path(
    tag = "replenishment",
    operation_id = "create_replenishment_request",
    description = "Logistics is asked at once, or, for a draft, when it is submitted. Nothing is \
        promised or moved: an approval makes a transfer from each source.",
    security(("bearer" = [])),
    params(IdempotencyHeader),
    request_body(content = CreateRequest, example = json!({
        "store_id": "0198c0de-0000-7000-8000-000000000001",
        "lines": [
            {"product_id": "0198c0de-0000-7000-8000-000000010001", "quantity": 24},
            {"product_id": "0198c0de-0000-7000-8000-000000010002", "quantity": 12,
             "source_store_id": "0198c0de-0000-7000-8000-000000000006"}
        ],
        "note": "For the weekend"
    })),
    responses((status = 201, description = "The request", body = RequestView), WriteProblems)
)]
#[post("/api/inventory/replenishment/requests")]
pub(crate) async fn create_replenishment_request(
    can: Can<ReplenishmentWrite>,
    key: IdempotencyKey,
    body: Json<CreateRequest>,
    inventory: Data<Inventory>,
) -> Result<HttpResponse, actix_web::Error> {
    let body = body.into_inner();
    let cx = can.at(body.store_id)?;
    let answered = inventory.create_request(&cx, &key, body).await?;
    Ok(created(&key, &answered))
}

/// 201 with the path of what was made.
pub(super) fn created(key: &IdempotencyKey, answered: &Answered<RequestView>) -> HttpResponse {
    let Answered { view, replayed } = answered;
    let mut response = HttpResponse::Created();
    key.answer(&mut response, *replayed);
    let location = format!("/api/inventory/replenishment/requests/{}", view.head.id);
    response
        .insert_header((header::LOCATION, location))
        .insert_header(etag(view.head.version))
        .json(view)
}

/// Read what a store asks for, and what has become of it.
#[utoipa::path(
    tag = "replenishment",
    operation_id = "get_replenishment_request",
    description = "With its lines and the transfers that its approval made, as they last were heard \
        of: `fulfilled` when all of them are over and goods came, `unfulfilled` when none did.",
    security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The request", example = "3bef10fa-cc1c-5ec3-ad47-42bef98d9783")),
    responses((status = 200, description = "The request", body = RequestView), ReadProblems)
)]
#[get("/api/inventory/replenishment/requests/{id}")]
pub(crate) async fn get_replenishment_request(
    can: Can<ReplenishmentRead>,
    id: Path<Uuid>,
    inventory: Data<Inventory>,
) -> Result<HttpResponse, actix_web::Error> {
    let (_, scope) = seen(&inventory, &can).await?;
    let view = RequestView::from(inventory.request(id.into_inner(), scope).await?);
    Ok(HttpResponse::Ok()
        .insert_header(etag(view.head.version))
        .json(view))
}
