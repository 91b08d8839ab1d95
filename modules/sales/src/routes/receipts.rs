//! `/api/sales/{id}/receipt` and `/api/returns/{id}/receipt`

use actix_web::{
    HttpRequest, HttpResponse, get,
    http::header::{Accept, Header},
    web::Data,
};
use kernel::{
    auth::Can,
    extract::{Path, Query},
    ids::SaleId,
    responses::ReadProblems,
    uuid::Uuid,
};

use crate::{
    Sales,
    dto::{ReceiptFormat, ReceiptQuery, ReceiptView},
    error::Error,
    permissions::SaleRead,
    service::receipt_text,
};

/// Get the receipt of a sale.
///
/// As JSON, or as text to be printed with `Accept: text/plain` or `format=text`: 42 characters wide,
/// times by the store's clock. It is the same at every reading and does not say whether it is a
/// copy: a reading leaves no trace, so nobody knows what was printed before.
#[utoipa::path(
    tag = "sales",
    operation_id = "get_sale_receipt",
    security(("bearer" = [])),
    params(("id" = SaleId, Path, description = "The sale.", example = "602f1be0-fe12-5df6-beaa-aed1883c4a83"), ReceiptQuery),
    responses(
        (status = 200, description = "The receipt.", content((ReceiptView = "application/json"), (String = "text/plain"))),
        ReadProblems
    )
)]
#[get("/api/sales/{id}/receipt")]
pub(crate) async fn get_sale_receipt(
    can: Can<SaleRead>,
    id: Path<SaleId>,
    query: Query<ReceiptQuery>,
    request: HttpRequest,
    sales: Data<Sales>,
) -> Result<HttpResponse, Error> {
    let (cx, scope) = can.scoped();
    let receipt = sales.sale_receipt(&cx, id.into_inner(), &scope).await?;
    Ok(answer(&receipt, query.0.format, &request))
}

/// Get the receipt of a return.
///
/// As that of a sale.
#[utoipa::path(
    tag = "returns",
    operation_id = "get_return_receipt",
    security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The return."), ReceiptQuery),
    responses(
        (status = 200, description = "The receipt.", content((ReceiptView = "application/json"), (String = "text/plain"))),
        ReadProblems
    )
)]
#[get("/api/returns/{id}/receipt")]
pub(crate) async fn get_return_receipt(
    can: Can<SaleRead>,
    id: Path<Uuid>,
    query: Query<ReceiptQuery>,
    request: HttpRequest,
    sales: Data<Sales>,
) -> Result<HttpResponse, Error> {
    let (cx, scope) = can.scoped();
    let receipt = sales.return_receipt(&cx, id.into_inner(), &scope).await?;
    Ok(answer(&receipt, query.0.format, &request))
}

fn answer(
    receipt: &ReceiptView,
    format: Option<ReceiptFormat>,
    request: &HttpRequest,
) -> HttpResponse {
    match format.unwrap_or_else(|| preferred(request)) {
        ReceiptFormat::Json => HttpResponse::Ok().json(receipt),
        ReceiptFormat::Text => HttpResponse::Ok()
            .content_type("text/plain; charset=utf-8")
            .body(receipt_text::print(receipt)),
    }
}

fn preferred(request: &HttpRequest) -> ReceiptFormat {
    let accepted = Accept::parse(request).ok();
    match accepted {
        Some(accept) if accept.preference().essence_str() == "text/plain" => ReceiptFormat::Text,
        Some(_) | None => ReceiptFormat::Json,
    }
}
