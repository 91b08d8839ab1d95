//! Who has how much of some products over the whole chain, and what they need of it themselves.

use std::collections::{BTreeSet, HashMap};

use chrono::{Days, NaiveDate};
use diesel::PgConnection;
use kernel::{
    auth::Scope,
    call::Cx,
    ids::{ProductId, StoreId},
};
use sales_api::SoldQuery;
use store_api::{StoreKind, StoreLevel};
use uuid::Uuid;

use super::directory::KnownStores;
use crate::{
    Inventory,
    domain::{
        reorder::{Pace, Rule},
        supply::Supplier,
    },
    error::Error,
    repo::{reorder_rules, replenishment_transfers},
};

/// Stores that are asked for what they sold, at once.
const STORES_AT_ONCE: usize = 200;

/// The business days whose sales tell how fast things sell.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Window {
    pub(crate) from: NaiveDate,
    pub(crate) to: NaiveDate,
    pub(crate) days: i64,
}

impl Window {
    /// The `days` days that end with `to`.
    pub(crate) fn ending(to: NaiveDate, days: i64) -> Self {
        let back = u64::try_from(days - 1).unwrap_or(0);
        Self {
            from: to.checked_sub_days(Days::new(back)).unwrap_or(to),
            to,
            days,
        }
    }

    pub(crate) fn pace(&self, sold: i64) -> Pace {
        Pace {
            sold,
            days: self.days,
        }
    }
}

/// What stores sold.
pub(crate) type SoldBy = HashMap<(StoreId, ProductId), i64>;

/// What is known of some products over the whole chain.
#[derive(Debug)]
pub(crate) struct Supply {
    levels: HashMap<ProductId, Vec<StoreLevel>>,
    pub(crate) stores: KnownStores,
    rules: HashMap<(StoreId, ProductId), Rule>,
    sold: SoldBy,
    window: Window,
}

impl Supply {
    /// The stores that have some of `product` and could give to `store`; `asked` is what others ask
    /// of them.
    pub(crate) fn suppliers(
        &self,
        product: ProductId,
        store: StoreId,
        asked: &SoldBy,
    ) -> Vec<Supplier> {
        let levels = self.levels.get(&product).into_iter().flatten();
        let supplier = |level: &StoreLevel| {
            let profile = self.stores.0.get(&level.store_id)?;
            let key = (level.store_id, product);
            (level.store_id != store && !profile.archived).then(|| Supplier {
                store_id: level.store_id,
                is_warehouse: profile.kind == StoreKind::Logistics,
                on_hand: level.on_hand,
                reserved: level.reserved,
                asked: asked.get(&key).copied().unwrap_or(0),
                rule: self.rules.get(&key).copied(),
                pace: self.window.pace(self.sold.get(&key).copied().unwrap_or(0)),
            })
        };
        levels.filter_map(supplier).collect()
    }

    /// Who the store's rule says is asked first.
    pub(crate) fn preferred(&self, store: StoreId, product: ProductId) -> Option<StoreId> {
        self.rules.get(&(store, product))?.source_store_id
    }
}

/// What is asked of stores already, by requests other than this one.
pub(crate) fn asked(
    conn: &mut PgConnection,
    products: &[ProductId],
    but: Option<Uuid>,
) -> Result<SoldBy, Error> {
    let rows = replenishment_transfers::asked(conn, products, but)?;
    let asked = rows.into_iter();
    Ok(asked
        .map(|row| ((row.store_id, row.product_id), row.quantity))
        .collect())
}

impl Inventory {
    /// Asks store and sales about at most 200 products.
    pub(crate) async fn supply(
        &self,
        cx: &Cx,
        products: Vec<ProductId>,
        window: Window,
    ) -> Result<Supply, Error> {
        let levels = self
            .needs
            .levels
            .levels(cx, Scope::All, products.clone())
            .await?;
        let free = levels.into_iter().filter(|l| l.on_hand > l.reserved);
        let free: Vec<StoreLevel> = free.collect();
        let stores = self.stores(cx, free.iter().map(|l| l.store_id)).await?;
        let named = products.clone();
        let rows = self
            .db
            .run(move |conn| reorder_rules::of_products(conn, &named).map_err(Error::from))
            .await?;
        let rules: HashMap<(StoreId, ProductId), Rule> = rows
            .into_iter()
            .map(|row| (row.key(), row.rule()))
            .collect();
        // A warehouse keeps nothing, and a maximum says what a store keeps: only of the others is
        // it of interest what they sell.
        let needs_pace = |level: &&StoreLevel| {
            let rule = rules.get(&(level.store_id, level.product_id));
            let is_shop = stores
                .0
                .get(&level.store_id)
                .is_some_and(|p| p.kind != StoreKind::Logistics);
            is_shop && rule.is_none_or(|rule| rule.max.is_none())
        };
        let selling: BTreeSet<StoreId> = free
            .iter()
            .filter(needs_pace)
            .map(|level| level.store_id)
            .collect();
        let selling: Vec<StoreId> = selling.into_iter().collect();
        let mut sold = SoldBy::new();
        for some in selling.chunks(STORES_AT_ONCE) {
            sold.extend(
                self.sold(cx, some.to_vec(), products.clone(), window)
                    .await?,
            );
        }
        let mut levels: HashMap<ProductId, Vec<StoreLevel>> = HashMap::new();
        for level in free {
            levels.entry(level.product_id).or_default().push(level);
        }
        Ok(Supply {
            levels,
            stores,
            rules,
            sold,
            window,
        })
    }

    /// What the stores sold of the products in those days, less what came back.
    pub(crate) async fn sold(
        &self,
        cx: &Cx,
        stores: Vec<StoreId>,
        products: Vec<ProductId>,
        window: Window,
    ) -> Result<SoldBy, Error> {
        let query = SoldQuery {
            stores,
            products,
            from: window.from,
            to: window.to,
        };
        let sold = self.needs.demand.sold(cx, query).await?;
        let sold = sold.into_iter();
        Ok(sold
            .map(|s| ((s.store_id, s.product_id), s.quantity))
            .collect())
    }
}
