//! Promotions: the best one comes off each line, at its stores and within its dates, and whoever may
//! not make one cannot.

use chrono::TimeDelta;
use comptoir::process::Module;
use futures::future::join_all;
use kernel::auth::Role;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    app::{TOPOLOGIES, TestApp, WITH_REPLICAS, id},
    prices::{PRICES, price, sell, total},
};

pub const PROMOTIONS: &str = "/api/inventory/promotions";

/// A share off a product, from now on.
pub fn promotion(product: Uuid, stores: Option<&[Uuid]>, basis_points: i64) -> Value {
    json!({
        "name": format!("{basis_points} off"), "discount": {"basis_points": basis_points},
        "product_ids": [product], "store_ids": stores,
    })
}

async fn given(app: &TestApp, price: i64) -> (Uuid, Uuid, Uuid) {
    let (here, there) = (app.given_store().await, app.given_store().await);
    let product = app.given_product(price).await;
    for store in [here, there] {
        app.given_stock(store, product, 10_000).await;
    }
    (here, there, product)
}

fn off(sale: &Value) -> i64 {
    sale["lines"][0]["promotion_discount"]["amount"]
        .as_i64()
        .unwrap()
}

#[actix_web::test]
async fn a_promotion_holds_at_its_store_and_within_its_dates() {
    for topology in TOPOLOGIES {
        let app = TestApp::start(topology).await;
        let (here, there, product) = given(&app, 999).await;
        let at = |seconds| kernel::time::now() + TimeDelta::seconds(seconds);
        let (begins, ends) = (at(60), at(120));
        let mut body = promotion(product, Some(&[here]), 1_500);
        body["valid_from"] = json!(begins);
        body["valid_until"] = json!(ends);
        let made = app.post(PROMOTIONS, &body).await;
        let location = made.headers["location"].clone();
        let made = made.expect(201);
        assert_eq!(app.get(&location).await.expect(200), made);
        let one = json!([{"product_id": product, "quantity": 1}]);
        let moment = TimeDelta::microseconds(1);
        for (store, when, expected) in [
            (here, begins - moment, 0),
            // 15 % of 9.99 is 1.4985.
            (here, begins, 150),
            (here, ends - moment, 150),
            (here, ends, 0),
            (there, begins, 0),
        ] {
            let sold = sell(&app, store, one.clone(), Some(when)).await;
            assert_eq!((off(&sold), total(&sold)), (expected, 999 - expected));
            let line = &sold["lines"][0];
            assert_eq!(line["discount"], line["promotion_discount"]);
            assert_eq!(line["promotion_id"] == made["id"], expected > 0);
            assert_eq!(line["promotion_name"] == "1500 off", expected > 0);
        }
        app.assert_invariants().await;
    }
}

#[actix_web::test]
async fn the_best_one_comes_off_and_none_off_a_price_by_hand() {
    for topology in TOPOLOGIES {
        let app = TestApp::start(topology).await;
        let (here, there, product) = given(&app, 1_000).await;
        let euros = |amount: i64| json!({"amount": amount, "currency": "EUR"});
        let top = id(&app
            .post("/api/inventory/categories", &json!({"name": "Top"}))
            .await);
        let below = json!({"name": "Below", "parent_id": top});
        let below = id(&app.post("/api/inventory/categories", &below).await);
        app.patch(
            &format!("/api/inventory/products/{product}"),
            &json!({"category_id": below}),
        )
        .await
        .expect(200);
        app.post(PROMOTIONS, &promotion(product, None, 1_000))
            .await
            .expect(201);
        let three = json!({
            "name": "Three or more", "discount": {"amount": euros(300)}, "min_quantity": 3,
            "category_ids": [top], "store_ids": [here],
        });
        app.post(PROMOTIONS, &three).await.expect(201);
        let line = |quantity: i64| json!({"product_id": product, "quantity": quantity});
        let mut cut = line(2);
        cut["discount"] = json!({"basis_points": 5_000});
        let mut by_hand = line(3);
        by_hand["unit_price"] = euros(900);
        for (store, lines, promoted, due) in [
            (here, line(2), 200, 1_800),
            (here, line(3), 900, 2_100),
            (there, line(3), 300, 2_700),
            // Half of what the promotion left.
            (here, cut, 200, 900),
            (here, by_hand, 0, 2_700),
        ] {
            let sold = sell(&app, store, json!([lines]), None).await;
            assert_eq!(
                (off(&sold), total(&sold)),
                (promoted, due),
                "{}",
                sold["lines"]
            );
        }
        // The store's own price is what the promotion is taken off.
        app.post(PRICES, &price(product, Some(there), 500))
            .await
            .expect(201);
        app.eventually("the new price", async || {
            let sold = sell(&app, there, json!([line(1)]), None).await;
            (off(&sold), total(&sold)) == (50, 450)
        })
        .await;
        // More off than the price is all of it.
        let free =
            json!({"name": "Free", "discount": {"amount": euros(5_000)}, "product_ids": [product]});
        let free = id(&app.post(PROMOTIONS, &free).await);
        app.eventually("it is free", async || {
            total(&sell(&app, there, json!([line(1)]), None).await) == 0
        })
        .await;
        app.post(&format!("{PROMOTIONS}/{free}/end"), &json!({}))
            .await
            .expect(200);
        app.eventually("it is not free any more", async || {
            total(&sell(&app, there, json!([line(1)]), None).await) == 450
        })
        .await;
        app.assert_invariants().await;
    }
}

