//! Reorder rules, and what they suggest: figures worked out by hand, nobody is asked for more than
//! they can do without, and nobody sees another store's.

use comptoir::process::Module;
use futures::future::join;
use kernel::auth::Role;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    app::{Reply, TOPOLOGIES, TestApp, Topology, WITH_REPLICAS},
    replenishment::{RULES, given_warehouse, step},
    returns::back,
    sales::sale,
};

const SUGGESTIONS: &str = "/api/inventory/replenishment/suggestions";
const ACCEPT: &str = "/api/inventory/replenishment/suggestions/accept";

async fn put(app: &TestApp, store: Uuid, product: Uuid, rule: &Value) -> Reply {
    let at = format!("{RULES}/{store}/{product}");
    app.send(Method::PUT, &at, &app.admin, None, Some(rule))
        .await
}

async fn given_rule(app: &TestApp, store: Uuid, product: Uuid, rule: &Value) {
    put(app, store, product, rule).await.expect(201);
}

/// Today, by UTC, which is every test store's clock.
fn today() -> String {
    chrono::Utc::now().date_naive().to_string()
}

async fn suggested(app: &TestApp, store: Uuid) -> Vec<Value> {
    let at = format!("{SUGGESTIONS}?store_id={store}&date={}", today());
    let page = app.get(&at).await.expect(200);
    page["items"].as_array().unwrap().clone()
}

fn accepted(store: Uuid, product: Uuid, quantity: i64, source: Uuid) -> Value {
    json!({"store_id": store, "suggestions": [
        {"product_id": product, "quantity": quantity, "source_store_id": source}
    ]})
}

#[actix_web::test]
async fn a_suggestion_is_as_worked_out_by_hand_and_prefers_another_store_s_surplus() {
    for topology in TOPOLOGIES {
        let app = TestApp::start(topology).await;
        let product = app.given_product(100).await;
        let (short, rich) = (app.given_store().await, app.given_store().await);
        let warehouse = given_warehouse(&app, &[product], 1_000).await;
        app.given_stock(short, product, 15).await;
        app.given_stock(rich, product, 100).await;
        let rule = json!({"min": 10, "max": 40, "multiple": 6});
        given_rule(&app, short, product, &rule).await;
        // It keeps its maximum of 60, so 40 are free.
        given_rule(&app, rich, product, &json!({"min": 20, "max": 60})).await;
        assert_eq!(suggested(&app, short).await, Vec::<Value>::new());

        // 15 − 10 sold + 1 returned = 6 are there; 9 sold of which 1 came back, one sale is void.
        let sold = app
            .post("/api/sales", &sale(short, &[(product, 9)], 900))
            .await;
        app.post("/api/returns", &back(&sold.expect(201), 1, "damaged"))
            .await
            .expect(201);
        let void = app
            .post("/api/sales", &sale(short, &[(product, 2)], 200))
            .await;
        let void = format!(
            "/api/sales/{}/void",
            void.expect(201)["id"].as_str().unwrap()
        );
        app.post(&void, &json!({"reason": "a test"}))
            .await
            .expect(200);
        app.eventually("the void is back in stock", async || {
            app.on_hand(short, product).await == 6
        })
        .await;

        let found = suggested(&app, short).await;
        let [suggestion] = &found[..] else {
            panic!("{found:?}")
        };
        let figures = &suggestion["figures"];
        assert_eq!(
            (&figures["on_hand"], &figures["sold"]),
            (&json!(6), &json!(8))
        );
        assert_eq!(figures["velocity"], "0.28");
        assert_eq!(
            (&figures["projected"], &figures["target"]),
            (&json!(6), &json!(40))
        );
        // 34 are missing: six boxes of six.
        assert_eq!(
            (&suggestion["needed"], &suggestion["quantity"]),
            (&json!(36), &json!(36))
        );
        assert_eq!(suggestion["source"]["store_id"], json!(rich));
        assert_eq!(suggestion["source"]["reason"], "store_surplus");
        assert_eq!(suggestion["reasons"], json!(["below_min", "to_max"]));

        // A supplier three days away: eight in four weeks are one more, and the warehouse is named.
        let rule = json!({
            "min": 6, "cover_days": 28, "lead_days": 3, "source_store_id": warehouse
        });
        put(&app, short, product, &rule).await.expect(200);
        let found = suggested(&app, short).await;
        let suggestion = &found[0];
        assert_eq!(
            suggestion["reasons"],
            json!(["below_min_within_lead_time", "to_cover"])
        );
        // 6 − 1 = 5; 6 + 8 = 14; 9 are missing.
        assert_eq!(suggestion["figures"]["projected"], 5);
        assert_eq!(suggestion["figures"]["target"], 14);
        assert_eq!(suggestion["quantity"], 9);
        assert_eq!(suggestion["source"]["store_id"], json!(warehouse));
        assert_eq!(suggestion["source"]["reason"], "preferred");
    }
}

