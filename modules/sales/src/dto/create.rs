//! What clients send. Everything is bounded when it is parsed; what needs more than one field is
//! checked in [`service::validate`](crate::service).

use chrono::{DateTime, Utc};
use kernel::{
    ids::{ProductId, SaleId, StoreId},
    money::{BasisPoints, Money, Quantity},
    text::{Code, Text},
    uuid::Uuid,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::domain::words::{Disposition, ReturnReason, Tender, tender_of_client};

/// A sale to be recorded. The cashier is the caller.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateSale {
    /// Where.
    pub store_id: StoreId,
    /// A register of that store.
    pub register_id: Option<Uuid>,
    /// When, by the till's clock: from the year 2000 to 5 minutes ahead. Now, unless told.
    pub occurred_at: Option<DateTime<Utc>>,
    /// A customer's number or name, as the shop has it.
    pub customer_ref: Option<Text<100>>,
    /// What was sold.
    #[schema(min_items = 1, max_items = 200)]
    pub lines: Vec<CreateSaleLine>,
    /// A discount on the whole sale, split over its lines.
    pub discount: Option<Discount>,
    /// How it was paid: the sum is the total, or more where the change comes out of cash. Where the
    /// store rounds cash, what other means leave for it to pay is rounded. A sale of total 0 needs
    /// none.
    #[serde(default)]
    #[schema(max_items = 20)]
    pub payments: Vec<CreatePayment>,
}

/// One line of a sale. Exactly one of `product_id`, `sku` and `barcode` names the product.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateSaleLine {
    /// The product's id.
    pub product_id: Option<ProductId>,
    /// The product's SKU.
    pub sku: Option<Code>,
    /// One of the product's barcodes.
    pub barcode: Option<Text<64>>,
    /// In the product's base unit.
    pub quantity: Quantity,
    /// Instead of the catalogue's price, and per the same `price_per`; no promotion applies then.
    /// Needs `price:override`.
    pub unit_price: Option<Money>,
    /// A discount on this line, after the promotion's.
    pub discount: Option<Discount>,
    /// For the receipt.
    pub note: Option<Text<200>>,
}

/// A discount: an amount, or a share in basis points (1000 is 10 %).
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Discount {
    /// Off the price; at most all of it.
    Amount(Money),
    /// A share of the price.
    BasisPoints(BasisPoints),
}

/// One payment.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreatePayment {
    /// How; not `exchange`.
    #[serde(deserialize_with = "tender_of_client")]
    pub tender: Tender,
    /// How much was handed over; not below zero.
    pub amount: Money,
    /// For example the card terminal's receipt number. Never a card number.
    pub reference: Option<Text<100>>,
}

/// Why a sale is voided.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct VoidSale {
    /// For the audit trail.
    pub reason: Text<200>,
}

/// Goods that come back.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateReturn {
    /// The sale that they were sold with.
    pub sale_id: SaleId,
    /// The store that takes them back; the one that sold them, unless told. Another one finds the
    /// sale by its id alone: `GET /api/returns/lookup` answers it for the number on the receipt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub store_id: Option<StoreId>,
    /// A register of that store, out of whose drawer cash refunds go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub register_id: Option<Uuid>,
    /// When it happened, by the till's clock; now unless told. Not before the sale, at most 5
    /// minutes ahead.
    pub occurred_at: Option<DateTime<Utc>>,
    /// What comes back.
    #[schema(min_items = 1, max_items = 200)]
    pub lines: Vec<CreateReturnLine>,
    /// Why.
    pub reason: ReturnReason,
    /// More about why.
    pub note: Option<Text<200>>,
    /// How the money goes back; the sum is the computed refund, with what is left for cash rounded
    /// where the store rounds cash. Unless told, all of it in the
    /// tender of the sale's largest payment.
    #[schema(max_items = 20)]
    pub refunds: Option<Vec<CreateRefund>>,
}

/// One line of a return.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateReturnLine {
    /// The line of the sale, from 1.
    #[schema(minimum = 1, maximum = 200)]
    pub line: i32,
    /// How much of it, in the product's base unit.
    pub quantity: Quantity,
    /// What becomes of it.
    pub disposition: Disposition,
}

/// Goods that come back without a receipt.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateUnreceiptedReturn {
    /// The store that takes them back.
    pub store_id: StoreId,
    /// A register of that store, out of whose drawer cash refunds go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub register_id: Option<Uuid>,
    /// When it happened, by the till's clock: from the year 2000 to 5 minutes ahead. Now, unless
    /// told.
    pub occurred_at: Option<DateTime<Utc>>,
    /// What comes back.
    #[schema(min_items = 1, max_items = 200)]
    pub lines: Vec<CreateUnreceiptedLine>,
    /// Why.
    pub reason: ReturnReason,
    /// More about why, and why there is no receipt.
    pub note: Option<Text<200>>,
    /// How the money goes back; the sum is the refund of the lines. There is no payment to follow,
    /// so it has to be said; none where the refund is 0.
    #[schema(max_items = 20)]
    pub refunds: Vec<CreateRefund>,
}

/// One line of a return without receipt. Exactly one of `product_id`, `sku` and `barcode` names the
/// product.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateUnreceiptedLine {
    /// The product's id.
    pub product_id: Option<ProductId>,
    /// The product's SKU.
    pub sku: Option<Code>,
    /// One of the product's barcodes.
    pub barcode: Option<Text<64>>,
    /// In the product's base unit.
    pub quantity: Quantity,
    /// What is given back per the product's `price_per`: at most its price at the store now. Where
    /// the store adds tax to its prices, it is added to this too.
    pub unit_refund: Money,
    /// What becomes of it.
    pub disposition: Disposition,
}

/// One payment back to the customer.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateRefund {
    /// How; not `exchange`.
    #[serde(deserialize_with = "tender_of_client")]
    pub tender: Tender,
    /// How much; not below zero.
    pub amount: Money,
}
