//! Transfers: nothing is lost on the way that nobody gave up, and nothing arrives that did not
//! leave.

use comptoir::process::Module;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::app::{Reply, TOPOLOGIES, TestApp, id};

pub const ALL: &str = "/api/stocks/transfers";

pub fn draft(from: Uuid, to: Uuid, lines: &[(Uuid, i64)]) -> Value {
    let lines: Vec<Value> = lines
        .iter()
        .map(|(product, quantity)| json!({"product_id": product, "quantity": quantity}))
        .collect();
    json!({"from_store_id": from, "to_store_id": to, "lines": lines})
}

pub fn path(transfer: Uuid, verb: &str) -> String {
    format!("{ALL}/{transfer}/{verb}")
}

pub async fn does(app: &TestApp, transfer: Uuid, verb: &str, body: &Value) -> Reply {
    app.post(&path(transfer, verb), body).await
}

pub fn receipt(product: Uuid, received: i64, damaged: i64, lost: i64) -> Value {
    json!({"lines": [{"product_id": product, "received": received, "damaged": damaged, "lost": lost}]})
}

/// A transfer of 10 units that stands at `status`.
pub async fn given_transfer(
    app: &TestApp,
    from: Uuid,
    to: Uuid,
    product: Uuid,
    status: &str,
) -> Uuid {
    let transfer = id(&app.post(ALL, &draft(from, to, &[(product, 10)])).await);
    let why = json!({"reason": "a test"});
    let lost = json!({"write_off": true, "reason": "a test"});
    let all = |verbs: &[&'static str]| verbs.to_vec();
    let verbs = match status {
        "draft" => all(&[]),
        "requested" => all(&["request"]),
        "approved" => all(&["request", "approve"]),
        "in_transit" => all(&["request", "approve", "dispatch"]),
        "partially_received" => all(&["request", "approve", "dispatch", "part"]),
        "received" => all(&["request", "approve", "dispatch", "receive"]),
        "closed" => all(&["request", "approve", "dispatch", "part", "close"]),
        "cancelled" => all(&["request", "cancel"]),
        "rejected" => all(&["request", "reject"]),
        other => panic!("no way to {other}"),
    };
    for verb in verbs {
        let (verb, body) = match verb {
            "part" => ("receive", receipt(product, 4, 0, 0)),
            "receive" => ("receive", receipt(product, 10, 0, 0)),
            "close" => ("close", lost.clone()),
            "cancel" | "reject" => (verb, why.clone()),
            _ => (verb, json!({})),
        };
        does(app, transfer, verb, &body).await.expect(200);
    }
    transfer
}

/// Two stores, and a product of which the first has `quantity`.
pub async fn given(app: &TestApp, quantity: i64) -> (Uuid, Uuid, Uuid) {
    let (from, to) = (app.given_store().await, app.given_store().await);
    let product = app.given_product(100).await;
    app.given_stock(from, product, quantity).await;
    (from, to, product)
}

/// On hand, reserved, damaged, incoming.
pub async fn level(app: &TestApp, store: Uuid, product: Uuid) -> [i64; 4] {
    let level = app
        .get(&format!("/api/stocks/{store}/{product}"))
        .await
        .expect(200);
    ["on_hand", "reserved", "damaged", "incoming"].map(|field| level[field].as_i64().unwrap())
}

pub async fn line(app: &TestApp, transfer: Uuid) -> Value {
    app.get(&format!("{ALL}/{transfer}")).await.expect(200)["lines"][0].clone()
}

#[actix_web::test]
async fn a_transfer_lives_from_draft_to_closed_and_every_unit_is_accounted_for() {
    for topology in TOPOLOGIES {
        let app = TestApp::start(topology).await;
        let (from, to, product) = given(&app, 20).await;
        let made = app.post(ALL, &draft(from, to, &[(product, 5)])).await;
        let transfer = id(&made);
        assert_eq!(made.headers["location"], format!("{ALL}/{transfer}"));
        assert_eq!(made.body["status"], "draft");

        let lines = json!({"lines": [{"product_id": product, "quantity": 12}]});
        let patched = app.patch(&format!("{ALL}/{transfer}"), &lines).await;
        assert_eq!(patched.headers["etag"], "\"2\"");
        assert_eq!(patched.expect(200)["lines"][0]["requested"], 12);

        does(&app, transfer, "request", &json!({}))
            .await
            .expect(200);
        assert_eq!(level(&app, from, product).await, [20, 0, 0, 0]);
        does(&app, transfer, "approve", &json!({}))
            .await
            .expect(200);
        assert_eq!(level(&app, from, product).await, [20, 12, 0, 0]);
        assert_eq!(level(&app, to, product).await, [0, 0, 0, 0]);

        let ten = json!({"lines": [{"product_id": product, "quantity": 10}]});
        let sent = does(&app, transfer, "dispatch", &ten).await.expect(200);
        assert_eq!(sent["status"], "in_transit");
        assert_eq!(level(&app, from, product).await, [10, 0, 0, 0]);
        assert_eq!(level(&app, to, product).await, [0, 0, 0, 10]);

        let part = receipt(product, 5, 2, 0);
        let part = does(&app, transfer, "receive", &part).await.expect(200);
        assert_eq!(part["status"], "partially_received");
        assert_eq!(part["lines"][0]["in_transit"], 3);
        assert_eq!(level(&app, to, product).await, [5, 0, 2, 3]);
        let rest = receipt(product, 2, 0, 1);
        let rest = does(&app, transfer, "receive", &rest).await.expect(200);
        assert_eq!(rest["status"], "received");
        assert_eq!(level(&app, to, product).await, [7, 0, 2, 0]);
        let body = json!({"reason": "all is said"});
        let closed = does(&app, transfer, "close", &body).await.expect(200);
        assert_eq!(closed["status"], "closed");
        let line = line(&app, transfer).await;
        for (field, quantity) in [
            ("requested", 12),
            ("approved", 12),
            ("sent", 10),
            ("received", 7),
            ("damaged", 2),
            ("lost", 1),
            ("in_transit", 0),
        ] {
            assert_eq!(line[field], quantity, "{field}");
        }
        assert_told(&app, transfer).await;
        app.assert_invariants().await;
    }
}

/// The ledger, the receipts, the trail and the events tell of the life above.
async fn assert_told(app: &TestApp, transfer: Uuid) {
    let movements = app
        .get(&format!("/api/stocks/movements?document_id={transfer}"))
        .await
        .expect(200);
    let moved: Vec<Value> = movements["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|m| {
            json!([
                m["reason"],
                m["delta"],
                m["damaged_delta"],
                m["document_type"]
            ])
        })
        .collect();
    assert_eq!(
        moved,
        [
            json!(["transfer_in", 2, 0, "transfer"]),
            json!(["transfer_in", 5, 2, "transfer"]),
            json!(["transfer_out", -10, 0, "transfer"]),
        ]
    );
    let receipts = app.get(&path(transfer, "receipts")).await.expect(200);
    let said: Vec<&Value> = receipts["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|r| &r["lines"][0]["received"])
        .collect();
    assert_eq!(said, [5, 2]);
    let trail = app
        .get(&format!("/api/stores/audit?subject_id={transfer}"))
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
        done.join(" ").replace("transfer.", ""),
        "create update request approve dispatch receive receive close"
    );
    let db = app.db(Module::Store);
    assert_eq!(
        db.text(&format!(
            "SELECT string_agg(split_part(event_type, '.', 2), ' ' ORDER BY seq) \
             FROM store.outbox WHERE aggregate_id = '{transfer}'"
        )),
        "drafted drafted requested approved dispatched received received closed"
    );
    app.eventually("the outbox drains", async || {
        db.number("SELECT count(*) FROM store.outbox WHERE published_at IS NULL") == 0
    })
    .await;
}

