//! Reports on stock: what it was worth at the end of a day, and what does not sell.

use std::collections::{BTreeMap, HashMap, HashSet};

use chrono::{NaiveDate, Utc};
use kernel::{
    call::Cx,
    ids::{ProductId, StoreId},
    money::{Currency, mul_div_round},
};
use sales_api::{LastSold, LastSoldQuery, SoldQuery};
use store_api::{PastLevel, StoreLevel};

use super::supply::Window;
use crate::{
    Inventory,
    dto::{
        DeadStockReport, DeadStockRow, StockAmount, StockValueReport, StockValueRow,
        StockValueTotals,
    },
    error::Error,
    repo::costs::{self, Costed},
};

/// Levels that are asked for at once, of the past and of now.
const PAST_PAGE: i64 = 10_000;
const LEVEL_PAGE: i64 = 1_000;
/// Products of one store at most.
const MAX_PAGES: usize = 100;

/// What is looked for on the shelves.
#[derive(Debug, Clone, Copy)]
pub(crate) struct DeadStock {
    pub(crate) store_id: StoreId,
    pub(crate) days: i64,
    pub(crate) limit: usize,
    /// Whether the caller may see what things cost.
    pub(crate) with_cost: bool,
}

/// Sums of one group.
#[derive(Debug, Default)]
struct Sums {
    products: i64,
    without_cost: i64,
    value: i128,
}

type Groups = BTreeMap<(Option<String>, Option<uuid::Uuid>, Currency), Sums>;

impl Inventory {
    /// What the store had at the end of its business day, at what it cost then; today unless told,
    /// which is not over yet.
    pub(crate) async fn stock_value(
        &self,
        cx: &Cx,
        store: StoreId,
        date: Option<NaiveDate>,
    ) -> Result<StockValueReport, Error> {
        let stores = self.stores(cx, [store]).await?;
        let profile = stores.0.get(&store).ok_or(Error::NotFound("store"))?;
        let date = date.unwrap_or_else(|| profile.business_date(kernel::time::now()));
        let end = profile.day_end(date);
        let (mut groups, mut after) = (Groups::new(), None);
        for _ in 0..MAX_PAGES {
            let levels = &self.needs.levels;
            let page = levels.levels_at(cx, store, end, after, PAST_PAGE).await?;
            after = page.last().map(|level| level.product_id);
            let full = i64::try_from(page.len()).is_ok_and(|n| n == PAST_PAGE);
            let ids: Vec<ProductId> = page.iter().map(|level| level.product_id).collect();
            let products = self
                .db
                .run(move |conn| costs::as_of(conn, end, &ids).map_err(Error::from))
                .await?;
            add(&mut groups, &page, &products);
            if !full {
                break;
            }
        }
        Ok(StockValueReport {
            store_id: store,
            date,
            as_of: end,
            totals: totals(&groups),
            rows: groups.into_iter().map(row).collect(),
        })
    }

    /// What is on the shelves and was not sold for so many business days, the longest first.
    pub(crate) async fn dead_stock(
        &self,
        cx: &Cx,
        look: DeadStock,
    ) -> Result<DeadStockReport, Error> {
        let store = look.store_id;
        let stores = self.stores(cx, [store]).await?;
        let profile = stores.0.get(&store).ok_or(Error::NotFound("store"))?;
        let now = kernel::time::now();
        let window = Window::ending(profile.business_date(now), look.days);
        let (mut rows, mut after) = (Vec::new(), None);
        for _ in 0..MAX_PAGES {
            let levels = &self.needs.levels;
            let page = levels.levels_of_store(cx, store, after, LEVEL_PAGE).await?;
            after = page.last().map(|level| level.product_id);
            let full = i64::try_from(page.len()).is_ok_and(|n| n == LEVEL_PAGE);
            rows.extend(self.dead(cx, look, page, window).await?);
            if !full {
                break;
            }
        }
        // `None` comes first: what never sold.
        rows.sort_by_key(|row| {
            (
                row.last_sold_on,
                std::cmp::Reverse(row.on_hand),
                row.product_id,
            )
        });
        let truncated = rows.len() > look.limit;
        rows.truncate(look.limit);
        Ok(DeadStockReport {
            store_id: store,
            days: look.days,
            since: window.from,
            rows,
            truncated,
        })
    }

