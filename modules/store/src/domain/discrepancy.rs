//! Goods that were taken although the books did not have them, until somebody finds out why.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Where a discrepancy stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum DiscrepancyState {
    /// Nobody has said yet how it came about.
    Open,
    /// Somebody has, or there is nothing to explain any more.
    Resolved,
}

/// How a discrepancy came about, or ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Resolution {
    /// The books were wrong: the goods were counted.
    Counted,
    /// The goods were there before their delivery was booked.
    DeliveredLate,
    /// The same goods were sold twice: somebody will not get them.
    SoldTwice,
    /// Anything else; the note says what.
    Other,
    /// The sale was never recorded, and what it took went back. Never said by a person.
    SaleAborted,
}

/// How a person explains a discrepancy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Explanation {
    /// The books were wrong: the goods were counted.
    Counted,
    /// The goods were there before their delivery was booked.
    DeliveredLate,
    /// The same goods were sold twice: somebody will not get them.
    SoldTwice,
    /// Anything else; the note says what.
    Other,
}

impl From<Explanation> for Resolution {
    fn from(explanation: Explanation) -> Self {
        match explanation {
            Explanation::Counted => Self::Counted,
            Explanation::DeliveredLate => Self::DeliveredLate,
            Explanation::SoldTwice => Self::SoldTwice,
            Explanation::Other => Self::Other,
        }
    }
}
