//! The product's whole state beside the model's, as a client sees it.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use futures::future::join_all;
use serde_json::{Value, json};

use super::{
    counts::{self, Count},
    parked,
    replenishment::{self, Request},
    run::Run,
    sales::Sale,
    shifts::{self, Shift},
    state::{ITEMS, Model, SHOPS, Shop},
    transfers::{Line, Transfer},
};

/// Every difference, in words; none where all is well.
pub async fn differences(run: &Run<'_>) -> Vec<String> {
    let mut found = Vec::new();
    for shop in 0..SHOPS.len() {
        found.extend(levels(run, shop).await);
        let now = Utc::now();
        found.extend(past(run, shop, now, &run.model).await);
        let (then, before) = &run.before;
        found.extend(past(run, shop, *then, before).await);
        found.extend(discrepancies(run, shop).await);
        found.extend(revenue(run, shop).await);
        found.extend(parked(run, shop).await);
    }
    found.extend(sales(run).await);
    found.extend(transfers(run).await);
    found.extend(shifts(run).await);
    found.extend(counts(run).await);
    found.extend(requests(run).await);
    found
}

fn differ(what: &str, model: &Value, product: &Value) -> Option<String> {
    (model != product).then(|| format!("{what}: the model has {model}, the product {product}"))
}

async fn levels(run: &Run<'_>, shop: Shop) -> Vec<String> {
    let store = run.world.shop(shop);
    let path = format!("/api/stocks?store_id={store}&limit=200");
    let rows = by_product(&run.app.get(&path).await.expect(200));
    let differs = |item: usize| {
        let level = run.model.level((shop, item));
        let fields = [
            ("on_hand", level.on_hand),
            ("reserved", level.reserved),
            ("damaged", level.damaged),
            ("incoming", level.incoming),
            ("version", level.version),
        ];
        let row = rows.get(&run.world.item(item).to_string());
        let differs = |(field, model): (&str, i64)| {
            let product = row.map_or(0, |row| row[field].as_i64().unwrap());
            differ(
                &format!("shop {shop}, item {item}, {field}"),
                &json!(model),
                &json!(product),
            )
        };
        fields.into_iter().filter_map(differs).collect::<Vec<_>>()
    };
    (0..ITEMS.len()).flat_map(differs).collect()
}

async fn past(run: &Run<'_>, shop: Shop, at: DateTime<Utc>, then: &Model) -> Vec<String> {
    let (store, at) = (run.world.shop(shop), at.format("%Y-%m-%dT%H:%M:%S%.6fZ"));
    let path = format!("/api/stocks/as-of?store_id={store}&at={at}&limit=200");
    let rows = by_product(&run.app.get(&path).await.expect(200));
    let differs = |item: usize| {
        let level = then.level((shop, item));
        let model = json!([level.on_hand, level.damaged, level.version]);
        let row = rows.get(&run.world.item(item).to_string());
        let product = row.map_or(json!([0, 0, 0]), |row| {
            json!([row["on_hand"], row["damaged"], row["version"]])
        });
        differ(
            &format!("shop {shop}, item {item} as of {at}"),
            &model,
            &product,
        )
    };
    (0..ITEMS.len()).filter_map(differs).collect()
}

fn by_product(page: &Value) -> BTreeMap<String, Value> {
    rows_by(page["items"].as_array().unwrap(), "product_id")
}

fn rows_by(rows: &[Value], field: &str) -> BTreeMap<String, Value> {
    let row = |row: &Value| (row[field].as_str().unwrap().to_owned(), row.clone());
    rows.iter().map(row).collect()
}

async fn discrepancies(run: &Run<'_>, shop: Shop) -> Option<String> {
    let state = |resolved| if resolved { "resolved" } else { "open" };
    let of_shop = run.model.discrepancies.iter().filter(|d| d.key.0 == shop);
    let model: BTreeMap<String, Value> = of_shop
        .map(|d| {
            let place = format!("{} {}", run.world.item(d.key.1), d.seq);
            (place, json!([d.quantity, d.after, state(d.resolved)]))
        })
        .collect();
    let store = run.world.shop(shop);
    let path = format!("/api/stocks/discrepancies?store_id={store}&limit=200");
    let page = run.app.get(&path).await.expect(200);
    let product = page["items"].as_array().unwrap().iter().map(|row| {
        let place = format!("{} {}", row["product_id"].as_str().unwrap(), row["seq"]);
        (
            place,
            json!([row["quantity"], row["on_hand_after"], row["state"]]),
        )
    });
    let product: BTreeMap<String, Value> = product.collect();
    differ(
        &format!("discrepancies of shop {shop}"),
        &json!(model),
        &json!(product),
    )
}

