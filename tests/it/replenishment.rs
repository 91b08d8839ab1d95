//! Replenishment: a store asks, logistics decides, and the request shows what became of it.

use comptoir::process::Module;
use futures::future::join_all;
use kernel::auth::Role;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    app::{Reply, TOPOLOGIES, TestApp, Topology, WITH_REPLICAS, id},
    transfers::{does, receipt},
};

pub const RULES: &str = "/api/inventory/reorder-rules";
pub const REQUESTS: &str = "/api/inventory/replenishment/requests";

/// A warehouse that has `quantity` of each of the products.
pub async fn given_warehouse(app: &TestApp, products: &[Uuid], quantity: i64) -> Uuid {
    let code = format!("W{}", Uuid::now_v7().simple());
    let body = json!({
        "code": code, "name": "Test warehouse", "kind": "logistics",
        "settings": {"timezone": "UTC", "day_cutoff": "00:00", "currency": "EUR", "tax_mode": "included"},
    });
    let store = id(&app.post("/api/stores", &body).await);
    for product in products {
        app.given_stock(store, *product, quantity).await;
    }
    store
}

/// A request of `store` for goods of `source`.
pub async fn given_request(
    app: &TestApp,
    store: Uuid,
    source: Uuid,
    lines: &[(Uuid, i64)],
    draft: bool,
) -> Uuid {
    let lines: Vec<Value> = lines
        .iter()
        .map(|(product, quantity)| {
            json!({"product_id": product, "quantity": quantity, "source_store_id": source})
        })
        .collect();
    let body = json!({"store_id": store, "lines": lines, "draft": draft});
    id(&app.post(REQUESTS, &body).await)
}

pub fn step(request: Uuid, verb: &str) -> String {
    format!("{REQUESTS}/{request}/{verb}")
}

async fn read(app: &TestApp, request: Uuid) -> Value {
    app.get(&format!("{REQUESTS}/{request}")).await.expect(200)
}

/// Waits until the request stands there.
async fn becomes(app: &TestApp, request: Uuid, status: &str) -> Value {
    app.eventually(status, async || {
        read(app, request).await["status"] == status
    })
    .await;
    read(app, request).await
}

/// The transfers that the store module has to `store`.
async fn transfers_to(app: &TestApp, store: Uuid) -> Vec<Value> {
    let list = app
        .get(&format!("/api/stocks/transfers?to_store_id={store}"))
        .await
        .expect(200);
    list["items"].as_array().unwrap().clone()
}

fn transfer_of(request: &Value) -> Uuid {
    let id = &request["transfers"][0]["transfer_id"];
    id.as_str().unwrap().parse().unwrap()
}

/// A shop and a warehouse with 100 of a product.
async fn given(app: &TestApp) -> (Uuid, Uuid, Uuid) {
    let product = app.given_product(100).await;
    let warehouse = given_warehouse(app, &[product], 100).await;
    (app.given_store().await, warehouse, product)
}

