//! Transfers on the wire: what a client asks for.

use kernel::{
    ids::{ProductId, StoreId},
    money::Quantity,
    text::Text,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{StockCount, present};
use crate::domain::transfer::{Arrival, Pick};

/// A new transfer, as a draft.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateTransfer {
    /// Who is to give.
    pub(crate) from_store_id: StoreId,
    /// Who is to get: one of your stores.
    pub(crate) to_store_id: StoreId,
    /// 1 to 200, one per product.
    #[schema(min_items = 1, max_items = 200)]
    pub(crate) lines: Vec<TransferQuantity>,
    /// For those who handle it.
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 500)]
    pub(crate) note: Option<Text<500>>,
}

/// A product and how much of it.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TransferQuantity {
    /// What.
    pub(crate) product_id: ProductId,
    /// How much, in base units.
    pub(crate) quantity: Quantity,
}

/// A merge patch of a draft: what is left out stays as it is.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UpdateTransfer {
    /// All of its lines anew, 1 to 200, one per product.
    #[serde(default, deserialize_with = "present")]
    #[schema(nullable = false, min_items = 1, max_items = 200)]
    pub(crate) lines: Option<Vec<TransferQuantity>>,
    /// For those who handle it; `null` for none.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>, max_length = 500)]
    pub(crate) note: Option<Option<Text<500>>>,
}

/// How much of each line is approved, or sent.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TransferPicks {
    /// Without it, all that is possible; a product that it does not name is left out.
    #[serde(default)]
    #[schema(max_items = 200)]
    pub(crate) lines: Option<Vec<TransferPick>>,
}

/// A product of the transfer and how much of it.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TransferPick {
    /// What.
    pub(crate) product_id: ProductId,
    /// How much, in base units; may be nothing.
    pub(crate) quantity: StockCount,
}

impl From<TransferPick> for Pick {
    fn from(pick: TransferPick) -> Self {
        Self {
            product_id: pick.product_id,
            quantity: pick.quantity.get(),
        }
    }
}

impl TransferPicks {
    pub(crate) fn picks(&self) -> Option<Vec<Pick>> {
        let lines = self.lines.as_ref()?;
        Some(lines.iter().copied().map(Pick::from).collect())
    }
}

/// What arrived of a transfer, at one time.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReceiveTransfer {
    /// 1 to 200, one per product.
    #[schema(min_items = 1, max_items = 200)]
    pub(crate) lines: Vec<ReceivedLine>,
    /// For those who read it later.
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 500)]
    pub(crate) note: Option<Text<500>>,
}

/// What arrived of one product; at least one unit of one of the three.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReceivedLine {
    /// What.
    pub(crate) product_id: ProductId,
    /// Arrived and sellable, in base units.
    #[serde(default)]
    pub(crate) received: StockCount,
    /// Arrived, but not sellable.
    #[serde(default)]
    pub(crate) damaged: StockCount,
    /// Will not arrive.
    #[serde(default)]
    pub(crate) lost: StockCount,
}

impl From<ReceivedLine> for Arrival {
    fn from(line: ReceivedLine) -> Self {
        Self {
            product_id: line.product_id,
            received: line.received.get(),
            damaged: line.damaged.get(),
            lost: line.lost.get(),
        }
    }
}

/// The end of a transfer.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CloseTransfer {
    /// Whether what is still in transit is given up as lost.
    #[serde(default)]
    pub(crate) write_off: bool,
    /// Why.
    pub(crate) reason: Text<500>,
}

/// Why a transfer does not happen.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct StopTransfer {
    /// For the other end.
    pub(crate) reason: Text<500>,
}

/// What goes back of what a transfer brought.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReturnTransfer {
    /// 1 to 200, one per product.
    #[schema(min_items = 1, max_items = 200)]
    pub(crate) lines: Vec<TransferQuantity>,
    /// Why.
    pub(crate) reason: Text<500>,
}

impl From<TransferQuantity> for Pick {
    fn from(line: TransferQuantity) -> Self {
        Self {
            product_id: line.product_id,
            quantity: line.quantity.get(),
        }
    }
}
