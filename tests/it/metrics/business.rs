//! What was sold, what came back, and what was refused: whichever way it was asked for.

use comptoir::process::Module;
use kernel::auth::Role;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Change, Scrape, assert_rises, sale};
use crate::{
    app::{TOPOLOGIES, TestApp, Topology},
    exchanges::{self, Shop, exchange, shop},
    offline::{batch, offline},
    return_requests::unreceipted,
};

const REFUSED: &str = "comptoir_sales_refused_total";
const LOOKED_UP: &str = "comptoir_cache_requests_total";

fn key() -> String {
    Uuid::now_v7().to_string()
}

/// The same twice: the second is a repeat of the first.
async fn twice(app: &TestApp, path: &str, body: &Value) {
    let key = key();
    for replayed in [None, Some("true")] {
        let reply = app.post_keyed(path, &key, body).await;
        let header = reply.headers.get("idempotent-replayed").cloned();
        reply.expect_success();
        assert_eq!(header.as_deref(), replayed, "{path}");
    }
}

const WHAT_STANDS: &[Change] = &[
    // An exchange, a sale of a till that was offline, and one that is voided.
    ("comptoir_sales_recorded_total", &[], 3.0),
    // Of the exchange and of the sale of the till.
    ("comptoir_sales_replayed_total", &[], 2.0),
    ("comptoir_sales_lines_total", &[], 3.0),
    (
        "comptoir_sales_revenue_minor_units_total",
        &[("currency", "EUR")],
        500.0,
    ),
    ("comptoir_sales_voided_total", &[], 1.0),
    // Of the exchange, and without a receipt.
    ("comptoir_returns_recorded_total", &[], 2.0),
    (
        "comptoir_returns_refunded_minor_units_total",
        &[("currency", "EUR")],
        490.0,
    ),
    (REFUSED, &[], 0.0),
    ("comptoir_holds_taken_total", &[("outcome", "held")], 3.0),
    (
        "comptoir_holds_taken_total",
        &[("outcome", "replayed")],
        1.0,
    ),
];

#[actix_web::test]
async fn what_stands_is_counted_once_whichever_way_it_came() {
    for topology in TOPOLOGIES {
        let shop = shop(TestApp::start(topology).await).await;
        let Shop { app, store, .. } = &shop;
        let before = Scrape::of(app).await;
        let for_one = exchange(*store, &shop.sold, 3, (shop.dear, 1), 0);
        twice(app, exchanges::PATH, &for_one).await;
        let sold_offline = [(key(), offline(*store, shop.cheap, 1, 100))];
        for status in ["recorded", "replayed"] {
            let body = batch(&sold_offline);
            let view = app.post("/api/sales/batch", &body).await.expect(200);
            assert_eq!(view["results"][0]["status"], status);
        }
        let body = sale(*store, &[(shop.cheap, 1)], 100);
        let sold = app.post("/api/sales", &body).await.expect(201);
        let void = format!("/api/sales/{}/void", sold["id"].as_str().unwrap());
        twice(app, &void, &json!({"reason": "wrong customer"})).await;
        let gift = unreceipted(*store, shop.cheap, 1, 90);
        twice(app, "/api/returns/without-receipt", &gift).await;
        assert_rises(&before, &Scrape::of(app).await, WHAT_STANDS);
    }
}

const WHAT_IS_REFUSED: &[Change] = &[
    (REFUSED, &[("reason", "stock")], 1.0),
    (REFUSED, &[("reason", "price")], 1.0),
    (REFUSED, &[("reason", "store")], 1.0),
    (REFUSED, &[("reason", "payment")], 1.0),
    (REFUSED, &[("reason", "request")], 4.0),
    (REFUSED, &[], 8.0),
    ("comptoir_sales_recorded_total", &[], 1.0),
    ("comptoir_sales_replayed_total", &[], 0.0),
];

