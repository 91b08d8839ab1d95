//! Discrepancies on the wire.

use chrono::{DateTime, Utc};
use kernel::{
    ids::{ProductId, StoreId, UserId},
    text::Text,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    domain::discrepancy::{DiscrepancyState, Explanation, Resolution},
    repo::discrepancies::DiscrepancyRow,
};

/// Goods that were taken although the books did not have them.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(crate) struct DiscrepancyView {
    /// Its id.
    pub(crate) id: Uuid,
    /// Where.
    pub(crate) store_id: StoreId,
    /// What.
    pub(crate) product_id: ProductId,
    /// The movement that took them, by its number in the level's ledger.
    pub(crate) seq: i64,
    /// How much was taken that was not there, in base units.
    pub(crate) quantity: i64,
    /// What the books said then: below zero.
    pub(crate) on_hand_after: i64,
    /// `sale`, `adjustment`, `transfer` or `count`.
    pub(crate) document_type: String,
    /// Which one.
    pub(crate) document_id: Uuid,
    /// Who.
    pub(crate) actor_id: UserId,
    /// When it happened, by the clock of the till.
    pub(crate) occurred_at: DateTime<Utc>,
    /// When it was recorded, by the clock of the database.
    pub(crate) recorded_at: DateTime<Utc>,
    /// Whether somebody has explained it.
    pub(crate) state: DiscrepancyState,
    /// How it came about; `null` while it is open.
    pub(crate) resolution: Option<Resolution>,
    /// What was noted.
    pub(crate) note: Option<String>,
    /// Who resolved it.
    pub(crate) resolved_by: Option<UserId>,
    /// When.
    pub(crate) resolved_at: Option<DateTime<Utc>>,
}

impl From<DiscrepancyRow> for DiscrepancyView {
    fn from(row: DiscrepancyRow) -> Self {
        let DiscrepancyRow {
            id,
            store_id,
            product_id,
            seq,
            quantity,
            on_hand_after,
            document_type,
            document_id,
            actor_id,
            occurred_at,
            recorded_at,
            state,
            resolution,
            note,
            resolved_by,
            resolved_at,
        } = row;
        Self {
            id,
            store_id,
            product_id,
            seq,
            quantity,
            on_hand_after,
            document_type,
            document_id,
            actor_id,
            occurred_at,
            recorded_at,
            state: state.0,
            resolution: resolution.map(|word| word.0),
            note,
            resolved_by,
            resolved_at,
        }
    }
}

/// How a discrepancy came about.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ResolveDiscrepancy {
    /// In a word.
    pub(crate) resolution: Explanation,
    /// In a sentence, for whoever asks later.
    pub(crate) note: Text<500>,
}
