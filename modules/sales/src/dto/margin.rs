//! The margin report as clients see it: the one answer of sales that tells what goods cost.

use chrono::NaiveDate;
use kernel::{
    ids::{ProductId, StoreId},
    money::Currency,
    uuid::Uuid,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::reports::{Amount, ReportFormat};

/// What the rows of the margin report stand for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum MarginGroup {
    /// One row per product.
    Product,
    /// One row per category that products were in when they were sold.
    Category,
    /// One row per store.
    Store,
    /// One row per business day.
    Day,
}

impl MarginGroup {
    /// The word in JSON.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Product => "product",
            Self::Category => "category",
            Self::Store => "store",
            Self::Day => "day",
        }
    }
}

/// Which sales are reported.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct MarginQuery {
    /// The first business day.
    #[param(example = "2026-01-01")]
    pub(crate) from: NaiveDate,
    /// The last business day, at most 400 days in all.
    #[param(example = "2026-12-31")]
    pub(crate) to: NaiveDate,
    /// Of this store.
    pub(crate) store_id: Option<StoreId>,
    /// What a row stands for; `day` unless told.
    pub(crate) group_by: Option<MarginGroup>,
    /// `json` unless told.
    #[param(inline)]
    pub(crate) format: Option<ReportFormat>,
}

/// What was earned on goods.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct MarginReport {
    /// The first business day.
    pub from: NaiveDate,
    /// The last business day.
    pub to: NaiveDate,
    /// What a row stands for.
    pub group_by: MarginGroup,
    /// One per group and currency, in their order; groups in which nothing happened are left out.
    pub rows: Vec<MarginRow>,
    /// Whether there were more than 10,000 rows, of which the first are here: ask for less.
    pub truncated: bool,
}

/// One group of the margin report. Only the field of `group_by` is there, and where a product had
/// no category not even that.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct MarginRow {
    /// The store.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub store_id: Option<StoreId>,
    /// The day.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub business_date: Option<NaiveDate>,
    /// The category.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub category_id: Option<Uuid>,
    /// The product.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub product_id: Option<ProductId>,
    /// The product's SKU when it was sold.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sku: Option<String>,
    /// The product's name when it was sold.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The currency of the row's amounts.
    pub currency: Currency,
    /// What was sold less what came back, without tax, of lines whose cost is known.
    pub revenue: Amount,
    /// What those goods cost when they were sold, less what came back.
    pub cost: Amount,
    /// `revenue` − `cost`.
    pub margin: Amount,
    /// Lines of sales and returns whose cost nobody knew: they are in none of the amounts above.
    pub uncosted_lines: i64,
    /// What was sold less what came back, without tax, of those lines.
    pub uncosted_revenue: Amount,
}