#[actix_web::test]
async fn a_request_lives_until_its_transfers_are_over_and_shows_what_became_of_it() {
    for topology in TOPOLOGIES {
        let app = TestApp::start(topology).await;
        let (store, warehouse, product) = given(&app).await;
        let request = given_request(&app, store, warehouse, &[(product, 24)], true).await;
        app.post(&step(request, "submit"), &json!({}))
            .await
            .expect(200);
        let body = json!({"lines": [{"product_id": product, "quantity": 20}]});
        let approved = app.post(&step(request, "approve"), &body).await.expect(200);
        assert_eq!(approved["status"], "approved");
        assert_eq!(approved["lines"][0]["approved"], 20);
        let transfer = transfer_of(&approved);

        let made = app
            .get(&format!("/api/stocks/transfers/{transfer}"))
            .await
            .expect(200);
        assert_eq!(made["status"], "requested");
        assert_eq!(
            made["source"],
            json!({"type": "replenishment_request", "id": request})
        );
        assert_eq!(made["lines"][0]["requested"], 20);
        let shown = read(&app, request).await;
        assert_eq!(shown["transfers"][0]["number"], made["number"]);
        assert_eq!(shown["transfers"][0]["status"], "requested");

        for verb in ["approve", "dispatch"] {
            does(&app, transfer, verb, &json!({})).await.expect(200);
        }
        let part = receipt(product, 10, 0, 0);
        does(&app, transfer, "receive", &part).await.expect(200);
        app.eventually("the part is seen", async || {
            read(&app, request).await["lines"][0]["received"] == 10
        })
        .await;
        assert_eq!(read(&app, request).await["status"], "approved");
        let rest = receipt(product, 6, 2, 2);
        does(&app, transfer, "receive", &rest).await.expect(200);
        let over = becomes(&app, request, "fulfilled").await;
        let line = &over["lines"][0];
        assert_eq!(
            (&line["received"], &line["damaged"], &line["lost"]),
            (&json!(16), &json!(2), &json!(2))
        );
        assert!(over["ended_at"].is_string());
        let trail = app
            .get(&format!("/api/inventory/audit?subject_id={request}"))
            .await
            .expect(200);
        let done: Vec<&str> = trail["items"]
            .as_array()
            .unwrap()
            .iter()
            .rev()
            .map(|entry| entry["action"].as_str().unwrap())
            .collect();
        assert_eq!(
            done.join(" ").replace("replenishment.", ""),
            "create submit approve end"
        );
        let db = app.db(Module::Inventory);
        assert_eq!(
            db.text(&format!(
                "SELECT string_agg(payload ->> 'status', ' ' ORDER BY seq) \
                 FROM inventory.outbox WHERE aggregate_id = '{request}'"
            )),
            "draft requested approved fulfilled"
        );
        app.assert_invariants().await;
    }
}

#[actix_web::test]
async fn a_request_of_which_nothing_comes_is_unfulfilled() {
    for topology in TOPOLOGIES {
        let app = TestApp::start(topology).await;
        let (store, warehouse, product) = given(&app).await;
        let request = given_request(&app, store, warehouse, &[(product, 24)], false).await;
        let approved = app.post(&step(request, "approve"), &json!({})).await;
        let transfer = transfer_of(&approved.expect(200));
        let why = json!({"reason": "all sold"});
        does(&app, transfer, "reject", &why).await.expect(200);
        let over = becomes(&app, request, "unfulfilled").await;
        assert_eq!(over["transfers"][0]["status"], "rejected");
        app.assert_invariants().await;
    }
}

#[actix_web::test]
async fn a_state_allows_only_what_follows_and_says_what_does() {
    let app = TestApp::start(TOPOLOGIES[0]).await;
    let (store, warehouse, product) = given(&app).await;
    let steps = [
        ("submit", json!({})),
        ("approve", json!({})),
        ("reject", json!({"reason": "a test"})),
        ("cancel", json!({})),
    ];
    for (status, way, allowed) in [
        ("draft", "", "submit cancel"),
        ("requested", "", "approve reject cancel"),
        ("approved", "approve", ""),
        ("rejected", "reject", ""),
        ("cancelled", "cancel", ""),
    ] {
        let draft = status == "draft";
        let request = given_request(&app, store, warehouse, &[(product, 1)], draft).await;
        if !way.is_empty() {
            let (_, body) = steps.iter().find(|(verb, _)| *verb == way).unwrap();
            app.post(&step(request, way), body).await.expect(200);
        }
        let before = read(&app, request).await;
        assert_eq!(before["status"], status);
        for (verb, body) in steps.iter().filter(|(verb, _)| !allowed.contains(verb)) {
            let refused = app.post(&step(request, verb), body).await;
            let problem = refused.expect_problem(409, "replenishment-status");
            assert!(problem["detail"].as_str().unwrap().contains(": "));
        }
        assert_eq!(read(&app, request).await["version"], before["version"]);
    }
    app.assert_invariants().await;
}

