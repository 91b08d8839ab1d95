//! Stores and products as the other modules last described them.
//!
//! A product is kept for 10 s, which its contract allows, with what it costs at the stores that
//! asked, and dropped at once when the catalogue says that it or its terms changed. A store is kept
//! for 5 s, or until it says that it changed.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use chrono::NaiveDate;
use inventory_api::{Catalog, Offered, OffersRequest, ProductKey, ProductSnapshot, Terms};
use kernel::{
    call::{Cx, NoAnswer},
    ids::{ProductId, StoreId},
    metrics::{CacheMeter, Metrics},
};
use moka::sync::Cache;
use store_api::{StoreProfile, Stores};
use tokio::{sync::Mutex, time::timeout};

use crate::error::Error;

const PRODUCTS: u64 = 100_000;
const PRODUCT_TTL: Duration = Duration::from_secs(10);
const STORES: u64 = 10_000;
const STORE_TTL: Duration = Duration::from_secs(5);
/// Products that are asked for at the same time.
const TURNS: u64 = 10_000;

/// A product and what it costs at a store on a day.
#[derive(Debug, Clone)]
pub(crate) struct Offer {
    pub(crate) product: Arc<ProductSnapshot>,
    pub(crate) terms: Arc<Terms>,
}

/// Where and when a product is asked for. Whoever moves to another region asks anew.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Place {
    store: StoreId,
    tax_region: Option<String>,
    day: NaiveDate,
}

/// A product, with its terms at every place that asked. All of it is forgotten together.
struct Known {
    product: Arc<ProductSnapshot>,
    terms: RwLock<HashMap<Place, Arc<Terms>>>,
}

/// The ports that are read, with what they answered lately.
#[derive(Clone)]
pub(crate) struct Directory {
    stores: Arc<dyn Stores>,
    catalog: Arc<dyn Catalog>,
    profiles: Cache<StoreId, Arc<StoreProfile>>,
    /// Two steps, so that forgetting a product by its id forgets it under every SKU and barcode.
    names: Cache<ProductKey, ProductId>,
    products: Cache<ProductId, Arc<Known>>,
    /// Of those who miss the same product at once, one asks and the others wait for what it hears.
    turns: Cache<(Place, ProductKey), Arc<Mutex<()>>>,
    profiles_meter: CacheMeter,
    products_meter: CacheMeter,
}

impl Directory {
    pub(crate) fn new(
        stores: Arc<dyn Stores>,
        catalog: Arc<dyn Catalog>,
        metrics: &Metrics,
    ) -> Self {
        let directory = Self {
            stores,
            catalog,
            profiles: cache(STORES, STORE_TTL),
            names: cache(PRODUCTS, PRODUCT_TTL),
            products: cache(PRODUCTS, PRODUCT_TTL),
            turns: cache(TURNS, PRODUCT_TTL),
            profiles_meter: CacheMeter::new(metrics, "profiles"),
            products_meter: CacheMeter::new(metrics, "products"),
        };
        // Not the directory itself: its ports hold the metrics, which would hold them for ever.
        let profiles = (directory.profiles.clone(), directory.profiles_meter.clone());
        let products = (directory.products.clone(), directory.products_meter.clone());
        metrics.before_scrape(move || {
            // What has expired is counted until it is cleared away.
            profiles.0.run_pending_tasks();
            products.0.run_pending_tasks();
            profiles.1.holds(profiles.0.entry_count());
            products.1.holds(products.0.entry_count());
        });
        directory
    }

