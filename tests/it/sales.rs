//! Promise one: a sale is never lost, doubled or oversold.

use comptoir::process::Module;
use futures::future::join_all;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::app::{EVERY_TOPOLOGY, Reply, TOPOLOGIES, TestApp, WITH_REPLICAS};

pub fn sale(store: Uuid, lines: &[(Uuid, i64)], total: i64) -> Value {
    let lines: Vec<Value> = lines
        .iter()
        .map(|(product, quantity)| json!({"product_id": product, "quantity": quantity}))
        .collect();
    json!({
        "store_id": store,
        "lines": lines,
        "payments": [{"tender": "card", "amount": {"amount": total, "currency": "EUR"}}],
    })
}

fn key() -> String {
    Uuid::now_v7().to_string()
}

#[actix_web::test]
async fn a_sale_takes_stock_is_found_again_and_is_announced_once() {
    for topology in EVERY_TOPOLOGY {
        let app = TestApp::start(topology).await;
        let (store, product) = (app.given_store().await, app.given_product(249).await);
        app.given_stock(store, product, 10).await;

        let made = app
            .post_keyed("/api/sales", &key(), &sale(store, &[(product, 2)], 498))
            .await;
        let location = made.headers["location"].clone();
        let sold = made.expect(201);
        assert_eq!(sold["total"], json!({"amount": 498, "currency": "EUR"}));
        assert_eq!(sold["tax"]["amount"], 83);
        assert_eq!(app.on_hand(store, product).await, 8);
        assert_eq!(
            location,
            format!("/api/sales/{}", sold["id"].as_str().unwrap())
        );
        let found = app.get(&location).await.expect(200);
        assert_eq!(found["lines"], sold["lines"]);

        app.eventually("the hold is consumed", async || {
            app.db(Module::Store)
                .number("SELECT count(*) FROM store.holds WHERE state = 'consumed'")
                == 1
        })
        .await;
        app.eventually("the outbox drains", async || {
            app.db(Module::Sales)
                .number("SELECT count(*) FROM sales.outbox WHERE published_at IS NULL")
                == 0
        })
        .await;
        app.assert_invariants().await;
    }
}

#[actix_web::test]
async fn of_200_sales_of_the_last_50_units_exactly_50_succeed() {
    for topology in WITH_REPLICAS {
        let app = TestApp::start(topology).await;
        let (store, product) = (app.given_store().await, app.given_product(100).await);
        app.given_stock(store, product, 50).await;
        let body = sale(store, &[(product, 1)], 100);
        let keys: Vec<String> = (0..200).map(|_| key()).collect();
        let replies = join_all(
            keys.iter()
                .map(|key| app.post_keyed("/api/sales", key, &body)),
        )
        .await;
        assert_outcome(&app, store, product, replies, 50).await;
    }
}

#[actix_web::test]
async fn two_lines_of_one_product_count_together() {
    for topology in TOPOLOGIES {
        let app = TestApp::start(topology).await;
        let (store, product) = (app.given_store().await, app.given_product(100).await);
        app.given_stock(store, product, 50).await;
        // Two lines of one unit each take two: of 200 such sales 25 find what they need.
        let body = sale(store, &[(product, 1), (product, 1)], 200);
        let keys: Vec<String> = (0..200).map(|_| key()).collect();
        let replies = join_all(
            keys.iter()
                .map(|key| app.post_keyed("/api/sales", key, &body)),
        )
        .await;
        assert_outcome(&app, store, product, replies, 25).await;
    }
}

async fn assert_outcome(
    app: &TestApp,
    store: Uuid,
    product: Uuid,
    replies: Vec<Reply>,
    expected: usize,
) {
    let sold = replies.iter().filter(|reply| reply.status == 201).count();
    assert_eq!(sold, expected, "{:?}", app.topology);
    for refused in replies.into_iter().filter(|reply| reply.status != 201) {
        let problem = refused.expect_problem(409, "insufficient-stock");
        let error = &problem["errors"][0];
        assert_eq!(error["pointer"], "/lines/0");
        assert_eq!(error["product_id"], product.to_string());
        assert!(
            error["available"].as_i64() < error["requested"].as_i64(),
            "{error}"
        );
    }
    assert_eq!(app.on_hand(store, product).await, 0);
    let recorded = app
        .db(Module::Sales)
        .number("SELECT count(*) FROM sales.sales WHERE state = 'recorded'");
    assert_eq!(usize::try_from(recorded).unwrap(), expected);
    app.assert_invariants().await;
}

