//! The ledger on the wire.

use chrono::{DateTime, Utc};
use kernel::ids::{ProductId, StoreId, UserId};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{domain::reason::MovementReason, repo::movements::MovementRow};

/// A change of one level. It is never changed itself.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct MovementView {
    /// Where.
    pub(crate) store_id: StoreId,
    /// What.
    pub(crate) product_id: ProductId,
    /// 1, 2, 3 … per level: its version after the movement.
    pub(crate) seq: i64,
    /// Change of what is sellable, in base units.
    pub(crate) delta: i64,
    /// Change of what is damaged.
    pub(crate) damaged_delta: i64,
    /// What is sellable after it.
    pub(crate) balance: i64,
    /// What is damaged after it.
    pub(crate) damaged_balance: i64,
    /// Why.
    pub(crate) reason: MovementReason,
    /// `sale`, `return`, `adjustment`, `transfer` or `count`.
    pub(crate) document_type: String,
    /// Which one.
    pub(crate) document_id: Uuid,
    /// Who.
    pub(crate) actor_id: UserId,
    /// When it happened, by the clock of the till.
    pub(crate) occurred_at: DateTime<Utc>,
    /// When it was recorded, by the clock of the database.
    pub(crate) recorded_at: DateTime<Utc>,
    /// What was noted.
    pub(crate) note: Option<String>,
}

impl From<MovementRow> for MovementView {
    fn from(row: MovementRow) -> Self {
        let MovementRow {
            store_id,
            product_id,
            seq,
            delta,
            damaged_delta,
            balance,
            damaged_balance,
            reason,
            document_type,
            document_id,
            actor_id,
            occurred_at,
            recorded_at,
            note,
        } = row;
        Self {
            store_id,
            product_id,
            seq,
            delta,
            damaged_delta,
            balance,
            damaged_balance,
            reason: reason.0,
            document_type,
            document_id,
            actor_id,
            occurred_at,
            recorded_at,
            note,
        }
    }
}
