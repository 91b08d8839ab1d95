//! Dated prices on the wire.

use chrono::{DateTime, Utc};
use kernel::{
    ids::{ProductId, StoreId, UserId},
    money::{Money, Quantity},
    time::Moment,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::repo::prices::PriceRow;

/// A price from a moment on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct PriceView {
    /// Its id.
    pub(crate) id: Uuid,
    /// Of this product.
    pub(crate) product_id: ProductId,
    /// At this store; `null` at every store that sells in its currency.
    pub(crate) store_id: Option<StoreId>,
    /// The price of `price_per` base units.
    pub(crate) price: Money,
    /// How many base units it is for.
    pub(crate) price_per: Quantity,
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

impl From<PriceRow> for PriceView {
    fn from(row: PriceRow) -> Self {
        let PriceRow {
            id,
            product_id,
            store_id,
            price_minor,
            currency,
            price_per,
            valid_from,
            valid_until,
            withdrawn_at,
            version,
            created_by,
            created_at,
            updated_at,
        } = row;
        Self {
            id,
            product_id,
            store_id,
            price: Money {
                amount: price_minor,
                currency,
            },
            price_per,
            valid_from,
            valid_until,
            withdrawn_at,
            version,
            created_by,
            created_at,
            updated_at,
        }
    }
}

/// A new price.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreatePrice {
    /// Of this product.
    pub(crate) product_id: ProductId,
    /// At this store; absent or `null` at every store that sells in its currency, for which only
    /// an admin of the chain may set it.
    pub(crate) store_id: Option<StoreId>,
    /// In the store's currency; not below zero.
    pub(crate) price: Money,
    /// How many base units it is for; as many as the product's own price unless told.
    pub(crate) price_per: Option<Quantity>,
    /// From when on; now unless told. Not in the past.
    pub(crate) valid_from: Option<Moment>,
    /// Until when, exclusive; for good unless told.
    pub(crate) valid_until: Option<Moment>,
}

/// When a price ends.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct EndPrice {
    /// The first moment at which it does not hold any more; now unless told. Not in the past.
    pub(crate) at: Option<Moment>,
}
