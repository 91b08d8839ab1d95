//! Tax rates of the store's region, and cash that is rounded to the smallest coin.

use chrono::TimeDelta;
use comptoir::process::Module;
use kernel::auth::Role;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    app::{TOPOLOGIES, TestApp, Topology, id},
    invariants::DISARM,
    prices::{sell, total},
};

const TAXES: &str = "/api/inventory/taxes";

async fn settings(app: &TestApp, store: Uuid, patch: Value) {
    let path = format!("/api/stores/{store}/settings");
    app.patch(&path, &patch).await.expect(200);
}

async fn rate(app: &TestApp, region: &str, rate: i64, from: Value) -> Uuid {
    let body = json!({"region": region, "tax_class": "reduced", "rate": rate, "valid_from": from});
    id(&app.post(TAXES, &body).await)
}

#[actix_web::test]
async fn a_line_has_the_rate_of_the_region_for_its_class_at_the_moment_of_the_sale() {
    for topology in TOPOLOGIES {
        let app = TestApp::start(topology).await;
        let class = json!({"code": "reduced", "name": "Reduced"});
        app.post("/api/inventory/taxes/classes", &class)
            .await
            .expect(201);
        app.post("/api/inventory/taxes/classes", &class)
            .await
            .expect_problem(409, "tax-class-taken");
        let changes = kernel::time::now() + TimeDelta::seconds(60);
        rate(&app, "FR", 550, json!("2020-01-01T00:00:00Z")).await;
        rate(&app, "FR", 1000, json!(changes)).await;
        rate(&app, "CH", 260, json!("2024-01-01T00:00:00Z")).await;
        let (paris, nowhere) = (app.given_store().await, app.given_store().await);
        settings(&app, paris, json!({"tax_region": "FR"})).await;
        let (classed, plain) = (
            app.given_product(1_000).await,
            app.given_product(1_000).await,
        );
        let path = format!("/api/inventory/products/{classed}");
        let changed = app.patch(&path, &json!({"tax_class": "reduced"})).await;
        assert_eq!(changed.expect(200)["tax_class"], "reduced");
        app.patch(&path, &json!({"tax_class": "no-such-class"}))
            .await
            .expect_problem(400, "unknown-tax-class");
        for store in [paris, nowhere] {
            app.given_stock(store, classed, 100).await;
            app.given_stock(store, plain, 100).await;
        }
        let lines =
            json!([{"product_id": classed, "quantity": 1}, {"product_id": plain, "quantity": 1}]);
        let moment = TimeDelta::microseconds(1);
        for (store, at, expected) in [
            (paris, changes - moment, [550, 2000]),
            (paris, changes, [1000, 2000]),
            (nowhere, changes, [2000, 2000]),
        ] {
            let sold = sell(&app, store, lines.clone(), Some(at)).await;
            let rates: Vec<_> = sold["lines"]
                .as_array()
                .unwrap()
                .iter()
                .map(|l| &l["tax_rate"])
                .collect();
            assert_eq!(json!(rates), json!(expected), "{at}");
            assert_eq!(total(&sold), 2_000);
        }
        // A rate that has begun is history; one that has not is withdrawn, and its moment is free.
        app.post(
            &format!("{TAXES}?"),
            &json!({"region": "FR", "tax_class": "reduced", "rate": 1, "valid_from": changes}),
        )
        .await
        .expect_problem(409, "tax-rate-taken");
        let list = app
            .get(&format!("{TAXES}?region=FR&at=2026-01-01T00:00:00Z"))
            .await
            .expect(200);
        let items = list["items"].as_array().unwrap();
        assert_eq!((items.len(), &items[0]["rate"]), (1, &json!(550)));
        let withdraw = |id: &Value| format!("{TAXES}/{}/withdraw", id.as_str().unwrap());
        app.post(&withdraw(&items[0]["id"]), &json!({}))
            .await
            .expect_problem(409, "tax-rate-begun");
        let later = rate(&app, "FR", 2000, json!("2090-01-01T00:00:00Z")).await;
        let path = withdraw(&json!(later));
        let gone = app.post(&path, &json!({})).await.expect(200);
        assert!(gone["withdrawn_at"].is_string());
        app.post(&path, &json!({}))
            .await
            .expect_problem(409, "tax-rate-begun");
        rate(&app, "FR", 2000, json!("2090-01-01T00:00:00Z")).await;
        let manager = app.user(Role::Manager, Some(paris)).await;
        let body = json!({"region": "FR", "tax_class": "reduced", "rate": 1});
        app.send(Method::POST, TAXES, &manager, None, Some(&body))
            .await
            .expect_problem(403, "forbidden");
    }
}

