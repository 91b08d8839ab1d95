//! Returns as clients see them.

use chrono::{DateTime, NaiveDate, Utc};
use kernel::{
    ids::{ProductId, SaleId, StoreId, UserId},
    money::{Currency, Money, Quantity},
    page::{Cursor, Limit},
    text::Text,
    uuid::Uuid,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::domain::words::{Disposition, ReturnReason, SaleStatus, Tender};

/// Goods that came back.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ReturnView {
    /// Its id.
    pub id: Uuid,
    /// Its number, for people; not unique.
    #[schema(example = "7ZK2M-0Q4XB")]
    pub number: String,
    /// The sale that the goods were sold with; `null` where there was no receipt.
    pub sale_id: Option<SaleId>,
    /// The store that sold them; `null` where there was no receipt.
    pub sale_store_id: Option<StoreId>,
    /// The store that took them back.
    pub store_id: StoreId,
    /// At which register.
    pub register_id: Option<Uuid>,
    /// The number of its receipt: from 1 per register, without gaps, and in one row with its sales.
    pub receipt_number: Option<i64>,
    /// The register's shift that it counts in; absent where none was open.
    pub shift_id: Option<Uuid>,
    /// Who took them back.
    pub cashier_id: UserId,
    /// When.
    pub occurred_at: DateTime<Utc>,
    /// The store's business day that it belongs to.
    pub business_date: NaiveDate,
    /// The currency of every amount in it.
    pub currency: Currency,
    /// What came back.
    pub lines: Vec<ReturnLineView>,
    /// What went back to the customer, before cash was rounded.
    pub refund: Money,
    /// What the part that went back in cash was rounded by: `refunds` sum to the refund and this.
    pub rounding: Money,
    /// How it went back.
    pub refunds: Vec<RefundView>,
    /// Why.
    pub reason: ReturnReason,
    /// More about why.
    pub note: Option<String>,
    /// The sale that it was exchanged for, where it is part of an exchange.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exchange_sale_id: Option<SaleId>,
}

/// One line of a return.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ReturnLineView {
    /// The line of the sale; `null` where there was no receipt.
    pub line: Option<i32>,
    /// The product.
    pub product_id: ProductId,
    /// Its SKU when it was sold.
    pub sku: String,
    /// Its name when it was sold.
    pub name: String,
    /// In the product's base unit.
    pub quantity: Quantity,
    /// What became of it.
    pub disposition: Disposition,
    /// What was paid back for it.
    pub refund: Money,
}

/// One payment back to the customer.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct RefundView {
    /// How.
    pub tender: Tender,
    /// How much.
    pub amount: Money,
}

/// A return in a list: without its lines and refunds.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ReturnHead {
    /// Its id.
    pub id: Uuid,
    /// Its number, for people; not unique.
    pub number: String,
    /// The sale that the goods were sold with; `null` where there was no receipt.
    pub sale_id: Option<SaleId>,
    /// The store that sold them; `null` where there was no receipt.
    pub sale_store_id: Option<StoreId>,
    /// The store that took them back.
    pub store_id: StoreId,
    /// At which register.
    pub register_id: Option<Uuid>,
    /// Who took them back.
    pub cashier_id: UserId,
    /// When.
    pub occurred_at: DateTime<Utc>,
    /// The store's business day that it belongs to.
    pub business_date: NaiveDate,
    /// The currency of every amount in it.
    pub currency: Currency,
    /// How many lines it has.
    pub line_count: i32,
    /// What went back to the customer, before cash was rounded.
    pub refund: Money,
    /// What the part that went back in cash was rounded by.
    pub rounding: Money,
    /// Why.
    pub reason: ReturnReason,
    /// More about why.
    pub note: Option<String>,
    /// The sale that it was exchanged for, where it is part of an exchange.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exchange_sale_id: Option<SaleId>,
}

/// A sale as a store needs to know it that takes goods back for it, and no more: who sold, to whom
/// and how it was paid is in none of this.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ReturnableSale {
    /// Its id: `sale_id` of the return.
    pub id: SaleId,
    /// Its number.
    pub number: String,
    /// The store that sold.
    pub store_id: StoreId,
    /// That store's business day.
    pub business_date: NaiveDate,
    /// The currency of every amount in it.
    pub currency: Currency,
    /// Nothing comes back of a sale that is voided.
    pub status: SaleStatus,
    /// What was sold.
    pub lines: Vec<ReturnableLine>,
}

/// A line of a sale, and what may still come back of it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ReturnableLine {
    /// The line of the sale.
    pub line: i32,
    /// The product.
    pub product_id: ProductId,
    /// Its SKU when it was sold.
    pub sku: String,
    /// Its name when it was sold.
    pub name: String,
    /// What was sold, in the product's base unit.
    pub quantity: Quantity,
    /// What may still come back of it.
    pub returnable: i64,
    /// What is refunded when all of that comes back.
    pub refundable: Money,
}

/// Which sale is looked up: exactly one of the two.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct LookupQuery {
    /// The number on the receipt, in any case, with or without the hyphen.
    #[param(inline, example = "7ZK2M-0Q4XB")]
    pub number: Option<Text<20>>,
    /// The sale's id, for example from a code on the receipt.
    pub sale_id: Option<SaleId>,
}

/// A reason that a return may give.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
pub struct ReturnReasonView {
    /// What to send.
    pub code: ReturnReason,
    /// What to show.
    #[schema(value_type = String)]
    pub title: &'static str,
}

/// Which returns are listed: those that fit every filter given.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ReturnsQuery {
    /// Of this store.
    pub store_id: Option<StoreId>,
    /// Of this sale.
    pub sale_id: Option<SaleId>,
    /// From this business day on.
    pub from: Option<NaiveDate>,
    /// Up to and including this business day.
    pub to: Option<NaiveDate>,
    /// How many.
    pub limit: Option<Limit>,
    /// Where to go on.
    pub cursor: Option<Cursor>,
}
