//! `/api/sales/shifts/{id}/…`: what is done to an open shift.

use actix_web::{HttpResponse, post, web::Data};
use kernel::{
    auth::Can,
    call::Cx,
    extract::{Json, Path},
    idempotency::{IdempotencyHeader, IdempotencyKey},
    responses::WriteProblems,
    uuid::Uuid,
};

use super::shifts::sight;
use crate::{
    Sales,
    dto::{CashMovementView, CloseShift, MoveCash, ZReport},
    error::Error,
    permissions::{ShiftSupervise, ShiftWrite},
    repo::shifts::Shift,
};

/// The shift, if the caller may do something to it: their own, or as a supervisor.
async fn act(sales: &Sales, can: &Can<ShiftWrite>, id: Uuid) -> Result<(Cx, Shift), Error> {
    let sight = sight::<_, ShiftSupervise>(can);
    let shift = sales.shift(id, sight).await?;
    Ok((can.at(shift.store_id)?, shift))
}

/// Put cash into a shift's drawer, or take it out.
///
/// For what no sale or return moves: change from the bank, takings that are carried there. Cashiers
/// do it in their own shifts.
///
/// 409 `not-enough-cash` (says how much should be there), `shift-closed`, `currency-mismatch`.
#[utoipa::path(
    tag = "shifts",
    operation_id = "move_cash",
    security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The shift.", example = "a05e4f45-18bc-5fd7-9f56-efbb3c5ad048"), IdempotencyHeader),
    request_body(content = MoveCash, example = json!({
        "direction": "out", "amount": {"amount": 10000, "currency": "EUR"}, "reason": "To the bank"
    })),
    responses(
        (status = 201, description = "The movement.", body = CashMovementView,
            headers(
                ("Location" = String, description = "The path of the shift's movements."),
                ("Idempotency-Key" = String, description = "The key that was used."),
                ("Idempotent-Replayed" = String, description = "`true` when an earlier request had moved it.")
            )),
        WriteProblems
    )
)]
#[post("/api/sales/shifts/{id}/cash")]
pub(crate) async fn move_cash(
    can: Can<ShiftWrite>,
    id: Path<Uuid>,
    key: IdempotencyKey,
    body: Json<MoveCash>,
    sales: Data<Sales>,
) -> Result<HttpResponse, Error> {
    let (cx, shift) = act(&sales, &can, id.into_inner()).await?;
    let location = format!("/api/sales/shifts/{}/cash", shift.id);
    let answered = sales.move_cash(&cx, &key, shift, body.into_inner()).await?;
    Ok(answered.created(&key, location))
}

/// Close a shift with what was counted in its drawer.
///
/// Makes its Z report, which never changes: every sale and return at the register is in it, or comes
/// after it. Takes as long after ten sales as after ten thousand. Cashiers close their own shifts.
///
/// 409 `shift-closed`, `currency-mismatch`.
#[utoipa::path(
    tag = "shifts",
    operation_id = "close_shift",
    security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The shift.", example = "a05e4f45-18bc-5fd7-9f56-efbb3c5ad048"), IdempotencyHeader),
    request_body(content = CloseShift, example = json!({
        "pieces": [
            {"value": {"amount": 5000, "currency": "EUR"}, "count": 2},
            {"value": {"amount": 100, "currency": "EUR"}, "count": 37}
        ]
    })),
    responses(
        (status = 200, description = "The Z report.", body = ZReport,
            headers(
                ("Idempotency-Key" = String, description = "The key that was used."),
                ("Idempotent-Replayed" = String, description = "`true` when an earlier request had closed it.")
            )),
        WriteProblems
    )
)]
#[post("/api/sales/shifts/{id}/close")]
pub(crate) async fn close_shift(
    can: Can<ShiftWrite>,
    id: Path<Uuid>,
    key: IdempotencyKey,
    body: Json<CloseShift>,
    sales: Data<Sales>,
) -> Result<HttpResponse, Error> {
    let (cx, shift) = act(&sales, &can, id.into_inner()).await?;
    let answered = sales
        .close_shift(&cx, &key, shift, body.into_inner())
        .await?;
    Ok(answered.ok(&key))
}
