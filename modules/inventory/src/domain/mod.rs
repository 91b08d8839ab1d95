//! The rules of the catalogue, without I/O.

pub(crate) mod category;
pub(crate) mod dated;
pub(crate) mod decimal;
pub(crate) mod import;
pub(crate) mod product;
pub(crate) mod promotion;
pub(crate) mod reorder;
pub(crate) mod replenishment;
pub(crate) mod supply;
pub(crate) mod words;