#[actix_web::test]
async fn of_approvals_at_once_one_makes_one_transfer() {
    for topology in WITH_REPLICAS {
        let app = TestApp::start(topology).await;
        let (store, warehouse, product) = given(&app).await;
        let request = given_request(&app, store, warehouse, &[(product, 10)], false).await;
        let (at, body) = (step(request, "approve"), json!({}));
        let replies = join_all((0..6).map(|_| app.post(&at, &body))).await;
        let of = |status: u16| replies.iter().filter(|r| r.status == status).count();
        assert_eq!((of(200), of(409)), (1, 5));
        assert_eq!(transfers_to(&app, store).await.len(), 1);

        let request = given_request(&app, store, warehouse, &[(product, 10)], false).await;
        let (at, key) = (step(request, "approve"), Uuid::now_v7().to_string());
        let replies = join_all((0..12).map(|_| app.post_keyed(&at, &key, &body))).await;
        for reply in &replies {
            assert_eq!((reply.status, &reply.text), (200, &replies[0].text));
        }
        let replayed = |r: &&Reply| r.headers.contains_key("idempotent-replayed");
        assert_eq!(replies.iter().filter(replayed).count(), 11);
        assert_eq!(transfers_to(&app, store).await.len(), 2);
        let less = json!({"lines": [{"product_id": product, "quantity": 1}]});
        app.post_keyed(&at, &key, &less)
            .await
            .expect_problem(422, "idempotency-key-reused");
        app.assert_invariants().await;
    }
}

/// Everything is as if the process had been killed after the store module made the transfer, and
/// before that was noted.
const FORGET: &str = "UPDATE inventory.replenishment_transfers SET status = 'planned', \
    number = NULL, transfer_version = 0";
/// Everything is as if the process had been killed after the approval was noted.
const NOTE: &str = "UPDATE inventory.replenishment_requests SET status = 'approved', \
        decided_by = created_by, decided_at = now(), version = version + 1; \
    UPDATE inventory.replenishment_lines SET approved = quantity; \
    INSERT INTO inventory.replenishment_transfers SELECT gen_random_uuid(), request_id, \
        source_store_id, NULL, 'planned', 0, NULL, now() - interval '1 minute', now() \
        FROM inventory.replenishment_lines; \
    INSERT INTO inventory.replenishment_transfer_lines SELECT t.transfer_id, l.product_id, 'SKU', \
        'Name', l.quantity FROM inventory.replenishment_transfers t \
        JOIN inventory.replenishment_lines l USING (request_id); \
    DELETE FROM inventory.outbox";

#[actix_web::test]
async fn an_approval_that_was_cut_short_makes_its_transfer_once() {
    for topology in TOPOLOGIES {
        let app = TestApp::start(topology).await;
        let (store, warehouse, product) = given(&app).await;
        let request = given_request(&app, store, warehouse, &[(product, 10)], false).await;
        let (at, key) = (step(request, "approve"), Uuid::now_v7().to_string());
        let first = app.post_keyed(&at, &key, &json!({})).await;
        app.eventually("the store's events are heard", async || {
            app.db(Module::Store)
                .number("SELECT count(*) FROM store.outbox WHERE published_at IS NULL")
                == 0
        })
        .await;
        app.db(Module::Inventory).execute(FORGET);
        app.post(&at, &json!({}))
            .await
            .expect_problem(409, "replenishment-status");
        let again = app.post_keyed(&at, &key, &json!({})).await;
        assert_eq!((again.status, &again.text), (200, &first.text));
        let shown = read(&app, request).await;
        assert_eq!(shown["transfers"][0]["status"], "requested");
        assert_eq!(transfers_to(&app, store).await.len(), 1);
        app.assert_invariants().await;
    }
}

#[actix_web::test]
async fn what_an_approval_left_over_is_made_without_being_asked() {
    for topology in TOPOLOGIES {
        let app = TestApp::start(topology).await;
        let (store, warehouse, product) = given(&app).await;
        let request = given_request(&app, store, warehouse, &[(product, 10)], false).await;
        app.db(Module::Inventory).execute(NOTE);
        app.eventually("the transfer is made", async || {
            read(&app, request).await["transfers"][0]["status"] == "requested"
        })
        .await;
        let made = transfers_to(&app, store).await;
        assert_eq!(made.len(), 1);
        assert_eq!(made[0]["source"]["id"], json!(request));
    }
}

