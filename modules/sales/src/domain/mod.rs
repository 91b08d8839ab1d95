//! The rules of a sale, without I/O.

pub(crate) mod drawer;
pub(crate) mod number;
pub(crate) mod payment;
pub(crate) mod pricing;
pub(crate) mod refund;
pub(crate) mod words;