#[actix_web::test]
async fn what_is_accepted_is_asked_for_once_and_not_suggested_again() {
    for topology in TOPOLOGIES {
        let app = TestApp::start(topology).await;
        let product = app.given_product(100).await;
        let (one, two, rich) = (
            app.given_store().await,
            app.given_store().await,
            app.given_store().await,
        );
        let warehouse = given_warehouse(&app, &[product], 1_000).await;
        app.given_stock(rich, product, 40).await;
        for store in [one, two] {
            given_rule(&app, store, product, &json!({"min": 10, "max": 30})).await;
        }
        let source = |found: &[Value]| found[0]["source"]["store_id"].clone();
        assert_eq!(source(&suggested(&app, one).await), json!(rich));
        assert_eq!(source(&suggested(&app, two).await), json!(rich));

        let (key, body) = (Uuid::now_v7().to_string(), accepted(one, product, 30, rich));
        let first = app.post_keyed(ACCEPT, &key, &body).await;
        let again = app.post_keyed(ACCEPT, &key, &body).await;
        assert_eq!((again.status, &again.text), (201, &first.text));
        assert_eq!(again.headers["idempotent-replayed"], "true");
        app.post_keyed(ACCEPT, &key, &accepted(one, product, 29, rich))
            .await
            .expect_problem(422, "idempotency-key-reused");
        let made = first.expect(201);
        assert_eq!(made["status"], "draft");
        assert_eq!(suggested(&app, one).await, Vec::<Value>::new());
        // Ten are left of the surplus, and the second store needs thirty.
        assert_eq!(source(&suggested(&app, two).await), json!(warehouse));
        let refused = app.post(ACCEPT, &accepted(two, product, 11, rich)).await;
        let problem = refused.expect_problem(409, "suggestion-outdated");
        assert_eq!(problem["errors"][0]["available"], 10);
        app.post(ACCEPT, &accepted(two, product, 10, rich))
            .await
            .expect(201);

        // Once it is given up, it is suggested again.
        let id: Uuid = made["id"].as_str().unwrap().parse().unwrap();
        app.post(&step(id, "cancel"), &json!({})).await.expect(200);
        assert_eq!(suggested(&app, one).await[0]["quantity"], 30);
        app.assert_invariants().await;
    }
}

#[actix_web::test]
async fn two_stores_that_accept_the_same_surplus_at_once_do_not_both_get_it() {
    for topology in WITH_REPLICAS {
        let app = TestApp::start(topology).await;
        let (one, two, rich) = (
            app.given_store().await,
            app.given_store().await,
            app.given_store().await,
        );
        for _ in 0..4 {
            let product = app.given_product(100).await;
            app.given_stock(rich, product, 50).await;
            let (first, second) = (
                accepted(one, product, 30, rich),
                accepted(two, product, 30, rich),
            );
            let (first, second) = join(app.post(ACCEPT, &first), app.post(ACCEPT, &second)).await;
            let mut statuses = [first.status, second.status];
            statuses.sort_unstable();
            assert_eq!(statuses, [201, 409], "{} {}", first.text, second.text);
        }
        app.assert_invariants().await;
    }
}

