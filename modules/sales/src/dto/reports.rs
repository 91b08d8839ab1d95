//! Reports as clients see them.

use chrono::NaiveDate;
use kernel::{ids::StoreId, money::Currency};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// What the rows of the revenue report stand for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RevenueGroup {
    /// One row per store.
    Store,
    /// One row per business day.
    Day,
}

/// A sum of money, which may be larger than any one sale's.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[schema(example = json!({"amount": 1299, "currency": "EUR"}))]
pub struct Amount {
    /// Integer minor units.
    pub amount: i64,
    /// ISO 4217 code.
    pub currency: Currency,
}

/// What was sold and what came back, per store or per day.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct RevenueReport {
    /// The first business day.
    pub from: NaiveDate,
    /// The last business day.
    pub to: NaiveDate,
    /// What a row stands for.
    pub group_by: RevenueGroup,
    /// One per group and currency, in their order; groups in which nothing happened are left out.
    pub rows: Vec<RevenueRow>,
}

/// One group of the revenue report.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct RevenueRow {
    /// The store, where rows are stores.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub store_id: Option<StoreId>,
    /// The day, where rows are days.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub business_date: Option<NaiveDate>,
    /// The currency of the row's amounts.
    pub currency: Currency,
    /// How many sales; voided ones do not count.
    pub sales: i64,
    /// How many returns.
    pub returns: i64,
    /// The totals of the sales.
    pub gross: Amount,
    /// What went back to customers in this time, whenever it was sold.
    pub refunds: Amount,
    /// `gross` − `refunds`.
    pub net: Amount,
    /// The tax within `gross`.
    pub tax: Amount,
}

/// Which sales are reported.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct RevenueQuery {
    /// The first business day.
    #[param(example = "2026-01-01")]
    pub(crate) from: NaiveDate,
    /// The last business day, at most 400 days in all.
    #[param(example = "2026-12-31")]
    pub(crate) to: NaiveDate,
    /// Of this store.
    pub(crate) store_id: Option<StoreId>,
    /// What a row stands for; `day` unless told.
    pub(crate) group_by: Option<RevenueGroup>,
}
