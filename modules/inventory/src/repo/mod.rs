//! SQL. Every function takes a connection, so that the service decides the transaction.

pub(crate) mod barcodes;
pub(crate) mod categories;
pub(crate) mod columns;
pub(crate) mod costs;
pub(crate) mod export;
pub(crate) mod imports;
pub(crate) mod in_category;
pub(crate) mod integrity;
pub(crate) mod known;
pub(crate) mod prices;
pub(crate) mod product_list;
pub(crate) mod products;
pub(crate) mod promotions;
pub(crate) mod reorder_rules;
pub(crate) mod replenishment;
pub(crate) mod replenishment_transfers;
pub(crate) mod resolve;
pub(crate) mod taxes;
