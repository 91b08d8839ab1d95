//! Prices that begin at a moment, at one store or at all of them; who may set them, and that tills
//! charge the one that holds.

use chrono::{DateTime, TimeDelta, Utc};
use comptoir::process::Module;
use futures::future::join_all;
use kernel::auth::Role;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::app::{TOPOLOGIES, TestApp, WITH_REPLICAS, id};

pub const PRICES: &str = "/api/inventory/prices";

/// From now on.
pub fn price(product: Uuid, store: Option<Uuid>, amount: i64) -> Value {
    json!({"product_id": product, "store_id": store, "price": {"amount": amount, "currency": "EUR"}})
}

/// As [`price`], from `seconds` ahead of `now` on: tills may be so much ahead, so that a test need
/// not wait for it.
pub fn coming(product: Uuid, store: Option<Uuid>, amount: i64, at: DateTime<Utc>) -> Value {
    let mut body = price(product, store, amount);
    body["valid_from"] = json!(at);
    body
}

/// Sells for cash at a moment; more than enough is handed over, and the change tells the total.
pub async fn sell(app: &TestApp, store: Uuid, lines: Value, at: Option<DateTime<Utc>>) -> Value {
    let body = json!({
        "store_id": store, "lines": lines, "occurred_at": at,
        "payments": [{"tender": "cash", "amount": {"amount": 100_000, "currency": "EUR"}}],
    });
    app.post("/api/sales", &body).await.expect(201)
}

pub fn total(sale: &Value) -> i64 {
    sale["total"]["amount"].as_i64().unwrap()
}

async fn given(app: &TestApp) -> (Uuid, Uuid, Uuid) {
    let (here, there) = (app.given_store().await, app.given_store().await);
    let product = app.given_product(100).await;
    for store in [here, there] {
        app.given_stock(store, product, 10_000).await;
    }
    (here, there, product)
}

#[actix_web::test]
async fn a_price_begins_and_ends_at_its_moment_and_at_its_store_only() {
    for topology in TOPOLOGIES {
        let app = TestApp::start(topology).await;
        let (here, there, product) = given(&app).await;
        let at = |seconds| kernel::time::now() + TimeDelta::seconds(seconds);
        let (begins, ends) = (at(60), at(120));
        let mut week = coming(product, Some(here), 80, begins);
        week["valid_until"] = json!(ends);
        let made = app.post(PRICES, &week).await;
        let location = made.headers["location"].clone();
        let made = made.expect(201);
        assert_eq!(app.get(&location).await.expect(200), made);
        let moment = TimeDelta::microseconds(1);
        let one = json!([{"product_id": product, "quantity": 1}]);
        for (store, when, expected) in [
            (here, begins - moment, 100),
            (here, begins, 80),
            (here, ends - moment, 80),
            (here, ends, 100),
            (there, begins, 100),
        ] {
            let sold = sell(&app, store, one.clone(), Some(when)).await;
            assert_eq!(total(&sold), expected, "{when} {topology:?}");
        }
        // One of every store, beside which the store's own goes on.
        app.post(PRICES, &coming(product, None, 90, begins))
            .await
            .expect(201);
        app.eventually("the other store charges the new price", async || {
            total(&sell(&app, there, one.clone(), Some(begins)).await) == 90
        })
        .await;
        assert_eq!(
            total(&sell(&app, here, one.clone(), Some(begins)).await),
            80
        );
        assert_eq!(total(&sell(&app, here, one.clone(), Some(ends)).await), 90);
        assert_eq!(
            total(&sell(&app, here, one, Some(begins - moment)).await),
            100
        );
        app.assert_invariants().await;
    }
}

#[actix_web::test]
async fn a_scanner_is_told_what_the_store_charges_now() {
    for topology in TOPOLOGIES {
        let app = TestApp::start(topology).await;
        let (here, there, product) = given(&app).await;
        let found = app.get(&format!("/api/inventory/products/{product}")).await;
        let sku = found.expect(200)["sku"].as_str().unwrap().to_owned();
        let look_up = async |store: Uuid| {
            let path = format!("/api/inventory/lookup?sku={sku}&store_id={store}");
            let found = app.get(&path).await.expect(200);
            (
                found["price"]["amount"].clone(),
                found["price_source"].clone(),
            )
        };
        assert_eq!(look_up(here).await, (json!(100), json!("product")));
        app.post(PRICES, &price(product, None, 95))
            .await
            .expect(201);
        let own = id(&app.post(PRICES, &price(product, Some(here), 85)).await);
        assert_eq!(look_up(here).await, (json!(85), json!("store")));
        assert_eq!(look_up(there).await, (json!(95), json!("chain")));
        let ended = app.post(&format!("{PRICES}/{own}/end"), &json!({})).await;
        assert!(ended.expect(200)["valid_until"].is_string());
        assert_eq!(look_up(here).await, (json!(95), json!("chain")));
        let path = format!("/api/inventory/lookup?sku={sku}");
        let plain = app.get(&path).await.expect(200);
        assert_eq!(
            (&plain["price"]["amount"], plain.get("promotion")),
            (&json!(100), None)
        );
    }
}

