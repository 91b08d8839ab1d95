//! What happened is recorded, even below zero, and listed until somebody explains it.

use std::{sync::Arc, time::Duration};

use comptoir::process::Module;
use futures::future::{join, join_all};
use kernel::{
    auth::Role,
    call::{CallError, Cx},
    ids::{ProductId, SaleId, StoreId},
    migrate,
    money::Quantity,
};
use reqwest::Method;
use serde_json::{Value, json};
use store_api::{Hold, HoldLine, HoldRefused, HoldRequest, Oversell, Stock, StockClient};
use testkit::TestDb;
use uuid::Uuid;

use crate::{
    app::{Options, TOPOLOGIES, TestApp, Topology},
    sales::sale,
    store_ports,
};

pub const ALL: &str = "/api/stocks/discrepancies";

/// The port as the sales module reaches it.
fn port(app: &TestApp) -> Arc<dyn Stock> {
    match app.topology {
        Topology::Whole => store_ports::local(&store_ports::db(app)),
        Topology::Split => Arc::new(StockClient::new(store_ports::peer(app))),
        other => panic!("no way into {other:?}"),
    }
}

fn hold(store: Uuid, lines: &[(Uuid, i64)], oversell: Oversell) -> HoldRequest {
    let mut lines = lines.to_vec();
    lines.sort_unstable();
    HoldRequest {
        hold_id: SaleId::new(),
        store_id: StoreId(store),
        request_hash: vec![1],
        lines: lines
            .into_iter()
            .map(|(product, quantity)| HoldLine {
                product_id: ProductId(product),
                quantity: Quantity::new(quantity).unwrap(),
            })
            .collect(),
        occurred_at: kernel::time::now(),
        oversell,
    }
}

async fn held(stock: &Arc<dyn Stock>, request: &HoldRequest) -> Result<Hold, HoldRefused> {
    match stock.hold(&Cx::system(), request.clone()).await {
        Ok(hold) => Ok(hold),
        Err(CallError::Refused(refused)) => Err(refused),
        Err(CallError::NoAnswer(error)) => panic!("{error}"),
    }
}

async fn list(app: &TestApp, query: &str) -> Vec<Value> {
    let page = app.get(&format!("{ALL}?{query}")).await.expect(200);
    assert_eq!(page["next_cursor"], Value::Null);
    page["items"].as_array().unwrap().clone()
}

/// An open discrepancy of a product at a store, which may go below zero from now on.
pub async fn given_discrepancy(app: &TestApp, store: Uuid, product: Uuid) -> Value {
    let lenient = json!({"negative_stock": "allow"});
    let settings = format!("/api/stores/{store}/settings");
    app.patch(&settings, &lenient).await.expect(200);
    let on_hand = app.on_hand(store, product).await.max(0);
    let body = json!({"items": [{
        "type": "adjust", "store_id": store, "product_id": product, "delta": -1 - on_hand, "reason": "shrinkage",
    }]});
    app.post("/api/stocks/adjustments", &body).await.expect(201);
    let query = format!("store_id={store}&product_id={product}&state=open");
    list(app, &query).await.remove(0)
}

