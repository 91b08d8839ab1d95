//! Promotions on the wire.

use chrono::{DateTime, Utc};
use kernel::{
    ids::{ProductId, StoreId, UserId},
    money::{BasisPoints, Money, Quantity},
    text::Text,
    time::Moment,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::repo::promotions::Promotion;

/// What a promotion takes off: a share of the price in basis points (1000 is 10 %), or an amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum PromotionDiscount {
    /// A share of the price, above zero.
    BasisPoints(BasisPoints),
    /// Off `price_per` base units of the product; above zero, and never more than the price.
    Amount(Money),
}

/// A promotion from a moment on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct PromotionView {
    /// Its id.
    pub(crate) id: Uuid,
    /// What the receipt calls it.
    pub(crate) name: String,
    /// What it takes off.
    pub(crate) discount: PromotionDiscount,
    /// A line of a sale has at least so many base units.
    pub(crate) min_quantity: Quantity,
    /// The stores where it holds, as far as you may see them; `null` for every store.
    pub(crate) store_ids: Option<Vec<StoreId>>,
    /// Products that it holds for.
    pub(crate) product_ids: Vec<ProductId>,
    /// Categories that it holds for, with everything below them.
    pub(crate) category_ids: Vec<Uuid>,
    /// The first moment at which it holds.
    pub(crate) valid_from: DateTime<Utc>,
    /// The first moment at which it does not hold any more; `null` for no end.
    pub(crate) valid_until: Option<DateTime<Utc>>,
    /// When it was withdrawn, before it began: it never held.
    pub(crate) withdrawn_at: Option<DateTime<Utc>>,
    /// Goes up by one with every change; the `ETag`.
    pub(crate) version: i64,
    /// Who made it.
    pub(crate) created_by: UserId,
    /// When it was made.
    pub(crate) created_at: DateTime<Utc>,
    /// When it was last changed.
    pub(crate) updated_at: DateTime<Utc>,
}

impl From<Promotion> for PromotionView {
    fn from(promotion: Promotion) -> Self {
        let Promotion {
            id,
            name,
            discount,
            min_quantity,
            stores,
            products,
            categories,
            dates,
            version,
            created_by,
            created_at,
            updated_at,
        } = promotion;
        Self {
            id,
            name,
            discount,
            min_quantity,
            store_ids: stores,
            product_ids: products,
            category_ids: categories,
            valid_from: dates.from,
            valid_until: dates.until,
            withdrawn_at: dates.withdrawn,
            version,
            created_by,
            created_at,
            updated_at,
        }
    }
}

/// A new promotion.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreatePromotion {
    /// What the receipt calls it.
    pub(crate) name: Text<100>,
    /// What it takes off.
    pub(crate) discount: PromotionDiscount,
    /// A line of a sale has at least so many base units; 1 unless told.
    pub(crate) min_quantity: Option<Quantity>,
    /// Where; absent or `null` at every store, for which only an admin of the chain may make it.
    #[schema(min_items = 1, max_items = 200)]
    pub(crate) store_ids: Option<Vec<StoreId>>,
    /// For these products; at least one product or category.
    #[serde(default)]
    #[schema(max_items = 200, required = false)]
    pub(crate) product_ids: Vec<ProductId>,
    /// For everything in these categories and below them.
    #[serde(default)]
    #[schema(max_items = 50, required = false)]
    pub(crate) category_ids: Vec<Uuid>,
    /// From when on; now unless told. Not in the past.
    pub(crate) valid_from: Option<Moment>,
    /// Until when, exclusive; for good unless told.
    pub(crate) valid_until: Option<Moment>,
}