#[actix_web::test]
async fn nobody_gives_what_they_need_themselves() {
    let app = TestApp::start(TOPOLOGIES[0]).await;
    let product = app.given_product(100).await;
    let (short, other) = (app.given_store().await, app.given_store().await);
    app.given_stock(other, product, 20).await;
    app.post("/api/sales", &sale(other, &[(product, 8)], 800))
        .await
        .expect(201);
    given_rule(
        &app,
        short,
        product,
        &json!({"min": 10, "max": 40, "multiple": 3}),
    )
    .await;
    // 12 are there and 8 are sold in four weeks: 4 are free, which is one box of three.
    let found = suggested(&app, short).await;
    assert_eq!(
        (&found[0]["needed"], &found[0]["quantity"]),
        (&json!(42), &json!(3))
    );
    assert_eq!(
        found[0]["reasons"],
        json!(["below_min", "to_max", "less_than_needed"])
    );
    given_rule(&app, other, product, &json!({"min": 10, "max": 12})).await;
    let found = suggested(&app, short).await;
    assert_eq!(
        (&found[0]["source"], &found[0]["quantity"]),
        (&Value::Null, &json!(42))
    );
    assert_eq!(
        found[0]["reasons"],
        json!(["below_min", "to_max", "no_source"])
    );
}

#[actix_web::test]
async fn suggestions_come_by_the_page() {
    let app = TestApp::start(TOPOLOGIES[0]).await;
    let store = app.given_store().await;
    let mut products = Vec::new();
    for n in 0..5 {
        let product = app.given_product(1).await;
        given_rule(&app, store, product, &json!({"min": 5, "max": 10})).await;
        if n == 1 {
            app.given_stock(store, product, 5).await;
        } else {
            products.push(json!(product));
        }
    }
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let at = format!("{SUGGESTIONS}?store_id={store}&limit=2{cursor}");
        let page = app.get(&at).await.expect(200);
        let items = page["items"].as_array().unwrap();
        seen.extend(items.iter().map(|item| item["product_id"].clone()));
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(seen, products);
}

#[actix_web::test]
async fn a_manager_sees_no_other_store_s_rules_and_suggestions() {
    for topology in TOPOLOGIES {
        let app = TestApp::start(topology).await;
        let (own, other) = (app.given_store().await, app.given_store().await);
        let product = app.given_product(1).await;
        for store in [own, other] {
            given_rule(&app, store, product, &json!({"min": 5, "max": 10})).await;
        }
        let manager = app.user(Role::Manager, Some(own)).await;
        let get = async |path: String| app.send(Method::GET, &path, &manager, None, None).await;
        let mine = get(format!("{SUGGESTIONS}?store_id={own}"))
            .await
            .expect(200);
        assert_eq!(mine["items"].as_array().unwrap().len(), 1);
        for path in [
            format!("{SUGGESTIONS}?store_id={other}"),
            format!("{RULES}?store_id={other}"),
            format!("{RULES}/{other}/{product}"),
        ] {
            get(path).await.expect_problem(404, "not-found");
        }
        let rules = get(format!("{RULES}?product_id={product}"))
            .await
            .expect(200);
        assert_eq!(rules["items"].as_array().unwrap().len(), 1);
        let accept = accepted(other, product, 1, own);
        app.send(Method::POST, ACCEPT, &manager, None, Some(&accept))
            .await
            .expect_problem(404, "not-found");
    }
}

#[actix_web::test]
async fn without_the_sales_nothing_is_suggested() {
    let mut app = TestApp::start(Topology::Split).await;
    let store = app.given_store().await;
    let product = app.given_product(1).await;
    given_rule(&app, store, product, &json!({"min": 5, "max": 10})).await;
    app.service(Module::Sales).kill();
    let reply = app.get(&format!("{SUGGESTIONS}?store_id={store}")).await;
    assert_eq!(reply.headers["retry-after"], "1");
    reply.expect_problem(503, "unavailable");
}