#[actix_web::test]
async fn what_an_offline_till_sold_is_taken_and_listed_until_it_is_explained() {
    for topology in TOPOLOGIES {
        let app = TestApp::start(topology).await;
        let store = app.given_store().await;
        let (few, many) = (app.given_product(100).await, app.given_product(100).await);
        let never = app.given_product(100).await;
        app.given_stock(store, few, 3).await;
        app.given_stock(store, many, 30).await;
        let stock = port(&app);
        let sold = hold(store, &[(few, 5), (many, 5), (never, 1)], Oversell::Record);
        assert_eq!(held(&stock, &sold).await, Ok(Hold { replayed: false }));
        assert_eq!(held(&stock, &sold).await, Ok(Hold { replayed: true }));
        assert_eq!(app.on_hand(store, few).await, -2);
        assert_eq!(app.on_hand(store, many).await, 25);
        assert_eq!(app.on_hand(store, never).await, -1);

        let open = list(&app, &format!("store_id={store}&state=open")).await;
        assert_eq!(open.len(), 2);
        let of_few = format!("product_id={few}&document_id={}", sold.hold_id);
        let found = list(&app, &of_few).await.remove(0);
        let what = (&found["quantity"], &found["on_hand_after"], &found["state"]);
        assert_eq!(what, (&json!(2), &json!(-2), &json!("open")));
        assert_eq!(found["document_type"], "sale");
        let own = format!("{ALL}/{}", found["id"].as_str().unwrap());
        assert_eq!(app.get(&own).await.expect(200), found);

        // Who asks first is refused as ever.
        let asked = hold(store, &[(few, 1)], Oversell::Refuse);
        let refused = held(&stock, &asked).await.unwrap_err();
        assert!(matches!(refused, HoldRefused::Short { lines } if lines[0].available == 0));

        // The books are put right by what comes in; that somebody explained it is noted.
        app.given_stock(store, few, 5).await;
        assert_eq!(app.on_hand(store, few).await, 3);
        let clerk = app.user(Role::Clerk, Some(store)).await;
        let stranger = app.user(Role::Manager, Some(app.given_store().await)).await;
        let cashier = app.user(Role::Cashier, Some(store)).await;
        let (at, key) = (format!("{own}/resolve"), Uuid::now_v7().to_string());
        let body = json!({"resolution": "delivered_late", "note": "Booked at noon"});
        let resolve = async |token: &str, key: &str, body: &Value| {
            app.send(Method::POST, &at, token, Some(key), Some(body))
                .await
        };
        resolve(&stranger, "1", &body)
            .await
            .expect_problem(404, "not-found");
        resolve(&cashier, "1", &body)
            .await
            .expect_problem(403, "forbidden");
        let by_itself = json!({"resolution": "sale_aborted", "note": "x"});
        resolve(&clerk, "1", &by_itself)
            .await
            .expect_problem(400, "invalid-request");
        let done = resolve(&clerk, &key, &body).await.expect(200);
        let how = (&done["state"], &done["resolution"]);
        assert_eq!(how, (&json!("resolved"), &json!("delivered_late")));
        let again = resolve(&clerk, &key, &body).await;
        assert_eq!(again.headers["idempotent-replayed"], "true");
        assert_eq!(again.expect(200), done);
        let other = json!({"resolution": "other", "note": "No, otherwise"});
        resolve(&clerk, &key, &other)
            .await
            .expect_problem(422, "idempotency-key-reused");
        resolve(&clerk, "2", &other)
            .await
            .expect_problem(409, "discrepancy-resolved");
        assert_eq!(app.get(&own).await.expect(200), done);
        let trail = app
            .get(&format!("/api/stores/audit?store_id={store}"))
            .await
            .expect(200);
        assert_eq!(trail["items"][0]["action"], "discrepancy.resolve");
        app.assert_invariants().await;
    }
}

#[actix_web::test]
async fn a_store_that_allows_negative_stock_lists_what_went_below_zero() {
    for topology in TOPOLOGIES {
        let app = TestApp::start(topology).await;
        let (store, product) = (app.given_store().await, app.given_product(100).await);
        app.given_stock(store, product, 3).await;
        let lenient = json!({"negative_stock": "allow"});
        let settings = format!("/api/stores/{store}/settings");
        app.patch(&settings, &lenient).await.expect(200);
        for quantity in [3, 2, 1] {
            let body = sale(store, &[(product, quantity)], 100 * quantity);
            app.post("/api/sales", &body).await.expect(201);
        }
        let listed = list(&app, &format!("store_id={store}")).await;
        let figures: Vec<_> = listed
            .iter()
            .map(|d| {
                let figure = |name: &str| d[name].as_i64().unwrap();
                (figure("quantity"), figure("on_hand_after"))
            })
            .collect();
        assert_eq!(figures, [(1, -3), (2, -2)]);
        app.assert_invariants().await;
    }
}

