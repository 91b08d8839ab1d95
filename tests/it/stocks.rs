//! Adjustments: all or each, once per key, and the ledger tells every one of them.

use futures::future::join_all;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::app::{TOPOLOGIES, TestApp, WITH_REPLICAS};

fn adjust(store: Uuid, product: Uuid, delta: i64) -> Value {
    json!({"type": "adjust", "store_id": store, "product_id": product, "delta": delta, "reason": "correction"})
}

async fn given(app: &TestApp, quantity: i64) -> (Uuid, Uuid) {
    let (store, product) = (app.given_store().await, app.given_product(100).await);
    app.given_stock(store, product, quantity).await;
    (store, product)
}

#[actix_web::test]
async fn an_atomic_batch_changes_all_or_nothing_and_per_item_what_it_can() {
    for topology in TOPOLOGIES {
        let app = TestApp::start(topology).await;
        let (store, product) = given(&app, 5).await;
        let items = json!([adjust(store, product, 3), adjust(store, product, -100)]);
        let refused = app
            .post("/api/stocks/adjustments", &json!({"items": items}))
            .await;
        let problem = refused.expect_problem(409, "insufficient-stock");
        assert_eq!(problem["errors"][0]["pointer"], "/items/1");
        assert_eq!(app.on_hand(store, product).await, 5);

        let body = json!({"mode": "per_item", "items": items});
        let done = app.post("/api/stocks/adjustments", &body).await.expect(201);
        assert_eq!(done["results"][0]["status"], "applied");
        assert_eq!(done["results"][1]["status"], "refused");
        assert_eq!(app.on_hand(store, product).await, 8);
        app.assert_invariants().await;
    }
}

#[actix_web::test]
async fn a_repeated_adjustment_is_one_and_another_under_its_key_is_refused() {
    for topology in WITH_REPLICAS {
        let app = TestApp::start(topology).await;
        let (store, product) = given(&app, 5).await;
        let key = Uuid::now_v7().to_string();
        let body = json!({"items": [adjust(store, product, 2)]});
        let replies =
            join_all((0..20).map(|_| app.post_keyed("/api/stocks/adjustments", &key, &body))).await;
        for reply in &replies {
            assert_eq!((reply.status, &reply.text), (201, &replies[0].text));
        }
        let other = json!({"items": [adjust(store, product, 3)]});
        app.post_keyed("/api/stocks/adjustments", &key, &other)
            .await
            .expect_problem(422, "idempotency-key-reused");
        assert_eq!(app.on_hand(store, product).await, 7);
    }
}

#[actix_web::test]
async fn a_count_that_expected_another_level_changes_nothing() {
    for topology in TOPOLOGIES {
        let app = TestApp::start(topology).await;
        let (store, product) = given(&app, 5).await;
        let set = |expected: i64| {
            json!({"items": [{"type": "set", "store_id": store, "product_id": product, "quantity": 9,
            "expected": expected, "reason": "correction"}]})
        };
        app.post("/api/stocks/adjustments", &set(4))
            .await
            .expect_problem(409, "expected-mismatch");
        assert_eq!(app.on_hand(store, product).await, 5);
        app.post("/api/stocks/adjustments", &set(5))
            .await
            .expect(201);
        assert_eq!(app.on_hand(store, product).await, 9);
    }
}

#[actix_web::test]
async fn damaged_goods_move_between_buckets_and_the_past_stays_readable() {
    for topology in TOPOLOGIES {
        let app = TestApp::start(topology).await;
        let (store, product) = given(&app, 5).await;
        let before = app
            .get(&format!("/api/stocks/movements?store_id={store}"))
            .await
            .expect(200);
        let at = before["items"][0]["recorded_at"]
            .as_str()
            .unwrap()
            .to_owned();
        let body = json!({"items": [{"type": "move", "store_id": store, "product_id": product,
        "from": "on_hand", "to": "damaged", "quantity": 2, "reason": "damaged"}]});
        app.post("/api/stocks/adjustments", &body).await.expect(201);
        let level = app
            .get(&format!("/api/stocks/{store}/{product}"))
            .await
            .expect(200);
        assert_eq!(
            (&level["on_hand"], &level["damaged"]),
            (&json!(3), &json!(2))
        );
        let past = app
            .get(&format!("/api/stocks/as-of?store_id={store}&at={at}"))
            .await
            .expect(200);
        assert_eq!(
            (&past["items"][0]["on_hand"], &past["items"][0]["damaged"]),
            (&json!(5), &json!(0))
        );
        app.assert_invariants().await;
    }
}
