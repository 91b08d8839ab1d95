//! Changes stock by hand: a batch, all or nothing or each item for itself.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use diesel::PgConnection;
use inventory_api::ProductKey;
use kernel::{
    call::Cx,
    idempotency::{IdempotencyKey, request_hash},
    ids::{ProductId, StoreId},
};
use uuid::Uuid;

use crate::{
    Store,
    domain::{
        adjustment::{self, Refusal},
        ledger::{Cause, Key, Ledger, Level},
    },
    dto::{
        AdjustmentItem, AdjustmentMode, AdjustmentResult, AdjustmentStatus, AdjustmentView,
        CreateAdjustment,
    },
    error::{Error, RefusedItem},
    repo::{adjustments, ledger, stores},
};

/// An answer, and whether it is a stored one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Adjusted {
    /// What became of the batch.
    pub view: AdjustmentView,
    /// Whether an earlier request had done it.
    pub replayed: bool,
}

impl Store {
    /// Applies a batch of changes once per key. Whether the caller may change these stores is the
    /// caller's to check.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] where an atomic batch cannot be applied whole, [`Error::Invalid`],
    /// [`Error::KeyReused`], [`Error::Catalog`] when the catalogue gives no answer, and when the
    /// database cannot be used.
    pub async fn adjust(
        &self,
        cx: &Cx,
        key: &IdempotencyKey,
        request: CreateAdjustment,
    ) -> Result<Adjusted, Error> {
        request.validate()?;
        let (id, hash) = (key.id_for(cx.actor), request_hash(&request)?);
        let known = hash.clone();
        let stored = self.db.run(move |conn| replay(conn, id, &known)).await?;
        if let Some(view) = stored {
            return Ok(Adjusted {
                view,
                replayed: true,
            });
        }
        let products = self.known_products(cx, &request).await?;
        let actor = cx.actor;
        self.db
            .transaction(move |conn| {
                if !adjustments::claim(conn, id, actor, &hash)? {
                    // The same request was faster; its transaction has ended by now.
                    let view = replay(conn, id, &hash)?.ok_or(Error::KeyReused)?;
                    return Ok(Adjusted {
                        view,
                        replayed: true,
                    });
                }
                let mut batch = Batch::open(conn, &request, products)?;
                let cause = Cause {
                    reason: crate::domain::reason::MovementReason::Other,
                    document_id: id,
                    actor,
                    occurred_at: kernel::time::now(),
                    note: None,
                };
                let outcomes = batch.run(&request, &cause);
                let view = batch.close(conn, id, &request, outcomes)?;
                adjustments::answer(conn, id, serde_json::to_value(&view)?)?;
                Ok(Adjusted {
                    view,
                    replayed: false,
                })
            })
            .await
    }

    async fn known_products(
        &self,
        cx: &Cx,
        request: &CreateAdjustment,
    ) -> Result<BTreeSet<ProductId>, Error> {
        let asked: BTreeSet<ProductId> = request.items.iter().map(|item| item.key().1).collect();
        let keys = asked.into_iter().map(ProductKey::Id).collect();
        let resolved = self.catalog.resolve(cx, keys).await?;
        Ok(resolved.into_iter().map(|r| r.product.id).collect())
    }
}

/// The stored answer to this request, if there is one.
fn replay(conn: &mut PgConnection, id: Uuid, hash: &[u8]) -> Result<Option<AdjustmentView>, Error> {
    match adjustments::find(conn, id)? {
        None => Ok(None),
        Some(stored) if stored.request_hash != hash => Err(Error::KeyReused),
        Some(stored) => Ok(stored.response.map(serde_json::from_value).transpose()?),
    }
}

/// What became of an item.
type Outcome = Result<Level, Refusal>;

/// The rows that one batch has locked, and what it knows about stores and products.
struct Batch {
    products: BTreeSet<ProductId>,
    /// Whether each store that exists is archived.
    stores: BTreeMap<StoreId, bool>,
    ledger: Ledger,
}