#[actix_web::test]
async fn logistics_decides_and_the_store_that_asks_does_not() {
    for topology in TOPOLOGIES {
        let app = TestApp::start(topology).await;
        let (store, warehouse, product) = given(&app).await;
        let elsewhere = app.given_store().await;
        let as_user = async |token: &str, method: Method, at: &str, body: &Value| {
            let body = (method != Method::GET).then_some(body);
            app.send(method, at, token, None, body).await
        };
        let clerk = app.user(Role::Clerk, Some(store)).await;
        let manager = app.user(Role::Manager, Some(store)).await;
        let stranger = app.user(Role::Manager, Some(elsewhere)).await;
        let logistics = app.user(Role::Manager, Some(warehouse)).await;
        let packer = app.user(Role::Clerk, Some(warehouse)).await;
        let cashier = app.user(Role::Cashier, Some(store)).await;
        let body = json!({"store_id": store, "lines": [{"product_id": product, "quantity": 5}]});
        as_user(&cashier, Method::POST, REQUESTS, &body)
            .await
            .expect_problem(403, "forbidden");
        as_user(&stranger, Method::POST, REQUESTS, &body)
            .await
            .expect_problem(404, "not-found");
        let request = id(&as_user(&clerk, Method::POST, REQUESTS, &body).await);
        let at = format!("{REQUESTS}/{request}");
        for (token, status) in [
            (&clerk, 200),
            (&manager, 200),
            (&logistics, 200),
            (&stranger, 404),
            (&packer, 404),
            (&cashier, 403),
        ] {
            let found = as_user(token, Method::GET, &at, &body).await;
            assert_eq!(found.status, status, "{}", found.text);
        }
        let approve = step(request, "approve");
        for (token, status) in [(&manager, 403), (&clerk, 403), (&stranger, 404)] {
            let refused = as_user(token, Method::POST, &approve, &json!({})).await;
            assert_eq!(refused.status, status, "{}", refused.text);
        }
        as_user(
            &logistics,
            Method::POST,
            &step(request, "cancel"),
            &json!({}),
        )
        .await
        .expect_problem(404, "not-found");
        let list = as_user(&logistics, Method::GET, REQUESTS, &body).await;
        assert_eq!(list.expect(200)["items"].as_array().unwrap().len(), 1);
        let list = as_user(&stranger, Method::GET, REQUESTS, &body).await;
        assert_eq!(list.expect(200)["items"], json!([]));
        let approved = as_user(&logistics, Method::POST, &approve, &json!({})).await;
        let approved = approved.expect(200);
        assert_eq!(approved["transfers"][0]["from_store_id"], json!(warehouse));
        app.assert_invariants().await;
    }
}

#[actix_web::test]
async fn an_approval_takes_the_best_source_of_each_line() {
    let app = TestApp::start(TOPOLOGIES[0]).await;
    let (store, other) = (app.given_store().await, app.given_store().await);
    let (one, two, none) = (
        app.given_product(1).await,
        app.given_product(1).await,
        app.given_product(1).await,
    );
    let warehouse = given_warehouse(&app, &[one, two], 100).await;
    app.given_stock(other, one, 50).await;
    let line = |product: Uuid, quantity: i64| json!({"product_id": product, "quantity": quantity});
    let ask = async |lines: Value| {
        let body = json!({"store_id": store, "lines": lines});
        id(&app.post(REQUESTS, &body).await)
    };
    let request = ask(json!([line(one, 30), line(two, 120), line(none, 1)])).await;
    let refused = app.post(&step(request, "approve"), &json!({})).await;
    let problem = refused.expect_problem(409, "no-source");
    assert_eq!(problem["errors"][0]["product_id"], json!(none));
    let lines = json!({"lines": [line(one, 30), line(two, 120), line(none, 0)]});
    let approved = app
        .post(&step(request, "approve"), &lines)
        .await
        .expect(200);
    let given: Vec<_> = approved["transfers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|t| {
            (
                t["from_store_id"].clone(),
                t["lines"][0]["quantity"].clone(),
            )
        })
        .collect();
    // The surplus of the other store before the warehouse, and no more than the warehouse has.
    assert_eq!(given.len(), 2);
    assert!(given.contains(&(json!(other), json!(30))));
    assert!(given.contains(&(json!(warehouse), json!(100))));
    // What the other store is asked for already is not free any more.
    let request = ask(json!([line(one, 30)])).await;
    let approved = app.post(&step(request, "approve"), &json!({})).await;
    let approved = approved.expect(200);
    assert_eq!(approved["transfers"][0]["from_store_id"], json!(warehouse));
    app.assert_invariants().await;
}

