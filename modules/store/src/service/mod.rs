//! Use cases. Each one is one transaction, and none calls another module inside it.

pub(crate) mod adjust;
pub(crate) mod count_steps;
pub(crate) mod counts;
pub(crate) mod deliver;
pub(crate) mod discrepancies;
pub(crate) mod hold;
pub(crate) mod integrity;
pub(crate) mod levels;
pub(crate) mod meter;
pub(crate) mod registers;
pub(crate) mod stores;
pub(crate) mod sweep;
pub(crate) mod transfer_steps;
pub(crate) mod transfer_stock;
pub(crate) mod transfers;
