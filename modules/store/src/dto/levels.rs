//! Stock levels, past levels and holds on the wire.

use chrono::{DateTime, Utc};
use kernel::ids::{ProductId, SaleId, StoreId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    domain::{
        ledger::{Key, Level},
        reason::HoldState,
    },
    repo::{holds::HoldRow, levels::LevelRow, movements::PastRow},
};

/// What one store has of one product, in base units.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LevelView {
    /// Where.
    pub store_id: StoreId,
    /// What.
    pub product_id: ProductId,
    /// Sellable now; below zero only where the store allows it.
    pub on_hand: i64,
    /// Of `on_hand`, promised to other stores; tills may still sell it.
    pub reserved: i64,
    /// There, but not sellable.
    pub damaged: i64,
    /// On the way here from other stores.
    pub incoming: i64,
    /// How often it has moved.
    pub version: i64,
    /// When it last moved; `null` if it never did.
    pub updated_at: Option<DateTime<Utc>>,
}

impl From<(Key, Level)> for LevelView {
    fn from(((store_id, product_id), level): (Key, Level)) -> Self {
        let Level {
            on_hand,
            reserved,
            damaged,
            incoming,
            version,
            updated_at,
        } = level;
        Self {
            store_id,
            product_id,
            on_hand,
            reserved,
            damaged,
            incoming,
            version,
            updated_at,
        }
    }
}

impl From<LevelRow> for LevelView {
    fn from(row: LevelRow) -> Self {
        let LevelRow {
            store_id,
            product_id,
            on_hand,
            reserved,
            damaged,
            incoming,
            version,
            updated_at,
        } = row;
        Self {
            store_id,
            product_id,
            on_hand,
            reserved,
            damaged,
            incoming,
            version,
            updated_at: (version > 0).then_some(updated_at),
        }
    }
}

/// What one store had of one product at some moment, in base units.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct AsOfView {
    /// Where.
    pub(crate) store_id: StoreId,
    /// What.
    pub(crate) product_id: ProductId,
    /// Sellable then.
    pub(crate) on_hand: i64,
    /// There, but not sellable.
    pub(crate) damaged: i64,
    /// How often it had moved.
    pub(crate) version: i64,
    /// When it had last moved.
    pub(crate) recorded_at: DateTime<Utc>,
}

impl From<PastRow> for AsOfView {
    fn from(row: PastRow) -> Self {
        let PastRow {
            store_id,
            product_id,
            balance,
            damaged_balance,
            seq,
            recorded_at,
        } = row;
        Self {
            store_id,
            product_id,
            on_hand: balance,
            damaged: damaged_balance,
            version: seq,
            recorded_at,
        }
    }
}

/// Goods taken for a sale.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct HoldView {
    /// Its id, which is the sale's.
    pub(crate) hold_id: SaleId,
    /// Whose goods.
    pub(crate) store_id: StoreId,
    /// What became of them.
    pub(crate) state: HoldState,
    /// When they were taken.
    pub(crate) created_at: DateTime<Utc>,
    /// When that was settled; `null` while held.
    pub(crate) resolved_at: Option<DateTime<Utc>>,
}

impl From<HoldRow> for HoldView {
    fn from(row: HoldRow) -> Self {
        let HoldRow {
            hold_id,
            store_id,
            state,
            created_at,
            resolved_at,
        } = row;
        Self {
            hold_id,
            store_id,
            state: state.0,
            created_at,
            resolved_at,
        }
    }
}
