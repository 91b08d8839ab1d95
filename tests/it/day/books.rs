//! What somebody wrote down with a pencil, and the comparison with what the product says.

use std::collections::BTreeMap;

use chrono::{TimeDelta, Utc};
use serde_json::{Value, json};

use super::chain::{Day, Good, Shop, Till};

/// Sums, in units and cents.
#[derive(Debug, Default)]
pub struct Books {
    /// Sellable and damaged.
    stock: BTreeMap<(Shop, Good), [i64; 2]>,
    /// Taken for goods and given back for goods, per tender.
    revenue: BTreeMap<(Shop, &'static str), [i64; 2]>,
    /// Cash that came into a drawer, less what went out.
    pub drawers: BTreeMap<Till, i64>,
}

impl Books {
    pub fn stock(&mut self, shop: Shop, good: Good, sellable: i64, damaged: i64) {
        let stock = self.stock.entry((shop, good)).or_default();
        stock[0] += sellable;
        stock[1] += damaged;
    }

    pub fn taken(&mut self, till: Till, tender: &'static str, amount: i64) {
        self.revenue.entry((till.shop(), tender)).or_default()[0] += amount;
        self.drawer(till, tender, amount);
    }

    pub fn given_back(&mut self, till: Till, tender: &'static str, amount: i64) {
        self.revenue.entry((till.shop(), tender)).or_default()[1] += amount;
        self.drawer(till, tender, -amount);
    }

    fn tenders_of(&self, shop: Shop) -> BTreeMap<&str, [i64; 2]> {
        let of_shop = self.revenue.iter().filter(|((at, _), _)| *at == shop);
        of_shop
            .map(|((_, tender), sums)| (*tender, *sums))
            .collect()
    }

    /// Taken and given back.
    pub fn revenue_of(&self, shop: Shop) -> [i64; 2] {
        let sums = self.tenders_of(shop);
        sums.values().fold([0, 0], |[a, b], [c, d]| [a + c, b + d])
    }

    pub fn drawer(&mut self, till: Till, tender: &str, amount: i64) {
        if tender == "cash" {
            *self.drawers.entry(till).or_default() += amount;
        }
    }
}

impl Day<'_> {
    /// Everything is where the books have it.
    pub async fn agrees(&self) {
        self.stock_agrees().await;
        for shop in Shop::ALL {
            self.revenue_agrees(shop).await;
        }
    }

    /// The store hears of returns and voids a moment later.
    pub async fn stock_agrees(&self) {
        for (shop, good) in Shop::ALL
            .into_iter()
            .flat_map(|shop| Good::ALL.map(|good| (shop, good)))
        {
            let [sellable, damaged] = self
                .books
                .stock
                .get(&(shop, good))
                .copied()
                .unwrap_or_default();
            let level = json!([sellable, 0, damaged, 0]);
            let path = format!("/api/stocks/{}/{}", self.shop(shop), self.good(good));
            let found = async || {
                let found = self.app.get(&path).await.expect(200);
                json!([
                    found["on_hand"],
                    found["reserved"],
                    found["damaged"],
                    found["incoming"]
                ])
            };
            let what = format!("{shop:?} has {level} of {good:?}");
            self.app
                .eventually(&what, async || found().await == level)
                .await;
        }
    }

    async fn revenue_agrees(&self, shop: Shop) {
        let sums = |rows: &[Value]| {
            let sum = |field: &str| -> i64 {
                rows.iter()
                    .map(|r| r[field]["amount"].as_i64().unwrap())
                    .sum()
            };
            [sum("gross"), sum("refunds")]
        };
        let of_shop = self.books.tenders_of(shop);
        let total = self.books.revenue_of(shop);
        for group in ["store", "day", "hour", "category", "product", "cashier"] {
            assert_eq!(
                sums(&self.revenue(shop, group).await),
                total,
                "{shop:?} by {group}"
            );
        }
        let rows = self.revenue(shop, "tender").await;
        let by_tender = rows.iter().map(|row| {
            (
                row["tender"].as_str().unwrap(),
                sums(std::slice::from_ref(row)),
            )
        });
        assert_eq!(by_tender.collect::<BTreeMap<_, _>>(), of_shop, "{shop:?}");
    }

    async fn revenue(&self, shop: Shop, group: &str) -> Vec<Value> {
        // The day may turn while it runs.
        let today = Utc::now().date_naive();
        let (from, to) = (today - TimeDelta::days(1), today + TimeDelta::days(1));
        let store = self.shop(shop);
        let path = format!(
            "/api/sales/reports/revenue?from={from}&to={to}&store_id={store}&group_by={group}"
        );
        let report = self.app.get(&path).await.expect(200);
        report["rows"].as_array().unwrap().clone()
    }
}
