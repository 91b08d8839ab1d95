//! Goods that come back at another store than the one that sold them.

use comptoir::process::Module;
use futures::future::join_all;
use kernel::auth::Role;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    app::{Reply, TOPOLOGIES, TestApp, WITH_REPLICAS, id},
    returns::back,
    sales::sale,
};

/// `back`, at another store.
fn back_at(store: Uuid, sold: &Value, quantity: i64) -> Value {
    let mut body = back(sold, quantity, "restock");
    body["store_id"] = json!(store);
    body
}

struct Chain {
    app: TestApp,
    seller: Uuid,
    other: Uuid,
    product: Uuid,
    sold: Value,
}

/// A store that sold, and another one of the chain.
async fn chain(app: TestApp, quantity: i64, price: i64) -> Chain {
    let (seller, other) = (app.given_store().await, app.given_store().await);
    let product = app.given_product(price).await;
    app.given_stock(seller, product, quantity).await;
    let body = sale(seller, &[(product, quantity)], price * quantity);
    let sold = app.post("/api/sales", &body).await.expect(201);
    Chain {
        app,
        seller,
        other,
        product,
        sold,
    }
}

impl Chain {
    async fn post(&self, token: &str, body: &Value) -> Reply {
        let path = "/api/returns";
        self.app
            .send(Method::POST, path, token, None, Some(body))
            .await
    }

    async fn get(&self, token: &str, path: &str) -> Reply {
        self.app.send(Method::GET, path, token, None, None).await
    }

    /// A report over both days that a test may fall on.
    async fn report(&self, name: &str, store: Uuid) -> Value {
        let path =
            format!("/api/sales/reports/{name}?from=2026-01-01&to=2027-01-31&store_id={store}");
        self.app.get(&path).await.expect(200)
    }
}

#[actix_web::test]
async fn goods_and_money_go_back_at_the_store_that_takes_them() {
    for topology in TOPOLOGIES {
        let chain = chain(TestApp::start(topology).await, 5, 120).await;
        let (app, other) = (&chain.app, chain.other);
        let cashier = app.user(Role::Cashier, Some(other)).await;
        let sale_path = format!("/api/sales/{}", chain.sold["id"].as_str().unwrap());
        chain
            .get(&cashier, &sale_path)
            .await
            .expect_problem(404, "not-found");
        // Without naming the store the return is the seller's, which this cashier cannot see.
        chain
            .post(&cashier, &back(&chain.sold, 1, "restock"))
            .await
            .expect_problem(404, "not-found");

        let number = chain.sold["number"].as_str().unwrap().to_lowercase();
        let lookup = format!("/api/returns/lookup?number={number}");
        let found = chain.get(&cashier, &lookup).await.expect(200);
        assert_eq!(found.as_array().unwrap().len(), 1, "{found}");
        let found = &found[0];
        let keys: Vec<_> = found.as_object().unwrap().keys().collect();
        assert_eq!(
            keys,
            [
                "business_date",
                "currency",
                "id",
                "lines",
                "number",
                "status",
                "store_id"
            ],
            "neither who sold, nor to whom, nor how it was paid"
        );
        let mut body = back(found, 2, "restock");
        body["store_id"] = json!(other);
        let made = chain.post(&cashier, &body).await.expect(201);
        assert_eq!(made["store_id"], json!(other));
        assert_eq!(made["sale_store_id"], json!(chain.seller));
        assert_eq!(made["refund"]["amount"], 240);

        app.eventually("the goods are at the other store", async || {
            app.on_hand(other, chain.product).await == 2
        })
        .await;
        assert_eq!(app.on_hand(chain.seller, chain.product).await, 0);
        let again = chain.get(&cashier, &lookup).await.expect(200);
        let line = &again[0]["lines"][0];
        assert_eq!(
            (&line["returnable"], &line["refundable"]["amount"]),
            (&json!(3), &json!(360))
        );
        let seen = app.get(&sale_path).await.expect(200);
        assert_eq!(seen["refunded"]["amount"], 240);

        let net =
            async |store| chain.report("revenue", store).await["rows"][0]["net"]["amount"].clone();
        assert_eq!(net(chain.seller).await, 600);
        assert_eq!(net(other).await, -240);
        let taxes = chain.report("taxes", other).await;
        assert_eq!(taxes["rows"][0]["tax"]["amount"], -40);
        let exceptions = chain.report("exceptions", other).await;
        assert_eq!(exceptions["items"][0]["kind"], "return_elsewhere");
        assert_eq!(exceptions["items"][0]["document_id"], made["id"]);
        assert_eq!(
            chain.report("exceptions", chain.seller).await["items"],
            json!([])
        );
        app.assert_invariants().await;
    }
}