#[actix_web::test]
async fn however_many_sell_at_once_everything_below_zero_is_listed_once() {
    for topology in TOPOLOGIES {
        let app = TestApp::start(topology).await;
        let (store, product) = (app.given_store().await, app.given_product(100).await);
        app.given_stock(store, product, 10).await;
        let stock = port(&app);
        let recorded: Vec<_> = (0..20)
            .map(|_| hold(store, &[(product, 2)], Oversell::Record))
            .collect();
        // Each twice, as a till does that heard no answer.
        let twice = recorded.iter().chain(&recorded);
        let asked: Vec<_> = (0..20)
            .map(|_| hold(store, &[(product, 1)], Oversell::Refuse))
            .collect();
        let (taken, bought) = join(
            join_all(twice.map(|request| held(&stock, request))),
            join_all(asked.iter().map(|request| held(&stock, request))),
        )
        .await;
        assert!(taken.iter().all(Result::is_ok));
        let fresh = taken.iter().flatten().filter(|hold| !hold.replayed);
        assert_eq!(fresh.count(), 20);
        let bought = i64::try_from(bought.iter().filter(|b| b.is_ok()).count()).unwrap();
        let on_hand = app.on_hand(store, product).await;
        assert_eq!(on_hand, 10 - 40 - bought);
        let listed = list(&app, &format!("product_id={product}&limit=200")).await;
        let short: i64 = listed.iter().map(|d| d["quantity"].as_i64().unwrap()).sum();
        assert_eq!(short, -on_hand);
        app.assert_invariants().await;
    }
}

#[actix_web::test]
async fn a_sale_that_is_never_recorded_takes_its_discrepancy_with_it() {
    for topology in TOPOLOGIES {
        let options = Options {
            hold_ttl: Duration::from_secs(1),
            ..Options::default()
        };
        let app = TestApp::start_with(topology, options).await;
        let (store, product) = (app.given_store().await, app.given_product(100).await);
        let stock = port(&app);
        let body = json!({"resolution": "other", "note": "a test"});
        // While people resolve them, too: whoever comes first.
        let mut holds = Vec::new();
        for _ in 0..6 {
            let request = hold(store, &[(product, 1)], Oversell::Record);
            held(&stock, &request).await.unwrap();
            holds.push(request);
        }
        let open = list(&app, &format!("product_id={product}")).await;
        let resolved = join_all(open.iter().take(3).map(async |found| {
            let id = found["id"].as_str().unwrap();
            let reply = app.post(&format!("{ALL}/{id}/resolve"), &body).await;
            assert!([200, 409].contains(&reply.status), "{}", reply.text);
            reply.status == 200
        }))
        .await;
        app.eventually("the goods go back", async || {
            app.on_hand(store, product).await == 0
        })
        .await;
        let of = |resolution: &str| {
            let listed = format!(
                "SELECT count(*) FROM store.discrepancies WHERE resolution = '{resolution}'"
            );
            app.db(Module::Store).number(&listed)
        };
        let by_people = i64::try_from(resolved.iter().filter(|done| **done).count()).unwrap();
        assert_eq!(
            (of("other"), of("sale_aborted")),
            (by_people, 6 - by_people)
        );
        let late = held(&stock, &holds[0]).await;
        assert_eq!(late, Err(HoldRefused::Released));
        app.assert_invariants().await;
    }
}

#[actix_web::test]
async fn of_several_explanations_at_once_one_is_kept() {
    for topology in TOPOLOGIES {
        let app = TestApp::start(topology).await;
        let (store, product) = (app.given_store().await, app.given_product(100).await);
        let found = given_discrepancy(&app, store, product).await;
        let at = format!("{ALL}/{}/resolve", found["id"].as_str().unwrap());
        let words = ["counted", "delivered_late", "sold_twice", "other"];
        let bodies = words.map(|word| json!({"resolution": word, "note": word}));
        let replies = join_all(bodies.iter().map(|body| app.post(&at, body))).await;
        let won: Vec<_> = replies.iter().filter(|r| r.status == 200).collect();
        assert_eq!(won.len(), 1);
        let lost = replies.iter().filter(|r| r.status == 409).count();
        assert_eq!(lost, 3);
        let now = list(&app, &format!("store_id={store}")).await;
        assert_eq!(now[0], won[0].body);
    }
}

#[actix_web::test]
async fn a_hold_that_finds_its_goods_costs_no_statement_more() {
    let app = TestApp::start(TOPOLOGIES[0]).await;
    let (store, product) = (app.given_store().await, app.given_product(100).await);
    app.given_stock(store, product, 3).await;
    let db = store_ports::db(&app);
    let stock: Arc<dyn Stock> = store_ports::local(&db);
    let taken = async |oversell| {
        let before = db.statements();
        let request = hold(store, &[(product, 2)], oversell);
        held(&stock, &request).await.unwrap();
        db.statements() - before
    };
    // Asked for, locked, written; and before that, how. The other one is the row that a level may
    // lack, and the list of what was not there.
    assert_eq!(taken(Oversell::Refuse).await, 4);
    assert_eq!(taken(Oversell::Record).await, 6);
}

