//! Goods exchanged for others: a sale and a return that stand together or not at all.

use comptoir::process::Module;
use futures::future::{join, join_all};
use kernel::auth::Role;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    app::{Reply, TOPOLOGIES, TestApp, Topology, WITH_REPLICAS},
    returns::back,
    sales::sale,
};

pub const PATH: &str = "/api/sales/exchanges";

fn euros(amount: i64) -> Value {
    json!({"amount": amount, "currency": "EUR"})
}

/// `quantity` of the first line of `sold` for `wanted`; `payment` is paid in cash.
pub fn exchange(
    store: Uuid,
    sold: &Value,
    quantity: i64,
    wanted: (Uuid, i64),
    payment: i64,
) -> Value {
    let payments = match payment {
        0 => json!([]),
        amount => json!([{"tender": "cash", "amount": euros(amount)}]),
    };
    json!({
        "store_id": store,
        "returned": {
            "sale_id": sold["id"],
            "lines": [{"line": 1, "quantity": quantity, "disposition": "restock"}],
            "reason": "wrong_item",
        },
        "sold": {"lines": [{"product_id": wanted.0, "quantity": wanted.1}]},
        "payments": payments,
    })
}

pub struct Shop {
    pub app: TestApp,
    pub store: Uuid,
    /// For one euro each.
    pub cheap: Uuid,
    /// For three.
    pub dear: Uuid,
    /// Five of the cheap ones, paid by card.
    pub sold: Value,
}

pub async fn shop(app: TestApp) -> Shop {
    let store = app.given_store().await;
    let (cheap, dear) = (app.given_product(100).await, app.given_product(300).await);
    app.given_stock(store, cheap, 10).await;
    app.given_stock(store, dear, 10).await;
    let body = sale(store, &[(cheap, 5)], 500);
    let sold = app.post("/api/sales", &body).await.expect(201);
    Shop {
        app,
        store,
        cheap,
        dear,
        sold,
    }
}

impl Shop {
    fn body(&self, quantity: i64, wanted: i64, payment: i64) -> Value {
        exchange(
            self.store,
            &self.sold,
            quantity,
            (self.dear, wanted),
            payment,
        )
    }

    async fn tender(&self, tender: &str) -> (i64, i64) {
        let path = format!(
            "/api/sales/reports/revenue?from=2026-01-01&to=2027-01-31&store_id={}&group_by=tender",
            self.store
        );
        let report = self.app.get(&path).await.expect(200);
        let rows = report["rows"].as_array().unwrap();
        let row = rows.iter().find(|row| row["tender"] == tender);
        let amount = |field: &str| row.map_or(0, |row| row[field]["amount"].as_i64().unwrap());
        (amount("gross"), amount("refunds"))
    }

    /// Sales and returns, and what the store has of both products.
    async fn books(&self) -> [i64; 4] {
        let count = |table: &str| {
            let sql = format!("SELECT count(*) FROM sales.{table}");
            self.app.db(Module::Sales).number(&sql)
        };
        let on_hand = async |product| self.app.on_hand(self.store, product).await;
        [
            count("sales WHERE state = 'recorded'"),
            count("returns"),
            on_hand(self.cheap).await,
            on_hand(self.dear).await,
        ]
    }
}

#[actix_web::test]
async fn an_exchange_is_a_sale_and_a_return_with_one_payment() {
    for topology in TOPOLOGIES {
        let shop = shop(TestApp::start(topology).await).await;
        let app = &shop.app;
        // Two for one that is dearer: the customer pays the difference, with change.
        let reply = app.post(PATH, &shop.body(2, 1, 500)).await;
        let location = reply.headers["location"].clone();
        let made = reply.expect(201);
        let (sold, returned) = (&made["sale"], &made["returned"]);
        assert_eq!(made["net"]["amount"], 100);
        assert_eq!(sold["payments"][0]["tender"], "exchange");
        assert_eq!(sold["payments"][0]["amount"]["amount"], 200);
        assert_eq!(sold["payments"][0]["reference"], returned["number"]);
        assert_eq!(
            (
                &sold["payments"][1]["amount"]["amount"],
                &sold["change"]["amount"]
            ),
            (&json!(500), &json!(400))
        );
        assert_eq!(
            returned["refunds"],
            json!([{"tender": "exchange", "amount": euros(200)}])
        );
        assert_eq!(returned["exchange_sale_id"], sold["id"]);
        let found = app.get(&location).await.expect(200);
        assert_eq!(found["payments"], sold["payments"]);

        // One for nothing cheaper: three more come back for one, and nobody pays.
        let even = app.post(PATH, &shop.body(3, 1, 0)).await.expect(201);
        assert_eq!(even["net"]["amount"], 0);
        app.eventually("the goods are back", async || {
            shop.books().await == [3, 2, 10, 8]
        })
        .await;
        assert_eq!(
            shop.tender("exchange").await,
            (500, 500),
            "it nets to nothing"
        );
        assert_eq!(shop.tender("cash").await, (100, 0));
        assert_eq!(shop.tender("card").await, (500, 0));
        app.assert_invariants().await;
    }
}

