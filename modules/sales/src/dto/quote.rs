//! What a sale would cost, as clients ask and see it.

use chrono::{DateTime, NaiveDate, Utc};
use kernel::{
    ids::StoreId,
    money::{Currency, Money},
    text::Text,
    uuid::Uuid,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{CreateSale, CreateSaleLine, Discount, SaleLineView};

/// A sale that may be recorded: the same without its payments.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateQuote {
    /// Where.
    pub store_id: StoreId,
    /// A register of that store.
    pub register_id: Option<Uuid>,
    /// When, by the till's clock: from the year 2000 to 5 minutes ahead. Now, unless told.
    pub occurred_at: Option<DateTime<Utc>>,
    /// A customer's number or name, as the shop has it.
    pub customer_ref: Option<Text<100>>,
    /// What would be sold.
    #[schema(min_items = 1, max_items = 200)]
    pub lines: Vec<CreateSaleLine>,
    /// A discount on the whole sale, split over its lines.
    pub discount: Option<Discount>,
}

/// What a sale would cost. Nothing is kept of it, and no goods are set aside.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct QuoteView {
    /// Where.
    pub store_id: StoreId,
    /// The moment whose prices, promotions and tax rates these are.
    pub at: DateTime<Utc>,
    /// The store's business day that the sale would belong to.
    pub business_date: NaiveDate,
    /// The currency of every amount in it.
    pub currency: Currency,
    /// What would be sold.
    pub lines: Vec<QuoteLineView>,
    /// The lines' gross amounts.
    pub subtotal: Money,
    /// Every discount.
    pub discount: Money,
    /// The tax: part of the total.
    pub tax: Money,
    /// What would be owed.
    pub total: Money,
    /// What would be owed if all of it were paid in cash.
    pub cash: CashDue,
}

/// What is owed in cash, where the store rounds it.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
pub struct CashDue {
    /// What the total is rounded by.
    pub rounding: Money,
    /// The total and `rounding`.
    pub due: Money,
}

/// One line of a quote.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct QuoteLineView {
    /// As it would be recorded.
    #[serde(flatten)]
    pub line: SaleLineView,
    /// What the store has of the product; `null` when it could not be had in time.
    pub available: Option<i64>,
    /// Whether a sale of all lines would find enough of the product; `null` as `available`.
    pub is_enough: Option<bool>,
}

impl CreateQuote {
    /// The sale that would be recorded, unpaid.
    pub(crate) fn into_sale(self) -> CreateSale {
        let Self {
            store_id,
            register_id,
            occurred_at,
            customer_ref,
            lines,
            discount,
        } = self;
        CreateSale {
            store_id,
            register_id,
            occurred_at,
            customer_ref,
            lines,
            discount,
            payments: Vec::new(),
        }
    }
}
