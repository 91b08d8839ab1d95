//! What a till asks when something is scanned: one indexed read, and the level if it can be had.

use std::time::Duration;

use kernel::{
    auth::Scope,
    call::{Cx, NoAnswer},
    ids::{ProductId, StoreId},
};
use store_api::StoreLevel;
use tokio::time::{Instant, timeout};

use crate::{Inventory, domain::product::Product, error::Error, repo::products};

/// A till would rather sell without a level than wait longer.
const LEVEL_WAIT: Duration = Duration::from_secs(1);

/// How a product is asked for.
#[derive(Debug, Clone)]
pub(crate) enum LookupKey {
    Sku(String),
    Barcode(String),
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

    /// What `store` has of a product: `None` when that is not to be had in time. A store that
    /// never had any has zero of everything.
    pub(crate) async fn level_at(
        &self,
        cx: &Cx,
        store_id: StoreId,
        product_id: ProductId,
    ) -> Option<StoreLevel> {
        let mut cx = cx.clone();
        cx.deadline = cx.deadline.min(Instant::now() + LEVEL_WAIT);
        let scope = Scope::Only(vec![store_id]);
        let asked = self.needs.levels.levels(&cx, scope, vec![product_id]);
        let answer = timeout(LEVEL_WAIT, asked)
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