#[actix_web::test]
async fn a_rule_is_made_changed_and_deleted_only_by_who_has_seen_it() {
    for topology in TOPOLOGIES {
        let app = TestApp::start(topology).await;
        let (store, other) = (app.given_store().await, app.given_store().await);
        let product = app.given_product(1).await;
        let at = format!("{RULES}/{store}/{product}");
        let rule = json!({"min": 5, "max": 10, "source_store_id": other});
        let made = put(&app, store, product, &rule).await;
        assert_eq!((made.status, &made.headers["etag"][..]), (201, "\"1\""));
        let same = put(&app, store, product, &rule).await;
        assert_eq!((same.status, &same.headers["etag"][..]), (200, "\"1\""));
        let matching = async |method: Method, version: &str, max: i64| {
            let request = app
                .http
                .request(method, app.url(&at))
                .bearer_auth(&app.admin);
            let request = request.header("If-Match", version);
            let body = json!({"min": 5, "max": max});
            Reply::of(request.json(&body).send().await.unwrap()).await
        };
        let changed = matching(Method::PUT, "\"1\"", 20).await;
        assert_eq!(
            (changed.status, &changed.headers["etag"][..]),
            (200, "\"2\"")
        );
        matching(Method::PUT, "\"1\"", 30)
            .await
            .expect_problem(412, "version-mismatch");
        matching(Method::DELETE, "\"1\"", 0)
            .await
            .expect_problem(412, "version-mismatch");
        assert_eq!(matching(Method::DELETE, "\"2\"", 0).await.status, 204);
        app.get(&at).await.expect_problem(404, "not-found");
        matching(Method::PUT, "\"2\"", 30)
            .await
            .expect_problem(412, "version-mismatch");

        for (rule, pointer) in [
            (json!({"min": 5, "max": 4}), "/max"),
            (json!({"min": 5}), "/max"),
            (
                json!({"min": 5, "max": 9, "source_store_id": store}),
                "/source_store_id",
            ),
            (
                json!({"min": 5, "max": 9, "source_store_id": Uuid::now_v7()}),
                "/source_store_id",
            ),
        ] {
            let problem = put(&app, store, product, &rule).await;
            let problem = problem.expect_problem(400, "invalid-request");
            assert_eq!(problem["errors"][0]["pointer"], pointer);
        }
    }
}

#[actix_web::test]
async fn of_many_rules_the_bad_ones_are_refused_by_name() {
    for topology in TOPOLOGIES {
        let app = TestApp::start(topology).await;
        let store = app.given_store().await;
        let (one, two) = (app.given_product(1).await, app.given_product(1).await);
        given_rule(&app, store, two, &json!({"min": 1, "max": 2})).await;
        let rule = |product: Uuid, min: i64, max: i64| json!({"store_id": store, "product_id": product, "min": min, "max": max});
        let rules = json!({"rules": [
            rule(one, 5, 10), rule(two, 5, 10), rule(one, 6, 10), rule(Uuid::now_v7(), 1, 2), rule(two, 5, 4),
        ]});
        let key = Uuid::now_v7().to_string();
        let done = app.post_keyed(RULES, &key, &rules).await;
        let again = app.post_keyed(RULES, &key, &rules).await;
        assert_eq!((again.status, &again.text), (200, &done.text));
        let results = done.expect(200)["results"].as_array().unwrap().clone();
        let said: Vec<_> = results
            .iter()
            .map(|r| {
                (
                    r["status"].as_str().unwrap(),
                    r["error"]["pointer"].as_str(),
                )
            })
            .collect();
        assert_eq!(
            said,
            [
                ("created", None),
                ("updated", None),
                ("refused", Some("/rules/2/product_id")),
                ("refused", Some("/rules/3/product_id")),
                ("refused", Some("/rules/4/max")),
            ]
        );
        let list = app
            .get(&format!("{RULES}?store_id={store}"))
            .await
            .expect(200);
        let standing: Vec<_> = list["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|r| &r["min"])
            .collect();
        assert_eq!(standing, [5, 5]);
        let same = app.post(RULES, &json!({"rules": [rule(one, 5, 10)]})).await;
        assert_eq!(same.expect(200)["results"][0]["status"], "unchanged");
    }
}