    /// The store, as it was at most 5 s ago.
    pub(crate) async fn profile(&self, cx: &Cx, id: StoreId) -> Result<Arc<StoreProfile>, Error> {
        match self.profiles.get(&id) {
            Some(profile) => {
                self.profiles_meter.hit.inc();
                Ok(profile)
            }
            None => {
                self.profiles_meter.miss.inc();
                self.fresh_profile(cx, id).await
            }
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

    /// What each of `keys` names and costs at `store` on `day`; `None` where it names nothing. What
    /// is not known yet is asked for in one call. A product has the same terms under all of its
    /// keys.
    pub(crate) async fn offers(
        &self,
        cx: &Cx,
        store: &StoreProfile,
        day: NaiveDate,
        keys: &[ProductKey],
    ) -> Result<Vec<Option<Offer>>, NoAnswer> {
        let place = Place {
            store: store.id,
            tax_region: store.tax_region.clone(),
            day,
        };
        let mut found: Vec<_> = keys.iter().map(|key| self.known(key, &place)).collect();
        self.count(&found);
        if let Some(first) = missing(keys, &found).into_iter().next() {
            let turn = self.turns.get_with((place.clone(), first), Arc::default);
            let late = |_| NoAnswer::new("catalog", "offers", "too late");
            let turn = timeout(cx.remaining(), turn.lock()).await.map_err(late)?;
            found = keys.iter().map(|key| self.known(key, &place)).collect();
            let asked = missing(keys, &found);
            if !asked.is_empty() {
                let heard = self.ask(cx, &place, asked).await?;
                for (offer, key) in found.iter_mut().zip(keys) {
                    if offer.is_none() {
                        *offer = heard.get(key).cloned();
                    }
                }
            }
            drop(turn);
        }
        Ok(as_one(found))
    }

    async fn ask(
        &self,
        cx: &Cx,
        place: &Place,
        keys: Vec<ProductKey>,
    ) -> Result<HashMap<ProductKey, Offer>, NoAnswer> {
        let request = OffersRequest {
            store_id: place.store,
            tax_region: place.tax_region.clone(),
            day: place.day,
            keys,
        };
        let heard = self.catalog.offers(cx, request).await?;
        let heard = heard
            .into_iter()
            .map(|offered| self.remember(place, offered));
        Ok(heard.collect())
    }

    fn count(&self, found: &[Option<Offer>]) {
        let count = |n: usize| u64::try_from(n).unwrap_or(0);
        let known = found.iter().flatten().count();
        self.products_meter.hit.inc_by(count(known));
        let missing = found.len().saturating_sub(known);
        self.products_meter.miss.inc_by(count(missing));
    }

    /// The product or its price changed: ask again.
    pub(crate) fn forget_product(&self, product: ProductId) {
        self.products.invalidate(&product);
    }

    /// Something changed that concerns many products: ask again for all.
    pub(crate) fn forget_products(&self) {
        self.products.invalidate_all();
    }

    /// The store or its settings changed: ask again.
    pub(crate) fn forget_store(&self, store: StoreId) {
        self.profiles.invalidate(&store);
    }

    fn known(&self, key: &ProductKey, place: &Place) -> Option<Offer> {
        let id = match key {
            ProductKey::Id(id) => *id,
            ProductKey::Sku(_) | ProductKey::Barcode(_) => self.names.get(key)?,
        };
        let known = self.products.get(&id)?;
        let terms = known.terms.read().unwrap_or_else(PoisonError::into_inner);
        Some(Offer {
            product: known.product.clone(),
            terms: terms.get(place)?.clone(),
        })
    }

    fn remember(&self, place: &Place, offered: Offered) -> (ProductKey, Offer) {
        let Offered {
            key,
            product,
            terms,
        } = offered;
        let id = product.id;
        let offer = Offer {
            product: Arc::new(product),
            terms: Arc::new(terms),
        };
        let (known, is_new) = match self.products.get(&id) {
            Some(known) if known.product == offer.product => (known, false),
            _ => {
                let known = Known {
                    product: offer.product.clone(),
                    terms: RwLock::default(),
                };
                (Arc::new(known), true)
            }
        };
        let mut terms = known.terms.write().unwrap_or_else(PoisonError::into_inner);
        terms.insert(place.clone(), offer.terms.clone());
        drop(terms);
        self.names.insert(key.clone(), id);
        // What is there keeps its age, or it would never grow old.
        if is_new {
            self.products.insert(id, known);
        }
        (key, offer)
    }
}

/// The keys under which nothing was found, sorted and without repeats.
fn missing(keys: &[ProductKey], found: &[Option<Offer>]) -> Vec<ProductKey> {
    let pairs = keys.iter().zip(found);
    let mut missing: Vec<ProductKey> = pairs
        .filter(|(_, offer)| offer.is_none())
        .map(|(key, _)| key.clone())
        .collect();
    missing.sort_by_cached_key(|key| format!("{key:?}"));
    missing.dedup();
    missing
}

/// Lines that name a product in different ways get the same answer, even where one was remembered
/// and the other just heard.
fn as_one(mut found: Vec<Option<Offer>>) -> Vec<Option<Offer>> {
    let mut first: HashMap<ProductId, Offer> = HashMap::with_capacity(found.len());
    for offer in found.iter_mut().flatten() {
        *offer = first
            .entry(offer.product.id)
            .or_insert_with(|| offer.clone())
            .clone();
    }
    found
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
