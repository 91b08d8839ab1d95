//! `/api/sales/reports/…`

use actix_web::{HttpResponse, get, web::Data};
use kernel::{
    auth::{Can, Permission, Scope},
    extract::Query,
    ids::StoreId,
    page::Page,
    problem::Problem,
    responses::ReadProblems,
};

use super::report_file::answer;
use crate::{
    Sales,
    dto::{
        ExceptionView, ExceptionsQuery, MarginQuery, MarginReport, ProductReport, ProductsQuery,
        ReportQuery, RevenueQuery, RevenueReport, TaxReport,
    },
    permissions::{MarginRead, ReportRead},
};

/// The caller's stores, after a look at the one that was asked for.
fn scope<P: Permission>(can: &Can<P>, store: Option<StoreId>) -> Result<Scope, Problem> {
    if let Some(store) = store {
        can.at(store)?;
    }
    Ok(can.scope())
}

/// Report revenue by store, day, hour, category, product, cashier or tender.
///
/// Over the caller's stores. Sales count on their business day and voided ones not at all; refunds
/// count on the business day of the return, whenever the goods were sold.
#[utoipa::path(
    tag = "sales",
    operation_id = "get_revenue_report",
    security(("bearer" = [])),
    params(RevenueQuery),
    responses(
        (status = 200, description = "The report", content((RevenueReport = "application/json"), (String = "text/csv"))),
        ReadProblems
    )
)]
#[get("/api/sales/reports/revenue")]
pub(crate) async fn get_revenue_report(
    can: Can<ReportRead>,
    query: Query<RevenueQuery>,
    sales: Data<Sales>,
) -> Result<HttpResponse, actix_web::Error> {
    let query = query.into_inner();
    let scope = scope(&can, query.store_id)?;
    let report = sales.revenue(&can.scoped().0, &scope, &query).await?;
    Ok(answer(&report, query.format))
}

/// Report the taxes on what was sold, per rate.
///
/// Over the caller's stores. What came back takes its line's tax with it, in proportion.
#[utoipa::path(
    tag = "sales",
    operation_id = "get_tax_report",
    security(("bearer" = [])),
    params(ReportQuery),
    responses(
        (status = 200, description = "The report", content((TaxReport = "application/json"), (String = "text/csv"))),
        ReadProblems
    )
)]
#[get("/api/sales/reports/taxes")]
pub(crate) async fn get_tax_report(
    can: Can<ReportRead>,
    query: Query<ReportQuery>,
    sales: Data<Sales>,
) -> Result<HttpResponse, actix_web::Error> {
    let query = query.into_inner();
    let scope = scope(&can, query.store_id)?;
    Ok(answer(&sales.taxes(&scope, query).await?, query.format))
}

/// Report the products that sold most, or least.
///
/// Over the caller's stores; what came back is taken off. A product that never sold is in no sale,
/// so the slow end shows the least of what did sell.
#[utoipa::path(
    tag = "sales",
    operation_id = "get_top_products",
    security(("bearer" = [])),
    params(ProductsQuery),
    responses(
        (status = 200, description = "The report", content((ProductReport = "application/json"), (String = "text/csv"))),
        ReadProblems
    )
)]
#[get("/api/sales/reports/top-products")]
pub(crate) async fn get_top_products(
    can: Can<ReportRead>,
    query: Query<ProductsQuery>,
    sales: Data<Sales>,
) -> Result<HttpResponse, actix_web::Error> {
    let query = query.into_inner();
    let scope = scope(&can, query.store_id)?;
    let report = sales.top_products(&scope, &query).await?;
    Ok(answer(&report, query.format))
}

/// Report what was earned on goods, by product, category, store or day.
///
/// Over the caller's stores, for those who may see what goods cost. Revenue is without tax; a sale
/// counts on its business day and a voided one not at all; what came back is taken off on the day of
/// the return, at the cost it was sold at, damaged or not: what is thrown away is a loss of stock.
/// Lines whose cost the catalogue did not know are counted apart.
#[utoipa::path(
    tag = "sales",
    operation_id = "get_margin_report",
    security(("bearer" = [])),
    params(MarginQuery),
    responses(
        (status = 200, description = "The report", content((MarginReport = "application/json"), (String = "text/csv"))),
        ReadProblems
    )
)]
#[get("/api/sales/reports/margin")]
pub(crate) async fn get_margin_report(
    can: Can<MarginRead>,
    query: Query<MarginQuery>,
    sales: Data<Sales>,
) -> Result<HttpResponse, actix_web::Error> {
    let query = query.into_inner();
    let scope = scope(&can, query.store_id)?;
    Ok(answer(&sales.margins(&scope, &query).await?, query.format))
}

/// List what a manager wants to look at: exceptions.
///
/// Voids, overridden prices, and returns without a receipt or of goods that another store had sold.
/// Over the caller's stores, by the business day of the sale or return, the newest first.
#[utoipa::path(
    tag = "sales",
    operation_id = "list_exceptions",
    security(("bearer" = [])),
    params(ExceptionsQuery),
    responses((status = 200, description = "A page of them", body = Page<ExceptionView>), ReadProblems)
)]
#[get("/api/sales/reports/exceptions")]
pub(crate) async fn list_exceptions(
    can: Can<ReportRead>,
    query: Query<ExceptionsQuery>,
    sales: Data<Sales>,
) -> Result<HttpResponse, actix_web::Error> {
    let query = query.into_inner();
    let scope = scope(&can, query.store_id)?;
    Ok(HttpResponse::Ok().json(sales.exceptions(&scope, query).await?))
}