#[actix_web::test]
async fn a_manager_promotes_at_the_own_store_and_sees_no_other() {
    for topology in TOPOLOGIES {
        let app = TestApp::start(topology).await;
        let (here, there, product) = given(&app, 100).await;
        let manager = app.user(Role::Manager, Some(here)).await;
        let stranger = app.user(Role::Manager, Some(there)).await;
        let cashier = app.user(Role::Cashier, Some(here)).await;
        let post = async |token: &str, path: &str, body: &Value| {
            app.send(Method::POST, path, token, None, Some(body)).await
        };
        let own = promotion(product, Some(&[here]), 1_000);
        let shared = promotion(product, Some(&[here, there]), 1_000);
        let chain = promotion(product, None, 1_000);
        for (token, body, status, code) in [
            (&stranger, &own, 404, "not-found"),
            (&manager, &shared, 404, "not-found"),
            (&manager, &chain, 403, "forbidden"),
            (&cashier, &own, 403, "forbidden"),
        ] {
            post(token, PROMOTIONS, body)
                .await
                .expect_problem(status, code);
        }
        let own = id(&post(&manager, PROMOTIONS, &own).await);
        let shared = id(&post(&app.admin, PROMOTIONS, &shared).await);
        let chain = id(&post(&app.admin, PROMOTIONS, &chain).await);
        let end = |id: Uuid| format!("{PROMOTIONS}/{id}/end");
        for (token, id, status, code) in [
            (&stranger, own, 404, "not-found"),
            (&manager, shared, 403, "forbidden"),
            (&manager, chain, 403, "forbidden"),
            (&cashier, own, 403, "forbidden"),
        ] {
            post(token, &end(id), &json!({}))
                .await
                .expect_problem(status, code);
        }
        for (token, expected, hidden) in [(&manager, 3, there), (&stranger, 2, here)] {
            let list = app.send(Method::GET, PROMOTIONS, token, None, None).await;
            assert!(!list.text.contains(&hidden.to_string()), "{}", list.text);
            assert_eq!(
                list.expect(200)["items"].as_array().unwrap().len(),
                expected
            );
        }
        let list = app
            .get(&format!(
                "{PROMOTIONS}?store_id={there}&product_id={product}&limit=1"
            ))
            .await
            .expect(200);
        assert_eq!(list["items"][0]["id"], json!(chain));
        let stale = app
            .http
            .post(app.url(&end(own)))
            .bearer_auth(&manager)
            .header("If-Match", "\"7\"")
            .json(&json!({}));
        let stale = crate::app::Reply::of(stale.send().await.unwrap()).await;
        stale.expect_problem(412, "version-mismatch");
        post(&manager, &end(own), &json!({})).await.expect(200);
        post(&manager, &end(own), &json!({}))
            .await
            .expect_problem(409, "over");
    }
}

