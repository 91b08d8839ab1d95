//! SQL. Every function takes a connection, so that the service decides the transaction.

pub(crate) mod cash_movements;
pub(crate) mod day_close;
pub(crate) mod demand;
pub(crate) mod integrity;
pub(crate) mod margin;
pub(crate) mod parked;
pub(crate) mod receipts;
pub(crate) mod registers;
pub(crate) mod reports;
pub(crate) mod returns;
pub(crate) mod returns_write;
pub(crate) mod revenue;
pub(crate) mod sales;
pub(crate) mod sales_write;
pub(crate) mod shift_integrity;
pub(crate) mod shift_totals;
pub(crate) mod shifts;
pub(crate) mod tombstones;
pub(crate) mod voids;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// Where a page of documents (sales or returns), newest first, goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Newest {
    pub(crate) occurred_at: DateTime<Utc>,
    pub(crate) id: kernel::uuid::Uuid,
}
