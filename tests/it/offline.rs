//! What tills sold while they were offline: recorded once, whatever the books say.

use comptoir::process::Module;
use futures::future::{join, join_all};
use kernel::auth::Role;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    app::{TOPOLOGIES, TestApp, WITH_REPLICAS},
    discrepancies::ALL,
    sales::sale,
};

const PATH: &str = "/api/sales/batch";

fn key() -> String {
    Uuid::now_v7().to_string()
}

/// `quantity` at `price` each, ten minutes ago.
pub fn offline(store: Uuid, product: Uuid, quantity: i64, price: i64) -> Value {
    let mut body = sale(store, &[(product, quantity)], quantity * price);
    body["occurred_at"] = json!(chrono::Utc::now() - chrono::TimeDelta::minutes(10));
    body["lines"][0]["unit_price"] = json!({"amount": price, "currency": "EUR"});
    body
}

pub fn batch(sales: &[(String, Value)]) -> Value {
    let sales = sales
        .iter()
        .map(|(key, sale)| json!({"idempotency_key": key, "sale": sale}));
    json!({"sales": sales.collect::<Vec<_>>()})
}

fn statuses(view: &Value) -> Vec<&str> {
    let results = view["results"].as_array().unwrap().iter();
    results.map(|r| r["status"].as_str().unwrap()).collect()
}

fn recorded(app: &TestApp) -> i64 {
    app.db(Module::Sales)
        .number("SELECT count(*) FROM sales.sales WHERE state = 'recorded'")
}

#[actix_web::test]
async fn what_was_sold_offline_is_recorded_even_below_zero_and_at_another_price() {
    for topology in TOPOLOGIES {
        let app = TestApp::start(topology).await;
        let (store, product) = (app.given_store().await, app.given_product(100).await);
        app.given_stock(store, product, 1).await;
        let cashier = app.user(Role::Cashier, Some(store)).await;
        let sold = [
            (key(), offline(store, product, 1, 100)),
            (key(), offline(store, product, 2, 90)),
            ("till 7 #3".to_owned(), offline(store, product, 1, 100)),
        ];
        let post = async || {
            let body = batch(&sold);
            let reply = app
                .send(Method::POST, PATH, &cashier, None, Some(&body))
                .await;
            reply.expect(200)
        };
        let first = post().await;
        assert_eq!(statuses(&first), ["recorded"; 3], "{first}");
        assert_eq!(first["results"][1]["sale"]["total"]["amount"], 180);
        for ((key, _), result) in sold.iter().zip(first["results"].as_array().unwrap()) {
            assert_eq!(&result["idempotency_key"], key);
        }
        assert_eq!(app.on_hand(store, product).await, -3);
        let open = app
            .get(&format!("{ALL}?store_id={store}"))
            .await
            .expect(200);
        // The first of them may still have been there, in whatever order they came.
        let listed = open["items"].as_array().unwrap().len();
        assert!((2..=3).contains(&listed), "{open}");

        let again = post().await;
        assert_eq!(statuses(&again), ["replayed"; 3]);
        assert_eq!(
            (&again["recorded"], &again["replayed"]),
            (&json!(0), &json!(3))
        );
        let id = |view: &Value, n: usize| view["results"][n]["sale"]["id"].clone();
        assert_eq!(id(&first, 1), id(&again, 1));
        assert_eq!(app.on_hand(store, product).await, -3);

        let list = format!("/api/sales?store_id={store}&offline=true");
        let list = app.get(&list).await.expect(200);
        assert_eq!(list["items"].as_array().unwrap().len(), 3);
        let span = "from=2026-01-01&to=2027-01-31";
        let exceptions = format!("/api/sales/reports/exceptions?{span}&store_id={store}");
        let exceptions = app.get(&exceptions).await.expect(200);
        let exceptions = exceptions["items"].as_array().unwrap();
        assert_eq!(exceptions.len(), 1);
        assert_eq!(exceptions[0]["kind"], "offline_price");
        assert_eq!(exceptions[0]["document_id"], id(&first, 1));
        assert_eq!(exceptions[0]["amount"]["amount"], 20);
        app.assert_invariants().await;
    }
}

