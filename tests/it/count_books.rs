//! Who sees and does what of counts, and proof that books which do not add up are found.

use comptoir::process::Module;
use kernel::auth::Role;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    app::{TOPOLOGIES, TestApp, Topology, id},
    counts::{ALL, does, enters, entry, given, given_count, keep, of_products, path, sells},
};

#[actix_web::test]
async fn those_who_count_do_not_post_and_a_blind_count_tells_them_nothing() {
    for topology in TOPOLOGIES {
        let app = TestApp::start(topology).await;
        let (store, p) = given(&app, &[10, 5]).await;
        let elsewhere = app.given_store().await;
        let clerk = app.user(Role::Clerk, Some(store)).await;
        let manager = app.user(Role::Manager, Some(store)).await;
        let cashier = app.user(Role::Cashier, Some(store)).await;
        let stranger = app.user(Role::Manager, Some(elsewhere)).await;
        let ask = async |token: &str, method: Method, path: &str, body: &Value| {
            let body = (method != Method::GET).then_some(body);
            app.send(method, path, token, None, body).await
        };
        let mut body = of_products(store, &p);
        body["blind"] = json!(true);
        ask(&stranger, Method::POST, ALL, &body)
            .await
            .expect_problem(404, "not-found");
        ask(&cashier, Method::POST, ALL, &body)
            .await
            .expect_problem(403, "forbidden");
        let count = id(&ask(&clerk, Method::POST, ALL, &body).await);
        // That nothing deviates would tell as much as what does.
        let deviating = format!("{}?which=deviating", path(count, "lines"));
        ask(&clerk, Method::GET, &deviating, &body)
            .await
            .expect_problem(403, "count-blind");
        let scan = entry(p[0], "set", 7);
        let entered = ask(&clerk, Method::POST, &path(count, "lines"), &scan).await;
        let line = entered.expect(200)["lines"][0].clone();
        assert_eq!(line["counted"], 7);
        for hidden in ["expected", "variance"] {
            assert_eq!(line[hidden], Value::Null);
        }

        let sheet = path(count, "lines");
        let seen = async |token: &str| {
            let page = ask(token, Method::GET, &sheet, &body).await.expect(200);
            let of = |product: Uuid| {
                let items = page["items"].as_array().unwrap();
                let line = items.iter().find(|l| l["product_id"] == json!(product));
                line.unwrap()["expected"].clone()
            };
            [of(p[0]), of(p[1])]
        };
        let (own, entries) = (format!("{ALL}/{count}"), path(count, "entries"));
        // What nobody has counted is hidden from those as well who may judge what was.
        assert_eq!(seen(&clerk).await, [Value::Null, Value::Null]);
        assert_eq!(seen(&manager).await, [json!(10), Value::Null]);
        for (token, down) in [(&clerk, Value::Null), (&manager, json!(3))] {
            let head = ask(token, Method::GET, &own, &body).await.expect(200);
            assert_eq!(head["summary"]["units_down"], down);
            let listed = ask(token, Method::GET, &entries, &body).await.expect(200);
            let hidden = down == Value::Null;
            assert_eq!(listed["items"][0]["on_hand"] == Value::Null, hidden);
        }
        ask(&clerk, Method::GET, &deviating, &body)
            .await
            .expect_problem(403, "count-blind");
        ask(&manager, Method::GET, &deviating, &body)
            .await
            .expect(200);

        for (verb, body) in [
            ("recount", json!({"over_units": 1})),
            ("post", keep()),
            ("cancel", json!({"reason": "a test"})),
        ] {
            let at = path(count, verb);
            for (token, status, code) in [
                (&clerk, 403, "forbidden"),
                (&cashier, 403, "forbidden"),
                (&stranger, 404, "not-found"),
            ] {
                ask(token, Method::POST, &at, &body)
                    .await
                    .expect_problem(status, code);
            }
        }
        for at in [&own, &sheet, &entries] {
            ask(&stranger, Method::GET, at, &body)
                .await
                .expect_problem(404, "not-found");
        }
        ask(&manager, Method::POST, &path(count, "post"), &keep())
            .await
            .expect(200);
        assert_eq!(seen(&clerk).await, [json!(10), json!(5)]);
        assert_eq!(app.on_hand(store, p[0]).await, 7);
    }
}

