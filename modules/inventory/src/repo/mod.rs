//! SQL. Every function takes a connection, so that the service decides the transaction.

pub(crate) mod barcodes;
pub(crate) mod categories;
pub(crate) mod export;
pub(crate) mod imports;
pub(crate) mod product_list;
pub(crate) mod products;
pub(crate) mod resolve;
