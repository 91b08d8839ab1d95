//! `/api/stocks/integrity`

use actix_web::{HttpResponse, get, web::Data};
use kernel::{auth::Can, responses::ReadProblems};

use crate::{Store, dto::IntegrityReport, error::Error, permissions::IntegrityRead};

/// Check the books against themselves.
#[utoipa::path(
    tag = "stocks",
    operation_id = "check_integrity",
    description = "Every level against the sum of its movements, balances below zero, holds that \
        were never settled, transfers whose goods do not add up, and events that were never delivered. Reads \
        everything, so it takes its time on a large chain.",
    security(("bearer" = [])),
    responses((status = 200, description = "What each check found", body = IntegrityReport), ReadProblems)
)]
#[get("/api/stocks/integrity")]
pub(crate) async fn check_integrity(
    can: Can<IntegrityRead>,
    store: Data<Store>,
) -> Result<HttpResponse, Error> {
    can.everywhere()?;
    Ok(HttpResponse::Ok().json(store.integrity().await?))
}
