//! What other modules may know about sales: whether a sale stands, and the facts it publishes.

mod demand;
mod http;

use async_trait::async_trait;
use kernel::{
    call::{Cx, NoAnswer},
    ids::{ProductId, SaleId, StoreId},
    money::Quantity,
    outbox::Event,
    uuid::Uuid,
};
use serde::{Deserialize, Serialize};

pub use demand::{Demand, LastSold, LastSoldQuery, Sold, SoldQuery};
pub use http::{DemandClient, SaleOutcomesClient, local, local_demand, serve, serve_demand};

/// Decides, once and for all, whether a sale stands.
#[async_trait]
pub trait SaleOutcomes: Send + Sync {
    /// The outcome of each of `sales`, at most 1,000. A sale that is not recorded is aborted by this call: a
    /// tombstone under its primary key keeps it from ever being recorded. Idempotent.
    async fn resolve(&self, cx: &Cx, sales: Vec<Attempt>) -> Result<Vec<Resolution>, NoAnswer>;
}

/// A sale that may or may not have been recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// The sale.
    pub sale_id: SaleId,
    /// Its store.
    pub store_id: StoreId,
}

/// An attempt and its outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resolution {
    /// The sale.
    pub sale_id: SaleId,
    /// Final: it will never be answered differently.
    pub outcome: Outcome,
}

/// Whether a sale stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It was recorded (and may have been voided since, which has an event of its own).
    Recorded,
    /// It was not, and never will be.
    Aborted,
}

/// A product and how much of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Goods {
    /// What.
    pub product_id: ProductId,
    /// How much, in base units.
    pub quantity: Quantity,
}

/// A sale was recorded: its hold is final.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SaleRecorded {
    /// Which, and the id of its hold.
    pub sale_id: SaleId,
    /// Where.
    pub store_id: StoreId,
}

impl Event for SaleRecorded {
    const TYPE: &'static str = "sale.recorded.v1";
    const AGGREGATE: &'static str = "sale";
}

/// A recorded sale was voided: its goods go back on the shelf.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SaleVoided {
    /// Which.
    pub sale_id: SaleId,
    /// Where.
    pub store_id: StoreId,
    /// One per product.
    pub goods: Vec<Goods>,
}

impl Event for SaleVoided {
    const TYPE: &'static str = "sale.voided.v1";
    const AGGREGATE: &'static str = "sale";
}

/// What becomes of returned goods.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Disposition {
    /// Back on the shelf.
    Restock,
    /// Kept, but not sold.
    Damaged,
}

/// Goods came back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReturnRecorded {
    /// The return.
    pub return_id: Uuid,
    /// The sale that it is against; none where there was no receipt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sale_id: Option<SaleId>,
    /// The store that took the goods back, which need not be the sale's.
    pub store_id: StoreId,
    /// One per product and disposition.
    pub goods: Vec<ReturnedGoods>,
}

/// Goods of a return.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReturnedGoods {
    /// What.
    pub product_id: ProductId,
    /// How much, in base units.
    pub quantity: Quantity,
    /// What becomes of it.
    pub disposition: Disposition,
}

impl Event for ReturnRecorded {
    const TYPE: &'static str = "return.recorded.v1";
    const AGGREGATE: &'static str = "return";
}

/// A shift was opened at a register.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShiftOpened {
    /// The shift.
    pub shift_id: Uuid,
    /// Where.
    pub store_id: StoreId,
    /// At which register.
    pub register_id: Uuid,
}

impl Event for ShiftOpened {
    const TYPE: &'static str = "shift.opened.v1";
    const AGGREGATE: &'static str = "shift";
}

/// A shift was closed: its Z report stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShiftClosed {
    /// The shift.
    pub shift_id: Uuid,
    /// Where.
    pub store_id: StoreId,
    /// At which register.
    pub register_id: Uuid,
    /// The number of its Z report at that register.
    pub z_number: i64,
}

impl Event for ShiftClosed {
    const TYPE: &'static str = "shift.closed.v1";
    const AGGREGATE: &'static str = "shift";
}
