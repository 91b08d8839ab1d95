//! Sales that tills made while they were offline, sent together.

use kernel::{ids::SaleId, money::Money, problem::Problem, text::Text};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::CreateSale;
use crate::domain::words::BatchStatus;

/// Sales that have happened.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateBatch {
    /// In the order of the answer.
    #[schema(min_items = 1, max_items = 100)]
    pub sales: Vec<BatchSale>,
}

/// One sale that has happened.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BatchSale {
    /// The key that the sale was sent with to `POST /api/sales`, or would have been: whichever way it
    /// arrives, it is one sale. 1 to 255 printable ASCII characters; a `UUIDv7` is best.
    pub idempotency_key: Text<255>,
    /// As for `POST /api/sales`, but with `occurred_at`, at most 30 days ago, and with the
    /// `unit_price` of every line as it was charged, which needs no `price:override`. It is read when
    /// its turn comes, so that one that cannot be read does not stop the others.
    #[schema(value_type = CreateSale)]
    pub sale: serde_json::Value,
}

/// What became of the sales of a batch.
#[derive(Debug, Serialize, ToSchema)]
pub struct BatchView {
    /// One per sale, in their order.
    pub results: Vec<BatchResult>,
    /// How many were recorded now.
    pub recorded: usize,
    /// How many stood already.
    pub replayed: usize,
    /// How many are not recorded.
    pub failed: usize,
}

/// What became of one sale.
#[derive(Debug, Serialize, ToSchema)]
pub struct BatchResult {
    /// Its key.
    pub idempotency_key: String,
    /// Whether it stands.
    pub status: BatchStatus,
    /// The sale, where it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sale: Option<BatchSaleRef>,
    /// Why it does not; what its `errors` point to is in `sale`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<Problem>,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub advice: Option<&'static str>,
}

/// A sale that stands.
#[derive(Debug, Serialize, ToSchema)]
pub struct BatchSaleRef {
    /// Its id.
    pub id: SaleId,
    /// Its number.
    pub number: String,
    /// What was owed.
    pub total: Money,
}
