//! [`Catalog`] and the events of the store module, answered from this process.

use std::{collections::HashMap, sync::Arc};

use async_trait::async_trait;
use inventory_api::{Catalog, CategoryPage, ProductKey, ProductRef, ProductSnapshot, Resolved};
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
        resolve::{self, FoundBy},
    },
    service::follow,
};

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
        let no_answer =
            |reason: &dyn std::fmt::Display| NoAnswer::new("catalog", "resolve", reason);
        if keys.len() > MAX_KEYS {
            return Err(no_answer(&format!("more than {MAX_KEYS} keys")));
        }
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let asked = keys.clone();
        let found = self
            .db
            .run(move |conn| {
                let (mut ids, mut skus, mut barcodes) = (Vec::new(), Vec::new(), Vec::new());
                for key in &asked {
                    match key {
                        ProductKey::Id(id) => ids.push(*id),
                        ProductKey::Sku(sku) => push(&mut skus, sku),
                        ProductKey::Barcode(barcode) => push(&mut barcodes, barcode),
                    }
                }
                resolve::resolve(conn, &ids, &skus, &barcodes).map_err(DbError::from)
            })
            .await
            .map_err(|e| no_answer(&e))?;
        let found: HashMap<ProductKey, Product> = found.into_iter().map(keyed).collect();
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

/// `PostgreSQL` cannot be asked for text with NUL, and no key holds it.
fn push<'a>(keys: &mut Vec<&'a str>, key: &'a str) {
    if !key.contains('\0') {
        keys.push(key);
    }
}

fn keyed((by, product): (FoundBy, Product)) -> (ProductKey, Product) {
    let key = match by {
        FoundBy::Id => ProductKey::Id(product.id),
        FoundBy::Sku => ProductKey::Sku(product.facts.sku.clone()),
        FoundBy::Barcode(barcode) => ProductKey::Barcode(barcode),
    };
    (key, product)
}

fn snapshot(product: Product) -> ProductSnapshot {
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