#[actix_web::test]
async fn a_sale_that_fails_stops_no_other_and_says_what_to_do() {
    for topology in TOPOLOGIES {
        let app = TestApp::start(topology).await;
        let (store, product) = (app.given_store().await, app.given_product(100).await);
        let (closed, foreign) = (app.given_store().await, app.given_store().await);
        let gone = app.given_product(100).await;
        let archive = async |path: String| {
            app.post(&path, &json!({})).await.expect_success();
        };
        archive(format!("/api/stores/{closed}/archive")).await;
        archive(format!("/api/inventory/products/{gone}/archive")).await;
        let fine = || offline(store, product, 1, 100);
        let with = |pointer: &str, value: Value| {
            let mut body = fine();
            *body.pointer_mut(pointer).unwrap() = value;
            body
        };
        let taken = key();
        let old = chrono::Utc::now() - chrono::TimeDelta::days(31);
        let mut dateless = fine();
        dateless["occurred_at"] = Value::Null;
        let cases = [
            (fine(), "recorded", 0, ""),
            (
                with("/lines/0/product_id", json!(Uuid::now_v7())),
                "failed",
                400,
                "unknown-product",
            ),
            (
                offline(store, gone, 1, 100),
                "failed",
                409,
                "product-archived",
            ),
            (
                offline(closed, product, 1, 100),
                "failed",
                409,
                "store-archived",
            ),
            (
                with("/occurred_at", json!(old)),
                "failed",
                400,
                "invalid-request",
            ),
            (dateless, "failed", 400, "invalid-request"),
            (
                with("/lines/0/unit_price", Value::Null),
                "failed",
                400,
                "invalid-request",
            ),
            (
                with("/lines/0/quantity", json!(-1)),
                "failed",
                400,
                "invalid-request",
            ),
            (
                with("/payments/0/tender", json!("exchange")),
                "failed",
                400,
                "invalid-request",
            ),
            (
                with("/payments/0/amount/amount", json!(99)),
                "failed",
                400,
                "payment-mismatch",
            ),
            (json!("not a sale"), "failed", 400, "invalid-request"),
            (
                json!({"no_such_field": 1}),
                "failed",
                400,
                "invalid-request",
            ),
            (fine(), "recorded", 0, ""),
        ];
        let mut sold: Vec<_> = cases
            .iter()
            .map(|(body, ..)| (key(), body.clone()))
            .collect();
        // The last but one key again, for another sale.
        sold.push((taken.clone(), fine()));
        sold.push((taken, offline(store, product, 2, 100)));
        let view = app.post(PATH, &batch(&sold)).await.expect(200);
        let results = view["results"].as_array().unwrap();
        for ((_, status, code, problem), result) in cases.iter().zip(results) {
            assert_eq!(result["status"], *status, "{result}");
            if *status == "failed" {
                let got = (&result["problem"]["status"], &result["problem"]["code"]);
                assert_eq!(got, (&json!(code), &json!(problem)), "{result}");
                assert!(
                    result["advice"].as_str().is_some_and(|a| a.len() > 20),
                    "{result}"
                );
            }
        }
        assert_eq!(
            results[7]["problem"]["errors"][0]["pointer"],
            "/lines/0/quantity"
        );
        let last: Vec<_> = results[13..]
            .iter()
            .map(|r| r["status"].as_str().unwrap())
            .collect();
        assert!(
            last.contains(&"recorded") && last.contains(&"failed"),
            "{last:?}"
        );
        assert_eq!(
            (&view["recorded"], &view["failed"]),
            (&json!(3), &json!(12))
        );
        assert_eq!(recorded(&app), 3);

        // Put right, the same key is good.
        archive(format!("/api/inventory/products/{gone}/restore")).await;
        app.eventually("the product is known to be back", async || {
            let view = app.post(PATH, &batch(&sold[2..3])).await.expect(200);
            view["failed"] == 0
        })
        .await;
        let cashier = app.user(Role::Cashier, Some(foreign)).await;
        let refused = app
            .send(
                Method::POST,
                PATH,
                &cashier,
                None,
                Some(&batch(&[(key(), fine())])),
            )
            .await
            .expect(200);
        assert_eq!(refused["results"][0]["problem"]["status"], 404);
        assert_eq!(recorded(&app), 4);
        app.assert_invariants().await;
    }
}