#[actix_web::test]
async fn two_stores_that_ask_at_once_take_back_no_more_than_was_sold() {
    for topology in WITH_REPLICAS {
        let chain = chain(TestApp::start(topology).await, 5, 100).await;
        let bodies = [
            back_at(chain.seller, &chain.sold, 1),
            back_at(chain.other, &chain.sold, 1),
        ];
        let app = &chain.app;
        let replies = join_all((0..20).map(|n| app.post("/api/returns", &bodies[n % 2]))).await;
        assert_eq!(replies.iter().filter(|r| r.status == 201).count(), 5);
        for refused in replies.into_iter().filter(|r| r.status != 201) {
            refused.expect_problem(409, "return-exceeds-sale");
        }
        app.eventually("the goods are back", async || {
            app.on_hand(chain.seller, chain.product).await
                + app.on_hand(chain.other, chain.product).await
                == 5
        })
        .await;
        app.assert_invariants().await;
    }
}

#[actix_web::test]
async fn a_repeated_return_at_another_store_is_one_return() {
    for topology in WITH_REPLICAS {
        let chain = chain(TestApp::start(topology).await, 5, 100).await;
        let (app, key) = (&chain.app, Uuid::now_v7().to_string());
        let body = back_at(chain.other, &chain.sold, 2);
        let replies = join_all((0..10).map(|_| app.post_keyed("/api/returns", &key, &body))).await;
        for reply in &replies {
            assert_eq!((reply.status, &reply.text), (201, &replies[0].text));
        }
        app.post_keyed("/api/returns", &key, &back_at(chain.seller, &chain.sold, 2))
            .await
            .expect_problem(422, "idempotency-key-reused");
        app.assert_invariants().await;
    }
}

#[actix_web::test]
async fn the_rules_are_those_of_the_store_that_takes_the_goods() {
    for topology in TOPOLOGIES {
        let chain = chain(TestApp::start(topology).await, 5, 1_000).await;
        let (app, other) = (&chain.app, chain.other);
        let limit = json!({"return_limit": {"amount": 2_000, "currency": "EUR"}});
        let settings = format!("/api/stores/{other}/settings");
        app.patch(&settings, &limit).await.expect(200);
        let cashier = app.user(Role::Cashier, Some(other)).await;
        chain
            .post(&cashier, &back_at(other, &chain.sold, 3))
            .await
            .expect_problem(403, "return-limit");
        chain
            .post(&cashier, &back_at(chain.seller, &chain.sold, 1))
            .await
            .expect_problem(404, "not-found");
        let clerk = app.user(Role::Clerk, Some(other)).await;
        chain
            .post(&clerk, &back_at(other, &chain.sold, 1))
            .await
            .expect_problem(403, "forbidden");
        chain
            .get(&clerk, "/api/returns/lookup?number=00000-00000")
            .await
            .expect_problem(403, "forbidden");
        let nothing = back_at(other, &json!({"id": Uuid::now_v7()}), 1);
        chain
            .post(&cashier, &nothing)
            .await
            .expect_problem(404, "not-found");

        let abroad = json!({
            "code": format!("U{}", Uuid::now_v7().simple()), "name": "Abroad", "kind": "sales",
            "settings": {"timezone": "UTC", "day_cutoff": "00:00", "currency": "USD", "tax_mode": "included"},
        });
        let abroad = id(&app.post("/api/stores", &abroad).await);
        let refused = app
            .post("/api/returns", &back_at(abroad, &chain.sold, 1))
            .await;
        let refused = refused.expect_problem(409, "currency-mismatch");
        assert_eq!(refused["errors"][0]["pointer"], "/store_id");
        app.post(&format!("/api/stores/{abroad}/archive"), &json!({}))
            .await;
        app.post("/api/returns", &back_at(abroad, &chain.sold, 1))
            .await
            .expect_problem(409, "store-archived");
        assert_eq!(
            app.get("/api/returns/lookup?number=00000-00000")
                .await
                .expect(200),
            json!([])
        );
        for query in ["", "number=A&sale_id=0198c0de-0000-7000-8000-000000000001"] {
            app.get(&format!("/api/returns/lookup?{query}"))
                .await
                .expect_problem(400, "invalid-request");
        }
        let returns = "SELECT count(*) FROM sales.returns";
        assert_eq!(app.db(Module::Sales).number(returns), 0);
    }
}
