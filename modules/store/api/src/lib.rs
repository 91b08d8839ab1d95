//! What other modules may know about stores and their stock: the [`Stock`], [`Stores`],
//! [`Levels`] and [`Transfers`] ports and their types.

mod counts;
mod http;
mod profile;
mod transfers;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use kernel::{
    auth::Scope,
    call::{CallError, Cx, NoAnswer},
    ids::{ProductId, SaleId, StoreId},
    money::Quantity,
    outbox::Event,
};
use serde::{Deserialize, Serialize};

pub use counts::{CountCancelled, CountKind, CountOpened, CountPosted, CountState, CountStatus};
pub use http::{
    LevelsClient, StockClient, StoresClient, TransfersClient, local_levels, local_stock,
    local_stores, local_transfers, serve_levels, serve_stock, serve_stores, serve_transfers,
};
pub use profile::{NegativeStock, RegisterRef, StoreKind, StoreProfile, TaxMode};
pub use transfers::{
    NewTransfer, NewTransferLine, SourceDocument, TransferApproved, TransferCancelled,
    TransferClosed, TransferDispatched, TransferDrafted, TransferLineState, TransferReceived,
    TransferRef, TransferRefused, TransferRejected, TransferRequested, TransferStart,
    TransferState, TransferStatus, Transfers,
};

/// Takes goods out of a store's stock for a sale that is about to be recorded.
#[async_trait]
pub trait Stock: Send + Sync {
    /// Takes every line or none. Idempotent on `hold_id`: asked again with the same hash, it
    /// answers with the hold that stands. When it answers, the goods are taken durably; a hold
    /// that no recorded sale follows is given back by the store's sweeper.
    ///
    /// # Errors
    ///
    /// See [`HoldRefused`]; nothing was taken then.
    async fn hold(&self, cx: &Cx, request: HoldRequest) -> Result<Hold, CallError<HoldRefused>>;
}

/// What a sale takes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HoldRequest {
    /// The sale's id, which is computed from its idempotency key.
    pub hold_id: SaleId,
    /// The store whose goods are taken.
    pub store_id: StoreId,
    /// SHA-256 of the request: another request under the same id is refused.
    pub request_hash: Vec<u8>,
    /// One line per product, sorted by product id, without repeats.
    pub lines: Vec<HoldLine>,
    /// When the sale happened, by the till's clock.
    pub occurred_at: DateTime<Utc>,
    /// What becomes of goods that the books do not have. Peers that never say refuse.
    #[serde(default)]
    pub oversell: Oversell,
}

/// What becomes of a hold of goods that the books do not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Oversell {
    /// It is refused, unless the store's settings allow negative stock.
    #[default]
    Refuse,
    /// It is recorded, whatever the books and the settings say: the customer has left with the
    /// goods. What was not there is listed as a discrepancy for people to resolve.
    Record,
}

/// One product of a hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct HoldLine {
    /// What.
    pub product_id: ProductId,
    /// How much, in base units.
    pub quantity: Quantity,
}

/// A hold that stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// Whether an earlier call had made it.
    pub replayed: bool,
}

/// Why nothing was taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum HoldRefused {
    /// Some products are short; every short one is named. Never where the request says
    /// [`Oversell::Record`].
    #[error("not enough stock")]
    Short {
        /// The short lines.
        lines: Vec<ShortLine>,
    },
    /// The id was used for a request with another hash.
    #[error("this hold was made for another request")]
    KeyReused,
    /// An earlier attempt under this id was given up and its goods went back.
    #[error("this hold was released")]
    Released,
    /// There is no such store, or it is archived.
    #[error("no such store")]
    UnknownStore,
}

/// A product that a store has too little of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShortLine {
    /// Which.
    pub product_id: ProductId,
    /// How much was asked for, in base units.
    pub requested: i64,
    /// How much there is.
    pub available: i64,
}

/// Reads stores and their settings.
#[async_trait]
pub trait Stores: Send + Sync {
    /// The profiles of those of `ids` that exist, archived ones included. A read: repeatable.
    async fn profiles(&self, cx: &Cx, ids: Vec<StoreId>) -> Result<Vec<StoreProfile>, NoAnswer>;
}

/// Reads stock levels over several stores.
#[async_trait]
pub trait Levels: Send + Sync {
    /// The levels of `products` at the stores in `scope`, by product and then store code. A read.
    async fn levels(
        &self,
        cx: &Cx,
        scope: Scope,
        products: Vec<ProductId>,
    ) -> Result<Vec<StoreLevel>, NoAnswer>;

    /// What one store had just before a moment, by product, at most 10,000, those after `after`
    /// only; levels at zero are left out. What happened is told apart by when it did, as far as it was
    /// recorded later, too: no clock is believed that runs ahead. Opening stock was there before the
    /// first thing that happened to it. Reads all that was recorded at the store since: a read that
    /// costs more the longer ago the moment is.
    async fn levels_at(
        &self,
        cx: &Cx,
        store: StoreId,
        before: DateTime<Utc>,
        after: Option<ProductId>,
        limit: i64,
    ) -> Result<Vec<PastLevel>, NoAnswer>;

    /// The levels of one store by product, at most 1,000, those after `after` only. A read.
    async fn levels_of_store(
        &self,
        cx: &Cx,
        store: StoreId,
        after: Option<ProductId>,
        limit: i64,
    ) -> Result<Vec<StoreLevel>, NoAnswer>;
}

/// What one store has of one product.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoreLevel {
    /// Where.
    pub store_id: StoreId,
    /// The store's code, for people.
    pub store_code: String,
    /// The store's name.
    pub store_name: String,
    /// What.
    pub product_id: ProductId,
    /// Sellable now, in base units; below zero only where the store allows it.
    pub on_hand: i64,
    /// Of `on_hand`, promised to other stores.
    pub reserved: i64,
    /// There, but not sellable.
    pub damaged: i64,
    /// On the way here from other stores.
    pub incoming: i64,
}

/// What one store had of one product.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PastLevel {
    /// What.
    pub product_id: ProductId,
    /// Sellable then, in base units.
    pub on_hand: i64,
    /// There, but not sellable.
    pub damaged: i64,
}

/// A store, its settings or its place in the chain changed: what was copied from it may be out of
/// date.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoreChanged {
    /// Which.
    pub store_id: StoreId,
}

impl Event for StoreChanged {
    const TYPE: &'static str = "store.changed.v1";
    const AGGREGATE: &'static str = "store";
}
