//! Goods that come back without a receipt, and what was earned on those that stayed away.

use comptoir::process::Module;
use futures::future::join_all;
use kernel::auth::Role;
use reqwest::Method;
use serde_json::{Value, json};
use testkit::TestDb;
use uuid::Uuid;

use crate::{
    app::{TOPOLOGIES, TestApp, Topology, WITH_REPLICAS},
    return_requests::unreceipted,
    returns::back,
    sales::sale,
};

const PATH: &str = "/api/returns/without-receipt";
const SPAN: &str = "from=2026-01-01&to=2027-01-31";

#[actix_web::test]
async fn a_manager_takes_goods_back_that_nobody_has_a_receipt_for() {
    for topology in TOPOLOGIES {
        let app = TestApp::start(topology).await;
        let (store, product) = (app.given_store().await, app.given_product(120).await);
        let manager = app.user(Role::Manager, Some(store)).await;
        let post = async |token: &str, body: &Value| {
            app.send(Method::POST, PATH, token, None, Some(body)).await
        };
        let made = post(&manager, &unreceipted(store, product, 2, 90))
            .await
            .expect(201);
        assert_eq!(
            (&made["sale_id"], &made["sale_store_id"]),
            (&Value::Null, &Value::Null)
        );
        assert_eq!(made["lines"][0]["line"], Value::Null);
        assert_eq!(made["refund"]["amount"], 180);
        app.eventually("the goods are there", async || {
            app.on_hand(store, product).await == 2
        })
        .await;
        let found = app
            .get(&format!("/api/returns/{}", made["id"].as_str().unwrap()))
            .await;
        assert_eq!(found.expect(200), made);

        let report = async |name: &str| {
            let path = format!("/api/sales/reports/{name}{SPAN}&store_id={store}");
            app.get(&path).await.expect(200)
        };
        let exceptions = report("exceptions?").await;
        let exception = &exceptions["items"][0];
        assert_eq!(exception["kind"], "return_without_receipt");
        assert_eq!(exception["amount"]["amount"], 180);
        assert_eq!(exception["reason"], "unwanted: A gift");
        let taxes = report("taxes?").await;
        // 20 % within 1.80.
        assert_eq!(taxes["rows"][0]["returned_tax"]["amount"], 30);
        for group in ["store", "day", "product", "tender"] {
            let revenue = report(&format!("revenue?group_by={group}&")).await;
            assert_eq!(revenue["rows"][0]["net"]["amount"], -180, "{group}");
        }
        let trail = app
            .get(&format!("/api/sales/audit?store_id={store}"))
            .await
            .expect(200);
        assert_eq!(trail["items"][0]["action"], "return.without_receipt");
        assert_eq!(trail["items"][0]["after"]["lines"][0]["quantity"], 2);
        app.assert_invariants().await;
    }
}

#[actix_web::test]
async fn what_is_given_back_without_a_receipt_has_limits() {
    for topology in TOPOLOGIES {
        let app = TestApp::start(topology).await;
        let (store, product) = (app.given_store().await, app.given_product(120).await);
        let cashier = app.user(Role::Cashier, Some(store)).await;
        let fine = unreceipted(store, product, 1, 120);
        app.send(Method::POST, PATH, &cashier, None, Some(&fine))
            .await
            .expect_problem(403, "forbidden");
        let refused = app.post(PATH, &unreceipted(store, product, 1, 121)).await;
        let refused = refused.expect_problem(409, "refund-above-price");
        assert_eq!(refused["errors"][0]["price"]["amount"], 120);
        let with = |pointer: &str, value: Value| {
            let mut body = fine.clone();
            *body.pointer_mut(pointer).unwrap() = value;
            body
        };
        app.post(PATH, &with("/lines/0/product_id", json!(Uuid::now_v7())))
            .await
            .expect_problem(400, "unknown-product");
        app.post(PATH, &with("/refunds/0/amount/amount", json!(119)))
            .await
            .expect_problem(400, "refund-mismatch");
        app.post(PATH, &with("/lines/0/unit_refund/currency", json!("USD")))
            .await
            .expect_problem(409, "currency-mismatch");
        for (pointer, value) in [
            ("/lines/0/quantity", json!(-1)),
            ("/lines/0/unit_refund/amount", json!(-1)),
            ("/reason", Value::Null),
            ("/lines", json!([])),
        ] {
            app.post(PATH, &with(pointer, value))
                .await
                .expect_problem(400, "invalid-request");
        }
        // What is not sold any more still comes back.
        app.post(
            &format!("/api/inventory/products/{product}/archive"),
            &json!({}),
        )
        .await;
        app.post(PATH, &fine).await.expect(201);
        let returns = "SELECT count(*) FROM sales.returns";
        assert_eq!(app.db(Module::Sales).number(returns), 1);
    }
}

