//! Counts: what is found comes into the books, whatever is sold meanwhile.

use comptoir::process::Module;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    app::{Reply, TOPOLOGIES, TestApp, id},
    sales::sale,
};

pub const ALL: &str = "/api/stocks/counts";

pub fn path(count: Uuid, verb: &str) -> String {
    format!("{ALL}/{count}/{verb}")
}

pub fn of_products(store: Uuid, products: &[Uuid]) -> Value {
    json!({"store_id": store, "scope": {"kind": "products", "product_ids": products}})
}

pub async fn given_count(app: &TestApp, store: Uuid, products: &[Uuid]) -> Uuid {
    id(&app.post(ALL, &of_products(store, products)).await)
}

pub fn entry(product: Uuid, mode: &str, quantity: i64) -> Value {
    json!({"entries": [{"product_id": product, "mode": mode, "quantity": quantity}]})
}

pub async fn does(app: &TestApp, count: Uuid, verb: &str, body: &Value) -> Reply {
    app.post(&path(count, verb), body).await
}

pub async fn enters(app: &TestApp, count: Uuid, product: Uuid, mode: &str, quantity: i64) -> Value {
    let body = entry(product, mode, quantity);
    does(app, count, "lines", &body).await.expect(200)["lines"][0].clone()
}

pub async fn sells(app: &TestApp, store: Uuid, product: Uuid, quantity: i64) {
    let body = sale(store, &[(product, quantity)], 100 * quantity);
    app.post("/api/sales", &body).await.expect(201);
}

pub fn keep() -> Value {
    json!({"uncounted": "keep"})
}

/// A store that has so much of each of some products.
pub async fn given(app: &TestApp, stock: &[i64]) -> (Uuid, Vec<Uuid>) {
    let store = app.given_store().await;
    let mut products = Vec::new();
    for quantity in stock {
        let product = app.given_product(100).await;
        if *quantity != 0 {
            app.given_stock(store, product, *quantity).await;
        }
        products.push(product);
    }
    (store, products)
}

async fn lines(app: &TestApp, count: Uuid, query: &str) -> Vec<Value> {
    let page = app
        .get(&format!("{}{query}", path(count, "lines")))
        .await
        .expect(200);
    page["items"].as_array().unwrap().clone()
}

async fn summary(app: &TestApp, count: Uuid) -> Value {
    app.get(&format!("{ALL}/{count}")).await.expect(200)["summary"].clone()
}

