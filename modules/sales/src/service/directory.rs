//! Stores and products as the other modules last described them.
//!
//! A product is kept for 10 s, which its contract allows, and dropped at once when the catalogue
//! says that it changed. A store is kept for 5 s, or until it says that it changed.

use std::{collections::HashMap, sync::Arc, time::Duration};

use inventory_api::{Catalog, ProductKey, ProductSnapshot, Resolved};
use kernel::{
    call::{Cx, NoAnswer},
    ids::{ProductId, StoreId},
};
use moka::sync::Cache;
use store_api::{StoreProfile, Stores};

use crate::error::Error;

const PRODUCTS: u64 = 100_000;
const PRODUCT_TTL: Duration = Duration::from_secs(10);
const STORES: u64 = 10_000;
const STORE_TTL: Duration = Duration::from_secs(5);

/// The ports that are read, with what they answered lately.
#[derive(Clone)]
pub(crate) struct Directory {
    stores: Arc<dyn Stores>,
    catalog: Arc<dyn Catalog>,
    profiles: Cache<StoreId, Arc<StoreProfile>>,
    /// Two steps, so that forgetting a product by its id forgets it under every SKU and barcode.
    names: Cache<ProductKey, ProductId>,
    products: Cache<ProductId, Arc<ProductSnapshot>>,
}

impl Directory {
    pub(crate) fn new(stores: Arc<dyn Stores>, catalog: Arc<dyn Catalog>) -> Self {
        Self {
            stores,
            catalog,
            profiles: cache(STORES, STORE_TTL),
            names: cache(PRODUCTS, PRODUCT_TTL),
            products: cache(PRODUCTS, PRODUCT_TTL),
        }
    }

    /// The store, as it was at most 5 s ago.
    pub(crate) async fn profile(&self, cx: &Cx, id: StoreId) -> Result<Arc<StoreProfile>, Error> {
        match self.profiles.get(&id) {
            Some(profile) => Ok(profile),
            None => self.fresh_profile(cx, id).await,
        }
    }

    /// The store, as it is now: where an old answer would refuse or allow what it must not.
    pub(crate) async fn fresh_profile(
        &self,
        cx: &Cx,
        id: StoreId,
    ) -> Result<Arc<StoreProfile>, Error> {
        let found = self.stores.profiles(cx, vec![id]).await?;
        let profile = found.into_iter().find(|profile| profile.id == id);
        let profile = Arc::new(profile.ok_or(Error::NotFound("store"))?);
        self.profiles.insert(id, profile.clone());
        Ok(profile)
    }

    /// What each of `keys` names; `None` where it names nothing. What is not known yet is asked
    /// for in one call.
    pub(crate) async fn products(
        &self,
        cx: &Cx,
        keys: &[ProductKey],
    ) -> Result<Vec<Option<Arc<ProductSnapshot>>>, NoAnswer> {
        let mut found: Vec<_> = keys.iter().map(|key| self.known(key)).collect();
        let mut missing: Vec<ProductKey> = keys
            .iter()
            .zip(&found)
            .filter(|(_, product)| product.is_none())
            .map(|(key, _)| key.clone())
            .collect();
        if missing.is_empty() {
            return Ok(found);
        }
        missing.sort_by_cached_key(|key| format!("{key:?}"));
        missing.dedup();
        let answers: HashMap<ProductKey, Arc<ProductSnapshot>> = self
            .catalog
            .resolve(cx, missing)
            .await?
            .into_iter()
            .map(|resolved| self.remember(resolved))
            .collect();
        for (product, key) in found.iter_mut().zip(keys) {
            if product.is_none() {
                *product = answers.get(key).cloned();
            }
        }
        Ok(found)
    }

    /// The product changed: ask again.
    pub(crate) fn forget_product(&self, product: ProductId) {
        self.products.invalidate(&product);
    }

    /// The store or its settings changed: ask again.
    pub(crate) fn forget_store(&self, store: StoreId) {
        self.profiles.invalidate(&store);
    }

    fn known(&self, key: &ProductKey) -> Option<Arc<ProductSnapshot>> {
        let id = match key {
            ProductKey::Id(id) => *id,
            ProductKey::Sku(_) | ProductKey::Barcode(_) => self.names.get(key)?,
        };
        self.products.get(&id)
    }

    fn remember(&self, resolved: Resolved) -> (ProductKey, Arc<ProductSnapshot>) {
        let Resolved { key, product } = resolved;
        let product = Arc::new(product);
        self.names.insert(key.clone(), product.id);
        self.products.insert(product.id, product.clone());
        (key, product)
    }
}

impl std::fmt::Debug for Directory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Directory")
            .field("products", &self.products.entry_count())
            .finish_non_exhaustive()
    }
}

fn cache<K, V>(capacity: u64, ttl: Duration) -> Cache<K, V>
where
    K: std::hash::Hash + Eq + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    Cache::builder()
        .max_capacity(capacity)
        .time_to_live(ttl)
        .build()
}