#[actix_web::test]
async fn a_repeated_return_without_receipt_is_one_return() {
    for topology in WITH_REPLICAS {
        let app = TestApp::start(topology).await;
        let (store, product) = (app.given_store().await, app.given_product(100).await);
        let (key, body) = (
            Uuid::now_v7().to_string(),
            unreceipted(store, product, 2, 90),
        );
        let replies = join_all((0..20).map(|_| app.post_keyed(PATH, &key, &body))).await;
        for reply in &replies {
            assert_eq!((reply.status, &reply.text), (201, &replies[0].text));
        }
        let replayed = |r: &&crate::app::Reply| r.headers.contains_key("idempotent-replayed");
        assert_eq!(replies.iter().filter(replayed).count(), 19);
        app.post_keyed(PATH, &key, &unreceipted(store, product, 1, 90))
            .await
            .expect_problem(422, "idempotency-key-reused");
        app.eventually("the goods are there", async || {
            app.on_hand(store, product).await == 2
        })
        .await;
        app.assert_invariants().await;
    }
}

/// What breaks the books of returns, by hand, and the check that notices.
const SABOTAGE: &[(&str, &str)] = &[
    (
        "UPDATE sales.returns SET sale_store_id = gen_random_uuid() WHERE sale_id IS NOT NULL",
        "I8: a return, its lines and its refunds name one sale and one store",
    ),
    (
        "UPDATE sales.return_lines SET store_id = gen_random_uuid() WHERE sale_id IS NULL",
        "I8: a return, its lines and its refunds name one sale and one store",
    ),
    (
        "UPDATE sales.refunds SET store_id = gen_random_uuid()",
        "I8: a return, its lines and its refunds name one sale and one store",
    ),
    (
        "UPDATE sales.return_lines SET sale_id = NULL, line = NULL",
        "I8: what lines say came back is what returns say",
    ),
    (
        "UPDATE sales.return_lines SET refund_minor = refund_minor + 1 WHERE sale_id IS NULL",
        "I8: a return pays back what its lines say",
    ),
    (
        "UPDATE sales.return_lines SET tax_minor = refund_minor + 1",
        "I11: the tax in a refund is part of it",
    ),
];

#[actix_web::test]
async fn a_return_that_does_not_add_up_is_found() {
    for (sabotage, check) in SABOTAGE {
        let app = TestApp::start(Topology::Whole).await;
        let (store, product) = (app.given_store().await, app.given_product(100).await);
        app.given_stock(store, product, 5).await;
        let sold = app
            .post("/api/sales", &sale(store, &[(product, 2)], 200))
            .await
            .expect(201);
        app.post("/api/returns", &back(&sold, 1, "restock"))
            .await
            .expect(201);
        app.post(PATH, &unreceipted(store, product, 1, 90))
            .await
            .expect(201);
        app.assert_invariants().await;
        let db = app.db(Module::Sales);
        db.execute(crate::invariants::DISARM);
        db.execute(sabotage);
        assert!(app.violations(check).await > 0, "{sabotage}");
    }
}

