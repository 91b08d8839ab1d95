//! `/api/inventory/products`

use actix_web::{HttpResponse, get, http::header, patch, post, web::Data};
use kernel::{
    auth::Can,
    extract::{IfMatch, Json, Path, Query, etag},
    ids::ProductId,
    page::{Cursor, Limit, Page, after},
    responses::{ReadProblems, WriteProblems},
};
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use super::product_dto::{CreateProduct, ProductView, UpdateProduct};
use crate::{
    Inventory,
    domain::{product::Product, words},
    permissions::{CatalogRead, CatalogWrite, sees_cost},
    repo::product_list::{Filter, Status},
};

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ProductQuery {
    /// Words of the name or the SKU; each may be just a beginning, and all must be there.
    #[param(max_length = 200, example = "juice")]
    q: Option<String>,
    /// The whole SKU.
    sku: Option<String>,
    /// One of its barcodes.
    barcode: Option<String>,
    /// In this category or below it.
    category_id: Option<Uuid>,
    /// Variants of this product.
    template_id: Option<ProductId>,
    /// `active` unless told.
    #[serde(default)]
    #[param(inline, required = false)]
    status: Status,
    limit: Option<Limit>,
    cursor: Option<Cursor>,
    /// Also count all products that match: `total` in the answer. Slower.
    #[serde(default)]
    #[param(required = false)]
    count: bool,
}

/// List products by name.
///
/// In the order of the name's bytes, then of the id. `cost` is shown to admins, managers and
/// auditors.
#[utoipa::path(
    tag = "products",
    operation_id = "list_products",
    security(("bearer" = [])),
    params(ProductQuery),
    responses((status = 200, description = "One page", body = Page<ProductView>), ReadProblems),
)]
#[get("/api/inventory/products")]
pub(crate) async fn list_products(
    can: Can<CatalogRead>,
    query: Query<ProductQuery>,
    inventory: Data<Inventory>,
) -> Result<HttpResponse, actix_web::Error> {
    let ProductQuery {
        q,
        sku,
        barcode,
        category_id,
        template_id,
        status,
        limit,
        cursor,
        count,
    } = query.into_inner();
    let limit = limit.unwrap_or_default();
    let filter = Filter {
        search: q.as_deref().map(search).transpose()?.flatten(),
        sku,
        barcode,
        category_id,
        template_id,
        status,
    };
    let (found, total) = inventory
        .products(filter, after(cursor.as_ref())?, limit, count)
        .await?;
    let with_cost = sees_cost(can.principal());
    let mut page = Page::build(
        found,
        limit,
        |p| (p.facts.name.clone(), p.id),
        |p| ProductView::new(p, with_cost),
    );
    page.total = total;
    Ok(HttpResponse::Ok().json(page))
}

/// Text without any letter or digit limits nothing.
fn search(q: &str) -> Result<Option<String>, kernel::problem::Problem> {
    if q.chars().count() > 200 {
        return Err(kernel::problem::Problem::invalid_field(
            "q",
            "must be at most 200 characters long",
        ));
    }
    Ok(words::query(q))
}

/// Create a product.
#[utoipa::path(
    tag = "products",
    operation_id = "create_product",
    security(("bearer" = [])),
    request_body(content = CreateProduct, example = json!({
        "sku": "APPLE-1KG", "name": "Apples, loose", "unit": "g", "barcodes": ["2000000000015"],
        "price": {"amount": 299, "currency": "EUR"}, "price_per": 1000, "tax_rate": 700,
        "cost": {"amount": 150, "currency": "EUR"}, "attributes": {"origin": "Normandy"}
    })),
    responses(
        (status = 201, description = "Created; `Location` names it", body = ProductView),
        WriteProblems,
    ),
)]
#[post("/api/inventory/products")]
pub(crate) async fn create_product(
    can: Can<CatalogWrite>,
    body: Json<CreateProduct>,
    inventory: Data<Inventory>,
) -> Result<HttpResponse, actix_web::Error> {
    let cx = can.everywhere()?;
    let body = body.into_inner();
    let (id, facts) = (body.id, body.into_facts()?);
    let product = inventory.create_product(&cx, id, facts).await?;
    let location = format!("/api/inventory/products/{}", product.id);
    Ok(HttpResponse::Created()
        .insert_header((header::LOCATION, location))
        .insert_header(etag(product.version))
        .json(ProductView::new(product, true)))
}

