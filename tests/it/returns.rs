//! Goods and money going back: never more than was sold, never twice.

use comptoir::process::Module;
use futures::future::join_all;
use kernel::auth::Role;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    app::{TOPOLOGIES, TestApp, WITH_REPLICAS},
    sales::sale,
};

pub fn back(sale: &Value, quantity: i64, disposition: &str) -> Value {
    json!({
        "sale_id": sale["id"],
        "lines": [{"line": 1, "quantity": quantity, "disposition": disposition}],
        "reason": "unwanted",
    })
}

async fn given_sale(app: &TestApp, quantity: i64, price: i64) -> (Uuid, Uuid, Value) {
    let (store, product) = (app.given_store().await, app.given_product(price).await);
    app.given_stock(store, product, quantity).await;
    let body = sale(store, &[(product, quantity)], price * quantity);
    let made = app.post("/api/sales", &body).await.expect(201);
    (store, product, made)
}

#[actix_web::test]
async fn returned_goods_go_back_on_the_shelf_or_to_the_damaged_ones() {
    for topology in TOPOLOGIES {
        let app = TestApp::start(topology).await;
        let (store, product, sold) = given_sale(&app, 5, 100).await;
        let first = app
            .post("/api/returns", &back(&sold, 2, "restock"))
            .await
            .expect(201);
        assert_eq!(first["refund"]["amount"], 200);
        app.post("/api/returns", &back(&sold, 1, "damaged"))
            .await
            .expect(201);
        let path = format!("/api/stocks/{store}/{product}");
        app.eventually("the goods are back", async || {
            let level = app.get(&path).await.expect(200);
            level["on_hand"] == 2 && level["damaged"] == 1
        })
        .await;
        let detail = app
            .get(&format!("/api/sales/{}", sold["id"].as_str().unwrap()))
            .await
            .expect(200);
        assert_eq!(detail["refunded"]["amount"], 300);
        assert_eq!(detail["returned"], json!([{"line": 1, "quantity": 3}]));
        app.assert_invariants().await;
    }
}

#[actix_web::test]
async fn no_more_comes_back_than_was_sold_however_many_ask_at_once() {
    for topology in TOPOLOGIES {
        let app = TestApp::start(topology).await;
        let (store, product, sold) = given_sale(&app, 5, 100).await;
        let body = back(&sold, 1, "restock");
        let replies = join_all((0..40).map(|_| app.post("/api/returns", &body))).await;
        assert_eq!(replies.iter().filter(|r| r.status == 201).count(), 5);
        for refused in replies.into_iter().filter(|r| r.status != 201) {
            refused.expect_problem(409, "return-exceeds-sale");
        }
        app.eventually("the goods are back", async || {
            app.on_hand(store, product).await == 5
        })
        .await;
        app.assert_invariants().await;
    }
}

#[actix_web::test]
async fn a_repeated_return_is_one_return() {
    for topology in WITH_REPLICAS {
        let app = TestApp::start(topology).await;
        let (store, product, sold) = given_sale(&app, 5, 100).await;
        let (key, body) = (Uuid::now_v7().to_string(), back(&sold, 2, "restock"));
        let replies = join_all((0..20).map(|_| app.post_keyed("/api/returns", &key, &body))).await;
        for reply in &replies {
            assert_eq!((reply.status, &reply.text), (201, &replies[0].text));
        }
        app.post_keyed("/api/returns", &key, &back(&sold, 3, "restock"))
            .await
            .expect_problem(422, "idempotency-key-reused");
        app.eventually("the goods are back", async || {
            app.on_hand(store, product).await == 2
        })
        .await;
        app.assert_invariants().await;
    }
}

