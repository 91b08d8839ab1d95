//! Transfers of goods between stores: the [`Transfers`] port and what is published about them.

use async_trait::async_trait;
use kernel::{
    call::{CallError, Cx},
    ids::{ProductId, StoreId, TransferId},
    money::Quantity,
    outbox::Event,
    uuid::Uuid,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Makes transfers for other modules.
#[async_trait]
pub trait Transfers: Send + Sync {
    /// Makes a transfer. Idempotent on its id: asked again for the same, it answers with the
    /// transfer that stands, whatever has become of it.
    ///
    /// # Errors
    ///
    /// See [`TransferRefused`]; nothing was made then.
    async fn create(
        &self,
        cx: &Cx,
        transfer: NewTransfer,
    ) -> Result<TransferRef, CallError<TransferRefused>>;
}

/// Where a transfer stands in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TransferStatus {
    /// Its lines may still change.
    Draft,
    /// The source is asked for the goods.
    Requested,
    /// The source has promised them.
    Approved,
    /// They have left the source.
    InTransit,
    /// Some have arrived, or are known not to.
    PartiallyReceived,
    /// Every one of them has arrived or is known not to.
    Received,
    /// It was closed by hand: what had not arrived was given up.
    Closed,
    /// It was given up before anything left.
    Cancelled,
    /// The source has refused.
    Rejected,
}

/// What a new transfer starts as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TransferStart {
    /// The destination looks over it first.
    Draft,
    /// The source is asked at once.
    Requested,
}

/// The document of another module that a transfer comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SourceDocument {
    /// For example `replenishment_request`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Which one.
    pub id: Uuid,
}

/// A transfer to be made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewTransfer {
    /// Chosen by the caller.
    pub id: TransferId,
    /// Who gives.
    pub from_store_id: StoreId,
    /// Who gets.
    pub to_store_id: StoreId,
    /// 1 to 200, one per product.
    pub lines: Vec<NewTransferLine>,
    /// For those who handle it; at most 500 characters.
    pub note: Option<String>,
    /// What it comes from.
    pub source: Option<SourceDocument>,
    /// What it starts as.
    pub start: TransferStart,
}

/// One product of a new transfer, as the catalogue describes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewTransferLine {
    /// What.
    pub product_id: ProductId,
    /// Its SKU, for people.
    pub sku: String,
    /// Its name.
    pub name: String,
    /// How much, in base units.
    pub quantity: Quantity,
}

/// A transfer that stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransferRef {
    /// Its id.
    pub id: TransferId,
    /// Its number, for people.
    pub number: i64,
    /// Whether an earlier call had made it.
    pub replayed: bool,
}

/// Why no transfer was made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum TransferRefused {
    /// The id was used for another transfer.
    #[error("this id was used for another transfer")]
    KeyReused,
    /// A store does not exist, or is archived.
    #[error("there is no such store, or it is archived")]
    UnknownStore,
    /// What was asked for makes no transfer.
    #[error("{detail}")]
    Invalid {
        /// What is wrong with it.
        detail: String,
    },
}

/// A transfer as it was right after what is reported of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransferState {
    /// Which.
    pub transfer_id: TransferId,
    /// Its number, for people.
    pub number: i64,
    /// Who gives.
    pub from_store_id: StoreId,
    /// Who gets.
    pub to_store_id: StoreId,
    /// Where it stands.
    pub status: TransferStatus,
    /// What it comes from.
    pub source: Option<SourceDocument>,
    /// The transfer whose goods it brings back.
    pub return_of: Option<TransferId>,
    /// By product.
    pub lines: Vec<TransferLineState>,
}

/// One product of a transfer, in base units. What is neither received nor damaged nor lost of what
/// was sent is in transit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransferLineState {
    /// What.
    pub product_id: ProductId,
    /// How much the destination asked for.
    pub requested: i64,
    /// How much of that the source promised.
    pub approved: i64,
    /// How much of that left the source.
    pub sent: i64,
    /// How much of that arrived, sellable.
    pub received: i64,
    /// How much arrived broken.
    pub damaged: i64,
    /// How much will not arrive.
    pub lost: i64,
}

/// Events carry the whole transfer, so that a consumer needs to have heard of no earlier one. `seq`
/// is the transfer's version.
macro_rules! transfer_events {
    ($($(#[$meta:meta])* $name:ident = $text:literal)*) => {$(
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub TransferState);

        impl Event for $name {
            const TYPE: &'static str = $text;
            const AGGREGATE: &'static str = "transfer";
        }
    )*};
}

transfer_events! {
    /// A draft was made, or its lines or note changed.
    TransferDrafted = "transfer.drafted.v1"
    /// The source is asked for the goods.
    TransferRequested = "transfer.requested.v1"
    /// The source has promised the goods, or some of them: they are reserved there.
    TransferApproved = "transfer.approved.v1"
    /// The source has refused.
    TransferRejected = "transfer.rejected.v1"
    /// The goods left the source: they are incoming at the destination.
    TransferDispatched = "transfer.dispatched.v1"
    /// Some goods arrived, or are known not to.
    TransferReceived = "transfer.received.v1"
    /// It was closed by hand.
    TransferClosed = "transfer.closed.v1"
    /// It was given up before anything left.
    TransferCancelled = "transfer.cancelled.v1"
}