#[actix_web::test]
async fn a_state_allows_only_what_follows_and_says_what_does() {
    let app = TestApp::start(TOPOLOGIES[0]).await;
    let (from, to, product) = given(&app, 1_000).await;
    let why = json!({"reason": "a test"});
    let back = json!({"lines": [{"product_id": product, "quantity": 1}], "reason": "a test"});
    let steps = [
        ("request", json!({})),
        ("approve", json!({})),
        ("reject", why.clone()),
        ("dispatch", json!({})),
        ("receive", receipt(product, 1, 0, 0)),
        ("close", why.clone()),
        ("cancel", why),
        ("return", back),
    ];
    for (status, allowed) in [
        ("draft", "request cancel"),
        ("requested", "approve reject cancel"),
        ("approved", "dispatch cancel"),
        ("in_transit", "receive close"),
        ("partially_received", "receive close return"),
        ("received", "close return"),
        ("closed", "return"),
        ("cancelled", ""),
        ("rejected", ""),
    ] {
        let transfer = given_transfer(&app, from, to, product, status).await;
        let before = app.get(&format!("{ALL}/{transfer}")).await.expect(200);
        assert_eq!(before["status"], status);
        for (verb, body) in steps.iter().filter(|(v, _)| !allowed.contains(v)) {
            let refused = does(&app, transfer, verb, body).await;
            let problem = refused.expect_problem(409, "transfer-status");
            assert!(problem["detail"].as_str().unwrap().contains(": "));
        }
        if status != "draft" {
            let patch = json!({"note": "too late"});
            app.patch(&format!("{ALL}/{transfer}"), &patch)
                .await
                .expect_problem(409, "transfer-status");
        }
        let after = app.get(&format!("{ALL}/{transfer}")).await.expect(200);
        assert_eq!(before, after);
    }
    app.assert_invariants().await;
}

