//! `/api/sales` and `/api/sales/{id}`

use actix_web::{HttpResponse, get, post, web::Data};
use kernel::{
    auth::{Can, Permission},
    extract::{Json, Path, Query},
    idempotency::{IdempotencyHeader, IdempotencyKey},
    ids::SaleId,
    page::Page,
    problem::Problem,
    responses::{ReadProblems, WriteProblems},
};

use super::{created, powers};
use crate::{
    Recorded, Sales,
    dto::{CreateSale, SaleDetail, SaleHead, SaleView, SalesQuery},
    error::Error,
    permissions::{SaleRead, SaleReadAll, SaleWrite},
    service::read::Viewer,
};

/// Record a sale.
///
/// Takes the goods out of the store's stock and records the sale, or does neither. The cashier is
/// the caller; prices, promotions, tax and names are the catalogue's, as they hold at the store when
/// the sale happened. Per line, `gross` is `unit_price` × `quantity` / `price_per`, rounded half away
/// from zero; then come the best promotion's discount (none on a price set by hand), the line's, its
/// share of the sale's (split by largest remainder), and the tax. The payments must sum to the total;
/// cash may exceed it and `change` is given out of cash. Where the store rounds cash, what is left for
/// it to pay is rounded, and told as `rounding`: payments - change = total + rounding.
///
/// Repeat with the same `Idempotency-Key` until there is an answer: the sale is recorded once, and
/// every repeat answers as the first did, whatever has changed since.
///
/// 400 `unknown-product`, `payment-mismatch` (names the expected total); 403 `price-override`;
/// 409 `insufficient-stock` (names each short line), `store-archived`, `product-archived`,
/// `currency-mismatch`, `sale-aborted` (an earlier attempt was given up: use a new key).
#[utoipa::path(
    tag = "sales",
    operation_id = "create_sale",
    security(("bearer" = [])),
    params(IdempotencyHeader),
    request_body(content = CreateSale, example = json!({
        "store_id": "0198c0de-0000-7000-8000-000000000001",
        "lines": [{"sku": "DEMO-0001", "quantity": 2}],
        "payments": [{"tender": "cash", "amount": {"amount": 498, "currency": "EUR"}}]
    })),
    responses(
        (status = 201, description = "The sale is recorded and its goods are taken.", body = SaleView,
            headers(
                ("Location" = String, description = "The sale's path."),
                ("Idempotency-Key" = String, description = "The key that was used."),
                ("Idempotent-Replayed" = String, description = "`true` when an earlier request had recorded it.")
            )),
        WriteProblems
    )
)]
#[post("/api/sales")]
pub(crate) async fn create_sale(
    can: Can<SaleWrite>,
    key: IdempotencyKey,
    body: Json<CreateSale>,
    sales: Data<Sales>,
) -> Result<HttpResponse, Problem> {
    let body = body.into_inner();
    let cx = can.at(body.store_id)?;
    let may = powers(&can, body.store_id);
    let Recorded { sale, replayed } = sales.record(&cx, &key, body, may).await?;
    let location = format!("/api/sales/{}", sale.id);
    Ok(created(&key, replayed, location, &sale))
}

/// List sales, newest first.
///
/// Without their lines and payments. Cashiers see the sales that they made; everyone else sees
/// those of their stores.
#[utoipa::path(
    tag = "sales",
    operation_id = "list_sales",
    security(("bearer" = [])),
    params(SalesQuery),
    responses(
        (status = 200, description = "A page of sales.", body = Page<SaleHead>),
        ReadProblems
    )
)]
#[get("/api/sales")]
pub(crate) async fn list_sales(
    can: Can<SaleRead>,
    query: Query<SalesQuery>,
    sales: Data<Sales>,
) -> Result<HttpResponse, actix_web::Error> {
    if let Some(store) = query.0.store_id {
        can.at(store)?;
    }
    let principal = can.principal();
    let viewer = Viewer {
        user: principal.user_id,
        everyones: principal.scope(SaleReadAll::ROLES),
        own: can.scope(),
    };
    Ok(HttpResponse::Ok().json(sales.sales(&viewer, query.into_inner()).await?))
}

/// Get a sale.
///
/// With its lines and payments, and what became of it: voided, returned, refunded. Whoever may
/// read sales at its store may get it by its id, for a return needs its lines whoever sold them.
#[utoipa::path(
    tag = "sales",
    operation_id = "get_sale",
    security(("bearer" = [])),
    params(("id" = SaleId, Path, description = "The sale.", example = "602f1be0-fe12-5df6-beaa-aed1883c4a83")),
    responses(
        (status = 200, description = "The sale.", body = SaleDetail),
        ReadProblems
    )
)]
#[get("/api/sales/{id}")]
pub(crate) async fn get_sale(
    can: Can<SaleRead>,
    id: Path<SaleId>,
    sales: Data<Sales>,
) -> Result<HttpResponse, Error> {
    let (_, scope) = can.scoped();
    Ok(HttpResponse::Ok().json(sales.sale(id.into_inner(), &scope).await?))
}