#[actix_web::test]
async fn a_full_count_lives_from_open_to_posted_and_moves_what_it_found() {
    for topology in TOPOLOGIES {
        let app = TestApp::start(topology).await;
        let (store, p) = given(&app, &[10, 5, 0, 8]).await;
        let made = app
            .post(ALL, &json!({"store_id": store, "scope": {"kind": "full"}}))
            .await;
        let count = id(&made);
        assert_eq!(made.headers["location"], format!("{ALL}/{count}"));
        let what = (&made.body["status"], &made.body["number"]);
        assert_eq!(what, (&json!("open"), &json!(1)));
        assert_eq!(made.body["summary"]["lines"], 3);
        does(&app, count, "post", &keep())
            .await
            .expect_problem(409, "count-status");

        // By id and SKU, what nobody knew of as well; several scans of one product in one request.
        let found = app
            .get(&format!("/api/inventory/products/{}", p[1]))
            .await
            .expect(200);
        let scans = json!({"entries": [
            {"product_id": p[0], "quantity": 4},
            {"sku": found["sku"], "quantity": 5, "mode": "set"},
            {"product_id": p[2], "quantity": 3},
            {"product_id": p[0], "quantity": 2},
        ]});
        let entered = does(&app, count, "lines", &scans).await.expect(200);
        assert_eq!(entered["status"], "counting");
        assert_eq!(entered["lines"].as_array().unwrap().len(), 3);
        assert_eq!(enters(&app, count, p[0], "add", 3).await["counted"], 9);
        let expected = json!({
            "lines": 4, "counted": 3, "awaiting_recount": 0, "moved": 0,
            "deviations": 2, "units_up": 3, "units_down": 1,
        });
        assert_eq!(summary(&app, count).await, expected);
        let uncounted = lines(&app, count, "?which=uncounted").await;
        let ids: Vec<_> = uncounted.iter().map(|l| &l["product_id"]).collect();
        assert_eq!(ids, [&json!(p[3])]);
        let first = lines(&app, count, "?which=deviating&limit=1").await;
        assert_eq!(first.len(), 1);

        let posted = does(&app, count, "post", &keep()).await.expect(200);
        let how = (&posted["status"], &posted["uncounted"]);
        assert_eq!(how, (&json!("posted"), &json!("keep")));
        for (product, on_hand) in p.iter().zip([9, 5, 3, 8]) {
            assert_eq!(app.on_hand(store, *product).await, on_hand);
        }
        let query = format!("/api/stocks/movements?store_id={store}&reason=count");
        let moved = app.get(&query).await.expect(200);
        let moved = moved["items"].as_array().unwrap();
        assert_eq!(moved.len(), 2);
        assert!(moved.iter().all(|m| m["document_id"] == json!(count)));
        let entries = app.get(&path(count, "entries")).await.expect(200);
        assert_eq!(entries["items"].as_array().unwrap().len(), 5);
        for (verb, body) in [
            ("lines", entry(p[0], "set", 1)),
            ("recount", json!({"moved": true})),
            ("post", keep()),
            ("cancel", json!({"reason": "a test"})),
        ] {
            does(&app, count, verb, &body)
                .await
                .expect_problem(409, "count-status");
        }
        let told = app.db(Module::Store).text(&format!(
            "SELECT string_agg(event_type, ' ' ORDER BY seq) FROM store.outbox WHERE aggregate_id = '{count}'"
        ));
        assert_eq!(told, "count.opened.v1 count.posted.v1");
        let trail = app.db(Module::Store).text(&format!(
            "SELECT string_agg(action, ' ' ORDER BY seq) FROM store.audit WHERE subject_id = '{count}'"
        ));
        assert_eq!(trail, "count.open count.enter count.enter count.post");
        app.assert_invariants().await;
    }
}

#[actix_web::test]
async fn what_nobody_counted_is_gone_where_posting_says_so() {
    for topology in TOPOLOGIES {
        let app = TestApp::start(topology).await;
        let (store, p) = given(&app, &[10, 5, 6, 0]).await;
        let count = given_count(&app, store, &p).await;
        enters(&app, count, p[0], "set", 10).await;
        // Of what was on the sheet some is sold, and some more comes.
        sells(&app, store, p[1], 2).await;
        app.given_stock(store, p[2], 4).await;
        app.given_stock(store, p[3], 1).await;
        let zero = json!({"uncounted": "zero"});
        let posted = does(&app, count, "post", &zero).await.expect(200);
        assert_eq!(posted["summary"]["units_down"], 3 + 6);
        for (product, on_hand) in p.iter().zip([10, 0, 4, 1]) {
            assert_eq!(app.on_hand(store, *product).await, on_hand);
        }
        app.assert_invariants().await;
    }
}