#[actix_web::test]
async fn a_manager_prices_the_own_store_and_sees_no_other() {
    for topology in TOPOLOGIES {
        let app = TestApp::start(topology).await;
        let (here, there, product) = given(&app).await;
        let manager = app.user(Role::Manager, Some(here)).await;
        let stranger = app.user(Role::Manager, Some(there)).await;
        let cashier = app.user(Role::Cashier, Some(here)).await;
        let everywhere = app.user(Role::Manager, None).await;
        let post = async |token: &str, path: &str, body: &Value| {
            app.send(Method::POST, path, token, None, Some(body)).await
        };
        let later = kernel::time::now() + TimeDelta::hours(1);
        let own = coming(product, Some(here), 80, later);
        let chain = coming(product, None, 90, later);
        let made = id(&post(&manager, PRICES, &own).await);
        let all = id(&post(&app.admin, PRICES, &chain).await);
        for (token, body, status, code) in [
            (&stranger, &own, 404, "not-found"),
            (&cashier, &own, 403, "forbidden"),
            (&manager, &chain, 403, "forbidden"),
            (&everywhere, &chain, 403, "forbidden"),
        ] {
            post(token, PRICES, body).await.expect_problem(status, code);
        }
        let end = |id: Uuid| format!("{PRICES}/{id}/end");
        let nothing = json!({});
        post(&stranger, &end(made), &nothing)
            .await
            .expect_problem(404, "not-found");
        post(&cashier, &end(made), &nothing)
            .await
            .expect_problem(403, "forbidden");
        post(&manager, &end(all), &nothing)
            .await
            .expect_problem(403, "forbidden");
        for (token, expected) in [(&manager, 2), (&cashier, 2), (&stranger, 1)] {
            let list = app
                .send(Method::GET, PRICES, token, None, None)
                .await
                .expect(200);
            assert_eq!(list["items"].as_array().unwrap().len(), expected);
            let own = format!("{PRICES}/{made}");
            let status = app.send(Method::GET, &own, token, None, None).await.status;
            assert_eq!(status, if expected == 2 { 200 } else { 404 });
        }
        let trail = format!("/api/inventory/audit?subject_id={made}");
        let seen = app
            .send(Method::GET, &trail, &manager, None, None)
            .await
            .expect(200);
        assert_eq!(seen["items"][0]["action"], "price.create");
        let hidden = app
            .send(Method::GET, &trail, &stranger, None, None)
            .await
            .expect(200);
        assert_eq!(hidden["items"], json!([]));
        post(&manager, &end(made), &nothing).await.expect(200);
    }
}

#[actix_web::test]
async fn prices_that_cannot_be_are_refused_and_say_why() {
    for topology in TOPOLOGIES {
        let app = TestApp::start(topology).await;
        let (here, _, product) = given(&app).await;
        let now = kernel::time::now();
        let (soon, later) = (now + TimeDelta::hours(1), now + TimeDelta::hours(2));
        let with = |field: &str, value: Value| {
            let mut body = coming(product, Some(here), 80, soon);
            body[field] = value;
            body
        };
        let francs = json!({"amount": 80, "currency": "CHF"});
        for (body, status, code) in [
            (with("price", francs), 409, "currency-mismatch"),
            (
                with("price", json!({"amount": -1, "currency": "EUR"})),
                400,
                "invalid-request",
            ),
            (
                with("product_id", json!(Uuid::now_v7())),
                400,
                "unknown-product",
            ),
            (with("store_id", json!(Uuid::now_v7())), 404, "not-found"),
            (
                with("valid_from", json!(now - TimeDelta::minutes(6))),
                400,
                "invalid-request",
            ),
            (with("valid_until", json!(soon)), 400, "invalid-request"),
        ] {
            app.post(PRICES, &body).await.expect_problem(status, code);
        }
        let coming_price = coming(product, Some(here), 80, soon);
        let made = id(&app.post(PRICES, &coming_price).await);
        app.post(PRICES, &coming(product, Some(here), 70, soon))
            .await
            .expect_problem(409, "price-taken");
        app.post(PRICES, &coming(product, None, 70, soon))
            .await
            .expect(201);
        let end = format!("{PRICES}/{made}/end");
        let past = json!({"at": now - TimeDelta::hours(1)});
        app.post(&end, &past)
            .await
            .expect_problem(400, "invalid-request");
        // An end after its beginning is brought forward, and then it never begins at all.
        let ended = app.post(&end, &json!({"at": later})).await.expect(200);
        assert_eq!(
            (&ended["version"], &ended["withdrawn_at"]),
            (&json!(2), &Value::Null)
        );
        app.post(&end, &json!({"at": later}))
            .await
            .expect_problem(409, "ends-earlier");
        let withdrawn = app.post(&end, &json!({})).await.expect(200);
        assert!(withdrawn["withdrawn_at"].is_string());
        app.post(&end, &json!({})).await.expect_problem(409, "over");
        // What was withdrawn leaves its moment free.
        app.post(PRICES, &coming_price).await.expect(201);
        let list = app
            .get(&format!("{PRICES}?store_id={here}"))
            .await
            .expect(200);
        assert_eq!(list["items"].as_array().unwrap().len(), 2, "history stays");
        let path = format!(
            "{PRICES}?product_id={product}&at={}",
            later.format("%FT%TZ")
        );
        let held = app.get(&path).await.expect(200);
        assert_eq!(held["items"].as_array().unwrap().len(), 2);
        let first = app.get(&format!("{PRICES}?limit=2")).await.expect(200);
        let next = first["next_cursor"].as_str().unwrap();
        let second = app
            .get(&format!("{PRICES}?limit=2&cursor={next}"))
            .await
            .expect(200);
        assert_eq!(second["items"].as_array().unwrap().len(), 1);
        assert_eq!(second["next_cursor"], Value::Null);
    }
}

