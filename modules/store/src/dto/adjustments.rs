//! Adjustments on the wire: changes of stock that a person asks for.

use kernel::{
    ids::{ProductId, StoreId},
    money::{Quantity, StockDelta},
    text::Text,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::LevelView;
use crate::{domain::reason::AdjustmentReason, error::Error};

kernel::bounded_integer! {
    /// A counted quantity in base units: 0 to 1,000,000,000.
    #[derive(Default)]
    pub StockCount, 0, 1_000_000_000
}

/// Items in one request at most.
const MAX_ITEMS: usize = 500;

/// A batch of changes.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateAdjustment {
    /// All or nothing, or each for itself.
    #[serde(default)]
    pub mode: AdjustmentMode,
    /// 1 to 500 changes, applied in order.
    #[schema(min_items = 1, max_items = 500)]
    pub items: Vec<AdjustmentItem>,
}

/// Whether a batch stands or falls as one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AdjustmentMode {
    /// One refusal, and nothing is changed.
    #[default]
    Atomic,
    /// What is refused does not stop the rest.
    PerItem,
}

/// Which part of a level.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Bucket {
    /// Sellable.
    #[default]
    OnHand,
    /// There, but not sellable.
    Damaged,
}

/// One change.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum AdjustmentItem {
    /// More or less by some.
    Adjust {
        /// Where.
        store_id: StoreId,
        /// What.
        product_id: ProductId,
        /// By how much, in base units; not zero.
        delta: StockDelta,
        /// Which part of the level.
        #[serde(default)]
        bucket: Bucket,
        /// Why.
        reason: AdjustmentReason,
        /// More about it.
        #[serde(default)]
        #[schema(value_type = Option<String>, max_length = 500)]
        note: Option<Text<500>>,
    },
    /// What is sellable, as counted.
    Set {
        /// Where.
        store_id: StoreId,
        /// What.
        product_id: ProductId,
        /// How much there is.
        quantity: StockCount,
        /// How much the books said when it was counted: refused if they say otherwise by now.
        #[serde(default)]
        expected: Option<StockDelta>,
        /// Why.
        reason: AdjustmentReason,
        /// More about it.
        #[serde(default)]
        #[schema(value_type = Option<String>, max_length = 500)]
        note: Option<Text<500>>,
    },
    /// From one part of the level to the other.
    Move {
        /// Where.
        store_id: StoreId,
        /// What.
        product_id: ProductId,
        /// The part that gets less.
        from: Bucket,
        /// The part that gets more.
        to: Bucket,
        /// How much, in base units.
        quantity: Quantity,
        /// Why.
        reason: AdjustmentReason,
        /// More about it.
        #[serde(default)]
        #[schema(value_type = Option<String>, max_length = 500)]
        note: Option<Text<500>>,
    },
}

impl AdjustmentItem {
    /// The level that it changes.
    pub(crate) fn key(&self) -> (StoreId, ProductId) {
        match self {
            Self::Adjust {
                store_id,
                product_id,
                ..
            }
            | Self::Set {
                store_id,
                product_id,
                ..
            }
            | Self::Move {
                store_id,
                product_id,
                ..
            } => (*store_id, *product_id),
        }
    }

    /// Why, and what was noted.
    pub(crate) fn why(&self) -> (AdjustmentReason, Option<&str>) {
        match self {
            Self::Adjust { reason, note, .. }
            | Self::Set { reason, note, .. }
            | Self::Move { reason, note, .. } => (*reason, note.as_ref().map(Text::as_str)),
        }
    }
}

impl CreateAdjustment {
    /// What parsing the fields one by one cannot see.
    pub(crate) fn validate(&self) -> Result<(), Error> {
        if self.items.is_empty() || self.items.len() > MAX_ITEMS {
            return Err(Error::invalid("/items", "must be 1 to 500 changes"));
        }
        for (index, item) in self.items.iter().enumerate() {
            match item {
                AdjustmentItem::Adjust { delta, .. } if delta.get() == 0 => {
                    return Err(Error::invalid(
                        &format!("/items/{index}/delta"),
                        "must not be zero",
                    ));
                }
                AdjustmentItem::Move { from, to, .. } if from == to => {
                    return Err(Error::invalid(
                        &format!("/items/{index}/to"),
                        "must not be the part that it comes from",
                    ));
                }
                AdjustmentItem::Adjust { .. }
                | AdjustmentItem::Set { .. }
                | AdjustmentItem::Move { .. } => {}
            }
        }
        Ok(())
    }
}

/// What became of a batch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AdjustmentView {
    /// Its id: the document of its movements.
    pub id: Uuid,
    /// As it was asked for.
    pub mode: AdjustmentMode,
    /// One per item, in order.
    pub results: Vec<AdjustmentResult>,
}

/// What became of one item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AdjustmentResult {
    /// Which item, from 0.
    pub index: usize,
    /// What became of it.
    pub status: AdjustmentStatus,
    /// The level after it, where it was applied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<LevelView>,
    /// Why it was refused, for a program.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Why it was refused, for a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// Whether an item was applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AdjustmentStatus {
    /// It was.
    Applied,
    /// It was not.
    Refused,
}
