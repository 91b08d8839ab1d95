//! Reports on stock: what it was worth at the end of a day, as worked out by hand and as the ledger
//! replays it, and what does not sell.

use chrono::{Days, NaiveDate, Utc};
use comptoir::process::Module;
use kernel::auth::Role;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    app::{TOPOLOGIES, TestApp, id},
    sales::sale,
};

const VALUE: &str = "/api/inventory/reports/stock-value";
const DEAD: &str = "/api/inventory/reports/dead-stock";

async fn costs(app: &TestApp, product: Uuid, cents: i64) {
    let cost = json!({"cost": {"amount": cents, "currency": "EUR"}});
    app.patch(&format!("/api/inventory/products/{product}"), &cost)
        .await
        .expect(200);
}

/// Noon, so many days ago.
fn noon(days: u64) -> String {
    format!("{}T12:00:00Z", day(days))
}

fn day(days: u64) -> NaiveDate {
    Utc::now().date_naive() - Days::new(days)
}

async fn sold(app: &TestApp, store: Uuid, product: Uuid, quantity: i64, days: u64) {
    let mut body = sale(store, &[(product, quantity)], 100 * quantity);
    if days > 0 {
        body["occurred_at"] = json!(noon(days));
    }
    app.post("/api/sales", &body).await.expect(201);
}

async fn value(app: &TestApp, store: Uuid, days: u64) -> Value {
    let at = format!("{VALUE}?store_id={store}&date={}", day(days));
    app.get(&at).await.expect(200)
}

/// What the ledger says was there before the end of a day, product by product, each at its cost in
/// cents: a replay from the first movement on.
fn replayed(app: &TestApp, store: Uuid, days: u64, costs: &[(Uuid, i64)]) -> i64 {
    let end = format!("{}T00:00:00Z", day(days) + Days::new(1));
    let value = |(product, cents): &(Uuid, i64)| {
        let on_hand = app.db(Module::Store).number(&format!(
            "SELECT coalesce(sum(m.delta), 0)::bigint FROM store.movements m \
             WHERE m.store_id = '{store}' AND m.product_id = '{product}' \
                 AND least(m.occurred_at, m.recorded_at, CASE WHEN m.reason = 'opening' THEN ( \
                     SELECT min(f.occurred_at) FROM store.movements f \
                     WHERE f.store_id = m.store_id AND f.product_id = m.product_id) END) < '{end}'"
        ));
        on_hand * cents
    };
    costs.iter().map(value).sum()
}

#[actix_web::test]
async fn stock_is_worth_what_it_cost_at_the_end_of_that_day() {
    for topology in TOPOLOGIES {
        let app = TestApp::start(topology).await;
        let store = app.given_store().await;
        let category = json!({"name": format!("Category {}", Uuid::now_v7().simple())});
        let category = id(&app.post("/api/inventory/categories", &category).await);
        let (one, two, free) = (
            app.given_product(100).await,
            app.given_product(100).await,
            app.given_product(100).await,
        );
        let patch = json!({"category_id": category});
        app.patch(&format!("/api/inventory/products/{one}"), &patch)
            .await
            .expect(200);
        for cents in [50, 60, 70] {
            costs(&app, one, cents).await;
        }
        costs(&app, two, 30).await;
        // 50 cents ten days ago, 60 three days ago, 70 today.
        app.db(Module::Inventory).execute(&format!(
            "UPDATE inventory.product_costs SET since = now() - CASE cost_minor \
                 WHEN 50 THEN interval '10 days' WHEN 60 THEN interval '3 days' \
                 ELSE interval '0' END WHERE product_id = '{one}'"
        ));
        for (product, quantity) in [(one, 20), (two, 4), (free, 3)] {
            app.given_stock(store, product, quantity).await;
        }
        sold(&app, store, one, 5, 5).await;
        sold(&app, store, one, 3, 1).await;
        sold(&app, store, one, 2, 0).await;

        let today = value(&app, store, 0).await;
        // 10 at 70, 4 at 30, and 3 of which nobody knows.
        assert_eq!(
            today["totals"]["values"],
            json!([{"amount": 820, "currency": "EUR"}])
        );
        assert_eq!(today["totals"]["products"], 3);
        assert_eq!(today["totals"]["without_cost"], 1);
        let rows = today["rows"].as_array().unwrap();
        let row = |c: Value| rows.iter().find(|row| row["category_id"] == c).unwrap();
        assert_eq!(row(json!(category))["value"]["amount"], 700);
        assert_eq!(row(Value::Null)["value"]["amount"], 120);
        assert_eq!(row(Value::Null)["without_cost"], 1);
        // The books of the other two begin today. 12 at 60; before the change 15 at 50; and before
        // anything happened there was nothing.
        for (days, worth) in [(1, json!(720)), (4, json!(750)), (5, json!(750))] {
            let then = value(&app, store, days).await;
            assert_eq!(
                then["totals"]["values"][0]["amount"], worth,
                "{days} days ago"
            );
        }
        assert_eq!(value(&app, store, 6).await["rows"], json!([]));

        for (days, cents) in [(0, 70), (1, 60), (4, 50)] {
            let worth = value(&app, store, days).await["totals"]["values"][0]["amount"].clone();
            let replay = replayed(&app, store, days, &[(one, cents), (two, 30)]);
            assert_eq!(worth, json!(replay), "{days} days ago");
        }
        let csv = app
            .get(&format!("{VALUE}?store_id={store}&format=csv"))
            .await;
        assert_eq!(csv.headers["content-type"], "text/csv; charset=utf-8");
        let lines: Vec<&str> = csv.text.lines().collect();
        assert_eq!(
            lines[0],
            "category_id,category,products,without_cost,value,currency"
        );
        assert_eq!(lines[1], ",,2,1,120,EUR");
        assert!(lines[2].ends_with(",1,0,700,EUR"), "{}", lines[2]);
        app.assert_invariants().await;
    }
}

