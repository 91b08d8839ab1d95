//! `/api/sales/{id}/void`

use actix_web::{HttpResponse, post, web::Data};
use kernel::{
    auth::Can,
    extract::{Json, Path},
    idempotency::{IdempotencyHeader, IdempotencyKey},
    ids::SaleId,
    responses::WriteProblems,
};

use super::powers;
use crate::{
    Sales,
    dto::{SaleDetail, VoidSale},
    error::Error,
    permissions::SaleVoid,
};

/// Void a sale.
///
/// For a sale that should not have been: its goods go back on the shelf, and it no longer counts
/// in reports. Cashiers void only sales that they made, on the business day of the sale.
///
/// 403 `not-own-sale`, `void-too-late`; 409 `already-voided`, `has-returns`, `part-of-exchange`.
#[utoipa::path(
    tag = "sales",
    operation_id = "void_sale",
    security(("bearer" = [])),
    params(("id" = SaleId, Path, description = "The sale.", example = "602f1be0-fe12-5df6-beaa-aed1883c4a83"), IdempotencyHeader),
    request_body(content = VoidSale, example = json!({"reason": "Rung up twice"})),
    responses(
        (status = 200, description = "The sale, voided.", body = SaleDetail,
            headers(
                ("Idempotency-Key" = String, description = "The key that was used."),
                ("Idempotent-Replayed" = String, description = "`true` when an earlier request had voided it.")
            )),
        WriteProblems
    )
)]
#[post("/api/sales/{id}/void")]
pub(crate) async fn void_sale(
    can: Can<SaleVoid>,
    id: Path<SaleId>,
    key: IdempotencyKey,
    body: Json<VoidSale>,
    sales: Data<Sales>,
) -> Result<HttpResponse, Error> {
    let (_, scope) = can.scoped();
    let sale = sales.sale_in(id.into_inner(), &scope).await?;
    let cx = can.at(sale.store_id)?;
    let may = powers(&can, sale.store_id);
    let voided = sales.void(&cx, &key, sale, body.into_inner(), may).await?;
    let mut answer = HttpResponse::Ok();
    key.answer(&mut answer, voided.replayed);
    Ok(answer.json(voided.sale))
}