#[test]
fn what_went_below_zero_before_there_was_a_list_is_put_on_it() {
    let (db, migrations) = (TestDb::empty(), || Module::Store.migrations().unwrap());
    let url = db.url();
    migrate::up(&url, "store", migrations()).unwrap();
    let is_listed = || db.number("SELECT count(to_regclass('store.discrepancies'))") == 1;
    while is_listed() {
        migrate::down(&url, "store", migrations(), false).unwrap();
    }
    let (store, product) = (Uuid::now_v7(), Uuid::now_v7());
    let (kept, aborted) = (Uuid::now_v7(), Uuid::now_v7());
    db.execute(&format!(
        "INSERT INTO store.stores (id, code, name, kind, timezone, day_cutoff, currency, tax_mode, \
             negative_stock, version, created_at, updated_at) \
         VALUES ('{store}', 'A', 'A', 'sales', 'UTC', '00:00', 'EUR', 'included', 'allow', 1, now(), now())"
    ));
    db.execute(&format!(
        "INSERT INTO store.holds SELECT h.id::uuid, '{store}', '', h.state, now(), now() \
         FROM (VALUES ('{kept}', 'consumed'), ('{aborted}', 'released')) h(id, state)"
    ));
    db.execute(&format!(
        "INSERT INTO store.movements SELECT '{store}', '{product}', m.seq, m.delta, 0, m.balance, 0, \
             true, m.reason, m.kind, m.id::uuid, '{store}', now(), now() - interval '1 day' \
         FROM (VALUES (1, 3, 3, 'opening', 'adjustment', '{store}'), \
             (2, -3, 0, 'sale', 'sale', '{kept}'), (3, -2, -2, 'sale', 'sale', '{kept}'), \
             (4, -1, -3, 'sale', 'sale', '{aborted}'), (5, 1, -2, 'sale_aborted', 'sale', '{aborted}'), \
             (6, -4, -6, 'damaged', 'adjustment', '{store}')) m(seq, delta, balance, reason, kind, id)"
    ));
    migrate::up(&url, "store", migrations()).unwrap();
    let listed = "SELECT string_agg(concat_ws(' ', seq, state, resolution), ', ' ORDER BY seq) \
        FROM store.discrepancies";
    assert_eq!(db.text(listed), "3 open, 4 resolved sale_aborted, 6 open");
    let ids = "SELECT id::text FROM store.discrepancies WHERE seq = 3";
    let id: Uuid = db.text(ids).parse().unwrap();
    assert_eq!(id.get_version_num(), 7);
}

/// What breaks the list, by hand.
const SABOTAGE: &[&str] = &[
    "DELETE FROM store.discrepancies",
    "ALTER TABLE store.discrepancies DROP CONSTRAINT discrepancies_store_id_product_id_seq_fkey; \
     UPDATE store.discrepancies SET seq = seq - 1",
    "UPDATE store.levels SET may_go_negative = false",
    "UPDATE store.movements SET may_go_negative = false",
    "UPDATE store.discrepancies SET state = 'open', resolution = NULL, note = NULL, \
     resolved_by = NULL, resolved_at = NULL WHERE resolution = 'sale_aborted'",
];

#[actix_web::test]
async fn a_level_below_zero_that_is_not_listed_is_found() {
    for sabotage in SABOTAGE {
        let options = Options {
            hold_ttl: Duration::from_millis(100),
            ..Options::default()
        };
        let app = TestApp::start_with(Topology::Whole, options).await;
        let (store, product) = (app.given_store().await, app.given_product(100).await);
        app.given_stock(store, product, 3).await;
        given_discrepancy(&app, store, product).await;
        let aborted = hold(store, &[(product, 1)], Oversell::Record);
        held(&port(&app), &aborted).await.unwrap();
        app.eventually("the goods go back", async || {
            app.on_hand(store, product).await == -1
        })
        .await;
        let violations = async || {
            let report = app.get("/api/stocks/integrity").await.expect(200);
            let checks = report["checks"].as_array().unwrap().clone();
            let check = checks.into_iter().find(|check| check["id"] == "I2");
            check.unwrap()["violations"].as_i64().unwrap()
        };
        assert_eq!(violations().await, 0);
        let db = app.db(Module::Store);
        db.execute(crate::invariants::DISARM);
        db.execute(sabotage);
        assert!(violations().await > 0, "{sabotage} was not noticed");
    }
}