#[actix_web::test]
async fn the_same_key_a_hundred_times_at_once_is_one_sale_with_one_answer() {
    for topology in WITH_REPLICAS {
        let app = TestApp::start(topology).await;
        let (store, product) = (app.given_store().await, app.given_product(100).await);
        app.given_stock(store, product, 500).await;
        let (key, body) = (key(), sale(store, &[(product, 3)], 300));
        let replies = join_all((0..100).map(|_| app.post_keyed("/api/sales", &key, &body))).await;
        let first = &replies[0];
        assert_eq!(first.status, 201, "{}", first.text);
        for reply in &replies {
            assert_eq!(
                (reply.status, &reply.text),
                (201, &first.text),
                "{topology:?}"
            );
        }
        let fresh = replies
            .iter()
            .filter(|r| !r.headers.contains_key("idempotent-replayed"))
            .count();
        assert_eq!(fresh, 1, "one answer is the original, {topology:?}");
        assert_eq!(app.on_hand(store, product).await, 497);
        assert_eq!(
            app.db(Module::Sales)
                .number("SELECT count(*) FROM sales.sales"),
            1
        );
        app.assert_invariants().await;
    }
}

#[actix_web::test]
async fn a_key_used_for_another_sale_is_refused_and_changes_nothing() {
    for topology in TOPOLOGIES {
        let app = TestApp::start(topology).await;
        let (store, product) = (app.given_store().await, app.given_product(100).await);
        app.given_stock(store, product, 10).await;
        let key = key();
        let first = app
            .post_keyed("/api/sales", &key, &sale(store, &[(product, 1)], 100))
            .await
            .expect(201);
        let other = app
            .post_keyed("/api/sales", &key, &sale(store, &[(product, 2)], 200))
            .await;
        other.expect_problem(422, "idempotency-key-reused");
        let again = app
            .post_keyed("/api/sales", &key, &sale(store, &[(product, 1)], 100))
            .await;
        assert_eq!(again.headers["idempotent-replayed"], "true");
        assert_eq!(again.expect(201), first);
        assert_eq!(app.on_hand(store, product).await, 9);
    }
}

#[actix_web::test]
async fn a_refused_sale_may_be_repeated_with_its_key_once_there_is_stock() {
    for topology in TOPOLOGIES {
        let app = TestApp::start(topology).await;
        let (store, product) = (app.given_store().await, app.given_product(100).await);
        app.given_stock(store, product, 1).await;
        let (key, body) = (key(), sale(store, &[(product, 2)], 200));
        app.post_keyed("/api/sales", &key, &body)
            .await
            .expect_problem(409, "insufficient-stock");
        app.given_stock(store, product, 1).await;
        app.post_keyed("/api/sales", &key, &body).await.expect(201);
        assert_eq!(app.on_hand(store, product).await, 0);
    }
}

#[actix_web::test]
async fn an_abandoned_hold_gives_its_goods_back_and_its_sale_is_aborted_for_good() {
    use crate::app::Options;
    for topology in TOPOLOGIES {
        let options = Options {
            hold_ttl: std::time::Duration::from_secs(1),
            ..Options::default()
        };
        let app = TestApp::start_with(topology, options).await;
        let (store, product) = (app.given_store().await, app.given_product(100).await);
        app.given_stock(store, product, 5).await;
        let (key, body) = (key(), sale(store, &[(product, 2)], 200));
        // The crash between T1 and T2, as the database sees it: the sale's row is gone.
        let made = app.post_keyed("/api/sales", &key, &body).await.expect(201);
        let sale_id = made["id"].as_str().unwrap();
        app.eventually("the hold is consumed", async || {
            app.db(Module::Store)
                .number("SELECT count(*) FROM store.holds WHERE state = 'consumed'")
                == 1
        })
        .await;
        app.db(Module::Sales).execute(&format!(
            "DELETE FROM sales.payments WHERE sale_id = '{sale_id}'; \
             DELETE FROM sales.sale_lines WHERE sale_id = '{sale_id}'; \
             DELETE FROM sales.sales WHERE id = '{sale_id}'"
        ));
        app.db(Module::Store)
            .execute("UPDATE store.holds SET state = 'held', resolved_at = NULL");

        app.eventually("the sweeper releases the hold", async || {
            app.on_hand(store, product).await == 5
        })
        .await;
        app.post_keyed("/api/sales", &key, &body)
            .await
            .expect_problem(409, "sale-aborted");
        assert_eq!(app.on_hand(store, product).await, 5);
        app.assert_invariants().await;
    }
}
