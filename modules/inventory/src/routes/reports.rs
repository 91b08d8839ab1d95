//! `/api/inventory/reports/…`

use actix_web::{HttpResponse, get, web::Data};
use kernel::{auth::Can, extract::Query, ids::StoreId, responses::ReadProblems};
use serde::Deserialize;
use utoipa::IntoParams;

use super::report_file::answer;
use crate::{
    Inventory,
    dto::{Day, DeadStockReport, ReportLimit, StockReportFormat, StockValueReport, WindowDays},
    permissions::{CostRead, StockReportRead, StockValueRead},
    service::stock_reports::DeadStock,
};

/// How long nothing was sold, unless told.
const DEFAULT_DAYS: i64 = 90;
/// Rows of the report unless told.
const DEFAULT_ROWS: i64 = 1_000;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct StockValueQuery {
    /// The store.
    #[param(example = "0198c0de-0000-7000-8000-000000000001")]
    store_id: StoreId,
    /// The business day at whose end is looked; today unless told, which is not over yet.
    #[param(value_type = Option<chrono::NaiveDate>, example = "2026-01-31")]
    date: Option<Day>,
    /// `json` unless told.
    #[param(inline)]
    format: Option<StockReportFormat>,
}

/// Report what a store's stock was worth at cost, at the end of a business day.
///
/// By category. What was on hand then is told by the ledger, by when things happened: a sale that an
/// offline till sent later counts on its day, and history that was imported on its own. Opening stock
/// was there before the first thing that happened to it. A cost is the one that was in force; before
/// the first that is known, that one. Goods on the way and damaged ones are not counted.
#[utoipa::path(
    tag = "replenishment",
    operation_id = "get_stock_value_report",
    security(("bearer" = [])),
    params(StockValueQuery),
    responses(
        (status = 200, description = "The report", content((StockValueReport = "application/json"), (String = "text/csv"))),
        ReadProblems
    )
)]
#[get("/api/inventory/reports/stock-value")]
pub(crate) async fn get_stock_value_report(
    can: Can<StockValueRead>,
    query: Query<StockValueQuery>,
    inventory: Data<Inventory>,
) -> Result<HttpResponse, actix_web::Error> {
    let query = query.into_inner();
    let cx = can.at(query.store_id)?;
    let date = query.date.map(|day| day.0);
    let report = inventory.stock_value(&cx, query.store_id, date).await?;
    Ok(answer(&report, query.format))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct DeadStockQuery {
    /// The store.
    #[param(example = "0198c0de-0000-7000-8000-000000000001")]
    store_id: StoreId,
    /// For how many business days, today included, nothing was sold; 90 unless told.
    #[param(inline)]
    days: Option<WindowDays>,
    /// Rows at most, 1,000 unless told.
    #[param(inline)]
    limit: Option<ReportLimit>,
    /// `json` unless told.
    #[param(inline)]
    format: Option<StockReportFormat>,
}

/// Report what is on a store's shelves and does not sell.
///
/// What never sold first, then what did not for the longest time. What it cost is shown to those who
/// may see that.
#[utoipa::path(
    tag = "replenishment",
    operation_id = "get_dead_stock_report",
    security(("bearer" = [])),
    params(DeadStockQuery),
    responses(
        (status = 200, description = "The report", content((DeadStockReport = "application/json"), (String = "text/csv"))),
        ReadProblems
    )
)]
#[get("/api/inventory/reports/dead-stock")]
pub(crate) async fn get_dead_stock_report(
    can: Can<StockReportRead>,
    query: Query<DeadStockQuery>,
    inventory: Data<Inventory>,
) -> Result<HttpResponse, actix_web::Error> {
    let query = query.into_inner();
    let cx = can.at(query.store_id)?;
    let limit = query.limit.map_or(DEFAULT_ROWS, ReportLimit::get);
    let look = DeadStock {
        store_id: query.store_id,
        days: query.days.map_or(DEFAULT_DAYS, WindowDays::get),
        limit: usize::try_from(limit).unwrap_or(usize::MAX),
        with_cost: can.also::<CostRead>(query.store_id),
    };
    let report = inventory.dead_stock(&cx, look).await?;
    Ok(answer(&report, query.format))
}
