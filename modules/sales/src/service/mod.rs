//! The use cases: one public function each, one transaction each, and no call to another module
//! inside a transaction.

mod announce;
pub(crate) mod day_close;
pub(crate) mod directory;
pub(crate) mod draft;
pub(crate) mod exchange;
mod goods;
mod identity;
pub(crate) mod integrity;
pub(crate) mod lookup;
pub(crate) mod margin;
pub(crate) mod meter;
pub(crate) mod offline;
pub(crate) mod parked;
pub(crate) mod pay_back;
pub(crate) mod quote;
pub(crate) mod read;
pub(crate) mod receipt_text;
pub(crate) mod receipts;
pub(crate) mod record;
pub(crate) mod record_return;
pub(crate) mod record_write;
pub(crate) mod reports;
pub(crate) mod shift_reports;
pub(crate) mod shift_steps;
pub(crate) mod shifts;
pub(crate) mod take_back;
pub(crate) mod unreceipted;
pub(crate) mod validate;
pub(crate) mod views;
pub(crate) mod void;

/// What the caller may do beyond recording: the routes take it from the caller's roles at the
/// store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Powers {
    /// Sell at another price than the catalogue's.
    pub override_price: bool,
    /// Void what others sold, on any day, and refund above the store's limit.
    pub supervise: bool,
}

impl Powers {
    /// Everything: for work that no person asked for, such as an import.
    pub const ALL: Self = Self {
        override_price: true,
        supervise: true,
    };
}