#[actix_web::test]
async fn a_sale_that_was_sent_online_too_is_one_sale() {
    for topology in WITH_REPLICAS {
        let app = TestApp::start(topology).await;
        let (store, product) = (app.given_store().await, app.given_product(100).await);
        app.given_stock(store, product, 100).await;
        // As a till sends it online: without what it charged, and without a time.
        let online = sale(store, &[(product, 2)], 200);
        let told = offline(store, product, 2, 100);
        let (before, after, at_once) = (key(), key(), key());
        let first = app
            .post_keyed("/api/sales", &before, &online)
            .await
            .expect(201);
        let body = batch(&[
            (before.clone(), told.clone()),
            (after.clone(), told.clone()),
        ]);
        let view = app.post(PATH, &body).await.expect(200);
        assert_eq!(statuses(&view), ["replayed", "recorded"], "{view}");
        assert_eq!(view["results"][0]["sale"]["id"], first["id"]);
        let second = app.post_keyed("/api/sales", &after, &online).await;
        assert_eq!(second.headers["idempotent-replayed"], "true");
        assert_eq!(second.expect(201)["id"], view["results"][1]["sale"]["id"]);

        let told = batch(&[(at_once.clone(), told)]);
        let batches = join_all((0..5).map(|_| app.post(PATH, &told)));
        let singles = join_all((0..5).map(|_| app.post_keyed("/api/sales", &at_once, &online)));
        let (batches, singles) = join(batches, singles).await;
        let of_batch = batches
            .into_iter()
            .map(|r| r.expect(200)["results"][0]["sale"]["id"].clone());
        let of_single = singles.into_iter().map(|r| r.expect(201)["id"].clone());
        let ids: std::collections::BTreeSet<String> =
            of_batch.chain(of_single).map(|id| id.to_string()).collect();
        assert_eq!(ids.len(), 1, "{ids:?}");
        assert_eq!((recorded(&app), app.on_hand(store, product).await), (3, 94));
        // Other goods under the key are another sale.
        let other = batch(&[(before, offline(store, product, 3, 100))]);
        let view = app.post(PATH, &other).await.expect(200);
        assert_eq!(view["results"][0]["problem"]["status"], 422);
        app.assert_invariants().await;
    }
}

#[actix_web::test]
async fn a_batch_that_arrives_many_times_at_once_is_recorded_once() {
    for topology in WITH_REPLICAS {
        let app = TestApp::start(topology).await;
        let (store, product) = (app.given_store().await, app.given_product(100).await);
        app.given_stock(store, product, 10).await;
        let sold: Vec<_> = (0..100)
            .map(|_| (key(), offline(store, product, 1, 100)))
            .collect();
        let body = batch(&sold);
        let replies = join_all((0..4).map(|_| app.post(PATH, &body))).await;
        let views: Vec<Value> = replies.into_iter().map(|r| r.expect(200)).collect();
        let sum: i64 = views.iter().map(|v| v["recorded"].as_i64().unwrap()).sum();
        assert_eq!(sum, 100, "each once");
        for view in &views {
            assert_eq!(view["failed"], 0, "{view}");
            let ids = |view: &Value| -> Vec<Value> {
                let results = view["results"].as_array().unwrap().iter();
                results.map(|r| r["sale"]["id"].clone()).collect()
            };
            assert_eq!(ids(view), ids(&views[0]), "in the same order");
        }
        assert_eq!(
            (recorded(&app), app.on_hand(store, product).await),
            (100, -90)
        );
        app.assert_invariants().await;
    }
}

#[actix_web::test]
async fn a_batch_has_bounds() {
    for topology in TOPOLOGIES {
        let app = TestApp::start(topology).await;
        let (store, product) = (app.given_store().await, app.given_product(100).await);
        let sale = offline(store, product, 1, 100);
        let many: Vec<_> = (0..101).map(|_| (key(), sale.clone())).collect();
        for (body, pointer) in [
            (batch(&[]), "/sales"),
            (batch(&many), "/sales"),
            (
                batch(&[("Schlüssel".to_owned(), sale)]),
                "/sales/0/idempotency_key",
            ),
        ] {
            let refused = app
                .post(PATH, &body)
                .await
                .expect_problem(400, "invalid-request");
            assert_eq!(refused["errors"][0]["pointer"], pointer);
        }
        assert_eq!(recorded(&app), 0);
    }
}
