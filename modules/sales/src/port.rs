//! The ports that sales offers, and what it hears from others. Delegates, and decides nothing.

use std::{collections::HashMap, sync::Arc};

use async_trait::async_trait;
use diesel::PgConnection;
use inventory_api::{PriceChanged, ProductChanged, PromotionChanged, TaxRateChanged};
use kernel::{
    call::{Cx, NoAnswer},
    db::{Db, DbError},
    ids::{SaleId, StoreId},
    outbox::Envelope,
    relay::{Delivery, Subscriber},
};
use sales_api::{
    Attempt, Demand, LastSold, LastSoldQuery, Outcome, Resolution, SaleOutcomes, Sold, SoldQuery,
};
use store_api::StoreChanged;

use crate::{
    repo::{demand, tombstones},
    service::directory::Directory,
};

/// Attempts in one transaction at most.
const BATCH: usize = 1_000;
/// What may be asked about demand at once: stores, products, days.
const DEMAND_STORES: usize = 500;
const DEMAND_PRODUCTS: usize = 1_000;
const DEMAND_DAYS: i64 = 400;

/// The ports of sales: they need its database and nothing else, so that they exist before the
/// modules that sales itself needs.
#[derive(Debug)]
pub struct Ports {
    db: Db,
}

impl Ports {
    /// On the module's own database.
    pub fn new(db: Db) -> Arc<Self> {
        Arc::new(Self { db })
    }
}

#[async_trait]
impl SaleOutcomes for Ports {
    async fn resolve(&self, _: &Cx, sales: Vec<Attempt>) -> Result<Vec<Resolution>, NoAnswer> {
        let mut stores: Vec<(SaleId, StoreId)> =
            sales.iter().map(|a| (a.sale_id, a.store_id)).collect();
        stores.sort_unstable();
        stores.dedup_by_key(|(id, _)| *id);
        let no_answer = |error: &dyn std::fmt::Display| {
            NoAnswer::new("sale_outcomes", "resolve", error.to_string())
        };
        let mut known = HashMap::with_capacity(stores.len());
        for batch in stores.chunks(BATCH) {
            let (ids, stores): (Vec<_>, Vec<_>) = batch.iter().copied().unzip();
            let outcomes = self
                .db
                .transaction(move |conn| decide(conn, &ids, &stores))
                .await
                .map_err(|e: DbError| no_answer(&e))?;
            known.extend(outcomes);
        }
        sales
            .iter()
            .map(|attempt| {
                let outcome = known.get(&attempt.sale_id).copied();
                Ok(Resolution {
                    sale_id: attempt.sale_id,
                    outcome: outcome.ok_or_else(|| no_answer(&"an outcome is missing"))?,
                })
            })
            .collect()
    }
}

#[async_trait]
impl Demand for Ports {
    async fn sold(&self, _: &Cx, query: SoldQuery) -> Result<Vec<Sold>, NoAnswer> {
        let no_answer =
            |error: &dyn std::fmt::Display| NoAnswer::new("demand", "sold", error.to_string());
        if query.stores.len() > DEMAND_STORES
            || query.products.len() > DEMAND_PRODUCTS
            || (query.to - query.from).num_days() >= DEMAND_DAYS
        {
            return Err(no_answer(&"more was asked than may be at once"));
        }
        if query.stores.is_empty() || query.products.is_empty() {
            return Ok(Vec::new());
        }
        self.db
            .run(move |conn| demand::sold(conn, &query).map_err(DbError::from))
            .await
            .map_err(|e| no_answer(&e))
    }

    async fn last_sold(&self, _: &Cx, query: LastSoldQuery) -> Result<Vec<LastSold>, NoAnswer> {
        let no_answer =
            |error: &dyn std::fmt::Display| NoAnswer::new("demand", "last_sold", error.to_string());
        if query.products.len() > DEMAND_PRODUCTS {
            return Err(no_answer(&"more was asked than may be at once"));
        }
        if query.products.is_empty() {
            return Ok(Vec::new());
        }
        self.db
            .run(move |conn| demand::last_sold(conn, &query).map_err(DbError::from))
            .await
            .map_err(|e| no_answer(&e))
    }
}

/// Takes every free primary key for a tombstone, then reads back what stands there: the second
/// statement sees whatever the first one waited for.
fn decide(
    conn: &mut PgConnection,
    ids: &[SaleId],
    stores: &[StoreId],
) -> Result<Vec<(SaleId, Outcome)>, DbError> {
    tombstones::abort(conn, ids, stores)?;
    let rows = tombstones::outcomes(conn, ids)?;
    Ok(rows
        .into_iter()
        .map(|row| {
            let outcome = if row.aborted {
                Outcome::Aborted
            } else {
                Outcome::Recorded
            };
            (row.id, outcome)
        })
        .collect())
}

/// Drops what is remembered of a product or store that changed.
#[derive(Debug)]
pub(crate) struct Listener(pub(crate) Directory);

#[async_trait]
impl Subscriber for Listener {
    async fn deliver(&self, _: &Cx, events: Vec<Envelope>) -> Result<Vec<Delivery>, NoAnswer> {
        for event in &events {
            if let Some(ProductChanged { product_id, .. }) = event.decode() {
                self.0.forget_product(product_id);
            } else if let Some(PriceChanged { product_id, .. }) = event.decode() {
                self.0.forget_product(product_id);
            } else if event.decode::<TaxRateChanged>().is_some()
                || event.decode::<PromotionChanged>().is_some()
            {
                self.0.forget_products();
            } else if let Some(StoreChanged { store_id }) = event.decode() {
                self.0.forget_store(store_id);
            }
        }
        // Forgetting twice, or in another order, is the same: no inbox is needed.
        Ok(vec![Delivery::Done; events.len()])
    }
}
