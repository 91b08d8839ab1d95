//! Rules without I/O.

pub(crate) mod adjustment;
pub(crate) mod count;
pub(crate) mod discrepancy;
pub(crate) mod hold;
pub(crate) mod ledger;
pub(crate) mod reason;
pub(crate) mod settings;
pub(crate) mod transfer;