/// Gross and refunds per tender and per product.
async fn revenue(run: &Run<'_>, shop: Shop) -> Vec<String> {
    let mut tenders: BTreeMap<String, [i64; 2]> = BTreeMap::new();
    let mut products: BTreeMap<String, [i64; 2]> = BTreeMap::new();
    for sale in run
        .model
        .sales
        .iter()
        .filter(|s| s.shop == shop && !s.voided)
    {
        for (tender, amount) in &sale.payments {
            tenders.entry((*tender).into()).or_default()[0] += amount;
        }
        tenders.entry("cash".into()).or_default()[0] -= sale.change;
        for line in &sale.lines {
            let item = run.world.item(line.item).to_string();
            products.entry(item).or_default()[0] += line.total;
        }
    }
    for back in run.model.returns.iter().filter(|back| back.shop == shop) {
        for (tender, amount) in &back.refunds {
            tenders.entry((*tender).into()).or_default()[1] += amount;
        }
        for (item, amount) in &back.lines {
            let item = run.world.item(*item).to_string();
            products.entry(item).or_default()[1] += amount;
        }
    }
    let mut found = differing_revenue(run, shop, "tender", "tender", &tenders).await;
    found.extend(differing_revenue(run, shop, "product", "product_id", &products).await);
    found
}

async fn differing_revenue(
    run: &Run<'_>,
    shop: Shop,
    group: &str,
    field: &str,
    model: &BTreeMap<String, [i64; 2]>,
) -> Vec<String> {
    // A run may go on over midnight.
    let today = Utc::now().date_naive();
    let (from, to) = (today - TimeDelta::days(1), today + TimeDelta::days(1));
    let store = run.world.shop(shop);
    let path =
        format!("/api/sales/reports/revenue?from={from}&to={to}&store_id={store}&group_by={group}");
    let report = run.app.get(&path).await.expect(200);
    let rows = rows_by(report["rows"].as_array().unwrap(), field);
    let keys = model.keys().chain(rows.keys());
    let differs = |key: &String| {
        let model = model.get(key).copied().unwrap_or_default();
        let product = ["gross", "refunds"].map(|field| {
            rows.get(key)
                .map_or(0, |row| row[field]["amount"].as_i64().unwrap())
        });
        differ(
            &format!("revenue of shop {shop}, {group} {key}"),
            &json!(model),
            &json!(product),
        )
    };
    keys.filter_map(differs).collect()
}

async fn sales(run: &Run<'_>) -> Vec<String> {
    let differs = run.model.sales.iter().map(async |sale: &Sale| {
        let found = run
            .app
            .get(&format!("/api/sales/{}", sale.id))
            .await
            .expect(200);
        let returned = (1..).zip(&sale.lines).filter(|(_, line)| line.returned > 0);
        let returned = returned.map(|(n, line)| json!({"line": n, "quantity": line.returned}));
        let model = json!({
            "status": if sale.voided { "voided" } else { "recorded" },
            "total": sale.total(), "refunded": sale.refunded(),
            "tax": sale.lines.iter().map(|line| line.tax).sum::<i64>(),
            "returned": returned.collect::<Vec<_>>(),
        });
        let product = json!({
            "status": found["status"], "total": found["total"]["amount"],
            "refunded": found["refunded"]["amount"], "tax": found["tax"]["amount"],
            "returned": found["returned"],
        });
        differ(&format!("sale {}", sale.id), &model, &product)
    });
    join_all(differs).await.into_iter().flatten().collect()
}

async fn transfers(run: &Run<'_>) -> Vec<String> {
    let differs = run.model.transfers.iter().map(async |transfer: &Transfer| {
        let path = format!("/api/stocks/transfers/{}", transfer.id);
        let found = run.app.get(&path).await.expect(200);
        let line = |(item, line): (&usize, &Line)| {
            let quantities = json!([
                line.requested,
                line.approved,
                line.sent,
                line.received,
                line.damaged,
                line.lost,
                line.in_transit(),
            ]);
            (run.world.item(*item).to_string(), quantities)
        };
        let model: BTreeMap<String, Value> = transfer.lines.iter().map(line).collect();
        let line = |line: &Value| {
            let quantities = json!([
                line["requested"],
                line["approved"],
                line["sent"],
                line["received"],
                line["damaged"],
                line["lost"],
                line["in_transit"],
            ]);
            (line["product_id"].as_str().unwrap().to_owned(), quantities)
        };
        let product: BTreeMap<String, Value> = found["lines"]
            .as_array()
            .unwrap()
            .iter()
            .map(line)
            .collect();
        let model = json!({"status": transfer.status, "lines": model});
        let product = json!({"status": found["status"], "lines": product});
        differ(&format!("transfer {}", transfer.id), &model, &product)
    });
    join_all(differs).await.into_iter().flatten().collect()
}