#[actix_web::test]
async fn refunds_in_parts_sum_to_the_price_and_no_cent_is_lost() {
    for topology in TOPOLOGIES {
        let app = TestApp::start(topology).await;
        // Three for 1.00 after the discount: 33, 33 and 34 cents, in some order.
        let (store, product) = (app.given_store().await, app.given_product(50).await);
        app.given_stock(store, product, 3).await;
        let body = json!({
            "store_id": store,
            "lines": [{"product_id": product, "quantity": 3, "discount": {"amount": {"amount": 50, "currency": "EUR"}}}],
            "payments": [{"tender": "cash", "amount": {"amount": 100, "currency": "EUR"}}],
        });
        let sold = app.post("/api/sales", &body).await.expect(201);
        let mut total = 0;
        for _ in 0..3 {
            let made = app
                .post("/api/returns", &back(&sold, 1, "restock"))
                .await
                .expect(201);
            let part = made["refund"]["amount"].as_i64().unwrap();
            assert!((33..=34).contains(&part), "{part}");
            total += part;
        }
        assert_eq!(total, 100);
        app.post("/api/returns", &back(&sold, 1, "restock"))
            .await
            .expect_problem(409, "return-exceeds-sale");
    }
}

#[actix_web::test]
async fn a_void_gives_everything_back_once_and_closes_the_sale() {
    for topology in TOPOLOGIES {
        let app = TestApp::start(topology).await;
        let (store, product, sold) = given_sale(&app, 4, 100).await;
        let path = format!("/api/sales/{}/void", sold["id"].as_str().unwrap());
        let (key, body) = (
            Uuid::now_v7().to_string(),
            json!({"reason": "wrong customer"}),
        );
        app.post_keyed(&path, &key, &body).await.expect(200);
        app.post_keyed(&path, &key, &body).await.expect(200);
        app.post_keyed(&path, &key, &json!({"reason": "another reason"}))
            .await
            .expect_problem(422, "idempotency-key-reused");
        app.post(&path, &body)
            .await
            .expect_problem(409, "already-voided");
        app.post("/api/returns", &back(&sold, 1, "restock"))
            .await
            .expect_problem(409, "sale-voided");
        app.eventually("the goods are back", async || {
            app.on_hand(store, product).await == 4
        })
        .await;
        let today = sold["business_date"].as_str().unwrap();
        let revenue = app
            .get(&format!(
                "/api/sales/reports/revenue?from={today}&to={today}&store_id={store}&group_by=day"
            ))
            .await
            .expect(200);
        let gross: i64 = revenue["rows"]
            .as_array()
            .unwrap()
            .iter()
            .map(|r| r["gross"]["amount"].as_i64().unwrap())
            .sum();
        assert_eq!(gross, 0, "{revenue}");
        app.assert_invariants().await;
    }
}

#[actix_web::test]
async fn a_sale_with_a_return_cannot_be_voided() {
    for topology in TOPOLOGIES {
        let app = TestApp::start(topology).await;
        let (_, _, sold) = given_sale(&app, 2, 100).await;
        app.post("/api/returns", &back(&sold, 1, "restock"))
            .await
            .expect(201);
        let path = format!("/api/sales/{}/void", sold["id"].as_str().unwrap());
        app.post(&path, &json!({"reason": "late"}))
            .await
            .expect_problem(409, "has-returns");
    }
}

#[actix_web::test]
async fn a_cashier_refunds_up_to_the_store_s_limit() {
    for topology in TOPOLOGIES {
        let app = TestApp::start(topology).await;
        let (store, product) = (app.given_store().await, app.given_product(1_000).await);
        app.given_stock(store, product, 5).await;
        // Before the first sale, because sales may remember a store's settings for some seconds.
        let limit = json!({"return_limit": {"amount": 2_000, "currency": "EUR"}});
        app.patch(&format!("/api/stores/{store}/settings"), &limit)
            .await
            .expect(200);
        let sold = app
            .post("/api/sales", &sale(store, &[(product, 5)], 5_000))
            .await
            .expect(201);
        let cashier = app.user(Role::Cashier, Some(store)).await;
        let above = app
            .send(
                reqwest::Method::POST,
                "/api/returns",
                &cashier,
                None,
                Some(&back(&sold, 3, "restock")),
            )
            .await;
        above.expect_problem(403, "return-limit");
        let within = app
            .send(
                reqwest::Method::POST,
                "/api/returns",
                &cashier,
                None,
                Some(&back(&sold, 2, "restock")),
            )
            .await;
        within.expect(201);
        let events = app
            .db(Module::Sales)
            .number("SELECT count(*) FROM sales.returns");
        assert_eq!(events, 1);
    }
}