#[actix_web::test]
async fn where_more_comes_back_the_difference_is_refunded() {
    for topology in TOPOLOGIES {
        let shop = shop(TestApp::start(topology).await).await;
        let app = &shop.app;
        let made = app.post(PATH, &shop.body(5, 1, 0)).await.expect(201);
        assert_eq!(made["net"]["amount"], -200);
        let refunds = json!([
            {"tender": "exchange", "amount": euros(300)}, {"tender": "card", "amount": euros(200)},
        ]);
        assert_eq!(
            made["returned"]["refunds"], refunds,
            "as the first sale was paid"
        );

        // What was paid by an exchange comes back in money, and how has to be said.
        let mut body = back(&made["sale"], 1, "restock");
        app.post("/api/returns", &body)
            .await
            .expect_problem(400, "invalid-request");
        body["refunds"] = json!([{"tender": "exchange", "amount": euros(300)}]);
        app.post("/api/returns", &body)
            .await
            .expect_problem(400, "invalid-request");
        body["refunds"] = json!([{"tender": "cash", "amount": euros(300)}]);
        app.post("/api/returns", &body).await.expect(201);
        app.assert_invariants().await;
    }
}

#[actix_web::test]
async fn what_is_refused_leaves_neither_document() {
    for topology in TOPOLOGIES {
        let shop = shop(TestApp::start(topology).await).await;
        let app = &shop.app;
        let fine = shop.body(2, 1, 100);
        let with = |pointer: &str, value: Value| {
            let mut body = fine.clone();
            *body.pointer_mut(pointer).unwrap() = value;
            body
        };
        let too_little = app.post(PATH, &shop.body(2, 1, 99)).await;
        let too_little = too_little.expect_problem(400, "payment-mismatch");
        assert_eq!(too_little["errors"][0]["expected"]["amount"], 100);
        let too_many = app.post(PATH, &shop.body(6, 2, 0)).await;
        let too_many = too_many.expect_problem(409, "return-exceeds-sale");
        assert_eq!(
            too_many["errors"][0]["pointer"],
            "/returned/lines/0/quantity"
        );
        let short = app
            .post(PATH, &with("/sold/lines/0/quantity", json!(11)))
            .await;
        assert_eq!(
            short.status, 400,
            "the payments are looked at first: {}",
            short.text
        );
        let mut many = shop.body(1, 11, 3_200);
        let short = app
            .post(PATH, &many)
            .await
            .expect_problem(409, "insufficient-stock");
        assert_eq!(short["errors"][0]["pointer"], "/sold/lines/0");
        many["sold"]["lines"][0]["product_id"] = json!(Uuid::now_v7());
        app.post(PATH, &many)
            .await
            .expect_problem(400, "unknown-product");
        app.post(PATH, &with("/payments/0/tender", json!("exchange")))
            .await
            .expect_problem(400, "invalid-request");
        app.post(PATH, &with("/returned/sale_id", json!(Uuid::now_v7())))
            .await
            .expect_problem(404, "not-found");
        let mut refunded = fine.clone();
        refunded["refunds"] = json!([{"tender": "cash", "amount": euros(1)}]);
        app.post(PATH, &refunded)
            .await
            .expect_problem(400, "refund-mismatch");
        assert_eq!(shop.books().await, [1, 0, 5, 10]);

        let made = app.post(PATH, &fine).await.expect(201);
        let path = format!("/api/sales/{}/void", made["sale"]["id"].as_str().unwrap());
        app.post(&path, &json!({"reason": "wrong again"}))
            .await
            .expect_problem(409, "part-of-exchange");
        app.assert_invariants().await;
    }
}

#[actix_web::test]
async fn a_repeated_exchange_is_one_exchange() {
    for topology in WITH_REPLICAS {
        let shop = shop(TestApp::start(topology).await).await;
        let (app, key) = (&shop.app, Uuid::now_v7().to_string());
        let body = shop.body(5, 2, 100);
        let replies = join_all((0..20).map(|_| app.post_keyed(PATH, &key, &body))).await;
        for reply in &replies {
            assert_eq!((reply.status, &reply.text), (201, &replies[0].text));
        }
        let replayed = |r: &&Reply| r.headers.contains_key("idempotent-replayed");
        assert_eq!(replies.iter().filter(replayed).count(), 19);
        app.post_keyed(PATH, &key, &shop.body(4, 2, 200))
            .await
            .expect_problem(422, "idempotency-key-reused");
        app.eventually("the goods are back", async || {
            shop.books().await == [2, 1, 10, 8]
        })
        .await;
        app.assert_invariants().await;
    }
}

