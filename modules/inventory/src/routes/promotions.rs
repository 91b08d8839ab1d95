//! `/api/inventory/promotions`

use actix_web::{HttpResponse, get, http::StatusCode, post, web::Data};
use kernel::{
    auth::{Can, Permission, Scope},
    call::Cx,
    extract::{IfMatch, Json, Path, Query, etag},
    idempotency::{IdempotencyHeader, IdempotencyKey},
    ids::{ProductId, StoreId},
    page::{Cursor, Limit, Page},
    problem::Problem,
    responses::{ReadProblems, WriteProblems},
    time::Moment,
};
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use super::prices::{place, pricing_at};
use crate::{
    Inventory,
    dto::{
        prices::EndPrice,
        promotions::{CreatePromotion, PromotionView},
    },
    permissions::{CatalogRead, PriceWrite},
    repo::promotions::PromotionFilter,
};

/// The caller's context to promote at all of `stores`; at every store where it is `None`.
fn promoting_at(can: &Can<PriceWrite>, stores: Option<&[StoreId]>) -> Result<Cx, Problem> {
    let Some(stores) = stores else {
        return pricing_at(can, None);
    };
    let (mut cx, _) = can.scoped();
    for store in stores {
        cx = can.at(*store)?;
    }
    Ok(cx)
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct PromotionQuery {
    /// Only those that hold at this store, those of every store included.
    store_id: Option<StoreId>,
    /// Only those that hold for this product, by itself or by its category.
    product_id: Option<ProductId>,
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

/// List promotions, the one that begins last first.
///
/// Those of every store, and those of your stores; what is over or was withdrawn stays in the list.
#[utoipa::path(
    tag = "promotions",
    operation_id = "list_promotions",
    security(("bearer" = [])),
    params(PromotionQuery),
    responses((status = 200, description = "A page of promotions", body = Page<PromotionView>), ReadProblems),
)]
#[get("/api/inventory/promotions")]
pub(crate) async fn list_promotions(
    can: Can<CatalogRead>,
    query: Query<PromotionQuery>,
    inventory: Data<Inventory>,
) -> Result<HttpResponse, actix_web::Error> {
    let PromotionQuery {
        store_id,
        product_id,
        at,
        limit,
        cursor,
    } = query.into_inner();
    if let Some(store) = store_id {
        can.at(store)?;
    }
    let limit = limit.unwrap_or_default();
    let found = inventory
        .promotions(PromotionFilter {
            scope: can.scope(),
            id: None,
            store_id,
            product_id,
            at: at.map(|at| at.0),
            after: place(cursor.as_ref())?,
            limit: limit.plus_one(),
        })
        .await?;
    let page = Page::build(found, limit, |p| (p.dates.from, p.id), PromotionView::from);
    Ok(HttpResponse::Ok().json(page))
}

/// Make a promotion.
///
/// A share or an amount off products, or everything in categories and below them, from a moment on.
/// At stores by a manager of all of them or an admin; at every store by an admin of the chain. A till
/// takes the one promotion that is best for the customer off each line, before any discount by hand;
/// promotions do not add up, and none applies to a price that was set by hand. An amount is per the
/// product's `price_per`, in the currency of the stores (409 `currency-mismatch`), and at most the
/// price.
#[utoipa::path(
    tag = "promotions",
    operation_id = "create_promotion",
    security(("bearer" = [])),
    params(IdempotencyHeader),
    request_body(content = CreatePromotion, example = json!({
        "name": "Juice week", "discount": {"basis_points": 1000},
        "store_ids": ["0198c0de-0000-7000-8000-000000000001"],
        "category_ids": ["0198c0de-0000-7000-8000-000000000202"],
        "valid_from": "2099-01-01T08:00:00Z", "valid_until": "2099-01-08T08:00:00Z"
    })),
    responses(
        (status = 201, description = "Made; `Location` names it", body = PromotionView),
        WriteProblems,
    ),
)]
#[post("/api/inventory/promotions")]
pub(crate) async fn create_promotion(
    can: Can<PriceWrite>,
    key: IdempotencyKey,
    body: Json<CreatePromotion>,
    inventory: Data<Inventory>,
) -> Result<HttpResponse, actix_web::Error> {
    let body = body.into_inner();
    let cx = promoting_at(&can, body.store_ids.as_deref())?;
    let answered = inventory.create_promotion(&cx, &key, body).await?;
    let location = format!("/api/inventory/promotions/{}", answered.view.id);
    Ok(answered.created(&key, location))
}

/// Read a promotion.
#[utoipa::path(
    tag = "promotions",
    operation_id = "get_promotion",
    security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The promotion", example = "37d60969-8697-512f-a1b6-3d623d17f826")),
    responses((status = 200, description = "The promotion", body = PromotionView), ReadProblems),
)]
#[get("/api/inventory/promotions/{id}")]
pub(crate) async fn get_promotion(
    can: Can<CatalogRead>,
    id: Path<Uuid>,
    inventory: Data<Inventory>,
) -> Result<HttpResponse, actix_web::Error> {
    let found = inventory.promotion(id.into_inner(), can.scope()).await?;
    Ok(HttpResponse::Ok()
        .insert_header(etag(found.version))
        .json(PromotionView::from(found)))
}

/// End a promotion.
///
/// Now, or at a later moment; an end is only ever brought forward (409 `ends-earlier`). One that has
/// not begun by then is withdrawn and never holds; one that is over cannot end again (409 `over`).
/// By whoever may promote at all of its stores.
#[utoipa::path(
    tag = "promotions",
    operation_id = "end_promotion",
    security(("bearer" = [])),
    params(
        ("id" = Uuid, Path, description = "The promotion", example = "37d60969-8697-512f-a1b6-3d623d17f826"),
        ("If-Match" = Option<String>, Header, description = "The `ETag` that you have seen"),
        IdempotencyHeader,
    ),
    request_body(content = EndPrice, example = json!({})),
    responses((status = 200, description = "The promotion as it ends", body = PromotionView), WriteProblems),
)]
#[post("/api/inventory/promotions/{id}/end")]
pub(crate) async fn end_promotion(
    can: Can<PriceWrite>,
    id: Path<Uuid>,
    if_match: IfMatch,
    key: IdempotencyKey,
    body: Json<EndPrice>,
    inventory: Data<Inventory>,
) -> Result<HttpResponse, actix_web::Error> {
    let id = id.into_inner();
    let seen = can.principal().scope(CatalogRead::ROLES);
    inventory.promotion(id, seen).await?;
    let whole = inventory.promotion(id, Scope::All).await?;
    let cx = promoting_at(&can, whole.stores.as_deref()).map_err(|_| elsewhere())?;
    let answered = inventory
        .end_promotion(&cx, &key, id, if_match.0, body.into_inner())
        .await?;
    Ok(answered.ok(&key))
}

fn elsewhere() -> Problem {
    let detail = "The promotion is for whoever may set prices at all of its stores to end.";
    Problem::new(StatusCode::FORBIDDEN, "forbidden", detail)
}
