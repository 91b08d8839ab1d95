//! `/api/sales/exchanges`

use actix_web::{HttpResponse, post, web::Data};
use kernel::{
    auth::Can,
    extract::Json,
    idempotency::{IdempotencyHeader, IdempotencyKey},
    responses::WriteProblems,
};

use super::{created, powers};
use crate::{
    Sales,
    dto::{CreateExchange, ExchangeView},
    error::Error,
    permissions::{ReturnWrite, SaleWrite},
    service::exchange::Exchanged,
};

/// Exchange goods: a return and a sale in one, with one payment for the difference.
///
/// Both documents are recorded or neither is, and each adds up by itself: what the return offsets of
/// the sale is a payment of the sale and a refund of the return, of tender `exchange`. `payments` cover
/// the rest where more goes out than comes back, `refunds` where less does, and neither is needed where
/// the two are worth the same. The rules are those of a sale and of a return; a cashier's limit binds
/// what is refunded in money. What comes back may have been sold by another store.
///
/// A sale that is part of an exchange is not voided: record a return.
///
/// 400 `payment-mismatch`, `refund-mismatch` (name what is expected), `unknown-product`; 403
/// `return-limit`, `price-override`; 409 `insufficient-stock`, `return-exceeds-sale`, `sale-voided`,
/// `store-archived`, `product-archived`, `currency-mismatch`, `sale-aborted` (use a new key),
/// `overtaken` (repeat with the same key).
#[utoipa::path(
    tag = "sales",
    operation_id = "create_exchange",
    security(("bearer" = [])),
    params(IdempotencyHeader),
    request_body(content = CreateExchange, description = "Take `sale_id` from a sale that you recorded.", example = json!({
        "store_id": "0198c0de-0000-7000-8000-000000000001",
        "returned": {
            "sale_id": "602f1be0-fe12-5df6-beaa-aed1883c4a83",
            "lines": [{"line": 1, "quantity": 1, "disposition": "restock"}],
            "reason": "wrong_item"
        },
        "sold": {"lines": [{"sku": "DEMO-0001", "quantity": 2}]},
        "payments": [{"tender": "cash", "amount": {"amount": 500, "currency": "EUR"}}]
    })),
    responses(
        (status = 201, description = "Both are recorded.", body = ExchangeView,
            headers(
                ("Location" = String, description = "The sale's path."),
                ("Idempotency-Key" = String, description = "The key that was used."),
                ("Idempotent-Replayed" = String, description = "`true` when an earlier request had recorded it.")
            )),
        WriteProblems
    )
)]
#[post("/api/sales/exchanges")]
pub(crate) async fn create_exchange(
    can: Can<SaleWrite>,
    can_take_back: Can<ReturnWrite>,
    key: IdempotencyKey,
    body: Json<CreateExchange>,
    sales: Data<Sales>,
) -> Result<HttpResponse, Error> {
    let cx = can.at(body.store_id)?;
    can_take_back.at(body.store_id)?;
    let may = powers(&can, body.store_id);
    let Exchanged { view, replayed } = sales.exchange(&cx, &key, &body, may).await?;
    let location = format!("/api/sales/{}", view.sale.id);
    Ok(created(&key, replayed, location, &view))
}