/// What every shift comes to, and what should be in its drawer.
async fn shifts(run: &Run<'_>) -> Vec<String> {
    let differs = run.model.shifts.iter().map(async |shift: &Shift| {
        let report = if shift.closed { "z-report" } else { "x-report" };
        let path = format!("{}/{}/{report}", shifts::PATH, shift.id);
        let found = run.app.get(&path).await.expect(200);
        let sums = |field: &str| json!([found[field]["count"], found[field]["total"]["amount"]]);
        let tender = |row: &Value| {
            let amount = |field: &str| row[field]["amount"].as_i64().unwrap();
            let amounts = ["received", "voided", "refunded"].map(amount);
            (row["tender"].as_str().unwrap().to_owned(), amounts)
        };
        let tenders: BTreeMap<String, [i64; 3]> = found["tenders"]
            .as_array()
            .unwrap()
            .iter()
            .map(tender)
            .collect();
        let some = |(_, amounts): &(&&str, &[i64; 3])| **amounts != [0, 0, 0];
        let product = json!({
            "sales": sums("sales"), "voids": sums("voids"), "returns": sums("returns"),
            "expected": found["drawer"]["expected"]["amount"],
            "tenders": tenders.iter().filter(|(_, a)| **a != [0, 0, 0]).collect::<BTreeMap<_, _>>(),
        });
        let model = json!({
            "sales": shift.sales, "voids": shift.voids, "returns": shift.returns,
            "expected": shift.expected(),
            "tenders": shift.tenders.iter().filter(some).collect::<BTreeMap<_, _>>(),
        });
        differ(
            &format!("shift {} of {:?}", shift.id, shift.till),
            &model,
            &product,
        )
    });
    join_all(differs).await.into_iter().flatten().collect()
}

async fn counts(run: &Run<'_>) -> Vec<String> {
    let differs = run.model.counts.iter().map(async |count: &Count| {
        let path = format!("{}/{}", counts::PATH, count.id);
        let head = run.app.get(&path).await.expect(200);
        let lines = run
            .app
            .get(&format!("{path}/lines?limit=200"))
            .await
            .expect(200);
        let line = |(item, line): (&usize, &counts::Line)| {
            let figure = line.figure;
            let found = json!([
                figure.map(|figure| figure.counted),
                figure.map_or(line.sheet, |figure| figure.begun.on_hand),
                figure.map(|figure| figure.variance()),
                figure.is_some_and(|figure| figure.moved()),
                line.awaits,
                line.posted,
            ]);
            (run.world.item(*item).to_string(), found)
        };
        let model: BTreeMap<String, Value> = count.lines.iter().map(line).collect();
        let line = |row: &Value| {
            let fields = [
                "counted",
                "expected",
                "variance",
                "moved",
                "awaits_recount",
                "posted",
            ];
            let found = fields.map(|field| row[field].clone());
            (row["product_id"].as_str().unwrap().to_owned(), json!(found))
        };
        let product: BTreeMap<String, Value> = lines["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(line)
            .collect();
        let model = json!({"status": count.status, "lines": model});
        let product = json!({"status": head["status"], "lines": product});
        differ(&format!("count {}", count.id), &model, &product)
    });
    join_all(differs).await.into_iter().flatten().collect()
}

async fn parked(run: &Run<'_>, shop: Shop) -> Option<String> {
    let waiting = run
        .model
        .parked
        .iter()
        .filter(|basket| basket.shop == shop && basket.waits);
    let model: BTreeSet<String> = waiting.map(|basket| basket.id.to_string()).collect();
    let store = run.world.shop(shop);
    let path = format!("{}?store_id={store}&limit=200", parked::PATH);
    let page = run.app.get(&path).await.expect(200);
    let rows = page["items"].as_array().unwrap().iter();
    let product: BTreeSet<String> = rows
        .map(|row| row["id"].as_str().unwrap().to_owned())
        .collect();
    differ(
        &format!("baskets of shop {shop}"),
        &json!(model),
        &json!(product),
    )
}

/// What was decided; how far an approved one has come is known from its transfer, a moment later.
async fn requests(run: &Run<'_>) -> Vec<String> {
    let differs = run.model.requests.iter().map(async |request: &Request| {
        let path = format!("{}/{}", replenishment::PATH, request.id);
        let found = run.app.get(&path).await.expect(200);
        let status = match found["status"].as_str().unwrap() {
            "fulfilled" | "unfulfilled" => "approved",
            status => status,
        };
        let line = |row: &Value| {
            let product = row["product_id"].as_str().unwrap().to_owned();
            (
                product,
                json!([row["quantity"], row["approved"].as_i64().unwrap_or(0)]),
            )
        };
        let product: BTreeMap<String, Value> = found["lines"]
            .as_array()
            .unwrap()
            .iter()
            .map(line)
            .collect();
        let line = |(item, asked): (&usize, &i64)| {
            let approved = request.approved.get(item).copied().unwrap_or(0);
            (run.world.item(*item).to_string(), json!([asked, approved]))
        };
        let model: BTreeMap<String, Value> = request.lines.iter().map(line).collect();
        let model = json!({"status": request.status, "lines": model});
        let product = json!({"status": status, "lines": product});
        differ(&format!("request {}", request.id), &model, &product)
    });
    join_all(differs).await.into_iter().flatten().collect()
}