#[actix_web::test]
async fn a_line_comes_back_by_an_exchange_or_by_a_return_but_not_twice() {
    for topology in WITH_REPLICAS {
        let options = crate::app::Options {
            hold_ttl: std::time::Duration::from_secs(1),
            ..Default::default()
        };
        let shop = shop(TestApp::start_with(topology, options).await).await;
        let app = &shop.app;
        let (exchange, plain) = (shop.body(5, 2, 100), back(&shop.sold, 5, "restock"));
        let exchanges = join_all((0..4).map(|_| app.post(PATH, &exchange)));
        let returns = join_all((0..4).map(|_| app.post("/api/returns", &plain)));
        let (exchanges, returns) = join(exchanges, returns).await;
        let exchanged = exchanges.iter().filter(|r| r.status == 201).count();
        let returned = returns.iter().filter(|r| r.status == 201).count();
        assert_eq!(exchanged + returned, 1);
        for refused in exchanges
            .into_iter()
            .chain(returns)
            .filter(|r| r.status != 201)
        {
            refused.expect_problem(409, "return-exceeds-sale");
        }
        // Goods of an exchange that lost are given back like those of any sale that was not recorded.
        let sold = i64::try_from(exchanged).unwrap();
        app.eventually("what lost is undone", async || {
            shop.books().await == [1 + sold, 1, 10, 10 - 2 * sold]
        })
        .await;
        app.assert_invariants().await;
    }
}

#[actix_web::test]
async fn a_cashier_exchanges_above_the_limit_but_refunds_no_more_than_it() {
    for topology in TOPOLOGIES {
        let app = TestApp::start(topology).await;
        let shop = shop(app).await;
        let app = &shop.app;
        let other = app.given_store().await;
        app.given_stock(other, shop.dear, 5).await;
        let limit = json!({"return_limit": euros(100)});
        app.patch(&format!("/api/stores/{other}/settings"), &limit)
            .await
            .expect(200);
        let cashier = app.user(Role::Cashier, Some(other)).await;
        let post = async |token: &str, store: Uuid, quantity: i64| {
            let body = exchange(store, &shop.sold, quantity, (shop.dear, 1), 0);
            app.send(Method::POST, PATH, token, None, Some(&body)).await
        };
        post(&cashier, other, 5)
            .await
            .expect_problem(403, "return-limit");
        post(&cashier, shop.store, 3)
            .await
            .expect_problem(404, "not-found");
        // Sold at one store, exchanged at another: three euros in goods, one in money.
        let made = post(&cashier, other, 4).await.expect(201);
        assert_eq!(made["returned"]["sale_store_id"], json!(shop.store));
        assert_eq!(made["net"]["amount"], -100);
        let clerk = app.user(Role::Clerk, Some(other)).await;
        post(&clerk, other, 1)
            .await
            .expect_problem(403, "forbidden");
        app.assert_invariants().await;
    }
}

/// What breaks the books of exchanges, by hand.
const SABOTAGE: &[&str] = &[
    "UPDATE sales.payments SET amount_minor = amount_minor + 1 WHERE tender = 'exchange'",
    "UPDATE sales.refunds SET amount_minor = amount_minor - 1 WHERE tender = 'exchange'",
    "UPDATE sales.payments SET tender = 'cash'",
    "UPDATE sales.refunds SET tender = 'cash'",
    "UPDATE sales.returns SET exchange_sale_id = NULL",
    "UPDATE sales.sales SET state = 'voided' WHERE id IN (SELECT exchange_sale_id FROM sales.returns)",
    "DELETE FROM sales.refunds; DELETE FROM sales.return_lines; DELETE FROM sales.returns",
    "UPDATE sales.returns SET store_id = gen_random_uuid()",
];

#[actix_web::test]
async fn half_an_exchange_is_found() {
    let check = "I11: an exchange is a sale and a return, and offsets as much of both";
    for sabotage in SABOTAGE {
        let shop = shop(TestApp::start(Topology::Whole).await).await;
        shop.app.post(PATH, &shop.body(2, 1, 100)).await.expect(201);
        shop.app.assert_invariants().await;
        let db = shop.app.db(Module::Sales);
        db.execute(crate::invariants::DISARM);
        for statement in sabotage.split("; ") {
            db.execute(statement);
        }
        assert!(shop.app.violations(check).await > 0, "{sabotage}");
    }
}
