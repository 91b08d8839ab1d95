//! `/api/inventory/prices`

use actix_web::{HttpResponse, get, http::StatusCode, post, web::Data};
use chrono::{DateTime, Utc};
use kernel::{
    auth::{Can, Permission, Scope},
    call::Cx,
    extract::{IfMatch, Json, Path, Query, etag},
    idempotency::{IdempotencyHeader, IdempotencyKey},
    ids::{ProductId, StoreId},
    page::{Cursor, Limit, Page, after},
    problem::Problem,
    responses::{ReadProblems, WriteProblems},
    time::Moment,
};
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use crate::{
    Inventory,
    dto::prices::{CreatePrice, EndPrice, PriceView},
    permissions::{CatalogRead, CatalogWrite, PriceWrite},
    repo::prices::PriceFilter,
};

/// The caller's context to price at `store`; at every store where it is `None`, which takes an
/// admin of them all.
pub(super) fn pricing_at(can: &Can<PriceWrite>, store: Option<StoreId>) -> Result<Cx, Problem> {
    if let Some(store) = store {
        return can.at(store);
    }
    let cx = can.everywhere()?;
    if can.principal().scope(CatalogWrite::ROLES) == Scope::All {
        Ok(cx)
    } else {
        let detail = "What holds at every store is for an admin of the chain to set.";
        Err(Problem::new(StatusCode::FORBIDDEN, "forbidden", detail))
    }
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct PriceQuery {
    /// Only of this product.
    product_id: Option<ProductId>,
    /// Only of this store; those that hold at every store are left out then.
    store_id: Option<StoreId>,
    /// Only those whose dates include this moment.
    #[param(inline)]
    at: Option<Moment>,
    /// Items on a page.
    #[param(inline)]
    limit: Option<Limit>,
    /// `next_cursor` of the page before.
    #[param(inline)]
    cursor: Option<Cursor>,
}

/// List dated prices, the one that begins last first.
///
/// Those that hold at every store, and those of your stores; what is over or was withdrawn stays in
/// the list. At a moment the last that began holds, the store's own before those of every store, and
/// the product's own price where there is none: `GET /api/inventory/lookup` tells what holds now.
#[utoipa::path(
    tag = "prices",
    operation_id = "list_prices",
    security(("bearer" = [])),
    params(PriceQuery),
    responses((status = 200, description = "A page of prices", body = Page<PriceView>), ReadProblems),
)]
#[get("/api/inventory/prices")]
pub(crate) async fn list_prices(
    can: Can<CatalogRead>,
    query: Query<PriceQuery>,
    inventory: Data<Inventory>,
) -> Result<HttpResponse, actix_web::Error> {
    let PriceQuery {
        product_id,
        store_id,
        at,
        limit,
        cursor,
    } = query.into_inner();
    if let Some(store) = store_id {
        can.at(store)?;
    }
    let limit = limit.unwrap_or_default();
    let rows = inventory
        .prices(PriceFilter {
            scope: can.scope(),
            product_id,
            store_id,
            at: at.map(|at| at.0),
            after: place(cursor.as_ref())?,
            limit,
        })
        .await?;
    let page = Page::build(rows, limit, |r| (r.valid_from, r.id), PriceView::from);
    Ok(HttpResponse::Ok().json(page))
}

/// Where a list by beginnings goes on.
pub(super) fn place(cursor: Option<&Cursor>) -> Result<Option<(DateTime<Utc>, Uuid)>, Problem> {
    let place: Option<(Moment, Uuid)> = after(cursor)?;
    Ok(place.map(|(from, id)| (from.0, id)))
}

/// Set a price from a moment on.
///
/// At one store by its manager or an admin; at every store by an admin of the chain. Earlier prices
/// stay: when this one ends, the last of them that still holds does so again. Two cannot begin at
/// the same moment (409 `price-taken`). The currency is the store's (409 `currency-mismatch`); one
/// for every store holds at those that sell in its currency. Tills follow from the moment on, and
/// within 10 s where that is now.
#[utoipa::path(
    tag = "prices",
    operation_id = "create_price",
    security(("bearer" = [])),
    params(IdempotencyHeader),
    request_body(content = CreatePrice, example = json!({
        "product_id": "0198c0de-0000-7000-8000-000000010002",
        "store_id": "0198c0de-0000-7000-8000-000000000001",
        "price": {"amount": 189, "currency": "EUR"},
        "valid_from": "2099-01-01T08:00:00Z", "valid_until": "2099-01-08T08:00:00Z"
    })),
    responses(
        (status = 201, description = "Made; `Location` names it", body = PriceView),
        WriteProblems,
    ),
)]
#[post("/api/inventory/prices")]
pub(crate) async fn create_price(
    can: Can<PriceWrite>,
    key: IdempotencyKey,
    body: Json<CreatePrice>,
    inventory: Data<Inventory>,
) -> Result<HttpResponse, actix_web::Error> {
    let body = body.into_inner();
    let cx = pricing_at(&can, body.store_id)?;
    let answered = inventory.create_price(&cx, &key, body).await?;
    let location = format!("/api/inventory/prices/{}", answered.view.id);
    Ok(answered.created(&key, location))
}

/// Read a dated price.
#[utoipa::path(
    tag = "prices",
    operation_id = "get_price",
    security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The price", example = "aeb9338f-c04e-5a3e-bb41-e6e816656f26")),
    responses((status = 200, description = "The price", body = PriceView), ReadProblems),
)]
#[get("/api/inventory/prices/{id}")]
pub(crate) async fn get_price(
    can: Can<CatalogRead>,
    id: Path<Uuid>,
    inventory: Data<Inventory>,
) -> Result<HttpResponse, actix_web::Error> {
    let row = inventory.price(id.into_inner(), can.scope()).await?;
    Ok(HttpResponse::Ok()
        .insert_header(etag(row.version))
        .json(PriceView::from(row)))
}

/// End a dated price.
///
/// Now, or at a later moment; an end is only ever brought forward (409 `ends-earlier`). One that has
/// not begun by then is withdrawn and never holds; one that is over cannot end again (409 `over`).
#[utoipa::path(
    tag = "prices",
    operation_id = "end_price",
    security(("bearer" = [])),
    params(
        ("id" = Uuid, Path, description = "The price", example = "aeb9338f-c04e-5a3e-bb41-e6e816656f26"),
        ("If-Match" = Option<String>, Header, description = "The `ETag` that you have seen"),
        IdempotencyHeader,
    ),
    request_body(content = EndPrice, example = json!({})),
    responses((status = 200, description = "The price as it ends", body = PriceView), WriteProblems),
)]
#[post("/api/inventory/prices/{id}/end")]
pub(crate) async fn end_price(
    can: Can<PriceWrite>,
    id: Path<Uuid>,
    if_match: IfMatch,
    key: IdempotencyKey,
    body: Json<EndPrice>,
    inventory: Data<Inventory>,
) -> Result<HttpResponse, actix_web::Error> {
    let id = id.into_inner();
    let seen = can.principal().scope(CatalogRead::ROLES);
    let cx = pricing_at(&can, inventory.price(id, seen).await?.store_id)?;
    let answered = inventory
        .end_price(&cx, &key, id, if_match.0, body.into_inner())
        .await?;
    Ok(answered.ok(&key))
}