#[actix_web::test]
async fn a_line_in_several_passes_follows_the_ledger_from_where_it_began() {
    for topology in TOPOLOGIES {
        let app = TestApp::start(topology).await;
        let (store, p) = given(&app, &[10, 10]).await;
        let count = given_count(&app, store, &p).await;
        // Six on the shelf, two of them are sold, four behind: ten were there, as the books say.
        enters(&app, count, p[0], "add", 6).await;
        sells(&app, store, p[0], 2).await;
        let line = enters(&app, count, p[0], "add", 4).await;
        let figures = ["counted", "expected", "variance"].map(|f| line[f].as_i64().unwrap());
        assert_eq!((figures, &line["moved"]), ([10, 10, 0], &json!(true)));
        // Two were taken from behind, before they could be counted: a recount of such lines tells.
        enters(&app, count, p[1], "add", 6).await;
        sells(&app, store, p[1], 2).await;
        assert_eq!(enters(&app, count, p[1], "add", 2).await["variance"], -2);
        let asked = does(&app, count, "recount", &json!({"moved": true}))
            .await
            .expect(200);
        assert_eq!(asked["status"], "recounting");
        assert_eq!(asked["summary"]["awaiting_recount"], 2);
        does(&app, count, "post", &keep())
            .await
            .expect_problem(409, "count-status");
        enters(&app, count, p[0], "add", 8).await;
        let line = enters(&app, count, p[1], "add", 8).await;
        assert_eq!((&line["variance"], &line["pass"]), (&json!(0), &json!(2)));
        sells(&app, store, p[1], 1).await;
        let posted = does(&app, count, "post", &keep()).await.expect(200);
        assert_eq!(posted["summary"]["deviations"], 0);
        assert_eq!(app.on_hand(store, p[0]).await, 8);
        assert_eq!(app.on_hand(store, p[1]).await, 7);
        app.assert_invariants().await;
    }
}

#[actix_web::test]
async fn lines_over_a_threshold_are_counted_again_and_the_new_figure_stands() {
    let app = TestApp::start(TOPOLOGIES[0]).await;
    let (store, p) = given(&app, &[1_000, 10, 10, 0]).await;
    let count = given_count(&app, store, &p).await;
    for (product, quantity) in p.iter().zip([996, 8, 10, 1]) {
        enters(&app, count, *product, "set", quantity).await;
    }
    let awaiting = async || {
        let awaiting = lines(&app, count, "?which=awaiting_recount").await;
        let found = awaiting.iter().map(|line| line["product_id"].clone());
        p.iter()
            .map(|product| found.clone().any(|id| id == json!(product)))
            .collect::<Vec<_>>()
    };
    let units = json!({"over_units": 3});
    does(&app, count, "recount", &units).await.expect(200);
    assert_eq!(awaiting().await, [true, false, false, false]);
    // 2 of 10 is 20 %; of what was not expected at all any unit is too many.
    let share = json!({"over_basis_points": 1_000});
    does(&app, count, "recount", &share).await.expect(200);
    assert_eq!(awaiting().await, [true, true, false, true]);
    for (product, quantity) in [(p[0], 999), (p[1], 10)] {
        enters(&app, count, product, "add", quantity).await;
    }
    let head = app.get(&format!("{ALL}/{count}")).await.expect(200);
    assert_eq!(head["status"], "recounting");
    let entered = does(&app, count, "lines", &entry(p[3], "add", 0)).await;
    assert_eq!(entered.expect(200)["status"], "counting");
    let none = json!({"over_units": 1});
    let none = does(&app, count, "recount", &none).await.expect(200);
    assert_eq!(none["status"], "counting");
    does(&app, count, "recount", &json!({}))
        .await
        .expect_problem(400, "invalid-request");
    does(&app, count, "post", &keep()).await.expect(200);
    for (product, on_hand) in p.iter().zip([999, 10, 10, 0]) {
        assert_eq!(app.on_hand(store, *product).await, on_hand);
    }
    app.assert_invariants().await;
}