#[actix_web::test]
async fn equal_requests_with_one_key_make_and_end_one_price() {
    for topology in WITH_REPLICAS {
        let app = TestApp::start(topology).await;
        let (here, _, product) = given(&app).await;
        let (key, body) = (Uuid::now_v7().to_string(), price(product, Some(here), 80));
        let replies = join_all((0..20).map(|_| app.post_keyed(PRICES, &key, &body))).await;
        for reply in &replies {
            assert_eq!((reply.status, &reply.text), (201, &replies[0].text));
        }
        let fresh = |r: &&crate::app::Reply| !r.headers.contains_key("idempotent-replayed");
        assert_eq!(replies.iter().filter(fresh).count(), 1);
        app.post_keyed(PRICES, &key, &price(product, Some(here), 81))
            .await
            .expect_problem(422, "idempotency-key-reused");
        let end = format!("{PRICES}/{}/end", replies[0].body["id"].as_str().unwrap());
        let (key, body) = (Uuid::now_v7().to_string(), json!({}));
        let replies = join_all((0..20).map(|_| app.post_keyed(&end, &key, &body))).await;
        for reply in &replies {
            assert_eq!((reply.status, &reply.text), (200, &replies[0].text));
        }
        let replies = join_all((0..5).map(|_| app.post(&end, &body))).await;
        for reply in replies {
            reply.expect_problem(409, "over");
        }
        let db = app.db(Module::Inventory);
        assert_eq!(db.number("SELECT count(*) FROM inventory.prices"), 1);
        let events = "SELECT count(*) FROM inventory.outbox WHERE event_type = 'price.changed.v1'";
        assert_eq!(db.number(events), 2);
        app.assert_invariants().await;
    }
}

#[actix_web::test]
async fn a_sale_during_a_change_has_one_price_and_a_replay_the_first() {
    for topology in WITH_REPLICAS {
        let app = TestApp::start(topology).await;
        let (here, _, product) = given(&app).await;
        let found = app.get(&format!("/api/inventory/products/{product}")).await;
        let sku = found.expect(200)["sku"].clone();
        // The same product twice, named in two ways.
        let body = json!({
            "store_id": here,
            "lines": [{"product_id": product, "quantity": 1}, {"sku": sku, "quantity": 1}],
            "payments": [{"tender": "cash", "amount": {"amount": 1_000, "currency": "EUR"}}],
        });
        let keys: Vec<String> = (0..60).map(|_| Uuid::now_v7().to_string()).collect();
        let sales = join_all(
            keys.iter()
                .map(|key| app.post_keyed("/api/sales", key, &body)),
        );
        let changed = price(product, Some(here), 80);
        let change = app.post(PRICES, &changed);
        let (sales, changed) = futures::future::join(sales, change).await;
        changed.expect(201);
        for sold in &sales {
            assert_eq!(sold.status, 201, "{}", sold.text);
            let prices: Vec<_> = sold.body["lines"].as_array().unwrap().iter().collect();
            assert_eq!(prices[0]["unit_price"], prices[1]["unit_price"]);
            assert!([200, 160].contains(&total(&sold.body)), "{}", sold.text);
        }
        app.eventually("the new price is charged by all", async || {
            let again = join_all((0..4).map(|_| app.post("/api/sales", &body))).await;
            again.iter().all(|sold| total(&sold.body) == 160)
        })
        .await;
        for (key, first) in keys.iter().zip(&sales) {
            let again = app.post_keyed("/api/sales", key, &body).await;
            assert_eq!((again.status, &again.text), (201, &first.text));
        }
        app.assert_invariants().await;
    }
}