#[actix_web::test]
async fn what_cannot_be_asked_for_or_approved_is_refused_by_name() {
    let app = TestApp::start(TOPOLOGIES[0]).await;
    let (store, warehouse, product) = given(&app).await;
    let line = json!({"product_id": product, "quantity": 1});
    let of = |key: &str, value: Value| {
        let mut line = line.clone();
        line[key] = value;
        json!([line])
    };
    for (lines, pointer) in [
        (json!([]), "/lines"),
        (json!([line, line]), "/lines/1/product_id"),
        (
            of("product_id", json!(Uuid::now_v7())),
            "/lines/0/product_id",
        ),
        (
            of("source_store_id", json!(store)),
            "/lines/0/source_store_id",
        ),
        (
            of("source_store_id", json!(Uuid::now_v7())),
            "/lines/0/source_store_id",
        ),
    ] {
        let refused = app
            .post(REQUESTS, &json!({"store_id": store, "lines": lines}))
            .await;
        let problem = refused.expect_problem(400, "invalid-request");
        assert_eq!(problem["errors"][0]["pointer"], pointer);
    }
    let request = given_request(&app, store, warehouse, &[(product, 5)], false).await;
    for (lines, pointer) in [
        (of("quantity", json!(6)), "/lines/0/quantity"),
        (of("quantity", json!(0)), "/lines"),
        (
            of("product_id", json!(Uuid::now_v7())),
            "/lines/0/product_id",
        ),
        (
            of("source_store_id", json!(store)),
            "/lines/0/source_store_id",
        ),
        (of("source_store_id", json!(Uuid::now_v7())), "/lines"),
    ] {
        let refused = app
            .post(&step(request, "approve"), &json!({"lines": lines}))
            .await;
        let problem = refused.expect_problem(400, "invalid-request");
        assert_eq!(problem["errors"][0]["pointer"], pointer);
    }
    assert_eq!(read(&app, request).await["status"], "requested");
}

/// What breaks the books of requests, by hand.
const SABOTAGE: &[(&str, &str)] = &[
    (
        "R1",
        "UPDATE inventory.replenishment_lines SET approved = approved - 1",
    ),
    (
        "R1",
        "UPDATE inventory.replenishment_transfer_lines SET quantity = quantity + 1",
    ),
    ("R1", "DELETE FROM inventory.replenishment_transfer_lines"),
    (
        "R2",
        "UPDATE inventory.replenishment_transfers SET status = 'received'",
    ),
    (
        "R2",
        "UPDATE inventory.replenishment_requests SET status = 'fulfilled', ended_at = now()",
    ),
    (
        "R2",
        "DELETE FROM inventory.replenishment_transfer_lines; \
         DELETE FROM inventory.replenishment_transfers",
    ),
];

#[actix_web::test]
async fn a_request_that_does_not_add_up_is_found() {
    for (check, sabotage) in SABOTAGE {
        let app = TestApp::start(Topology::Whole).await;
        let (store, warehouse, product) = given(&app).await;
        let request = given_request(&app, store, warehouse, &[(product, 5)], false).await;
        app.post(&step(request, "approve"), &json!({}))
            .await
            .expect(200);
        app.assert_invariants().await;
        app.db(Module::Inventory).execute(sabotage);
        let title = match *check {
            "R1" => "R1 the transfers of a request carry what was approved of it, and nothing else",
            _ => "R2 a request is approved while its transfers go on, and over when they are",
        };
        assert!(
            app.violations(title).await > 0,
            "{sabotage} was not noticed"
        );
    }
}
