//! Use cases. Each is one public function and one transaction, but for imports and exports, which
//! are one transaction per block.

pub(crate) mod categories;
pub(crate) mod exports;
mod import_block;
pub(crate) mod imports;
pub(crate) mod lookup;
pub(crate) mod products;
mod save;
pub(crate) mod stock;
