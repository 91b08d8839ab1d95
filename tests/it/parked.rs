//! Baskets that wait: put aside for nothing, handed out once.

use comptoir::process::Module;
use futures::future::join_all;
use kernel::auth::Role;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::app::{Reply, TOPOLOGIES, TestApp, WITH_REPLICAS, id};

const PATH: &str = "/api/sales/parked";

pub fn basket(store: Uuid, product: Uuid) -> Value {
    json!({
        "store_id": store,
        "label": "Forgot the wallet",
        "basket": {
            "lines": [{"product_id": product, "quantity": 2, "note": "gift"}],
            "customer_ref": "C-7",
        },
    })
}

fn at(basket: Uuid, verb: &str) -> String {
    format!("{PATH}/{basket}{verb}")
}

#[actix_web::test]
async fn a_basket_is_parked_listed_and_resumed() {
    for topology in TOPOLOGIES {
        let app = TestApp::start(topology).await;
        let (store, product) = (app.given_store().await, app.given_product(100).await);
        let (key, body) = (Uuid::now_v7().to_string(), basket(store, product));
        let first = app.post_keyed(PATH, &key, &body).await;
        let parked = id(&first);
        let again = app.post_keyed(PATH, &key, &body).await;
        assert_eq!((again.status, &again.text), (201, &first.text));
        app.post_keyed(PATH, &key, &basket(store, Uuid::now_v7()))
            .await
            .expect_problem(422, "idempotency-key-reused");
        assert_eq!(app.on_hand(store, product).await, 0, "nothing is held");
        for _ in 0..2 {
            app.post(PATH, &body).await.expect(201);
        }
        // Two pages, newest first.
        let list = format!("{PATH}?store_id={store}&limit=2");
        let page = app.get(&list).await.expect(200);
        let next = page["next_cursor"].as_str().unwrap();
        let last = app.get(&format!("{list}&cursor={next}")).await.expect(200);
        assert_eq!(page["items"].as_array().unwrap().len(), 2);
        assert_eq!(last["items"][0]["id"], json!(parked));
        assert_eq!(last["next_cursor"], Value::Null);
        assert!(last["items"][0].get("basket").is_none());

        let resumed = app
            .post(&at(parked, "/resume"), &json!({}))
            .await
            .expect(200);
        assert_eq!(resumed["status"], "resumed");
        assert_eq!(resumed["basket"]["lines"][0]["product_id"], json!(product));
        assert_eq!(resumed["basket"]["customer_ref"], "C-7");
        let left = app
            .get(&format!("{PATH}?store_id={store}"))
            .await
            .expect(200);
        assert_eq!(left["items"].as_array().unwrap().len(), 2);
        let found = app.get(&at(parked, "")).await.expect(200);
        assert_eq!(found, resumed);
        // The first request again is answered as it was, whatever became of the basket.
        let again = app.post_keyed(PATH, &key, &body).await;
        assert_eq!((again.status, &again.text), (201, &first.text));
        let trail = app
            .get(&format!("/api/sales/audit?subject_id={parked}"))
            .await
            .expect(200);
        let actions: Vec<_> = trail["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|e| e["action"].clone())
            .collect();
        assert_eq!(actions, ["basket.resume", "basket.park"]);
        app.assert_invariants().await;
    }
}

#[actix_web::test]
async fn of_many_tills_that_resume_at_once_one_gets_the_basket() {
    for topology in WITH_REPLICAS {
        let app = TestApp::start(topology).await;
        let (store, product) = (app.given_store().await, app.given_product(100).await);
        let parked = id(&app.post(PATH, &basket(store, product)).await);
        let keys: Vec<String> = (0..10).map(|_| Uuid::now_v7().to_string()).collect();
        let path = at(parked, "/resume");
        // Every till asks twice under its key.
        let asked = keys.iter().chain(&keys);
        let nothing = json!({});
        let replies = join_all(asked.map(|key| app.post_keyed(&path, key, &nothing))).await;
        let got: Vec<&Reply> = replies.iter().filter(|r| r.status == 200).collect();
        assert_eq!(got.len(), 2, "one till, twice");
        assert_eq!(got[0].text, got[1].text);
        assert_eq!(
            got[0].headers["idempotency-key"],
            got[1].headers["idempotency-key"]
        );
        for refused in replies.iter().filter(|r| r.status != 200) {
            refused.clone().expect_problem(409, "basket-resumed");
        }
        app.send(Method::DELETE, &at(parked, ""), &app.admin, None, None)
            .await
            .expect_problem(409, "basket-resumed");
    }
}

#[actix_web::test]
async fn a_discarded_basket_stays_so_and_an_expired_one_is_cleared_away() {
    for topology in TOPOLOGIES {
        let app = TestApp::start(topology).await;
        let (store, product) = (app.given_store().await, app.given_product(100).await);
        let (one, other) = (
            id(&app.post(PATH, &basket(store, product)).await),
            id(&app.post(PATH, &basket(store, product)).await),
        );
        for _ in 0..2 {
            let gone = app
                .send(Method::DELETE, &at(one, ""), &app.admin, None, None)
                .await;
            assert_eq!(gone.status, 204, "{}", gone.text);
        }
        let nothing = json!({});
        app.post(&at(one, "/resume"), &nothing)
            .await
            .expect_problem(409, "basket-discarded");

        // The day after the next has come.
        let sales = app.db(Module::Sales);
        sales.execute("UPDATE sales.parked_sales SET expires_at = now() - interval '1 minute'");
        let list = app
            .get(&format!("{PATH}?store_id={store}"))
            .await
            .expect(200);
        assert_eq!(list["items"], json!([]));
        app.post(&at(other, "/resume"), &nothing)
            .await
            .expect_problem(409, "basket-expired");
        sales.execute("UPDATE sales.parked_sales SET expires_at = now() - interval '2 days'");
        app.eventually("both are cleared away", async || {
            sales.number("SELECT count(*) FROM sales.parked_sales") == 0
        })
        .await;
    }
}

#[actix_web::test]
async fn a_basket_is_the_store_s_and_is_checked_like_a_sale() {
    for topology in TOPOLOGIES {
        let app = TestApp::start(topology).await;
        let (store, product) = (app.given_store().await, app.given_product(100).await);
        let parked = id(&app.post(PATH, &basket(store, product)).await);
        let elsewhere = app.user(Role::Cashier, Some(app.given_store().await)).await;
        for (method, verb) in [
            (Method::GET, ""),
            (Method::POST, "/resume"),
            (Method::DELETE, ""),
        ] {
            app.send(method, &at(parked, verb), &elsewhere, None, None)
                .await
                .expect_problem(404, "not-found");
        }
        let with = |pointer: &str, value: Value| {
            let mut body = basket(store, product);
            *body.pointer_mut(pointer).unwrap() = value;
            body
        };
        let refused = app.post(PATH, &with("/basket/lines", json!([]))).await;
        let refused = refused.expect_problem(400, "invalid-request");
        assert_eq!(refused["errors"][0]["pointer"], "/basket/lines");
        let mut register = basket(store, product);
        register["register_id"] = json!(Uuid::now_v7());
        let refused = app
            .post(PATH, &register)
            .await
            .expect_problem(400, "invalid-request");
        assert_eq!(refused["errors"][0]["pointer"], "/register_id");
        app.post(PATH, &with("/basket/lines/0/quantity", json!(-1)))
            .await
            .expect_problem(400, "invalid-request");
    }
}