#[actix_web::test]
async fn what_does_not_sell_comes_first_and_what_sold_yesterday_does_not_come() {
    for topology in TOPOLOGIES {
        let app = TestApp::start(topology).await;
        let store = app.given_store().await;
        let mut products = Vec::new();
        for n in 0..4 {
            let product = app.given_product(100).await;
            costs(&app, product, 40).await;
            app.given_stock(store, product, 10 + n).await;
            products.push(product);
        }
        let [never, long_ago, yesterday, gone] = products[..] else {
            panic!("four")
        };
        sold(&app, store, long_ago, 1, 100).await;
        sold(&app, store, yesterday, 1, 1).await;
        sold(&app, store, gone, 13, 200).await;
        let dead = async |query: &str| {
            let at = format!("{DEAD}?store_id={store}{query}");
            app.get(&at).await.expect(200)
        };
        let ids = |report: &Value| -> Vec<Value> {
            let rows = report["rows"].as_array().unwrap();
            rows.iter().map(|row| row["product_id"].clone()).collect()
        };
        let report = dead("").await;
        assert_eq!(ids(&report), [json!(never), json!(long_ago)]);
        let row = &report["rows"][1];
        assert_eq!(row["last_sold_on"], json!(day(100)));
        assert_eq!(row["on_hand"], 10);
        assert_eq!(row["value_at_cost"]["amount"], 400);
        assert_eq!(row["value_at_retail"]["amount"], 1_000);
        assert_eq!(report["rows"][0]["last_sold_on"], Value::Null);
        let all = [json!(never), json!(long_ago), json!(yesterday)];
        assert_eq!(ids(&dead("&days=1").await), all);
        assert_eq!(ids(&dead("&days=2").await), all[..2]);
        assert_eq!(ids(&dead("&days=120").await), all[..1]);
        let first = dead("&days=1&limit=1").await;
        assert_eq!(
            (ids(&first), &first["truncated"]),
            (all[..1].to_vec(), &json!(true))
        );
        let csv = app
            .get(&format!("{DEAD}?store_id={store}&format=csv"))
            .await;
        assert!(
            csv.text
                .contains(&format!(",10,{},400,EUR,1000,EUR\r\n", day(100)))
        );
    }
}

#[actix_web::test]
async fn what_stock_cost_is_hidden_from_those_who_may_not_see_it() {
    for topology in TOPOLOGIES {
        let app = TestApp::start(topology).await;
        let (store, other) = (app.given_store().await, app.given_store().await);
        let product = app.given_product(100).await;
        costs(&app, product, 4_321).await;
        app.given_stock(store, product, 1).await;
        let get = async |role: Role, path: String| {
            let token = app.user(role, Some(store)).await;
            app.send(Method::GET, &path, &token, None, None).await
        };
        for format in ["", "&format=csv"] {
            let dead = format!("{DEAD}?store_id={store}{format}");
            let seen = get(Role::Clerk, dead.clone()).await;
            assert_eq!(seen.status, 200);
            assert!(!seen.text.contains("4321"), "{}", seen.text);
            assert!(get(Role::Manager, dead).await.text.contains("4321"));
            let value = format!("{VALUE}?store_id={store}{format}");
            get(Role::Clerk, value.clone())
                .await
                .expect_problem(403, "forbidden");
            assert!(get(Role::Auditor, value).await.text.contains("4321"));
        }
        for report in [VALUE, DEAD] {
            get(Role::Manager, format!("{report}?store_id={other}"))
                .await
                .expect_problem(404, "not-found");
        }
    }
}

#[actix_web::test]
async fn the_history_of_costs_is_read_from_the_trail_when_it_begins() {
    let app = TestApp::start(TOPOLOGIES[0]).await;
    let product = app.given_product(100).await;
    for cents in [50, 60] {
        costs(&app, product, cents).await;
    }
    let rename = json!({"name": "Another name"});
    app.patch(&format!("/api/inventory/products/{product}"), &rename)
        .await
        .expect(200);
    costs(&app, product, 70).await;
    let db = app.db(Module::Inventory);
    let history = || {
        db.text(
            "SELECT string_agg(version || ':' || cost_minor || ' ' || currency, ', ' ORDER BY version) \
             FROM inventory.product_costs",
        )
    };
    let written = history();
    assert_eq!(written, "2:50 EUR, 3:60 EUR, 5:70 EUR");
    let script = include_str!("../../migrations/inventory/2026-01-04-000002_costs/up.sql");
    db.execute(&format!(
        "DROP TABLE inventory.product_costs; SET search_path = inventory; {script}"
    ));
    assert_eq!(history(), written);
    app.assert_invariants().await;
    db.execute("UPDATE inventory.product_costs SET cost_minor = 1 WHERE version = 5");
    let title = "R3 the last cost of a product in its history is what it costs";
    assert!(app.violations(title).await > 0);
}
