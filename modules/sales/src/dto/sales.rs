//! Sales as clients see them. What goods cost the shop is in none of these.

use chrono::{DateTime, NaiveDate, Utc};
use kernel::{
    ids::{ProductId, SaleId, StoreId, UserId},
    money::{BasisPoints, Currency, Money, Quantity},
    page::{Cursor, Limit},
    text::Text,
    uuid::Uuid,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::domain::words::{SaleStatus, Tender};

/// A sale, as it was recorded.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct SaleView {
    /// Its id.
    pub id: SaleId,
    /// Its number, for people; not unique.
    #[schema(example = "7ZK2M-0Q4XB")]
    pub number: String,
    /// Where.
    pub store_id: StoreId,
    /// At which register.
    pub register_id: Option<Uuid>,
    /// The number of its receipt: from 1 per register, without gaps.
    pub receipt_number: Option<i64>,
    /// The register's shift that it counts in; absent where none was open.
    pub shift_id: Option<Uuid>,
    /// Who sold.
    pub cashier_id: UserId,
    /// What became of it. In the answer that records the sale (and in every replay of it) this
    /// is `recorded`.
    pub status: SaleStatus,
    /// When, by the till's clock.
    pub occurred_at: DateTime<Utc>,
    /// When, by the server's clock.
    pub recorded_at: DateTime<Utc>,
    /// The store's business day that it belongs to.
    pub business_date: NaiveDate,
    /// The currency of every amount in it.
    pub currency: Currency,
    /// What was sold.
    pub lines: Vec<SaleLineView>,
    /// The lines' gross amounts.
    pub subtotal: Money,
    /// Every discount.
    pub discount: Money,
    /// The tax: part of the total.
    pub tax: Money,
    /// What was owed, before cash was rounded.
    pub total: Money,
    /// What the part that was paid in cash was rounded by, where the store rounds cash: the
    /// payments less the change are the total and this.
    pub rounding: Money,
    /// How it was paid.
    pub payments: Vec<PaymentView>,
    /// What was given back out of cash.
    pub change: Money,
    /// A customer's number or name.
    pub customer_ref: Option<String>,
    /// Whether its till was offline: it was recorded after it had happened.
    pub offline: bool,
}

/// One line of a sale, with what it copied from the catalogue.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct SaleLineView {
    /// From 1.
    pub line: i32,
    /// The product.
    pub product_id: ProductId,
    /// Its SKU then.
    pub sku: String,
    /// Its name then.
    pub name: String,
    /// In the product's base unit.
    pub quantity: Quantity,
    /// The price of `price_per` base units.
    pub unit_price: Money,
    /// How many base units `unit_price` is for.
    pub price_per: Quantity,
    /// `unit_price` × `quantity` / `price_per`, rounded half away from zero.
    pub gross: Money,
    /// The promotion's discount, the line's own and its share of the sale's.
    pub discount: Money,
    /// The promotion that gave a part of the discount.
    pub promotion_id: Option<Uuid>,
    /// Its name then.
    pub promotion_name: Option<String>,
    /// What it took off: part of `discount`.
    pub promotion_discount: Money,
    /// In basis points.
    pub tax_rate: BasisPoints,
    /// The tax: part of the total.
    pub tax: Money,
    /// What was owed for this line.
    pub total: Money,
    /// For the receipt.
    pub note: Option<String>,
}

/// One payment.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct PaymentView {
    /// How.
    pub tender: Tender,
    /// How much was handed over.
    pub amount: Money,
    /// For example the card terminal's receipt number.
    pub reference: Option<String>,
}

/// A sale, and what became of it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct SaleDetail {
    /// As it was recorded.
    #[serde(flatten)]
    pub sale: SaleView,
    /// What went back to the customer so far.
    pub refunded: Money,
    /// When it was voided.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub voided_at: Option<DateTime<Utc>>,
    /// Why it was voided.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub void_reason: Option<String>,
    /// The lines that came back, in whole or in part.
    pub returned: Vec<ReturnedLine>,
}

/// How much of a line came back so far.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ReturnedLine {
    /// The line of the sale.
    pub line: i32,
    /// In the product's base unit.
    pub quantity: i64,
}

/// A sale in a list: without its lines and payments.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct SaleHead {
    /// Its id.
    pub id: SaleId,
    /// Its number, for people; not unique.
    pub number: String,
    /// Where.
    pub store_id: StoreId,
    /// At which register.
    pub register_id: Option<Uuid>,
    /// Who sold.
    pub cashier_id: UserId,
    /// What became of it.
    pub status: SaleStatus,
    /// When, by the till's clock.
    pub occurred_at: DateTime<Utc>,
    /// When, by the server's clock.
    pub recorded_at: DateTime<Utc>,
    /// The store's business day that it belongs to.
    pub business_date: NaiveDate,
    /// The currency of every amount in it.
    pub currency: Currency,
    /// How many lines it has.
    pub line_count: i32,
    /// The quantities of its lines, added up.
    pub unit_count: i64,
    /// The lines' gross amounts.
    pub subtotal: Money,
    /// Every discount.
    pub discount: Money,
    /// The tax: part of the total.
    pub tax: Money,
    /// What was owed.
    pub total: Money,
    /// What went back to the customer so far.
    pub refunded: Money,
    /// A customer's number or name.
    pub customer_ref: Option<String>,
    /// Whether its till was offline.
    pub offline: bool,
}

/// Which sales are listed: those that fit every filter given.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct SalesQuery {
    /// Of this store.
    pub store_id: Option<StoreId>,
    /// From this business day on.
    pub from: Option<NaiveDate>,
    /// Up to and including this business day.
    pub to: Option<NaiveDate>,
    /// Sold by this user.
    pub cashier_id: Option<UserId>,
    /// With this number, in any case, with or without the hyphen.
    #[param(inline)]
    pub number: Option<Text<20>>,
    /// With this product on some line.
    pub product_id: Option<ProductId>,
    /// Of at least this total, in minor units.
    pub min_total: Option<i64>,
    /// Of at most this total, in minor units.
    pub max_total: Option<i64>,
    /// In this state.
    pub status: Option<SaleStatus>,
    /// Made while the till was offline, or not.
    pub offline: Option<bool>,
    /// How many.
    pub limit: Option<Limit>,
    /// Where to go on.
    pub cursor: Option<Cursor>,
}