#[actix_web::test]
async fn promotions_that_cannot_be_are_refused_and_say_where() {
    for topology in TOPOLOGIES {
        let app = TestApp::start(topology).await;
        let (here, _, product) = given(&app, 100).await;
        let with = |field: &str, value: Value| {
            let mut body = promotion(product, Some(&[here]), 1_000);
            body[field] = value;
            body
        };
        let francs = json!({"amount": {"amount": 10, "currency": "CHF"}});
        app.post(PROMOTIONS, &with("discount", francs))
            .await
            .expect_problem(409, "currency-mismatch");
        app.post(PROMOTIONS, &with("store_ids", json!([Uuid::now_v7()])))
            .await
            .expect_problem(404, "not-found");
        for (field, value, pointer) in [
            (
                "product_ids",
                json!([product, Uuid::now_v7()]),
                "/product_ids/1",
            ),
            ("category_ids", json!([Uuid::now_v7()]), "/category_ids/0"),
            ("product_ids", json!([]), "/product_ids"),
            (
                "discount",
                json!({"basis_points": 0}),
                "/discount/basis_points",
            ),
            ("valid_from", json!("2020-01-01T00:00:00Z"), "/valid_from"),
        ] {
            let refused = app.post(PROMOTIONS, &with(field, value)).await;
            let refused = refused.expect_problem(400, "invalid-request");
            assert_eq!(refused["errors"][0]["pointer"], pointer);
        }
        let made = "SELECT count(*) FROM inventory.promotions";
        assert_eq!(app.db(Module::Inventory).number(made), 0);
    }
}

#[actix_web::test]
async fn equal_requests_with_one_key_make_one_promotion() {
    for topology in WITH_REPLICAS {
        let app = TestApp::start(topology).await;
        let (here, _, product) = given(&app, 100).await;
        let (key, body) = (
            Uuid::now_v7().to_string(),
            promotion(product, Some(&[here]), 1_000),
        );
        let replies = join_all((0..20).map(|_| app.post_keyed(PROMOTIONS, &key, &body))).await;
        for reply in &replies {
            assert_eq!((reply.status, &reply.text), (201, &replies[0].text));
        }
        app.post_keyed(PROMOTIONS, &key, &promotion(product, Some(&[here]), 2_000))
            .await
            .expect_problem(422, "idempotency-key-reused");
        let db = app.db(Module::Inventory);
        assert_eq!(db.number("SELECT count(*) FROM inventory.promotions"), 1);
        let events =
            "SELECT count(*) FROM inventory.outbox WHERE event_type = 'promotion.changed.v1'";
        assert_eq!(db.number(events), 1);
    }
}

#[actix_web::test]
async fn every_grouping_sums_to_the_same_revenue_with_promotions() {
    for topology in TOPOLOGIES {
        let app = TestApp::start(topology).await;
        let (here, _, product) = given(&app, 333).await;
        let other = app.given_product(777).await;
        app.given_stock(here, other, 1_000).await;
        app.post(PROMOTIONS, &promotion(product, None, 1_234))
            .await
            .expect(201);
        let lines = json!([
            {"product_id": product, "quantity": 3},
            {"product_id": other, "quantity": 2, "discount": {"basis_points": 777}},
        ]);
        let sold = sell(&app, here, lines, None).await;
        // 12.34 % of 9.99 is 1.2328, 7.77 % of 15.54 is 1.2075.
        assert_eq!((off(&sold), total(&sold)), (123, 999 - 123 + 1_554 - 121));
        let day = sold["business_date"].as_str().unwrap();
        for group in [
            "store", "day", "hour", "category", "product", "cashier", "tender",
        ] {
            let path = format!("/api/sales/reports/revenue?from={day}&to={day}&group_by={group}");
            let report = app.get(&path).await.expect(200);
            let rows = report["rows"].as_array().unwrap().iter();
            let sum: i64 = rows.map(|row| row["net"]["amount"].as_i64().unwrap()).sum();
            assert_eq!(sum, total(&sold), "{group}");
        }
        app.assert_invariants().await;
    }
}
