//! `/api/sales/shifts`: opened and read; `shift_steps` moves them on.

use actix_web::{HttpResponse, get, post, web::Data};
use kernel::{
    auth::{Can, Permission},
    extract::{Json, Path, Query},
    idempotency::{IdempotencyHeader, IdempotencyKey},
    page::Page,
    problem::Problem,
    responses::{ReadProblems, WriteProblems},
    uuid::Uuid,
};

use crate::{
    Sales,
    dto::{
        CashMovementView, CashMovementsQuery, OpenShift, ShiftView, ShiftsQuery, XReport, ZReport,
    },
    error::Error,
    permissions::{ShiftRead, ShiftReadAll, ShiftWrite},
    repo::sales::Sight,
    service::shifts::shift_view,
};

/// The caller's own shifts, and everyone's where they hold `All`.
pub(super) fn sight<P: Permission, All: Permission>(can: &Can<P>) -> Sight {
    let principal = can.principal();
    Sight {
        caller: principal.user_id,
        all_of: principal.scope(All::ROLES).as_filter(),
        own_of: can.scope().as_filter(),
    }
}

/// Open a shift at a register.
///
/// Sales and returns at the register count in its open shift. Its cashier is the caller; others may
/// sell at the register, too. What is sold at a register without an open shift is recorded all the
/// same, and stands outside of any shift in the day's close.
///
/// 409 `shift-open` where the register has one already, `store-archived`, `currency-mismatch`.
#[utoipa::path(
    tag = "shifts",
    operation_id = "open_shift",
    security(("bearer" = [])),
    params(IdempotencyHeader),
    request_body(content = OpenShift, example = json!({
        "store_id": "0198c0de-0000-7000-8000-000000000001",
        "register_id": "0198c0de-0000-7000-8000-000000000111",
        "opening_float": {"amount": 15000, "currency": "EUR"}
    })),
    responses(
        (status = 201, description = "The open shift.", body = ShiftView,
            headers(
                ("Location" = String, description = "The shift's path."),
                ("Idempotency-Key" = String, description = "The key that was used."),
                ("Idempotent-Replayed" = String, description = "`true` when an earlier request had opened it.")
            )),
        WriteProblems
    )
)]
#[post("/api/sales/shifts")]
pub(crate) async fn open_shift(
    can: Can<ShiftWrite>,
    key: IdempotencyKey,
    body: Json<OpenShift>,
    sales: Data<Sales>,
) -> Result<HttpResponse, Error> {
    let body = body.into_inner();
    let cx = can.at(body.store_id)?;
    let answered = sales.open_shift(&cx, &key, body).await?;
    let location = format!("/api/sales/shifts/{}", answered.view.id);
    Ok(answered.created(&key, location))
}

/// List shifts, the last opened first.
///
/// Cashiers see the shifts that they opened; everyone else sees those of their stores.
/// `status=open` lists those that were left open.
#[utoipa::path(
    tag = "shifts",
    operation_id = "list_shifts",
    security(("bearer" = [])),
    params(ShiftsQuery),
    responses((status = 200, description = "A page of shifts.", body = Page<ShiftView>), ReadProblems)
)]
#[get("/api/sales/shifts")]
pub(crate) async fn list_shifts(
    can: Can<ShiftRead>,
    query: Query<ShiftsQuery>,
    sales: Data<Sales>,
) -> Result<HttpResponse, Error> {
    if let Some(store) = query.0.store_id {
        can.at(store)?;
    }
    let sight = sight::<_, ShiftReadAll>(&can);
    Ok(HttpResponse::Ok().json(sales.shifts(sight, query.into_inner()).await?))
}

/// Get a shift.
#[utoipa::path(
    tag = "shifts",
    operation_id = "get_shift",
    security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The shift.", example = "a05e4f45-18bc-5fd7-9f56-efbb3c5ad048")),
    responses((status = 200, description = "The shift.", body = ShiftView), ReadProblems)
)]
#[get("/api/sales/shifts/{id}")]
pub(crate) async fn get_shift(
    can: Can<ShiftRead>,
    id: Path<Uuid>,
    sales: Data<Sales>,
) -> Result<HttpResponse, Error> {
    let sight = sight::<_, ShiftReadAll>(&can);
    let shift = sales.shift(id.into_inner(), sight).await?;
    Ok(HttpResponse::Ok().json(shift_view(shift)))
}

/// List the cash that was put into a shift's drawer and taken out.
///
/// In its order, without sales and refunds.
#[utoipa::path(
    tag = "shifts",
    operation_id = "list_cash_movements",
    security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The shift.", example = "a05e4f45-18bc-5fd7-9f56-efbb3c5ad048"), CashMovementsQuery),
    responses((status = 200, description = "A page of movements.", body = Page<CashMovementView>), ReadProblems)
)]
#[get("/api/sales/shifts/{id}/cash")]
pub(crate) async fn list_cash_movements(
    can: Can<ShiftRead>,
    id: Path<Uuid>,
    query: Query<CashMovementsQuery>,
    sales: Data<Sales>,
) -> Result<HttpResponse, Error> {
    let sight = sight::<_, ShiftReadAll>(&can);
    let page = sales.cash_movements(id.into_inner(), sight, query.into_inner());
    Ok(HttpResponse::Ok().json(page.await?))
}

/// Report how an open shift stands.
#[utoipa::path(
    tag = "shifts",
    operation_id = "get_x_report",
    security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The shift.", example = "a05e4f45-18bc-5fd7-9f56-efbb3c5ad048")),
    responses(
        (status = 200, description = "What it comes to so far.", body = XReport),
        (status = 409, description = "`shift-closed`: it has a Z report.", body = Problem, content_type = "application/problem+json"),
        ReadProblems
    )
)]
#[get("/api/sales/shifts/{id}/x-report")]
pub(crate) async fn get_x_report(
    can: Can<ShiftRead>,
    id: Path<Uuid>,
    sales: Data<Sales>,
) -> Result<HttpResponse, Error> {
    let sight = sight::<_, ShiftReadAll>(&can);
    Ok(HttpResponse::Ok().json(sales.x_report(id.into_inner(), sight).await?))
}

/// Get the report that a shift was closed with.
///
/// It is kept as it was, and never computed again: what happens later to a sale of the shift counts
/// in the shift in which it happens.
#[utoipa::path(
    tag = "shifts",
    operation_id = "get_z_report",
    security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The shift.", example = "e80ec93a-7a7e-5863-8a92-44f7b6747c13")),
    responses(
        (status = 200, description = "What it came to.", body = ZReport),
        (status = 409, description = "`shift-not-closed`: it has an X report.", body = Problem, content_type = "application/problem+json"),
        ReadProblems
    )
)]
#[get("/api/sales/shifts/{id}/z-report")]
pub(crate) async fn get_z_report(
    can: Can<ShiftRead>,
    id: Path<Uuid>,
    sales: Data<Sales>,
) -> Result<HttpResponse, Error> {
    let sight = sight::<_, ShiftReadAll>(&can);
    Ok(HttpResponse::Ok().json(sales.z_report(id.into_inner(), sight).await?))
}