#[actix_web::test]
async fn a_draft_is_changed_only_by_who_has_seen_it_and_only_between_two_stores() {
    let app = TestApp::start(TOPOLOGIES[0]).await;
    let (from, to, product) = given(&app, 10).await;
    let transfer = id(&app.post(ALL, &draft(from, to, &[(product, 5)])).await);
    let patch = async |version: &str, note: &str| {
        let request = app.http.patch(app.url(&format!("{ALL}/{transfer}")));
        let request = request
            .bearer_auth(&app.admin)
            .header("If-Match", version)
            .json(&json!({"note": note}));
        Reply::of(request.send().await.unwrap()).await
    };
    patch("\"1\"", "one").await.expect(200);
    patch("\"1\"", "two")
        .await
        .expect_problem(412, "version-mismatch");
    assert_eq!(patch("\"2\"", "one").await.headers["etag"], "\"2\"");

    let twice = draft(from, to, &[(product, 1), (product, 2)]);
    let nowhere = draft(from, from, &[(product, 1)]);
    let unknown = draft(from, to, &[(Uuid::now_v7(), 1)]);
    let no_store = draft(Uuid::now_v7(), to, &[(product, 1)]);
    for (body, pointer) in [
        (twice, "/lines/1/product_id"),
        (nowhere, "/to_store_id"),
        (unknown, "/lines/0/product_id"),
        (no_store, "/from_store_id"),
        (draft(from, to, &[]), "/lines"),
    ] {
        let problem = app.post(ALL, &body).await;
        let problem = problem.expect_problem(400, "invalid-request");
        assert_eq!(problem["errors"][0]["pointer"], pointer);
    }
}

#[actix_web::test]
async fn more_than_there_is_to_approve_send_or_receive_is_refused_by_name() {
    let app = TestApp::start(TOPOLOGIES[0]).await;
    let (from, to, product) = given(&app, 100).await;
    let (transfer, other) = (
        given_transfer(&app, from, to, product, "requested").await,
        app.given_product(1).await,
    );
    let picks = |product: Uuid, quantity: i64| json!({"lines": [{"product_id": product, "quantity": quantity}]});
    let refuse = async |verb: &str, body: Value, status: u16, code: &str| {
        let problem = does(&app, transfer, verb, &body).await;
        problem.expect_problem(status, code)["errors"][0].clone()
    };
    let error = refuse("approve", picks(product, 11), 409, "more-than-requested").await;
    assert_eq!(
        (&error["limit"], &error["pointer"]),
        (&json!(10), &json!("/lines/0"))
    );
    refuse("approve", picks(other, 1), 400, "invalid-request").await;
    refuse("approve", picks(product, 0), 400, "invalid-request").await;
    does(&app, transfer, "approve", &picks(product, 8))
        .await
        .expect(200);
    refuse("dispatch", picks(product, 9), 409, "more-than-approved").await;
    does(&app, transfer, "dispatch", &json!({}))
        .await
        .expect(200);
    refuse(
        "receive",
        receipt(product, 7, 1, 1),
        409,
        "more-than-in-transit",
    )
    .await;
    refuse("receive", receipt(product, 0, 0, 0), 400, "invalid-request").await;
    refuse("receive", receipt(other, 1, 0, 0), 400, "invalid-request").await;
    assert_eq!(level(&app, to, product).await, [0, 0, 0, 8]);
    app.assert_invariants().await;
}

#[actix_web::test]
async fn what_never_arrives_is_given_up_only_when_told() {
    let app = TestApp::start(TOPOLOGIES[0]).await;
    let (from, to, product) = given(&app, 10).await;
    let transfer = given_transfer(&app, from, to, product, "partially_received").await;
    let body = json!({"reason": "stolen"});
    does(&app, transfer, "close", &body)
        .await
        .expect_problem(409, "goods-in-transit");
    // While goods are on their way, the store that waits for them cannot be archived.
    app.post(&format!("/api/stores/{to}/archive"), &json!({}))
        .await
        .expect_problem(409, "stock-left");
    let body = json!({"reason": "stolen", "write_off": true});
    let closed = does(&app, transfer, "close", &body).await.expect(200);
    assert_eq!(
        (&closed["status"], &closed["reason"]),
        (&json!("closed"), &json!("stolen"))
    );
    assert_eq!(level(&app, to, product).await, [4, 0, 0, 0]);
    let receipts = app.get(&path(transfer, "receipts")).await.expect(200);
    assert_eq!(receipts["items"][1]["kind"], "write_off");
    assert_eq!(receipts["items"][1]["lines"][0]["lost"], 6);
    app.assert_invariants().await;
}