/// Read a product.
#[utoipa::path(
    tag = "products",
    operation_id = "get_product",
    security(("bearer" = [])),
    params(("id" = ProductId, Path, description = "The product", example = "0198c0de-0000-7000-8000-000000010001")),
    responses((status = 200, description = "The product", body = ProductView), ReadProblems),
)]
#[get("/api/inventory/products/{id}")]
pub(crate) async fn get_product(
    can: Can<CatalogRead>,
    id: Path<ProductId>,
    inventory: Data<Inventory>,
) -> Result<HttpResponse, actix_web::Error> {
    let product = inventory.product(id.into_inner()).await?;
    Ok(answer(product, sees_cost(can.principal())))
}

/// Change a product.
///
/// A merge patch (RFC 7396): absent fields are left, `null` clears what can be clear. With
/// `If-Match` it is a 412 when someone else was faster.
#[utoipa::path(
    tag = "products",
    operation_id = "update_product",
    security(("bearer" = [])),
    params(
        ("id" = ProductId, Path, description = "The product", example = "0198c0de-0000-7000-8000-000000010001"),
        ("If-Match" = Option<String>, Header, description = "The `ETag` of the version you read"),
    ),
    request_body(content = UpdateProduct, example = json!({
        "price": {"amount": 319, "currency": "EUR"}, "attributes": {"origin": null}
    })),
    responses((status = 200, description = "The product now", body = ProductView), WriteProblems),
)]
#[patch("/api/inventory/products/{id}")]
pub(crate) async fn update_product(
    can: Can<CatalogWrite>,
    id: Path<ProductId>,
    if_match: IfMatch,
    body: Json<UpdateProduct>,
    inventory: Data<Inventory>,
) -> Result<HttpResponse, actix_web::Error> {
    let cx = can.everywhere()?;
    let patch = body.into_inner();
    let product = inventory
        .edit_product(&cx, id.into_inner(), if_match.0, |old| patch.apply(old))
        .await?;
    Ok(answer(product, true))
}

/// Take a product off the list.
///
/// Its history stays, and it is found by id, SKU and barcode, but it cannot be sold any more.
/// Asked for again it changes nothing.
#[utoipa::path(
    tag = "products",
    operation_id = "archive_product",
    security(("bearer" = [])),
    params(
        ("id" = ProductId, Path, description = "The product", example = "0198c0de-0000-7000-8000-000000010001"),
        ("If-Match" = Option<String>, Header, description = "The `ETag` of the version you read"),
    ),
    responses((status = 200, description = "The product now", body = ProductView), WriteProblems),
)]
#[post("/api/inventory/products/{id}/archive")]
pub(crate) async fn archive_product(
    can: Can<CatalogWrite>,
    id: Path<ProductId>,
    if_match: IfMatch,
    inventory: Data<Inventory>,
) -> Result<HttpResponse, actix_web::Error> {
    let cx = can.everywhere()?;
    let product = inventory
        .archive_product(&cx, id.into_inner(), if_match.0, true)
        .await?;
    Ok(answer(product, true))
}

/// Put an archived product back on the list.
#[utoipa::path(
    tag = "products",
    operation_id = "restore_product",
    security(("bearer" = [])),
    params(
        ("id" = ProductId, Path, description = "The product", example = "0198c0de-0000-7000-8000-000000010001"),
        ("If-Match" = Option<String>, Header, description = "The `ETag` of the version you read"),
    ),
    responses((status = 200, description = "The product now", body = ProductView), WriteProblems),
)]
#[post("/api/inventory/products/{id}/restore")]
pub(crate) async fn restore_product(
    can: Can<CatalogWrite>,
    id: Path<ProductId>,
    if_match: IfMatch,
    inventory: Data<Inventory>,
) -> Result<HttpResponse, actix_web::Error> {
    let cx = can.everywhere()?;
    let product = inventory
        .archive_product(&cx, id.into_inner(), if_match.0, false)
        .await?;
    Ok(answer(product, true))
}

fn answer(product: Product, with_cost: bool) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header(etag(product.version))
        .json(ProductView::new(product, with_cost))
}
