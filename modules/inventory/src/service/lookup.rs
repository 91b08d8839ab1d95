//! What a till asks when something is scanned: one indexed read, and what the store module can
//! add to it in time.

use std::time::Duration;

use chrono::Utc;
use inventory_api::{Price, ProductKey, Promotion, Terms, bounds};
use kernel::{
    auth::Scope,
    call::{Cx, NoAnswer},
    ids::{ProductId, StoreId},
    money::{BasisPoints, Minor},
};
use store_api::{StoreLevel, StoreProfile};
use tokio::time::{Instant, timeout};

use crate::{
    Inventory,
    domain::product::Product,
    error::Error,
    port::snapshot,
    repo::{
        products,
        resolve::{self, Place},
    },
};

/// A till would rather sell without a level than wait longer.
const STORE_WAIT: Duration = Duration::from_secs(1);

/// How a product is asked for.
#[derive(Debug, Clone)]
pub(crate) enum LookupKey {
    Sku(String),
    Barcode(String),
}

/// A product at a store, now.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) product: Product,
    pub(crate) price: Price,
    pub(crate) tax_rate: BasisPoints,
    /// The best promotion for `price_per` base units, and what it takes off.
    pub(crate) promotion: Option<(Promotion, Minor)>,
    /// `None` when it is not to be had in time.
    pub(crate) level: Option<StoreLevel>,
}

impl Inventory {
    /// The product that `key` names, archived or not.
    pub(crate) async fn look_up(&self, key: LookupKey) -> Result<Product, Error> {
        self.db
            .run(move |conn| {
                let found = match &key {
                    LookupKey::Sku(sku) => products::find_by_sku(conn, sku)?,
                    LookupKey::Barcode(barcode) => products::find_by_barcode(conn, barcode)?,
                };
                found.ok_or(Error::NotFound("product"))
            })
            .await
    }

    /// The product that `key` names, and what it is at `store`.
    pub(crate) async fn look_up_at(
        &self,
        cx: &Cx,
        store: StoreId,
        key: LookupKey,
    ) -> Result<Found, Error> {
        let mut cx = cx.clone();
        cx.deadline = cx.deadline.min(Instant::now() + STORE_WAIT);
        let profile = self.profile_in_time(&cx, store).await;
        let region = profile.as_ref().and_then(|p| p.tax_region.clone());
        let (product, terms) = self.offer(store, region, key).await?;
        let level = self.level_at(&cx, store, product.id).await;
        let now = kernel::time::now();
        let sold = snapshot(product.clone());
        let currency = profile.map_or(sold.price.currency, |profile| profile.currency);
        let price = terms.price(&sold, currency, now);
        let one = terms.promotion(price, price.price_per, price.price.amount, now);
        Ok(Found {
            price,
            tax_rate: terms.tax_rate(&sold, now),
            promotion: one.map(|(promotion, discount)| (promotion.clone(), discount)),
            level,
            product,
        })
    }

    async fn offer(
        &self,
        store: StoreId,
        region: Option<String>,
        key: LookupKey,
    ) -> Result<(Product, Terms), Error> {
        let key = match key {
            LookupKey::Sku(sku) => ProductKey::Sku(sku),
            LookupKey::Barcode(barcode) => ProductKey::Barcode(barcode),
        };
        let (since, until) = bounds(Utc::now().date_naive());
        let found = self
            .db
            .transaction(move |conn| {
                let place = Place {
                    store,
                    region: region.as_deref(),
                    since,
                    until,
                };
                resolve::offers(conn, place, &[key].iter().collect()).map_err(Error::from)
            })
            .await?;
        let offer = found.into_iter().next();
        let (_, product, terms) = offer.ok_or(Error::NotFound("product"))?;
        Ok((product, terms))
    }

    /// The store; `None` when it is not to be had in time: then the product's own tax rate is told,
    /// and prices in the product's currency.
    async fn profile_in_time(&self, cx: &Cx, store: StoreId) -> Option<StoreProfile> {
        let asked = self.needs.stores.profiles(cx, vec![store]);
        let answer = timeout(cx.remaining(), asked)
            .await
            .unwrap_or_else(|_| Err(NoAnswer::new("stores", "profiles", "too late")));
        match answer {
            Ok(profiles) => profiles.into_iter().find(|profile| profile.id == store),
            Err(error) => {
                tracing::warn!(%error, "a lookup is answered without the store's settings");
                None
            }
        }
    }

    /// What `store` has of a product: `None` when that is not to be had in time. A store that
    /// never had any has zero of everything.
    async fn level_at(
        &self,
        cx: &Cx,
        store_id: StoreId,
        product_id: ProductId,
    ) -> Option<StoreLevel> {
        let scope = Scope::Only(vec![store_id]);
        let asked = self.needs.levels.levels(cx, scope, vec![product_id]);
        let answer = timeout(cx.remaining(), asked)
            .await
            .unwrap_or_else(|_| Err(NoAnswer::new("levels", "levels", "too late")));
        match answer {
            Ok(levels) => Some(
                levels
                    .into_iter()
                    .find(|level| level.store_id == store_id && level.product_id == product_id)
                    .unwrap_or_else(|| nothing(store_id, product_id)),
            ),
            Err(error) => {
                tracing::warn!(%error, "a lookup is answered without its level");
                None
            }
        }
    }
}

fn nothing(store_id: StoreId, product_id: ProductId) -> StoreLevel {
    StoreLevel {
        store_id,
        store_code: String::new(),
        store_name: String::new(),
        product_id,
        on_hand: 0,
        reserved: 0,
        damaged: 0,
        incoming: 0,
    }
}
