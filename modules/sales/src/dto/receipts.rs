//! Receipts as data: what is printed is made from the same.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use kernel::{
    ids::{StoreId, UserId},
    money::{BasisPoints, Currency, Money, Quantity},
    uuid::Uuid,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::PaymentView;

/// How a receipt is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ReceiptFormat {
    /// A JSON document.
    Json,
    /// Plain text, 42 characters wide.
    Text,
}

/// How a receipt is asked for.
#[derive(Debug, Clone, Copy, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ReceiptQuery {
    /// Unless told, what the header `Accept` prefers; `json` unless that is `text/plain`.
    #[param(inline)]
    pub(crate) format: Option<ReceiptFormat>,
}

/// What a receipt is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReceiptKind {
    /// Goods that were sold.
    Sale,
    /// Goods that came back.
    Return,
}

/// A receipt. It says nothing about being a copy: who asks may print it or not.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ReceiptView {
    /// What it is for.
    pub kind: ReceiptKind,
    /// The sale or return.
    pub document_id: Uuid,
    /// Its number, for people; not unique.
    pub number: String,
    /// From 1 per register, without gaps; absent where it was not made at a register.
    pub receipt_number: Option<i64>,
    /// The shop.
    pub store: ReceiptStore,
    /// At which register.
    pub register_id: Option<Uuid>,
    /// What people call the register; absent where it is not in use any more.
    pub register_code: Option<String>,
    /// Who sold, or took the goods back.
    pub cashier_id: UserId,
    /// When, by the till's clock.
    pub occurred_at: DateTime<Utc>,
    /// When a sale was recorded, by the server's clock.
    pub recorded_at: Option<DateTime<Utc>>,
    /// When it was voided: the receipt counts no more.
    pub voided_at: Option<DateTime<Utc>>,
    /// The number of the sale that the goods were sold with, on the receipt of a return.
    pub sale_number: Option<String>,
    /// The currency of every amount in it.
    pub currency: Currency,
    /// The goods.
    pub lines: Vec<ReceiptLine>,
    /// The lines' gross amounts.
    pub subtotal: Money,
    /// Every discount.
    pub discount: Money,
    /// What was owed, or what went back.
    pub total: Money,
    /// What cash was rounded by; the payments less the change are the total and this.
    pub rounding: Money,
    /// How the money changed hands.
    pub payments: Vec<PaymentView>,
    /// What was given back out of cash.
    pub change: Money,
    /// The tax within `total`, per rate.
    pub taxes: Vec<ReceiptTax>,
    /// A customer's number or name.
    pub customer_ref: Option<String>,
}

/// The shop on a receipt.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ReceiptStore {
    /// Its id.
    pub id: StoreId,
    /// Its name.
    pub name: String,
    /// Where it is.
    pub address: Option<String>,
    /// Its IANA time zone, by which times are printed.
    #[schema(value_type = String, example = "Europe/Paris")]
    pub timezone: Tz,
    /// What the shop wants to say on every receipt.
    pub text: Option<String>,
}

/// One line of a receipt.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ReceiptLine {
    /// What it was called.
    pub name: String,
    /// In the product's base unit.
    pub quantity: Quantity,
    /// The price of `price_per` base units; absent where goods come back.
    pub unit_price: Option<Money>,
    /// How many base units `unit_price` is for.
    pub price_per: Option<Quantity>,
    /// Before discounts.
    pub gross: Money,
    /// The line's discount and its share of the sale's.
    pub discount: Money,
    /// The promotion that gave some of the discount.
    pub promotion: Option<String>,
    /// In basis points.
    pub tax_rate: BasisPoints,
    /// What was owed, or what went back.
    pub total: Money,
    /// For the customer to read.
    pub note: Option<String>,
}

/// The tax of one rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct ReceiptTax {
    /// In basis points.
    pub tax_rate: BasisPoints,
    /// Without the tax.
    pub net: Money,
    /// The tax.
    pub tax: Money,
    /// With it.
    pub gross: Money,
}
