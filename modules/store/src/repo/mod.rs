//! SQL. Every function takes a connection, so that the service decides on the transaction.

pub(crate) mod adjustments;
pub(crate) mod columns;
pub(crate) mod count_entries;
pub(crate) mod count_lines;
pub(crate) mod count_sheet;
pub(crate) mod counts;
pub(crate) mod discrepancies;
pub(crate) mod figures;
pub(crate) mod holds;
pub(crate) mod integrity;
pub(crate) mod ledger;
pub(crate) mod levels;
pub(crate) mod movements;
pub(crate) mod past_levels;
pub(crate) mod profiles;
pub(crate) mod promises;
pub(crate) mod registers;
pub(crate) mod stores;
pub(crate) mod transfer_receipts;
pub(crate) mod transfers;
