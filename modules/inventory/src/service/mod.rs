//! Use cases. Each is one public function and one transaction, but for imports and exports, which
//! are one transaction per block.

pub(crate) mod approve;
pub(crate) mod categories;
mod directory;
pub(crate) mod exports;
pub(crate) mod follow;
mod import_block;
pub(crate) mod imports;
pub(crate) mod integrity;
pub(crate) mod lookup;
pub(crate) mod once;
mod planned;
pub(crate) mod prices;
pub(crate) mod products;
pub(crate) mod promotions;
pub(crate) mod reorder_rules;
pub(crate) mod replenishment;
mod save;
pub(crate) mod stock;
pub(crate) mod stock_reports;
pub(crate) mod suggestions;
mod supply;
pub(crate) mod taxes;
