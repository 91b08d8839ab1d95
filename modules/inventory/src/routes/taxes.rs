//! `/api/inventory/taxes` and `/api/inventory/taxes/classes`

use actix_web::{HttpResponse, get, post, web::Data};
use kernel::{
    auth::Can,
    extract::{Json, Path, Query},
    idempotency::{IdempotencyHeader, IdempotencyKey},
    page::{Cursor, Limit, Page, after},
    responses::{ReadProblems, WriteProblems},
    text::Code,
    time::Moment,
};
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use super::prices::place;
use crate::{
    Inventory,
    dto::taxes::{CreateTaxClass, CreateTaxRate, TaxClassView, TaxRateView},
    permissions::{CatalogRead, CatalogWrite},
    repo::taxes::RateFilter,
};

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct TaxClassQuery {
    /// Items on a page.
    #[param(inline)]
    limit: Option<Limit>,
    /// `next_cursor` of the page before.
    #[param(inline)]
    cursor: Option<Cursor>,
}

/// List tax classes by code.
#[utoipa::path(
    tag = "taxes",
    operation_id = "list_tax_classes",
    security(("bearer" = [])),
    params(TaxClassQuery),
    responses((status = 200, description = "A page of classes", body = Page<TaxClassView>), ReadProblems),
)]
#[get("/api/inventory/taxes/classes")]
pub(crate) async fn list_tax_classes(
    _can: Can<CatalogRead>,
    query: Query<TaxClassQuery>,
    inventory: Data<Inventory>,
) -> Result<HttpResponse, actix_web::Error> {
    let TaxClassQuery { limit, cursor } = query.into_inner();
    let limit = limit.unwrap_or_default();
    let after = after::<String>(cursor.as_ref())?;
    let rows = inventory.tax_classes(after, limit).await?;
    let page = Page::build(rows, limit, |r| r.code.clone(), TaxClassView::from);
    Ok(HttpResponse::Ok().json(page))
}

/// Create a tax class.
///
/// By an admin of the chain. Products name it as their `tax_class`, and rates say what it means in
/// each region. A code is there once (409 `tax-class-taken`).
#[utoipa::path(
    tag = "taxes",
    operation_id = "create_tax_class",
    security(("bearer" = [])),
    params(IdempotencyHeader),
    request_body(content = CreateTaxClass, example = json!({"code": "books", "name": "Printed books"})),
    responses((status = 201, description = "Made; `Location` names the list", body = TaxClassView), WriteProblems),
)]
#[post("/api/inventory/taxes/classes")]
pub(crate) async fn create_tax_class(
    can: Can<CatalogWrite>,
    key: IdempotencyKey,
    body: Json<CreateTaxClass>,
    inventory: Data<Inventory>,
) -> Result<HttpResponse, actix_web::Error> {
    let cx = can.everywhere()?;
    let answered = inventory
        .create_tax_class(&cx, &key, body.into_inner())
        .await?;
    Ok(answered.created(&key, "/api/inventory/taxes/classes".to_owned()))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct TaxRateQuery {
    /// Only of this region.
    #[param(inline)]
    region: Option<Code>,
    /// Only of this class.
    #[param(inline)]
    tax_class: Option<Code>,
    /// Only those that hold at this moment.
    #[param(inline)]
    at: Option<Moment>,
    /// Items on a page.
    #[param(inline)]
    limit: Option<Limit>,
    /// `next_cursor` of the page before.
    #[param(inline)]
    cursor: Option<Cursor>,
}

/// List tax rates, the one that begins last first.
///
/// A rate holds until the next one of its region and class begins. A line of a sale has the rate of
/// the store's region for the product's class at the moment of the sale; the product's own `tax_rate`
/// where there is none.
#[utoipa::path(
    tag = "taxes",
    operation_id = "list_tax_rates",
    security(("bearer" = [])),
    params(TaxRateQuery),
    responses((status = 200, description = "A page of rates", body = Page<TaxRateView>), ReadProblems),
)]
#[get("/api/inventory/taxes")]
pub(crate) async fn list_tax_rates(
    _can: Can<CatalogRead>,
    query: Query<TaxRateQuery>,
    inventory: Data<Inventory>,
) -> Result<HttpResponse, actix_web::Error> {
    let TaxRateQuery {
        region,
        tax_class,
        at,
        limit,
        cursor,
    } = query.into_inner();
    let limit = limit.unwrap_or_default();
    let rows = inventory
        .tax_rates(RateFilter {
            region: region.map(Code::into_string),
            tax_class: tax_class.map(Code::into_string),
            at: at.map(|at| at.0),
            after: place(cursor.as_ref())?,
            limit,
        })
        .await?;
    let page = Page::build(rows, limit, |r| (r.valid_from, r.id), TaxRateView::from);
    Ok(HttpResponse::Ok().json(page))
}

/// Set a tax rate from a moment on.
///
/// By an admin of the chain. It ends the rate before it. Two of a region and class cannot begin at
/// the same moment (409 `tax-rate-taken`).
#[utoipa::path(
    tag = "taxes",
    operation_id = "create_tax_rate",
    security(("bearer" = [])),
    params(IdempotencyHeader),
    request_body(content = CreateTaxRate, example = json!({
        "region": "FR", "tax_class": "reduced", "rate": 1000, "valid_from": "2099-01-01T00:00:00Z"
    })),
    responses((status = 201, description = "Made; `Location` names the list", body = TaxRateView), WriteProblems),
)]
#[post("/api/inventory/taxes")]
pub(crate) async fn create_tax_rate(
    can: Can<CatalogWrite>,
    key: IdempotencyKey,
    body: Json<CreateTaxRate>,
    inventory: Data<Inventory>,
) -> Result<HttpResponse, actix_web::Error> {
    let cx = can.everywhere()?;
    let answered = inventory
        .create_tax_rate(&cx, &key, body.into_inner())
        .await?;
    Ok(answered.created(&key, "/api/inventory/taxes".to_owned()))
}

/// Withdraw a tax rate that has not begun.
///
/// Once it has, it is a 409 `tax-rate-begun`: a new rate ends it.
#[utoipa::path(
    tag = "taxes",
    operation_id = "withdraw_tax_rate",
    security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The rate"), IdempotencyHeader),
    responses((status = 200, description = "The rate, which will never hold", body = TaxRateView), WriteProblems),
)]
#[post("/api/inventory/taxes/{id}/withdraw")]
pub(crate) async fn withdraw_tax_rate(
    can: Can<CatalogWrite>,
    id: Path<Uuid>,
    key: IdempotencyKey,
    inventory: Data<Inventory>,
) -> Result<HttpResponse, actix_web::Error> {
    let cx = can.everywhere()?;
    let answered = inventory
        .withdraw_tax_rate(&cx, &key, id.into_inner())
        .await?;
    Ok(answered.ok(&key))
}
