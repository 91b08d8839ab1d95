//! `/api/sales/reports/…`

use actix_web::{HttpResponse, get, web::Data};
use kernel::{auth::Can, extract::Query, responses::ReadProblems};

use crate::{
    Sales,
    dto::{RevenueQuery, RevenueReport},
    permissions::ReportRead,
};

/// Report revenue, per store or per day.
///
/// Over the caller's stores. Sales count on their business day and voided ones not at all; refunds
/// count on the business day of the return, whenever the goods were sold.
#[utoipa::path(
    tag = "sales",
    operation_id = "get_revenue_report",
    security(("bearer" = [])),
    params(RevenueQuery),
    responses(
        (status = 200, description = "The report.", body = RevenueReport),
        ReadProblems
    )
)]
#[get("/api/sales/reports/revenue")]
pub(crate) async fn get_revenue_report(
    can: Can<ReportRead>,
    query: Query<RevenueQuery>,
    sales: Data<Sales>,
) -> Result<HttpResponse, actix_web::Error> {
    if let Some(store) = query.0.store_id {
        can.at(store)?;
    }
    let (_, scope) = can.scoped();
    Ok(HttpResponse::Ok().json(sales.revenue(&scope, query.into_inner()).await?))
}
