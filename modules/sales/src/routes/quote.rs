//! `/api/sales/quote`

use actix_web::{HttpResponse, post, web::Data};
use kernel::{auth::Can, extract::Json, responses::WriteProblems};

use super::powers;
use crate::{
    Sales,
    dto::{CreateQuote, QuoteView},
    permissions::SaleWrite,
};

/// Tell what a sale would cost.
///
/// The body of a sale without its payments; the same prices, promotions, discounts and taxes, and so
/// the same total, as the sale would have at that moment. Nothing is written, and no goods are set
/// aside: `available` is what the store has now, and another till may sell it. Refused as the sale
/// would be, but for its payments and short stock.
#[utoipa::path(
    tag = "sales",
    operation_id = "quote_sale",
    security(("bearer" = [])),
    request_body(content = CreateQuote, example = json!({
        "store_id": "0198c0de-0000-7000-8000-000000000001",
        "lines": [{"sku": "DEMO-0001", "quantity": 2}]
    })),
    responses((status = 200, description = "What it would cost", body = QuoteView), WriteProblems)
)]
#[post("/api/sales/quote")]
pub(crate) async fn quote_sale(
    can: Can<SaleWrite>,
    body: Json<CreateQuote>,
    sales: Data<Sales>,
) -> Result<HttpResponse, actix_web::Error> {
    let body = body.into_inner();
    let cx = can.at(body.store_id)?;
    let may = powers(&can, body.store_id);
    Ok(HttpResponse::Ok().json(sales.quote(&cx, body, may).await?))
}
