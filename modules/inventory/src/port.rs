//! [`Catalog`] and the events of the store module, answered from this process.

use std::{collections::HashMap, sync::Arc};

use async_trait::async_trait;
use inventory_api::{
    Catalog, CategoryPage, Offered, OffersRequest, ProductKey, ProductRef, ProductSnapshot,
    Resolved,
};
use kernel::{
    call::{Cx, NoAnswer},
    db::{Db, DbError},
    ids::ProductId,
    outbox::Envelope,
    relay::{Delivery, Subscriber},
};

use crate::{
    domain::product::{Facts, Product},
    error::Error,
    repo::{
        categories, in_category,
        resolve::{self, Place},
    },
    service::follow,
};

const PORT: &str = "catalog";
/// Keys, or products of a page, in one call at most.
const MAX_KEYS: usize = 500;

/// What inventory offers to the other modules.
#[derive(Debug)]
pub struct Ports {
    db: Db,
}

impl Ports {
    /// Ports that answer from `db`, which must be inventory's own.
    pub fn new(db: Db) -> Arc<Self> {
        Arc::new(Self { db })
    }
}

#[async_trait]
impl Catalog for Ports {
    async fn resolve(&self, _: &Cx, keys: Vec<ProductKey>) -> Result<Vec<Resolved>, NoAnswer> {
        let keys = bounded("resolve", keys)?;
        let asked = keys.clone();
        let found = self
            .db
            .run(move |conn| resolve::resolve(conn, &asked.iter().collect()).map_err(DbError::from))
            .await
            .map_err(|e| NoAnswer::new(PORT, "resolve", e))?;
        let found: HashMap<ProductKey, Product> = found.into_iter().collect();
        let resolved = keys.into_iter().filter_map(|key| {
            let product = snapshot(found.get(&key)?.clone());
            Some(Resolved { key, product })
        });
        Ok(resolved.collect())
    }

    async fn in_category(
        &self,
        _: &Cx,
        page: CategoryPage,
    ) -> Result<Option<Vec<ProductRef>>, NoAnswer> {
        let found = self
            .db
            .run(move |conn| {
                let found = in_category::list(conn, page, MAX_KEYS)?;
                // Only where there are none is it asked whether there is such a category.
                let known =
                    !found.is_empty() || categories::find(conn, page.category_id)?.is_some();
                Ok::<_, DbError>(known.then_some(found))
            })
            .await;
        found.map_err(|e| NoAnswer::new("catalog", "in_category", e))
    }

    async fn offers(&self, _: &Cx, request: OffersRequest) -> Result<Vec<Offered>, NoAnswer> {
        let OffersRequest {
            store_id,
            tax_region,
            day,
            keys,
        } = request;
        let asked = bounded("offers", keys)?;
        let (since, until) = inventory_api::bounds(day);
        let found = self
            .db
            .transaction(move |conn| {
                let place = Place {
                    store: store_id,
                    region: tax_region.as_deref(),
                    since,
                    until,
                };
                resolve::offers(conn, place, &asked.iter().collect()).map_err(DbError::from)
            })
            .await
            .map_err(|e| NoAnswer::new(PORT, "offers", e))?;
        let offered = found.into_iter().map(|(key, product, terms)| Offered {
            key,
            product: snapshot(product),
            terms,
        });
        Ok(offered.collect())
    }
}

#[async_trait]
impl Subscriber for Ports {
    async fn deliver(&self, _: &Cx, events: Vec<Envelope>) -> Result<Vec<Delivery>, NoAnswer> {
        self.db
            .transaction(move |conn| follow::apply(conn, &events))
            .await
            .map_err(|e: Error| NoAnswer::new("inventory_events", "deliver", e))
    }
}

fn bounded(method: &'static str, keys: Vec<ProductKey>) -> Result<Vec<ProductKey>, NoAnswer> {
    if keys.len() > MAX_KEYS {
        let reason = format!("more than {MAX_KEYS} keys");
        return Err(NoAnswer::new(PORT, method, reason));
    }
    Ok(keys)
}

/// A product as other modules see it.
pub(crate) fn snapshot(product: Product) -> ProductSnapshot {
    let Product {
        id,
        facts,
        archived_at,
        version: _,
        created_at: _,
        updated_at: _,
    } = product;
    let Facts {
        sku,
        name,
        unit: _,
        barcodes: _,
        category_id,
        price,
        price_per,
        tax_rate,
        tax_class: _,
        cost_minor,
        template_id: _,
        attributes: _,
    } = facts;
    ProductSnapshot {
        id: ProductId(id.0),
        sku,
        name,
        category_id,
        price,
        price_per,
        tax_rate,
        cost: cost_minor,
        archived: archived_at.is_some(),
    }
}
