//! What clients send and see.

mod adjustments;
mod count_views;
mod counts;
mod discrepancies;
mod integrity;
mod levels;
mod movements;
mod registers;
mod settings;
mod stores;
mod transfer_views;
mod transfers;

pub use adjustments::{
    AdjustmentItem, AdjustmentMode, AdjustmentResult, AdjustmentStatus, AdjustmentView, Bucket,
    CreateAdjustment, StockCount,
};
pub(crate) use count_views::{CountEntryView, CountHead, CountLineView, CountView, CountedLines};
pub(crate) use counts::{
    CancelCount, CountEntry, CountScope, CreateCount, EnterCount, MAX_NAMED, PostCount,
    RecountLines,
};
pub(crate) use discrepancies::{DiscrepancyView, ResolveDiscrepancy};
pub use integrity::{IntegrityCheck, IntegrityReport};
pub use levels::LevelView;
pub(crate) use levels::{AsOfView, HoldView};
pub(crate) use movements::MovementView;
pub use registers::CreateRegister;
pub(crate) use registers::RegisterView;
pub(crate) use settings::StoreSettings;
pub use settings::UpdateStoreSettings;
pub use stores::CreateStore;
pub(crate) use stores::{StoreStatus, StoreView, UpdateStore};
pub(crate) use transfer_views::{TransferHead, TransferReceiptView, TransferView, source};
pub(crate) use transfers::{
    CloseTransfer, CreateTransfer, ReceiveTransfer, ReturnTransfer, StopTransfer, TransferPicks,
    TransferQuantity, UpdateTransfer,
};

use serde::{Deserialize, Deserializer};

/// For the members of a merge patch (RFC 7396): absent leaves the field alone, and `null` is only
/// accepted where `T` is an `Option`, which clears it.
fn present<'de, D, T>(d: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    T::deserialize(d).map(Some)
}