#[actix_web::test]
async fn a_rate_that_changes_reaches_the_tills_that_sold_before() {
    for topology in TOPOLOGIES {
        let app = TestApp::start(topology).await;
        let class = json!({"code": "reduced", "name": "Reduced"});
        app.post("/api/inventory/taxes/classes", &class)
            .await
            .expect(201);
        let store = app.given_store().await;
        settings(&app, store, json!({"tax_region": "FR"})).await;
        let product = app.given_product(1_000).await;
        let path = format!("/api/inventory/products/{product}");
        app.patch(&path, &json!({"tax_class": "reduced"}))
            .await
            .expect(200);
        app.given_stock(store, product, 1_000).await;
        let one = json!([{"product_id": product, "quantity": 1}]);
        let charged =
            async || sell(&app, store, one.clone(), None).await["lines"][0]["tax_rate"].clone();
        assert_eq!(charged().await, 2000);
        rate(&app, "FR", 550, Value::Null).await;
        app.eventually("the region's rate", async || charged().await == 550)
            .await;
        settings(&app, store, json!({"tax_region": "CH"})).await;
        app.eventually("the product's own rate", async || charged().await == 2000)
            .await;
    }
}

#[actix_web::test]
async fn files_carry_tax_classes() {
    let app = TestApp::start(Topology::Whole).await;
    let class = json!({"code": "reduced", "name": "Reduced"});
    app.post("/api/inventory/taxes/classes", &class)
        .await
        .expect(201);
    let import = async |csv: &'static str| {
        let request = app
            .http
            .post(app.url("/api/inventory/imports/products?dry_run=false"))
            .bearer_auth(&app.admin)
            .header("content-type", "text/csv")
            .body(csv);
        crate::app::Reply::of(request.send().await.unwrap())
            .await
            .body
    };
    let csv = "sku,name,price,currency,tax_class\nA,A,1.00,EUR,reduced\nB,B,1.00,EUR,\nC,C,1.00,EUR,unknown\n";
    let report = import(csv).await;
    assert_eq!(
        (&report["created"], &report["failed"]),
        (&json!(2), &json!(1)),
        "{report}"
    );
    assert_eq!(report["errors"][0]["code"], "unknown-tax-class");
    let file = app.get("/api/inventory/exports/products").await.text;
    assert!(
        file.lines()
            .next()
            .unwrap()
            .contains(",tax_rate,tax_class,cost,"),
        "{file}"
    );
    assert!(file.contains(",0,reduced,"), "{file}");
}