#[actix_web::test]
async fn counts_and_their_sheets_are_paged() {
    let app = TestApp::start(TOPOLOGIES[0]).await;
    let (store, products) = given(&app, &[1, 2, 3, 4, 5]).await;
    let mut made = Vec::new();
    for product in &products {
        made.push(given_count(&app, store, &[*product]).await);
    }
    does(&app, made[1], "cancel", &json!({"reason": "a test"}))
        .await
        .expect(200);
    let walk = async |path: String, field: &str| {
        let (mut found, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = app.get(&format!("{path}limit=2{cursor}")).await.expect(200);
            let items = page["items"].as_array().unwrap();
            found.extend(items.iter().map(|item| item[field].clone()));
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return found,
            }
        }
    };
    let newest: Vec<Value> = made.iter().rev().map(|id| json!(id)).collect();
    assert_eq!(walk(format!("{ALL}?store_id={store}&"), "id").await, newest);
    let open = walk(format!("{ALL}?store_id={store}&status=open&"), "id").await;
    assert_eq!(open.len(), 4);
    let other = app.given_store().await;
    let query = format!("{ALL}?store_id={other}&");
    assert_eq!(walk(query, "id").await, Vec::<Value>::new());

    for (product, quantity) in products.iter().zip(1..) {
        app.given_stock(other, *product, quantity).await;
    }
    let count = given_count(&app, other, &products).await;
    for product in &products {
        enters(&app, count, *product, "add", 1).await;
        enters(&app, count, *product, "add", 1).await;
    }
    let skus = walk(format!("{}?", path(count, "lines")), "sku").await;
    assert_eq!(skus.len(), 5);
    assert!(skus.is_sorted_by(|a, b| a.as_str() < b.as_str()));
    let entries = walk(format!("{}?", path(count, "entries")), "seq").await;
    assert_eq!(entries.len(), 10);
}

/// What breaks the books of counts, by hand.
const SABOTAGE: &[&str] = &[
    "UPDATE store.count_lines SET posted = posted + 1",
    "UPDATE store.count_lines SET posted = 0 WHERE posted IS NULL",
    "UPDATE store.count_lines SET posted = NULL",
    "UPDATE store.count_lines SET counted = counted + 1 WHERE is_open",
    "UPDATE store.count_lines SET expected = expected + 1 WHERE is_open",
    "UPDATE store.count_lines SET is_open = true",
    "UPDATE store.count_entries SET quantity = quantity + 1",
    "UPDATE store.count_entries SET on_hand = on_hand + 1",
    "DELETE FROM store.count_entries",
    "UPDATE store.movements SET delta = delta - 1 WHERE reason = 'count'",
    "UPDATE store.movements SET document_id = gen_random_uuid() WHERE reason = 'count'",
    "UPDATE store.counts SET status = 'cancelled', uncounted = NULL WHERE status = 'posted'",
];

#[actix_web::test]
async fn a_count_that_does_not_add_up_is_found() {
    for sabotage in SABOTAGE {
        let app = TestApp::start(Topology::Whole).await;
        let (store, p) = given(&app, &[10, 10, 10, 10]).await;
        let posted = given_count(&app, store, &p[..2]).await;
        enters(&app, posted, p[0], "add", 4).await;
        sells(&app, store, p[0], 1).await;
        enters(&app, posted, p[0], "add", 5).await;
        let zero = json!({"uncounted": "zero"});
        does(&app, posted, "post", &zero).await.expect(200);
        let open = given_count(&app, store, &p[2..3]).await;
        enters(&app, open, p[2], "set", 4).await;
        let cancelled = given_count(&app, store, &p[3..]).await;
        does(&app, cancelled, "cancel", &json!({"reason": "a test"}))
            .await
            .expect(200);
        let violations = async || {
            let report = app.get("/api/stocks/integrity").await.expect(200);
            let checks = report["checks"].as_array().unwrap().clone();
            let check = checks.into_iter().find(|check| check["id"] == "I12");
            check.unwrap()["violations"].as_i64().unwrap()
        };
        assert_eq!(violations().await, 0);
        let db = app.db(Module::Store);
        db.execute(crate::invariants::DISARM);
        db.execute("DROP INDEX store.count_lines_open");
        db.execute(sabotage);
        assert!(violations().await > 0, "{sabotage} was not noticed");
    }
}
