//! The opening stock: of each product what the file sells in a store, and a little more.

use std::{collections::BTreeMap, ops::ControlFlow, sync::Arc};

use futures::{StreamExt, TryStreamExt, stream};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    ImportOptions,
    baskets::{self, Item},
    catalogue::Products,
    stores::Stores,
};
use crate::{
    client::{Answer, Api, ClientError},
    operator::Failure,
    progress::{Phase, PhaseTime, Progress},
};

/// What is left of each product when everything is sold.
const SPARE: i64 = 20;
/// Levels per request, as many as the API takes.
const BATCH: usize = 500;
/// Requests at once: the batches are large, and each is one transaction.
const CONCURRENCY: usize = 4;

/// What became of the opening stock.
#[derive(Debug, Clone, Default, Serialize)]
pub struct OpeningReport {
    /// Baskets in the whole file.
    pub baskets: usize,
    /// Levels that were asked for.
    pub levels: usize,
    /// Requests.
    pub batches: usize,
    /// Requests that an earlier run had made; they changed nothing.
    pub replayed: usize,
    /// Levels that the API refused.
    pub refused: Vec<RefusedLevel>,
}

/// A level that the API refused.
#[derive(Debug, Clone, Serialize)]
pub struct RefusedLevel {
    /// The store's code.
    pub store: String,
    /// The product's SKU.
    pub sku: String,
    /// Stable, for a program.
    pub code: String,
    /// For a person.
    pub detail: String,
}

/// One level to be filled.
#[derive(Debug, Clone)]
struct Level {
    store: String,
    sku: String,
    item: Adjust,
}

#[derive(Debug, Clone, Serialize)]
struct Adjust {
    r#type: &'static str,
    store_id: Uuid,
    product_id: Uuid,
    delta: i64,
    reason: &'static str,
}

#[derive(Serialize)]
struct Adjustments<'a> {
    mode: &'static str,
    items: Vec<&'a Adjust>,
}

#[derive(Deserialize)]
struct Adjusted {
    results: Vec<ItemResult>,
}

#[derive(Deserialize)]
struct ItemResult {
    index: usize,
    status: String,
    code: Option<String>,
    detail: Option<String>,
}

/// Fills every level that the whole file needs, whatever the limit: the keys stay the same when
/// the rest of the file is imported later.
pub(super) async fn load(
    api: &Api,
    options: &ImportOptions,
    stores: &Arc<Stores>,
    products: &Arc<Products>,
    progress: &Progress,
) -> Result<(OpeningReport, PhaseTime), Failure> {
    let (folder, stores, products) = (options.data.clone(), stores.clone(), products.clone());
    let needed = move || -> Result<(usize, Vec<Level>), Failure> {
        let mut sold = Sold::default();
        baskets::each(&folder, None, |item| {
            sold.add(&item, &stores, &products);
            ControlFlow::Continue(())
        })?;
        Ok((sold.baskets, sold.levels(&stores, &products)))
    };
    let (baskets, levels) = tokio::task::spawn_blocking(needed).await??;
    let phase = progress.phase("opening stock", Some(levels.len()));
    let batches = levels.chunks(BATCH).enumerate();
    let mut report: OpeningReport = stream::iter(batches)
        .map(|(number, batch)| send(api, number, batch, &phase))
        .buffer_unordered(CONCURRENCY)
        .try_fold(OpeningReport::default(), |mut all, one| async move {
            all.levels += one.levels;
            all.batches += one.batches;
            all.replayed += one.replayed;
            all.refused.extend(one.refused);
            Ok(all)
        })
        .await?;
    report.baskets = baskets;
    report
        .refused
        .sort_by(|a, b| (&a.store, &a.sku).cmp(&(&b.store, &b.sku)));
    Ok((report, phase.finish()))
}

/// How much of each product each store sells, by code and SKU, so that the order is always the
/// same.
#[derive(Default)]
struct Sold {
    baskets: usize,
    levels: BTreeMap<(String, String), i64>,
}

impl Sold {
    fn add(&mut self, item: &Item, stores: &Stores, products: &Products) {
        let Item::Basket(rows) = item else { return };
        self.baskets += 1;
        for row in rows {
            let known = stores.contains_key(&row.store) && products.contains_key(&row.sku);
            if let (true, Some(quantity)) = (row.price(known).is_ok(), row.quantity) {
                let sum = self
                    .levels
                    .entry((row.store.clone(), row.sku.clone()))
                    .or_default();
                *sum = sum.saturating_add(quantity);
            }
        }
    }

    fn levels(self, stores: &Stores, products: &Products) -> Vec<Level> {
        let level = |((store, sku), sold): ((String, String), i64)| {
            let item = Adjust {
                r#type: "adjust",
                store_id: *stores.get(&store)?,
                product_id: *products.get(&sku)?,
                delta: sold.saturating_add(SPARE),
                reason: "opening",
            };
            Some(Level { store, sku, item })
        };
        self.levels.into_iter().filter_map(level).collect()
    }
}

async fn send(
    api: &Api,
    number: usize,
    batch: &[Level],
    phase: &Phase,
) -> Result<OpeningReport, Failure> {
    let key = format!("opening:{number}");
    let body = Adjustments {
        mode: "per_item",
        items: batch.iter().map(|level| &level.item).collect(),
    };
    let answer: Answer<Adjusted> = api
        .post("/api/stocks/adjustments", Some(&key), &body)
        .await
        .map_err(explain)?;
    phase.add(batch.len());
    let refused = answer
        .body
        .results
        .into_iter()
        .filter(|result| result.status != "applied");
    let refused = refused.filter_map(|result| {
        let level = batch.get(result.index)?;
        Some(RefusedLevel {
            store: level.store.clone(),
            sku: level.sku.clone(),
            code: result.code.unwrap_or_default(),
            detail: result.detail.unwrap_or_default(),
        })
    });
    Ok(OpeningReport {
        baskets: 0,
        levels: batch.len(),
        batches: 1,
        replayed: usize::from(answer.replayed),
        refused: refused.collect(),
    })
}

fn explain(error: ClientError) -> Failure {
    if error.status() == Some(422) {
        return "this user has imported another file's opening stock before; import this one into a database of its own".into();
    }
    error.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::row::tests::row;

    #[test]
    fn a_level_is_filled_with_what_is_sold_and_a_little_more() {
        let stores = Stores::from([("2".to_owned(), Uuid::from_u128(2))]);
        let products = Products::from([
            ("A".to_owned(), Uuid::from_u128(10)),
            ("B".to_owned(), Uuid::from_u128(11)),
        ]);
        let mut sold = Sold::default();
        let rows = vec![
            row(2, "B", 3, "1", "0"),
            row(3, "A", 1, "1", "0"),
            row(4, "A", 0, "1", "0"),
            row(5, "X", 1, "1", "0"),
        ];
        sold.add(&Item::Basket(rows), &stores, &products);
        sold.add(
            &Item::Basket(vec![row(6, "A", 4, "1", "0")]),
            &stores,
            &products,
        );
        sold.add(
            &Item::Scattered(vec![row(7, "A", 100, "1", "0")]),
            &stores,
            &products,
        );
        let levels = sold.levels(&stores, &products);
        let deltas: Vec<_> = levels
            .iter()
            .map(|level| (level.sku.as_str(), level.item.delta))
            .collect();
        assert_eq!(deltas, [("A", 25), ("B", 23)]);
    }
}