#[actix_web::test]
async fn a_line_of_which_more_was_sold_than_counted_stops_the_posting_until_it_is_counted_again() {
    for topology in TOPOLOGIES {
        let app = TestApp::start(topology).await;
        let (store, p) = given(&app, &[10, 7]).await;
        let count = given_count(&app, store, &p).await;
        enters(&app, count, p[0], "set", 3).await;
        enters(&app, count, p[1], "set", 6).await;
        sells(&app, store, p[0], 8).await;
        let refused = does(&app, count, "post", &keep()).await;
        let problem = refused.expect_problem(409, "count-outsold");
        assert_eq!(problem["errors"].as_array().unwrap().len(), 1);
        let error = &problem["errors"][0];
        assert_eq!(error["product_id"], json!(p[0]));
        assert_eq!(
            (&error["counted"], &error["left_since"]),
            (&json!(3), &json!(8))
        );
        assert_eq!(app.on_hand(store, p[1]).await, 7);
        enters(&app, count, p[0], "set", 1).await;
        does(&app, count, "post", &keep()).await.expect(200);
        assert_eq!(app.on_hand(store, p[0]).await, 1);
        assert_eq!(app.on_hand(store, p[1]).await, 6);

        // Where the store allows negative stock, it is posted, and listed.
        let settings = format!("/api/stores/{store}/settings");
        app.patch(&settings, &json!({"negative_stock": "allow"}))
            .await
            .expect(200);
        let count = given_count(&app, store, &p[1..]).await;
        enters(&app, count, p[1], "set", 2).await;
        sells(&app, store, p[1], 5).await;
        does(&app, count, "post", &keep()).await.expect(200);
        assert_eq!(app.on_hand(store, p[1]).await, -3);
        let listed = format!("/api/stocks/discrepancies?document_id={count}");
        let listed = app.get(&listed).await.expect(200);
        assert_eq!(listed["items"][0]["quantity"], 3);
        app.assert_invariants().await;
    }
}

#[actix_web::test]
async fn a_count_of_a_category_covers_what_is_below_it() {
    for topology in TOPOLOGIES {
        let app = TestApp::start(topology).await;
        let store = app.given_store().await;
        let category = async |parent: Option<Uuid>| {
            let name = format!("C {}", Uuid::now_v7().simple());
            let body = json!({"name": name, "parent_id": parent});
            id(&app.post("/api/inventory/categories", &body).await)
        };
        let top = category(None).await;
        let below = category(Some(top)).await;
        let beside = category(None).await;
        let mut products = Vec::new();
        for category in [top, below, beside, below, below] {
            let product = app.given_product(100).await;
            let body = json!({"category_id": category});
            app.patch(&format!("/api/inventory/products/{product}"), &body)
                .await
                .expect(200);
            products.push(product);
        }
        // Two are archived, and of one of them there still is something.
        app.given_stock(store, products[3], 4).await;
        for product in &products[3..] {
            let archive = format!("/api/inventory/products/{product}/archive");
            app.post(&archive, &json!({})).await.expect(200);
        }
        let scope = |category| json!({"store_id": store, "scope": {"kind": "category", "category_id": category}});
        let count = id(&app.post(ALL, &scope(top)).await);
        let mut found: Vec<String> = lines(&app, count, "")
            .await
            .iter()
            .map(|line| line["product_id"].as_str().unwrap().to_owned())
            .collect();
        found.sort();
        let mut sought: Vec<String> = [0, 1, 3].map(|n| products[n].to_string()).to_vec();
        sought.sort();
        assert_eq!(found, sought);
        does(&app, count, "lines", &entry(products[2], "add", 1))
            .await
            .expect_problem(400, "invalid-request");
        for nothing in [Uuid::now_v7(), category(None).await] {
            app.post(ALL, &scope(nothing))
                .await
                .expect_problem(400, "invalid-request");
        }
        // Another that would cover one of them waits for the end of the first.
        let other = of_products(store, &[products[2], products[1]]);
        app.post(ALL, &other)
            .await
            .expect_problem(409, "count-open");
        let full = json!({"store_id": store, "scope": {"kind": "full"}});
        app.post(ALL, &full).await.expect_problem(409, "count-open");
        let beside = given_count(&app, store, &[products[2]]).await;
        for ended in [count, beside] {
            does(&app, ended, "cancel", &json!({"reason": "a test"}))
                .await
                .expect(200);
        }
        let full = id(&app.post(ALL, &full).await);
        app.post(ALL, &other)
            .await
            .expect_problem(409, "count-open");
        assert_eq!(lines(&app, full, "").await.len(), 1);
        app.assert_invariants().await;
    }
}
