//! `/api/sales/parked` and what is done with a parked basket.

use actix_web::{HttpResponse, delete, get, post, web::Data};
use kernel::{
    auth::Can,
    extract::{Json, Path, Query},
    idempotency::{IdempotencyHeader, IdempotencyKey},
    page::Page,
    problem::Problem,
    responses::{ReadProblems, WriteProblems},
    uuid::Uuid,
};

use super::created;
use crate::{
    Sales,
    domain::words::ParkedState,
    dto::{ParkSale, ParkedHead, ParkedQuery, ParkedView},
    error::{Conflict, Error},
    permissions::{SaleRead, SaleWrite},
    service::{parked::Done, views},
};

/// Park a basket.
///
/// Puts the lines of a sale aside, for a customer who comes back: no goods are held, nothing is priced
/// and nothing is sold. Any till of the store can resume it until the store's next business day ends.
///
/// 409 `store-archived`.
#[utoipa::path(
    tag = "sales",
    operation_id = "park_sale",
    security(("bearer" = [])),
    params(IdempotencyHeader),
    request_body(content = ParkSale, example = json!({
        "store_id": "0198c0de-0000-7000-8000-000000000001",
        "label": "Forgot the wallet",
        "basket": {"lines": [{"sku": "DEMO-0001", "quantity": 2}]}
    })),
    responses(
        (status = 201, description = "The basket is parked.", body = ParkedView,
            headers(
                ("Location" = String, description = "Its path."),
                ("Idempotency-Key" = String, description = "The key that was used."),
                ("Idempotent-Replayed" = String, description = "`true` when an earlier request had parked it.")
            )),
        WriteProblems
    )
)]
#[post("/api/sales/parked")]
pub(crate) async fn park_sale(
    can: Can<SaleWrite>,
    key: IdempotencyKey,
    body: Json<ParkSale>,
    sales: Data<Sales>,
) -> Result<HttpResponse, Error> {
    let cx = can.at(body.store_id)?;
    let Done { basket, replayed } = sales.park(&cx, &key, body.into_inner()).await?;
    let location = format!("/api/sales/parked/{}", basket.head.id);
    Ok(created(&key, replayed, location, &basket))
}

/// List the baskets that wait, newest first.
///
/// Those of every till of the caller's stores; not those that were resumed or discarded, or expired.
#[utoipa::path(
    tag = "sales",
    operation_id = "list_parked_sales",
    security(("bearer" = [])),
    params(ParkedQuery),
    responses((status = 200, description = "A page of baskets.", body = Page<ParkedHead>), ReadProblems)
)]
#[get("/api/sales/parked")]
pub(crate) async fn list_parked_sales(
    can: Can<SaleRead>,
    query: Query<ParkedQuery>,
    sales: Data<Sales>,
) -> Result<HttpResponse, actix_web::Error> {
    if let Some(store) = query.0.store_id {
        can.at(store)?;
    }
    Ok(HttpResponse::Ok().json(sales.parked(&can.scope(), query.into_inner()).await?))
}

/// Get a parked basket.
///
/// Looking at it leaves it where it is: resume it to sell it.
#[utoipa::path(
    tag = "sales",
    operation_id = "get_parked_sale",
    security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The basket.")),
    responses((status = 200, description = "The basket.", body = ParkedView), ReadProblems)
)]
#[get("/api/sales/parked/{id}")]
pub(crate) async fn get_parked_sale(
    can: Can<SaleRead>,
    id: Path<Uuid>,
    sales: Data<Sales>,
) -> Result<HttpResponse, Error> {
    let row = sales.parked_by_id(id.into_inner(), &can.scope()).await?;
    Ok(HttpResponse::Ok().json(views::parked(row)?))
}

/// Resume a parked basket.
///
/// Hands it out once: of two tills that ask at once one gets it, and the other learns that it is gone.
/// The same key again gets the same answer.
///
/// 409 `basket-resumed`, `basket-discarded`, `basket-expired`.
#[utoipa::path(
    tag = "sales",
    operation_id = "resume_parked_sale",
    security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The basket."), IdempotencyHeader),
    responses(
        (status = 200, description = "The basket, which is this till's now.", body = ParkedView,
            headers(
                ("Idempotency-Key" = String, description = "The key that was used."),
                ("Idempotent-Replayed" = String, description = "`true` when an earlier request had resumed it.")
            )),
        WriteProblems
    )
)]
#[post("/api/sales/parked/{id}/resume")]
pub(crate) async fn resume_parked_sale(
    can: Can<SaleWrite>,
    id: Path<Uuid>,
    key: IdempotencyKey,
    sales: Data<Sales>,
) -> Result<HttpResponse, Problem> {
    let row = sales.parked_by_id(id.into_inner(), &can.scope()).await?;
    let cx = can.at(row.store_id)?;
    let done = sales
        .end_parked(&cx, &key, row.id, ParkedState::Resumed)
        .await?;
    let mut answer = HttpResponse::Ok();
    key.answer(&mut answer, done.replayed);
    Ok(answer.json(done.basket))
}

/// Discard a parked basket.
///
/// The customer did not come back. One that is discarded already stays so.
///
/// 409 `basket-resumed`, `basket-expired`.
#[utoipa::path(
    tag = "sales",
    operation_id = "discard_parked_sale",
    security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The basket."), IdempotencyHeader),
    responses((status = 204, description = "It is discarded."), WriteProblems)
)]
#[delete("/api/sales/parked/{id}")]
pub(crate) async fn discard_parked_sale(
    can: Can<SaleWrite>,
    id: Path<Uuid>,
    key: IdempotencyKey,
    sales: Data<Sales>,
) -> Result<HttpResponse, Problem> {
    let row = sales.parked_by_id(id.into_inner(), &can.scope()).await?;
    let cx = can.at(row.store_id)?;
    match sales
        .end_parked(&cx, &key, row.id, ParkedState::Discarded)
        .await
    {
        Ok(_) | Err(Error::Conflict(Conflict::BasketDiscarded)) => {
            Ok(HttpResponse::NoContent().finish())
        }
        Err(refused) => Err(refused.into()),
    }
}