impl Batch {
    fn open(
        conn: &mut PgConnection,
        request: &CreateAdjustment,
        products: BTreeSet<ProductId>,
    ) -> Result<Self, Error> {
        let ids: BTreeSet<StoreId> = request.items.iter().map(|item| item.key().0).collect();
        let ids: Vec<StoreId> = ids.into_iter().collect();
        let stores: BTreeMap<StoreId, bool> = stores::share(conn, &ids)?
            .into_iter()
            .map(|store| (store.id, store.archived))
            .collect();
        let mut batch = Self {
            products,
            stores,
            ledger: Ledger::default(),
        };
        let keys: BTreeSet<Key> = request
            .items
            .iter()
            .map(AdjustmentItem::key)
            .filter(|key| batch.refusal(*key).is_none())
            .collect();
        ledger::prepare(conn, false)?;
        ledger::ensure(conn, &keys)?;
        batch.ledger = ledger::lock(conn, &keys)?;
        Ok(batch)
    }

    /// Why nothing can be changed at `key`, whatever the change.
    fn refusal(&self, (store, product): Key) -> Option<Refusal> {
        match self.stores.get(&store) {
            None => Some(Refusal::UnknownStore),
            Some(true) => Some(Refusal::StoreArchived),
            Some(false) if !self.products.contains(&product) => Some(Refusal::UnknownProduct),
            Some(false) => None,
        }
    }

    /// Applies the items in order; each sees the ones before it that were not refused.
    fn run(&mut self, request: &CreateAdjustment, cause: &Cause) -> Vec<Outcome> {
        request
            .items
            .iter()
            .map(|item| {
                let key = item.key();
                if let Some(refusal) = self.refusal(key) {
                    return Err(refusal);
                }
                let (reason, note) = item.why();
                let cause = Cause {
                    reason: reason.into(),
                    note: note.map(str::to_owned),
                    ..cause.clone()
                };
                adjustment::apply(&mut self.ledger, key, item, &cause)
            })
            .collect()
    }

    /// Writes what was applied, unless the batch stands or falls as one and something was refused.
    fn close(
        self,
        conn: &mut PgConnection,
        id: Uuid,
        request: &CreateAdjustment,
        outcomes: Vec<Outcome>,
    ) -> Result<AdjustmentView, Error> {
        let refused: Vec<RefusedItem> = outcomes
            .iter()
            .enumerate()
            .filter_map(|(index, outcome)| {
                let refusal = *outcome.as_ref().err()?;
                Some(RefusedItem { index, refusal })
            })
            .collect();
        if request.mode == AdjustmentMode::Atomic && !refused.is_empty() {
            return Err(Error::Refused(refused));
        }
        let at = ledger::write(conn, &self.ledger)?;
        let moved: BTreeSet<Key> = self.ledger.changed().map(|(key, _)| key).collect();
        let results = request.items.iter().zip(outcomes).enumerate();
        Ok(AdjustmentView {
            id,
            mode: request.mode,
            results: results
                .map(|(index, (item, outcome))| {
                    let key = item.key();
                    result(index, key, outcome, at.filter(|_| moved.contains(&key)))
                })
                .collect(),
        })
    }
}

fn result(index: usize, key: Key, outcome: Outcome, at: Option<DateTime<Utc>>) -> AdjustmentResult {
    match outcome {
        Ok(mut level) => {
            level.updated_at = at.or(level.updated_at);
            AdjustmentResult {
                index,
                status: AdjustmentStatus::Applied,
                level: Some((key, level).into()),
                code: None,
                detail: None,
            }
        }
        Err(refusal) => AdjustmentResult {
            index,
            status: AdjustmentStatus::Refused,
            level: None,
            code: Some(refusal.code().to_owned()),
            detail: Some(refusal.to_string()),
        },
    }
}
