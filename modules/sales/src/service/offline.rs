//! Recording what tills sold while they were offline: it has happened, so neither missing stock nor
//! another price refuses it.

use futures::{StreamExt, stream};
use kernel::{
    call::Cx,
    extract,
    idempotency::IdempotencyKey,
    ids::{SaleId, StoreId},
    problem::Problem,
};

use super::{
    identity::{Channel, Identity},
    record, validate,
};
use crate::{
    Recorded, Sales,
    domain::words::BatchStatus,
    dto::{BatchResult, BatchSale, BatchSaleRef, BatchView, CreateBatch, CreateSale},
    error::Error,
};

/// The route whose keys these are, so that a sale is one whichever way it arrives.
const ROUTE: &str = "POST /api/sales";
/// Sales at work at once: enough for groups of them to share their commits, and few enough to leave
/// room for tills that wait.
const AT_ONCE: usize = 16;

impl Sales {
    /// Records what of a batch does not stand yet; each sale on its own. `at` answers the caller's
    /// context at a store where they may sell.
    ///
    /// # Errors
    ///
    /// When the batch itself cannot be read; nothing was recorded then.
    pub(crate) async fn record_batch(
        &self,
        at: impl Fn(StoreId) -> Result<Cx, Problem>,
        batch: CreateBatch,
    ) -> Result<BatchView, Error> {
        let keys = validate::batch(&batch)?;
        let at = &at;
        let results: Vec<BatchResult> = stream::iter(keys.into_iter().zip(batch.sales))
            .map(|(key, item)| async move {
                let outcome = self.record_offline(at, &key, item.sale).await;
                let replayed = outcome.as_ref().map(|done| done.replayed);
                self.meter.answered(replayed);
                result(item.idempotency_key.into_string(), outcome)
            })
            .buffered(AT_ONCE)
            .collect()
            .await;
        let count = |status| results.iter().filter(|r| r.status == status).count();
        Ok(BatchView {
            recorded: count(BatchStatus::Recorded),
            replayed: count(BatchStatus::Replayed),
            failed: count(BatchStatus::Failed),
            results,
        })
    }

    async fn record_offline(
        &self,
        at: impl Fn(StoreId) -> Result<Cx, Problem>,
        key: &IdempotencyKey,
        sale: serde_json::Value,
    ) -> Result<Recorded, Error> {
        let body: CreateSale = extract::from_value(sale)?;
        let cx = at(body.store_id)?;
        let keys = validate::offline(&body, kernel::time::now())?;
        let identity = Identity {
            id: SaleId(key.id_for(cx.actor)),
            hash: record::hash_of(&body)?,
            channel: Channel::Offline,
        };
        self.record_as(&cx, &identity, &body, keys).await
    }
}

/// The key of every sale of the batch.
pub(super) fn key_of(item: &BatchSale) -> Option<IdempotencyKey> {
    IdempotencyKey::parse(ROUTE, item.idempotency_key.as_str())
}

fn result(idempotency_key: String, outcome: Result<Recorded, Error>) -> BatchResult {
    match outcome {
        Ok(Recorded { sale, replayed }) => BatchResult {
            idempotency_key,
            status: if replayed {
                BatchStatus::Replayed
            } else {
                BatchStatus::Recorded
            },
            sale: Some(BatchSaleRef {
                id: sale.id,
                number: sale.number,
                total: sale.total,
            }),
            problem: None,
            advice: None,
        },
        Err(error) => {
            let problem = Problem::from(error);
            BatchResult {
                idempotency_key,
                status: BatchStatus::Failed,
                sale: None,
                advice: Some(advice(&problem)),
                problem: Some(problem),
            }
        }
    }
}

/// The customer has left with the goods, so each has to end in the books.
fn advice(problem: &Problem) -> &'static str {
    match problem.code() {
        "unknown-product" => {
            "Name the product as the catalogue does, or add it; then send the sale again with the same key."
        }
        "product-archived" => {
            "Restore the product, send the sale again with the same key, and archive the product again."
        }
        "store-archived" => {
            "Restore the store, send the sale again with the same key, and archive the store again."
        }
        "sale-aborted" => "Send the sale again with a new key.",
        "idempotency-key-reused" => {
            "Another sale stands under this key: send this one with a key of its own."
        }
        _ if problem.status().is_server_error() => "Send the sale again with the same key.",
        _ => "Put right what the problem names, and send the sale again with the same key.",
    }
}
