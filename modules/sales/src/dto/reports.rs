//! Reports as clients see them.

use chrono::{DateTime, NaiveDate, Utc};
use kernel::{
    ids::{ProductId, StoreId, UserId},
    money::Currency,
    page::{Cursor, Limit},
    uuid::Uuid,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::domain::words::Tender;

/// How a report is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ReportFormat {
    /// A JSON document.
    #[default]
    Json,
    /// A CSV file with a line of names; amounts are minor units.
    Csv,
}

/// What a report covers.
#[derive(Debug, Clone, Copy, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ReportQuery {
    /// The first business day.
    #[param(example = "2026-01-01")]
    pub(crate) from: NaiveDate,
    /// The last business day, at most 400 days in all.
    #[param(example = "2026-12-31")]
    pub(crate) to: NaiveDate,
    /// Of this store.
    pub(crate) store_id: Option<StoreId>,
    /// `json` unless told.
    #[param(inline)]
    pub(crate) format: Option<ReportFormat>,
}

/// What the rows of the revenue report stand for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RevenueGroup {
    /// One row per store.
    Store,
    /// One row per business day.
    Day,
    /// One row per hour of the day, 0 to 23, by the store's clock.
    Hour,
    /// One row per category that products were in when they were sold.
    Category,
    /// One row per product.
    Product,
    /// One row per cashier.
    Cashier,
    /// One row per means of payment.
    Tender,
}

impl RevenueGroup {
    /// The word in JSON.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Store => "store",
            Self::Day => "day",
            Self::Hour => "hour",
            Self::Category => "category",
            Self::Product => "product",
            Self::Cashier => "cashier",
            Self::Tender => "tender",
        }
    }
}

/// A sum of money, which may be larger than any one sale's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({"amount": 1299, "currency": "EUR"}))]
pub struct Amount {
    /// Integer minor units.
    pub amount: i64,
    /// ISO 4217 code.
    pub currency: Currency,
}

/// What was sold and what came back.
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
    /// Whether there were more than 10,000 rows, of which the first are here: ask for less.
    pub truncated: bool,
}

/// One group of the revenue report. Only the field of `group_by` is there, and where a product had
/// no category not even that.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct RevenueRow {
    /// The store.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub store_id: Option<StoreId>,
    /// The day.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub business_date: Option<NaiveDate>,
    /// The hour of the store's day.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hour: Option<i32>,
    /// Who sold, or took back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cashier_id: Option<UserId>,
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
    /// The means of payment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tender: Option<Tender>,
    /// The currency of the row's amounts.
    pub currency: Currency,
    /// How many sales; voided ones do not count.
    pub sales: i64,
    /// How many returns.
    pub returns: i64,
    /// The totals of the sales, or of their lines; where rows are tenders, what was paid less what
    /// was given as change.
    pub gross: Amount,
    /// What went back to customers in this time, whenever it was sold.
    pub refunds: Amount,
    /// `gross` − `refunds`.
    pub net: Amount,
    /// The tax within `gross`; absent where rows are tenders.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tax: Option<Amount>,
    /// What cash was rounded by, within `net`: `net` − `rounding` over all tenders is the revenue of
    /// every other grouping. There only where rows are tenders.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rounding: Option<Amount>,
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
    /// `json` unless told.
    #[param(inline)]
    pub(crate) format: Option<ReportFormat>,
}

/// The taxes on what was sold, less those on what came back.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct TaxReport {
    /// The first business day.
    pub from: NaiveDate,
    /// The last business day.
    pub to: NaiveDate,
    /// One per rate and currency.
    pub rows: Vec<TaxRow>,
}

/// The tax of one rate.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct TaxRow {
    /// The rate in basis points: 1900 is 19 %.
    pub tax_rate: i64,
    /// The currency of the row's amounts.
    pub currency: Currency,
    /// What was sold at this rate, tax included.
    pub sold: Amount,
    /// The tax on it.
    pub sold_tax: Amount,
    /// What was refunded, tax included.
    pub returned: Amount,
    /// The tax on it: the line's own tax in proportion to the refund, and in all no more than it;
    /// the product's where there was no receipt.
    pub returned_tax: Amount,
    /// `sold_tax` − `returned_tax`: what is owed.
    pub tax: Amount,
}

/// What products are ranked by.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ProductOrder {
    /// What was sold less what came back, as money.
    #[default]
    Revenue,
    /// The same, as a quantity in the product's base unit.
    Quantity,
}

/// Which end of the ranking comes first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ProductEnd {
    /// The products that sold most.
    #[default]
    Top,
    /// The products that sold least; those that never sold are not there.
    Slow,
}

/// Which products are ranked.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ProductsQuery {
    /// The first business day.
    #[param(example = "2026-01-01")]
    pub(crate) from: NaiveDate,
    /// The last business day, at most 400 days in all.
    #[param(example = "2026-12-31")]
    pub(crate) to: NaiveDate,
    /// Of this store.
    pub(crate) store_id: Option<StoreId>,
    /// `revenue` unless told.
    #[param(inline)]
    pub(crate) order_by: Option<ProductOrder>,
    /// `top` unless told.
    #[param(inline)]
    pub(crate) end: Option<ProductEnd>,
    /// How many products.
    #[param(inline)]
    pub(crate) limit: Option<Limit>,
    /// `json` unless told.
    #[param(inline)]
    pub(crate) format: Option<ReportFormat>,
}

/// Products by what was sold of them.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ProductReport {
    /// The first business day.
    pub from: NaiveDate,
    /// The last business day.
    pub to: NaiveDate,
    /// One per product and currency, in their order.
    pub rows: Vec<ProductRow>,
}

/// What was sold of one product, less what came back.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ProductRow {
    /// The product.
    pub product_id: ProductId,
    /// Its SKU when it was sold.
    pub sku: String,
    /// Its name when it was sold.
    pub name: String,
    /// In its base unit.
    pub quantity: i64,
    /// As money.
    pub revenue: Amount,
    /// The last business day of the report on which it was sold.
    pub last_sold_on: Option<NaiveDate>,
}

/// What happened that a manager wants to look at.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ExceptionView {
    /// `void`, `price_override`, `offline_price` (what an offline till charged was not the
    /// catalogue's price), `return_without_receipt`, or `return_elsewhere`: goods that another
    /// store had sold.
    #[schema(example = "void")]
    pub kind: String,
    /// The sale or return.
    pub document_id: Uuid,
    /// Its number.
    pub number: String,
    /// Its store.
    pub store_id: StoreId,
    /// Who did it.
    pub actor_id: UserId,
    /// When.
    pub at: DateTime<Utc>,
    /// What it was worth: the sale's total, what the catalogue's prices would have brought more, or
    /// the refund.
    pub amount: Amount,
    /// Why, where a reason is asked for.
    pub reason: Option<String>,
}

/// Which exceptions are listed.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ExceptionsQuery {
    /// The first business day.
    #[param(example = "2026-01-01")]
    pub(crate) from: NaiveDate,
    /// The last business day, at most 400 days in all.
    #[param(example = "2026-12-31")]
    pub(crate) to: NaiveDate,
    /// Of this store.
    pub(crate) store_id: Option<StoreId>,
    /// Items on a page.
    #[param(inline)]
    pub(crate) limit: Option<Limit>,
    /// `next_cursor` of the page before.
    #[param(inline)]
    pub(crate) cursor: Option<Cursor>,
}
