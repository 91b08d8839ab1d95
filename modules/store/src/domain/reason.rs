//! Why stock moved, and what became of a hold.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Why stock moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum MovementReason {
    /// A sale took it.
    Sale,
    /// The sale that had taken it was never recorded.
    SaleAborted,
    /// The sale was voided.
    Void,
    /// A customer brought it back.
    Return,
    /// The first count of a new store or product.
    Opening,
    /// A supplier brought it.
    Delivery,
    /// The books were wrong.
    Correction,
    /// It broke.
    Damaged,
    /// It is gone, and nobody knows where.
    Shrinkage,
    /// It was there after all.
    Found,
    /// It is too old to be sold.
    Expired,
    /// Anything else; the note says what.
    Other,
    /// It left for another store.
    TransferOut,
    /// It arrived from another store.
    TransferIn,
    /// A count found more or less than the books said.
    Count,
}

impl MovementReason {
    /// The kind of document that a movement for this reason belongs to.
    pub(crate) fn document_type(self) -> &'static str {
        match self {
            Self::Sale | Self::SaleAborted | Self::Void => "sale",
            Self::Return => "return",
            Self::Opening
            | Self::Delivery
            | Self::Correction
            | Self::Damaged
            | Self::Shrinkage
            | Self::Found
            | Self::Expired
            | Self::Other => "adjustment",
            Self::TransferOut | Self::TransferIn => "transfer",
            Self::Count => "count",
        }
    }
}

/// Why a person changes the stock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AdjustmentReason {
    /// The first count of a new store or product.
    Opening,
    /// A supplier brought it.
    Delivery,
    /// The books were wrong.
    Correction,
    /// It broke.
    Damaged,
    /// It is gone, and nobody knows where.
    Shrinkage,
    /// It was there after all.
    Found,
    /// It is too old to be sold.
    Expired,
    /// Anything else; the note says what.
    Other,
}

impl From<AdjustmentReason> for MovementReason {
    fn from(reason: AdjustmentReason) -> Self {
        match reason {
            AdjustmentReason::Opening => Self::Opening,
            AdjustmentReason::Delivery => Self::Delivery,
            AdjustmentReason::Correction => Self::Correction,
            AdjustmentReason::Damaged => Self::Damaged,
            AdjustmentReason::Shrinkage => Self::Shrinkage,
            AdjustmentReason::Found => Self::Found,
            AdjustmentReason::Expired => Self::Expired,
            AdjustmentReason::Other => Self::Other,
        }
    }
}

/// What became of the goods that a sale took.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum HoldState {
    /// Taken; the sale may or may not be recorded.
    Held,
    /// The sale is recorded.
    Consumed,
    /// The sale was never recorded, and the goods went back.
    Released,
}