#[actix_web::test]
async fn margins_are_what_was_earned_and_only_for_those_who_may_know() {
    for topology in TOPOLOGIES {
        let app = TestApp::start(topology).await;
        let store = app.given_store().await;
        let known = json!({
            "sku": format!("M-{}", Uuid::now_v7().simple()), "name": "Costs something", "unit": "each",
            "price": {"amount": 120, "currency": "EUR"}, "tax_rate": 2000, "cost": {"amount": 60, "currency": "EUR"},
        });
        let known = crate::app::id(&app.post("/api/inventory/products", &known).await);
        let unknown = app.given_product(240).await;
        for product in [known, unknown] {
            app.given_stock(store, product, 10).await;
        }
        let body = sale(store, &[(known, 3), (unknown, 1)], 600);
        let sold = app.post("/api/sales", &body).await.expect(201);
        app.post("/api/returns", &back(&sold, 1, "damaged"))
            .await
            .expect(201);
        app.post(PATH, &unreceipted(store, unknown, 1, 120))
            .await
            .expect(201);
        let path = |group: &str| {
            format!("/api/sales/reports/margin?{SPAN}&store_id={store}&group_by={group}")
        };
        for group in ["product", "category", "store", "day"] {
            let report = app.get(&path(group)).await.expect(200);
            let rows = report["rows"].as_array().unwrap().clone();
            let sum = |field: &str| -> i64 {
                let amounts = rows
                    .iter()
                    .map(|row| row[field]["amount"].as_i64().unwrap());
                amounts.sum()
            };
            // Two at 1.00 without tax, which cost 0.60 each.
            let sums = (
                sum("revenue"),
                sum("cost"),
                sum("margin"),
                sum("uncosted_revenue"),
            );
            assert_eq!(sums, (200, 120, 80, 200 - 100), "{group}: {report}");
            let lines: i64 = rows
                .iter()
                .map(|row| row["uncosted_lines"].as_i64().unwrap())
                .sum();
            assert_eq!(lines, 2, "{group}");
        }
        let manager = app.user(Role::Manager, Some(store)).await;
        let file = format!("{}&format=csv", path("store"));
        let file = app.send(Method::GET, &file, &manager, None, None).await;
        assert_eq!(
            file.text.lines().collect::<Vec<_>>(),
            [
                "store_id,business_date,category_id,product_id,sku,name,currency,revenue,cost,margin,uncosted_lines,uncosted_revenue".to_owned(),
                format!("{store},,,,,,EUR,200,120,80,2,100"),
            ]
        );
        let elsewhere = app.user(Role::Manager, Some(app.given_store().await)).await;
        for (token, status) in [
            (app.user(Role::Cashier, Some(store)).await, 403),
            (app.user(Role::Clerk, Some(store)).await, 403),
            (elsewhere, 404),
        ] {
            let refused = app
                .send(Method::GET, &path("store"), &token, None, None)
                .await;
            assert_eq!(refused.status, status, "{}", refused.text);
        }
    }
}

/// Returns from before they could be at another store keep their meaning there and back.
#[test]
fn returns_survive_their_migration_there_and_back() {
    let db = TestDb::empty();
    let (url, migrations) = (db.url(), || Module::Sales.migrations().unwrap());
    kernel::migrate::up(&url, "sales", migrations()).unwrap();
    let is_there = || {
        db.number(
            "SELECT count(*) FROM information_schema.columns WHERE table_schema = 'sales' \
             AND table_name = 'returns' AND column_name = 'sale_store_id'",
        ) == 1
    };
    while is_there() {
        kernel::migrate::down(&url, "sales", migrations(), false).unwrap();
    }
    db.execute(
        "INSERT INTO sales.sales (id, store_id, state, recorded_at, cashier_id, number, request_hash, \
             occurred_at, business_date, currency, tax_included, line_count, subtotal_minor, \
             discount_minor, tax_minor, total_minor, paid_minor, change_minor) \
         SELECT id, id, 'recorded', now(), id, 'N', '', now(), '2026-01-05', 'EUR', true, 1, 360, 0, 60, \
             360, 360, 0 FROM (SELECT '0198c0de-0000-7000-8000-000000000001'::uuid AS id) s",
    );
    db.execute(
        "INSERT INTO sales.sale_lines (sale_id, line, store_id, product_id, sku, name, quantity, \
             list_price_minor, unit_price_minor, price_per, gross_minor, discount_minor, tax_rate, \
             tax_minor, total_minor, cost_minor, returned_quantity, refunded_minor) \
         SELECT id, 1, id, id, 'S', 'N', 3, 120, 120, 1, 360, 0, 2000, 60, 360, 90, 1, 120 FROM sales.sales",
    );
    db.execute(
        "INSERT INTO sales.returns (id, sale_id, store_id, cashier_id, number, request_hash, occurred_at, \
             business_date, currency, reason, line_count, refund_minor) \
         SELECT gen_random_uuid(), id, id, id, 'N', '', now(), '2026-01-05', 'EUR', 'other', 1, 120 \
         FROM sales.sales",
    );
    db.execute(
        "INSERT INTO sales.return_lines (return_id, n, sale_id, line, store_id, product_id, sku, name, \
             quantity, disposition, refund_minor) \
         SELECT id, 1, sale_id, 1, store_id, store_id, 'S', 'N', 1, 'restock', 120 FROM sales.returns",
    );
    kernel::migrate::up(&url, "sales", migrations()).unwrap();
    let copied = "SELECT concat_ws(' ', r.sale_store_id = r.store_id, b.tax_rate, b.tax_minor, b.cost_minor) \
        FROM sales.returns r JOIN sales.return_lines b ON b.return_id = r.id";
    assert_eq!(db.text(copied), "t 2000 20 30");
    while is_there() {
        kernel::migrate::down(&url, "sales", migrations(), false).unwrap();
    }
    let kept = "SELECT concat_ws(' ', r.sale_id = s.id, b.line, b.refund_minor) \
        FROM sales.sales s, sales.returns r JOIN sales.return_lines b ON b.return_id = r.id";
    assert_eq!(db.text(kept), "t 1 120");
}