#[actix_web::test]
async fn what_is_refused_is_counted_by_its_reason() {
    for topology in TOPOLOGIES {
        let shop = shop(TestApp::start(topology).await).await;
        let Shop { app, store, .. } = &shop;
        let cashier = app.user(Role::Cashier, Some(*store)).await;
        let before = Scrape::of(app).await;
        let refused = async |token: &str, path: &str, key: &str, body: &Value| {
            let reply = app
                .send(Method::POST, path, token, Some(key), Some(body))
                .await;
            assert!((400..500).contains(&reply.status), "{}", reply.text);
        };
        let (admin, sales) = (app.admin.as_str(), "/api/sales");
        let one = |store, total| sale(store, &[(shop.cheap, 1)], total);
        let too_many = exchange(*store, &shop.sold, 1, (shop.dear, 99), 99 * 300 - 100);
        refused(admin, exchanges::PATH, &key(), &too_many).await;
        let nothing_back = exchange(*store, &shop.sold, 99, (shop.dear, 1), 0);
        refused(admin, exchanges::PATH, &key(), &nothing_back).await;
        let mut cheaper = one(*store, 50);
        cheaper["lines"][0]["unit_price"] = json!({"amount": 50, "currency": "EUR"});
        refused(&cashier, sales, &key(), &cheaper).await;
        refused(admin, sales, &key(), &one(Uuid::now_v7(), 100)).await;
        refused(admin, sales, &key(), &one(*store, 99)).await;
        let used = key();
        app.post_keyed(sales, &used, &one(*store, 100))
            .await
            .expect(201);
        let other = sale(*store, &[(shop.cheap, 2)], 200);
        refused(admin, sales, &used, &other).await;
        // Neither of them can be read as a sale.
        let mut dateless = offline(*store, shop.cheap, 1, 100);
        dateless["occurred_at"] = Value::Null;
        let body = batch(&[(key(), dateless), (key(), json!("not a sale"))]);
        let view = app.post("/api/sales/batch", &body).await.expect(200);
        assert_eq!(view["failed"], 2);
        assert_rises(&before, &Scrape::of(app).await, WHAT_IS_REFUSED);
    }
}

#[actix_web::test]
async fn what_could_not_be_decided_is_unavailable_and_what_broke_is_failed() {
    let mut app = TestApp::start(Topology::Split).await;
    let (store, product) = (app.given_store().await, app.given_product(100).await);
    app.given_stock(store, product, 10).await;
    app.service(Module::Store).kill();
    let body = sale(store, &[(product, 1)], 100);
    app.post("/api/sales", &body)
        .await
        .expect_problem(503, "unavailable");
    let scrape = Scrape::at(&app, &[app.internal(Module::Sales)]).await;
    let reason = [("reason", "unavailable")];
    assert_eq!(scrape.value(REFUSED, &reason), 1.0);
    let tries = [("peer", "store"), ("outcome", "unsent")];
    assert!(scrape.value("comptoir_peer_tries_total", &tries) >= 1.0);

    let app = TestApp::start(Topology::Whole).await;
    let (store, product) = (app.given_store().await, app.given_product(100).await);
    app.given_stock(store, product, 10).await;
    app.db(Module::Sales)
        .execute("ALTER TABLE sales.sale_lines RENAME TO elsewhere");
    let body = sale(store, &[(product, 1)], 100);
    app.post("/api/sales", &body)
        .await
        .expect_problem(500, "internal");
    let scrape = Scrape::of(&app).await;
    assert_eq!(scrape.value(REFUSED, &[("reason", "failed")]), 1.0);
    let failures = "comptoir_db_failures_total";
    let other = [("module", "sales"), ("cause", "other")];
    assert_eq!(scrape.value(failures, &other), 1.0);
}

#[actix_web::test]
async fn a_sale_looks_each_product_up_once() {
    for topology in TOPOLOGIES {
        let app = TestApp::start(topology).await;
        let (store, product) = (app.given_store().await, app.given_product(100).await);
        app.given_stock(store, product, 10).await;
        let sell = async || {
            let body = sale(store, &[(product, 1)], 100);
            app.post("/api/sales", &body).await.expect(201);
            Scrape::of(&app).await
        };
        let before = Scrape::of(&app).await;
        let (first, second) = (sell().await, sell().await);
        for cache in ["profiles", "products"] {
            let labels = |result| [("cache", cache), ("result", result)];
            let missed = |scrape: &Scrape| scrape.value(LOOKED_UP, &labels("miss"));
            assert_eq!(missed(&first) - missed(&before), 1.0, "{cache}");
            // Whether it is still remembered is a matter of seconds.
            let all = |scrape: &Scrape| scrape.value(LOOKED_UP, &[("cache", cache)]);
            assert_eq!(all(&second) - all(&before), 2.0, "{cache}");
            let entries = second.value("comptoir_cache_entries", &[("cache", cache)]);
            assert!(entries <= 1.0, "{cache}: {entries}");
        }
    }
}