#[actix_web::test]
async fn what_is_owed_in_cash_is_rounded_and_nothing_else() {
    for topology in TOPOLOGIES {
        let app = TestApp::start(topology).await;
        let (store, product) = (app.given_store().await, app.given_product(249).await);
        settings(&app, store, json!({"cash_rounding_minor": 5})).await;
        app.given_stock(store, product, 1_000).await;
        let pay = async |quantity: i64, payments: &[(&str, i64)]| {
            let payments: Vec<_> = payments
                .iter()
                .map(|(tender, amount)| json!({"tender": tender, "amount": {"amount": amount, "currency": "EUR"}}))
                .collect();
            let body = json!({
                "store_id": store, "payments": payments,
                "lines": [{"product_id": product, "quantity": quantity}],
            });
            app.post("/api/sales", &body).await
        };
        let mut drawer = 0;
        for (quantity, payments, change, rounding) in [
            (2, &[("cash", 500)][..], 0, 2),
            (2, &[("cash", 1_000)][..], 500, 2),
            (3, &[("cash", 745)][..], 0, -2),
            (2, &[("card", 498)][..], 0, 0),
            (2, &[("card", 300), ("cash", 200)][..], 0, 2),
        ] {
            let sold = pay(quantity, payments).await.expect(201);
            let of = |field: &str| sold[field]["amount"].as_i64().unwrap();
            assert_eq!(
                (of("change"), of("rounding")),
                (change, rounding),
                "{payments:?}"
            );
            let paid: i64 = payments.iter().map(|(_, amount)| amount).sum();
            assert_eq!(paid - change, of("total") + rounding);
            let cash: i64 = payments
                .iter()
                .filter(|(t, _)| *t == "cash")
                .map(|(_, a)| a)
                .sum();
            drawer += cash - change;
        }
        let short = pay(2, &[("cash", 498)])
            .await
            .expect_problem(400, "payment-mismatch");
        assert_eq!(short["errors"][0]["expected"]["amount"], 500);
        let over = pay(2, &[("card", 500)])
            .await
            .expect_problem(400, "payment-mismatch");
        assert_eq!(over["errors"][0]["expected"]["amount"], 498);

        // What comes back in cash is rounded too, however it was paid.
        let sold = pay(2, &[("card", 498)]).await.expect(201);
        let back = |quantity: i64, tender: Option<(&str, i64)>| {
            let refunds = tender.map(|(tender, amount)| {
                json!([{"tender": tender, "amount": {"amount": amount, "currency": "EUR"}}])
            });
            json!({
                "sale_id": sold["id"], "reason": "unwanted", "refunds": refunds,
                "lines": [{"line": 1, "quantity": quantity, "disposition": "restock"}],
            })
        };
        app.post("/api/returns", &back(1, Some(("cash", 249))))
            .await
            .expect_problem(400, "refund-mismatch");
        let made = app
            .post("/api/returns", &back(1, Some(("cash", 250))))
            .await
            .expect(201);
        assert_eq!(
            (&made["refund"]["amount"], &made["rounding"]["amount"]),
            (&json!(249), &json!(1))
        );
        drawer -= 250;
        let made = app.post("/api/returns", &back(1, None)).await.expect(201);
        assert_eq!(
            (&made["refund"]["amount"], &made["rounding"]["amount"]),
            (&json!(249), &json!(0))
        );

        // Cash agrees to the cent, and revenue does not know of rounding.
        let day = sold["business_date"].as_str().unwrap();
        let report = async |group: &str| {
            let path = format!(
                "/api/sales/reports/revenue?from={day}&to={day}&store_id={store}&group_by={group}"
            );
            app.get(&path).await.expect(200)["rows"]
                .as_array()
                .unwrap()
                .clone()
        };
        let sum = |rows: &[Value], field: &str| -> i64 {
            rows.iter()
                .map(|r| r[field]["amount"].as_i64().unwrap_or(0))
                .sum()
        };
        let (tenders, days) = (report("tender").await, report("day").await);
        let cash = tenders.iter().find(|row| row["tender"] == "cash").unwrap();
        assert_eq!(cash["net"]["amount"], drawer);
        assert_eq!(sum(&days, "net"), 249 * 11);
        assert_eq!(
            sum(&tenders, "net") - sum(&tenders, "rounding"),
            sum(&days, "net")
        );
        app.assert_invariants().await;
    }
}

#[actix_web::test]
async fn a_sale_whose_payments_do_not_fit_its_rounding_is_found() {
    for (sabotage, title) in [
        (
            "UPDATE sales.sales SET rounding_minor = 1",
            "I11: payments sum to what was paid",
        ),
        (
            "UPDATE sales.returns SET rounding_minor = 1",
            "I8: a return pays back what its lines say",
        ),
    ] {
        let app = TestApp::start(Topology::Whole).await;
        let (store, product) = (app.given_store().await, app.given_product(249).await);
        app.given_stock(store, product, 10).await;
        let one = json!([{"product_id": product, "quantity": 1}]);
        let sold = sell(&app, store, one, None).await;
        let back = crate::returns::back(&sold, 1, "restock");
        app.post("/api/returns", &back).await.expect(201);
        assert_eq!(app.violations(title).await, 0);
        let db = app.db(Module::Sales);
        db.execute(DISARM);
        db.execute(sabotage);
        assert!(app.violations(title).await > 0, "{title}");
    }
}
