//! `/api/sales/batch`

use actix_web::{HttpResponse, post, web::Data};
use kernel::{auth::Can, extract::Json, responses::WriteProblems};

use crate::{
    Sales,
    dto::{BatchView, CreateBatch},
    error::Error,
    permissions::SaleWrite,
};

/// Record sales that were made while a till was offline.
///
/// What has happened is recorded: an oversell is a discrepancy of the store to resolve and no refusal,
/// and the prices are those that were charged; where they are not the catalogue's, the sale is listed
/// among the exceptions. The cashier is the caller.
///
/// Each sale has a key of its own, the one of `POST /api/sales`: one that stands already is answered
/// as `replayed`, whichever way it came. One that fails does not stop the others; its `problem` says
/// why and its `advice` what to do. Send the whole batch again, as often as needed, when there was no
/// answer: no sale is recorded twice.
///
/// A sale fails with 404 or 403 where the caller may not sell at its store, and with 400, 409, 422
/// and 503 as `POST /api/sales` does, but never with `insufficient-stock` or `price-override`.
#[utoipa::path(
    tag = "sales",
    operation_id = "create_sales_batch",
    security(("bearer" = [])),
    request_body(content = CreateBatch, example = json!({
        "sales": [{
            "idempotency_key": "till-1-offline-000042",
            "sale": {
                "store_id": "0198c0de-0000-7000-8000-000000000001",
                "occurred_at": "2026-01-05T09:30:00Z",
                "lines": [{"sku": "DEMO-0001", "quantity": 2, "unit_price": {"amount": 249, "currency": "EUR"}}],
                "payments": [{"tender": "cash", "amount": {"amount": 498, "currency": "EUR"}}]
            }
        }]
    })),
    responses(
        (status = 200, description = "What became of each sale, in their order.", body = BatchView),
        WriteProblems
    )
)]
#[post("/api/sales/batch")]
pub(crate) async fn create_sales_batch(
    can: Can<SaleWrite>,
    body: Json<CreateBatch>,
    sales: Data<Sales>,
) -> Result<HttpResponse, Error> {
    let view = sales
        .record_batch(|store| can.at(store), body.into_inner())
        .await?;
    Ok(HttpResponse::Ok().json(view))
}
