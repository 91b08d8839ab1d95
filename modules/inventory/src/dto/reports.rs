//! Reports on stock on the wire.

use chrono::{DateTime, NaiveDate, Utc};
use kernel::{
    ids::{ProductId, StoreId},
    money::Currency,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// How a report on stock is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum StockReportFormat {
    /// A JSON document.
    #[default]
    Json,
    /// A CSV file with a line of names; amounts are minor units.
    Csv,
}

/// A sum of money, which may be larger than any one price.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[schema(example = json!({"amount": 1299, "currency": "EUR"}))]
pub(crate) struct StockAmount {
    /// Integer minor units.
    pub(crate) amount: i64,
    /// ISO 4217 code.
    pub(crate) currency: Currency,
}

/// What a store's stock was worth, at cost.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct StockValueReport {
    pub(crate) store_id: StoreId,
    /// The business day.
    pub(crate) date: NaiveDate,
    /// Its end, by the store's clock.
    pub(crate) as_of: DateTime<Utc>,
    /// By category and currency; products without a category first.
    pub(crate) rows: Vec<StockValueRow>,
    /// The sums over the rows.
    pub(crate) totals: StockValueTotals,
}

/// The products of one category, those of the categories below it apart.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct StockValueRow {
    /// The category that the products are in now.
    pub(crate) category_id: Option<Uuid>,
    /// Its path.
    pub(crate) category: Option<String>,
    /// How many products the store had any of.
    pub(crate) products: i64,
    /// Of these, those of which nobody knows the cost: they are worth nothing here.
    pub(crate) without_cost: i64,
    /// What they cost. A level below zero takes off what it owes.
    pub(crate) value: StockAmount,
}

/// Sums over all rows.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct StockValueTotals {
    /// How many products the store had any of.
    pub(crate) products: i64,
    /// Of these, those of which nobody knows the cost.
    pub(crate) without_cost: i64,
    /// What they cost, per currency.
    pub(crate) values: Vec<StockAmount>,
}

/// What is there and does not sell.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct DeadStockReport {
    pub(crate) store_id: StoreId,
    /// For how many business days nothing was sold.
    pub(crate) days: i64,
    /// The first of these days; today is the last.
    pub(crate) since: NaiveDate,
    /// What never sold first, then what did not for the longest time.
    pub(crate) rows: Vec<DeadStockRow>,
    /// Whether there were more than `limit` rows, of which the first are here.
    pub(crate) truncated: bool,
}

/// A product that does not sell.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct DeadStockRow {
    pub(crate) product_id: ProductId,
    pub(crate) sku: String,
    pub(crate) name: String,
    /// The path of its category.
    pub(crate) category: Option<String>,
    /// How much is there, in base units.
    pub(crate) on_hand: i64,
    /// The last business day with a sale at this store; `null` where there never was one.
    pub(crate) last_sold_on: Option<NaiveDate>,
    /// What it cost; only for those who may see that, and where it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) value_at_cost: Option<StockAmount>,
    /// What it would sell for by the catalogue, without what a store's own prices change.
    pub(crate) value_at_retail: StockAmount,
}
