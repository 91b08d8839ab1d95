//! `/api/returns`, `/api/returns/reasons` and `/api/returns/{id}`

use actix_web::{HttpResponse, get, post, web::Data};
use kernel::{
    auth::Can,
    extract::{Json, Path, Query},
    idempotency::{IdempotencyHeader, IdempotencyKey},
    page::Page,
    problem::Problem,
    responses::{ReadProblems, WriteProblems},
    uuid::Uuid,
};

use super::{created, powers};
use crate::{
    RecordedReturn, Sales,
    domain::words::ReturnReason,
    dto::{CreateReturn, ReturnHead, ReturnReasonView, ReturnView, ReturnsQuery},
    error::Error,
    permissions::{ReturnWrite, SaleRead},
};

/// Record a return.
///
/// Against a sale, never more than was sold. The refund of a line is computed so that parts sum to
/// the whole: after `k` of `q` came back, `total × k / q` was refunded in all, rounded. The goods
/// go back on the shelf (`restock`) or are kept as `damaged`. `refunds` must sum to the refund;
/// unless given, all of it goes back in the tender of the sale's largest payment. A cashier may
/// refund up to the store's limit.
///
/// 400 `refund-mismatch` (names the expected refund); 403 `return-limit`; 409
/// `return-exceeds-sale` (names each line), `sale-voided`, `store-archived`, `currency-mismatch`.
#[utoipa::path(
    tag = "returns",
    operation_id = "create_return",
    security(("bearer" = [])),
    params(IdempotencyHeader),
    request_body(content = CreateReturn, description = "Take `sale_id` from a sale that you recorded.", example = json!({
        "sale_id": "602f1be0-fe12-5df6-beaa-aed1883c4a83",
        "lines": [{"line": 1, "quantity": 1, "disposition": "restock"}],
        "reason": "unwanted"
    })),
    responses(
        (status = 201, description = "The return is recorded; the stock follows within a second.", body = ReturnView,
            headers(
                ("Location" = String, description = "The return's path."),
                ("Idempotency-Key" = String, description = "The key that was used."),
                ("Idempotent-Replayed" = String, description = "`true` when an earlier request had recorded it.")
            )),
        WriteProblems
    )
)]
#[post("/api/returns")]
pub(crate) async fn create_return(
    can: Can<ReturnWrite>,
    key: IdempotencyKey,
    body: Json<CreateReturn>,
    sales: Data<Sales>,
) -> Result<HttpResponse, Problem> {
    let body = body.into_inner();
    let (_, scope) = can.scoped();
    let store_id = sales.sale_in(body.sale_id, &scope).await?.store_id;
    let cx = can.at(store_id)?;
    let may = powers(&can, store_id);
    let RecordedReturn { returned, replayed } = sales.record_return(&cx, &key, body, may).await?;
    let location = format!("/api/returns/{}", returned.id);
    Ok(created(&key, replayed, location, &returned))
}

/// List returns, newest first.
///
/// Without their lines and refunds.
#[utoipa::path(
    tag = "returns",
    operation_id = "list_returns",
    security(("bearer" = [])),
    params(ReturnsQuery),
    responses(
        (status = 200, description = "A page of returns.", body = Page<ReturnHead>),
        ReadProblems
    )
)]
#[get("/api/returns")]
pub(crate) async fn list_returns(
    can: Can<SaleRead>,
    query: Query<ReturnsQuery>,
    sales: Data<Sales>,
) -> Result<HttpResponse, actix_web::Error> {
    if let Some(store) = query.0.store_id {
        can.at(store)?;
    }
    let (_, scope) = can.scoped();
    Ok(HttpResponse::Ok().json(sales.returns(&scope, query.into_inner()).await?))
}

/// List the reasons that a return may give.
#[utoipa::path(
    tag = "returns",
    operation_id = "list_return_reasons",
    security(("bearer" = [])),
    responses(
        (status = 200, description = "Every reason.", body = Vec<ReturnReasonView>),
        ReadProblems
    )
)]
#[get("/api/returns/reasons")]
pub(crate) async fn list_return_reasons(_can: Can<SaleRead>) -> HttpResponse {
    let reasons = ReturnReason::ALL.iter().map(|code| ReturnReasonView {
        code: *code,
        title: code.title(),
    });
    HttpResponse::Ok().json(reasons.collect::<Vec<_>>())
}

/// Get a return.
#[utoipa::path(
    tag = "returns",
    operation_id = "get_return",
    security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The return.")),
    responses(
        (status = 200, description = "The return.", body = ReturnView),
        ReadProblems
    )
)]
#[get("/api/returns/{id}")]
pub(crate) async fn get_return(
    can: Can<SaleRead>,
    id: Path<Uuid>,
    sales: Data<Sales>,
) -> Result<HttpResponse, Error> {
    let (_, scope) = can.scoped();
    Ok(HttpResponse::Ok().json(sales.return_by_id(id.into_inner(), &scope).await?))
}
