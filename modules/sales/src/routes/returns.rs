//! `/api/returns`, `/api/returns/{id}` and what stands beside them.

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
    dto::{
        CreateReturn, CreateUnreceiptedReturn, LookupQuery, ReturnHead, ReturnReasonView,
        ReturnView, ReturnableSale, ReturnsQuery,
    },
    error::Error,
    permissions::{ReturnUnreceipted, ReturnWrite, SaleRead},
};

/// Record a return.
///
/// Against a sale, never more than was sold. The refund of a line is computed so that parts sum to
/// the whole: after `k` of `q` came back, `total × k / q` was refunded in all, rounded. The goods
/// go back on the shelf (`restock`) or are kept as `damaged`. `refunds` must sum to the refund;
/// unless given, all of it goes back in the tender of the sale's largest payment. A cashier may
/// refund up to the store's limit.
///
/// Any store of the chain that has the sale's currency may take the goods back: name it in
/// `store_id`, and goods, refund, revenue, taxes and the cashier's limit are that store's. The
/// sale need not be one of the caller's stores then; `GET /api/returns/lookup` finds it.
///
/// 400 `refund-mismatch` (names the expected refund); 403 `return-limit`; 409
/// `return-exceeds-sale` (names each line), `sale-voided`, `store-archived`, `currency-mismatch`
/// (at `/store_id` where the sale was in another currency than the store's).
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
    let store_id = match body.store_id {
        Some(store_id) => store_id,
        None => sales.sale_in(body.sale_id, &can.scope()).await?.store_id,
    };
    let cx = can.at(store_id)?;
    let may = powers(&can, store_id);
    let RecordedReturn { returned, replayed } = sales.record_return(&cx, &key, body, may).await?;
    let location = format!("/api/returns/{}", returned.id);
    Ok(created(&key, replayed, location, &returned))
}

/// Record a return without a receipt.
///
/// For managers and admins. Nothing says what was paid, so what is given back is named per line, at
/// most the product's price at the store now; tax is the product's. The return has no sale, stands
/// in the report of exceptions and, with its lines, in the audit trail.
///
/// 400 `unknown-product`, `refund-mismatch` (names the expected refund); 403 `return-limit`; 409
/// `refund-above-price` (names each line and its price), `store-archived`, `currency-mismatch`.
#[utoipa::path(
    tag = "returns",
    operation_id = "create_return_without_receipt",
    security(("bearer" = [])),
    params(IdempotencyHeader),
    request_body(content = CreateUnreceiptedReturn, example = json!({
        "store_id": "0198c0de-0000-7000-8000-000000000001",
        "lines": [{
            "sku": "DEMO-0001", "quantity": 1, "disposition": "restock",
            "unit_refund": {"amount": 200, "currency": "EUR"}
        }],
        "reason": "unwanted",
        "note": "A gift, the receipt is lost",
        "refunds": [{"tender": "voucher", "amount": {"amount": 200, "currency": "EUR"}}]
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
#[post("/api/returns/without-receipt")]
pub(crate) async fn create_return_without_receipt(
    can: Can<ReturnUnreceipted>,
    key: IdempotencyKey,
    body: Json<CreateUnreceiptedReturn>,
    sales: Data<Sales>,
) -> Result<HttpResponse, Problem> {
    let cx = can.at(body.store_id)?;
    let may = powers(&can, body.store_id);
    let RecordedReturn { returned, replayed } =
        sales.record_unreceipted(&cx, &key, &body, may).await?;
    let location = format!("/api/returns/{}", returned.id);
    Ok(created(&key, replayed, location, &returned))
}

/// Find the sale of a receipt, whichever store gave it.
///
/// For goods that were bought at another store of the chain: what was sold, how much of it may
/// still come back and for how much, and nothing else about the sale. The number is of 50 random
/// bits, so a receipt is found and a sale cannot be guessed. Two sales may share a number; then
/// there are two. An empty list: no sale has it.
#[utoipa::path(
    tag = "returns",
    operation_id = "look_up_receipt",
    security(("bearer" = [])),
    params(LookupQuery),
    responses(
        (status = 200, description = "The sales that the receipt may stand for.", body = Vec<ReturnableSale>),
        ReadProblems
    )
)]
#[get("/api/returns/lookup")]
pub(crate) async fn look_up_receipt(
    _can: Can<ReturnWrite>,
    query: Query<LookupQuery>,
    sales: Data<Sales>,
) -> Result<HttpResponse, Error> {
    Ok(HttpResponse::Ok().json(sales.look_up(query.into_inner()).await?))
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