    /// Those of the levels that did not sell in these days.
    async fn dead(
        &self,
        cx: &Cx,
        look: DeadStock,
        mut levels: Vec<StoreLevel>,
        window: Window,
    ) -> Result<Vec<DeadStockRow>, Error> {
        levels.retain(|level| level.on_hand > 0);
        let ids = |levels: &[StoreLevel]| levels.iter().map(|l| l.product_id).collect::<Vec<_>>();
        let query = SoldQuery {
            stores: vec![look.store_id],
            products: ids(&levels),
            from: window.from,
            to: window.to,
        };
        let sold = self.needs.demand.sold(cx, query).await?;
        // What only came back was not sold.
        let sold = sold.iter().filter(|sold| sold.last_sold_on.is_some());
        let sold: HashSet<ProductId> = sold.map(|sold| sold.product_id).collect();
        levels.retain(|level| !sold.contains(&level.product_id));
        let query = LastSoldQuery {
            store: look.store_id,
            products: ids(&levels),
        };
        let last = self.needs.demand.last_sold(cx, query).await?;
        let last = last
            .into_iter()
            .map(|LastSold { product_id, on }| (product_id, on));
        let last: HashMap<ProductId, NaiveDate> = last.collect();
        let (ids, now) = (ids(&levels), Utc::now());
        let products = self
            .db
            .run(move |conn| costs::as_of(conn, now, &ids).map_err(Error::from))
            .await?;
        let on_hand: HashMap<ProductId, i64> =
            levels.iter().map(|l| (l.product_id, l.on_hand)).collect();
        let row = |product: Costed| {
            let on_hand = on_hand.get(&product.id).copied().unwrap_or(0);
            let cost = value_at_cost(&product, on_hand).filter(|_| look.with_cost);
            let retail = mul_div_round(on_hand, product.price_minor, product.price_per);
            DeadStockRow {
                product_id: product.id,
                last_sold_on: last.get(&product.id).copied(),
                on_hand,
                value_at_cost: cost.map(|value| amount(value, product.cost_currency)),
                value_at_retail: amount(retail.unwrap_or(0), product.currency),
                sku: product.sku,
                name: product.name,
                category: product.category_path,
            }
        };
        Ok(products.into_iter().map(row).collect())
    }
}

fn add(groups: &mut Groups, page: &[PastLevel], products: &[Costed]) {
    let products: HashMap<ProductId, &Costed> = products.iter().map(|p| (p.id, p)).collect();
    for level in page.iter().filter(|level| level.on_hand != 0) {
        let Some(product) = products.get(&level.product_id) else {
            continue;
        };
        let key = (
            product.category_path.clone(),
            product.category_id,
            product.cost_currency,
        );
        let sums = groups.entry(key).or_default();
        sums.products += 1;
        match value_at_cost(product, level.on_hand) {
            Some(value) => sums.value += value,
            None => sums.without_cost += 1,
        }
    }
}

/// Rounded to the minor unit per product, so that rows sum to the total.
fn value_at_cost(product: &Costed, quantity: i64) -> Option<i128> {
    mul_div_round(quantity, product.cost_minor?, product.cost_per)
}

fn amount(value: i128, currency: Currency) -> StockAmount {
    let most = i64::try_from(value).unwrap_or(if value < 0 { i64::MIN } else { i64::MAX });
    StockAmount {
        amount: most,
        currency,
    }
}

fn row(
    ((category, category_id, currency), sums): (
        (Option<String>, Option<uuid::Uuid>, Currency),
        Sums,
    ),
) -> StockValueRow {
    StockValueRow {
        category_id,
        category,
        products: sums.products,
        without_cost: sums.without_cost,
        value: amount(sums.value, currency),
    }
}

fn totals(groups: &Groups) -> StockValueTotals {
    let mut values: BTreeMap<Currency, i128> = BTreeMap::new();
    for ((_, _, currency), sums) in groups {
        *values.entry(*currency).or_default() += sums.value;
    }
    StockValueTotals {
        products: groups.values().map(|sums| sums.products).sum(),
        without_cost: groups.values().map(|sums| sums.without_cost).sum(),
        values: values
            .into_iter()
            .map(|(c, value)| amount(value, c))
            .collect(),
    }
}
