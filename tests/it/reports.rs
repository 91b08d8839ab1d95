//! The reports of sales: every way of grouping tells of the same money.

use kernel::auth::Role;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::app::{TOPOLOGIES, TestApp, id};

const SPAN: &str = "from=2026-01-01&to=2026-12-31";

struct Day {
    app: TestApp,
    tokyo: Uuid,
    products: [Uuid; 2],
    category: Uuid,
}

/// Two shops, two products of two tax rates, two tenders, a return, a void and an override, all on
/// one day in March.
async fn a_day(app: TestApp) -> Day {
    let category = id(&app
        .post("/api/inventory/categories", &json!({"name": "Fruit"}))
        .await);
    let product = async |sku: &str, price: i64, rate: i64, category: Option<Uuid>| {
        let body = json!({
            "sku": sku, "name": format!("={sku}"), "unit": "each", "tax_rate": rate,
            "price": {"amount": price, "currency": "EUR"}, "category_id": category,
        });
        id(&app.post("/api/inventory/products", &body).await)
    };
    let products = [
        product("APPLE", 120, 2000, Some(category)).await,
        product("NAIL", 1_100, 1000, None).await,
    ];
    let store = async |code: &str, zone: &str| {
        let body = json!({
            "code": code, "name": code, "kind": "sales",
            "settings": {"timezone": zone, "day_cutoff": "00:00", "currency": "EUR", "tax_mode": "included"},
        });
        id(&app.post("/api/stores", &body).await)
    };
    let (paris, tokyo) = (
        store("PARIS", "Europe/Paris").await,
        store("TOKYO", "Asia/Tokyo").await,
    );
    for store in [paris, tokyo] {
        for product in products {
            app.given_stock(store, product, 100).await;
        }
    }
    let euros = |amount: i64| json!({"amount": amount, "currency": "EUR"});
    let sell = async |store: Uuid, lines: Value, payments: Value| {
        let body = json!({
            "store_id": store, "lines": lines, "payments": payments,
            "occurred_at": "2026-03-10T09:30:00Z",
        });
        app.post("/api/sales", &body).await.expect(201)
    };
    let line = |product: usize, quantity: i64| json!({"product_id": products[product], "quantity": quantity});
    // 240 + 1100 = 1340, with 160 of change.
    let cash = json!([{"tender": "cash", "amount": euros(1_500)}]);
    let first = sell(paris, json!([line(0, 2), line(1, 1)]), cash).await;
    let card = |amount| json!([{"tender": "card", "amount": euros(amount)}]);
    sell(tokyo, json!([line(0, 5)]), card(600)).await;
    let mut cheaper = line(0, 1);
    cheaper["unit_price"] = euros(100);
    sell(tokyo, json!([cheaper]), card(100)).await;
    let wrong = sell(paris, json!([line(1, 3)]), card(3_300)).await;
    let path = format!("/api/sales/{}/void", wrong["id"].as_str().unwrap());
    app.post(&path, &json!({"reason": "wrong customer"}))
        .await
        .expect(200);
    let back = json!({
        "sale_id": first["id"], "reason": "unwanted",
        "lines": [{"line": 1, "quantity": 1, "disposition": "restock"}],
        "occurred_at": "2026-03-10T10:30:00Z",
    });
    app.post("/api/returns", &back).await.expect(201);
    Day {
        app,
        tokyo,
        products,
        category,
    }
}

impl Day {
    async fn rows(&self, path: &str) -> Vec<Value> {
        let report = self.app.get(&format!("/api/sales/reports/{path}")).await;
        report.expect(200)["rows"].as_array().unwrap().clone()
    }
}

fn money(row: &Value, field: &str) -> i64 {
    row[field]["amount"].as_i64().unwrap()
}

#[actix_web::test]
async fn every_grouping_sums_to_the_same_revenue() {
    for topology in TOPOLOGIES {
        let day = a_day(TestApp::start(topology).await).await;
        for group in [
            "store", "day", "hour", "category", "product", "cashier", "tender",
        ] {
            let rows = day.rows(&format!("revenue?{SPAN}&group_by={group}")).await;
            let sum = |field| rows.iter().map(|row| money(row, field)).sum::<i64>();
            assert_eq!(sum("gross"), 1_340 + 600 + 100, "{group}: {rows:?}");
            assert_eq!(sum("refunds"), 120, "{group}: {rows:?}");
            assert_eq!(sum("net"), 1_920, "{group}");
            // 2 + 5 apples at 20 %, one at 1.00, a nail at 10 %, tax included.
            if group != "tender" {
                assert_eq!(sum("tax"), 40 + 100 + 17 + 100, "{group}");
            }
        }
        let hours = day.rows(&format!("revenue?{SPAN}&group_by=hour")).await;
        let hours: Vec<_> = hours
            .iter()
            .map(|r| (r["hour"].as_i64().unwrap(), money(r, "net")))
            .collect();
        assert_eq!(
            hours,
            [(10, 1_340), (11, -120), (18, 700)],
            "by each shop's own clock"
        );
        let tenders = day.rows(&format!("revenue?{SPAN}&group_by=tender")).await;
        let cash = tenders.iter().find(|r| r["tender"] == "cash").unwrap();
        assert_eq!(money(cash, "gross"), 1_340, "change is not revenue");
        let categories = day.rows(&format!("revenue?{SPAN}&group_by=category")).await;
        let fruit = categories
            .iter()
            .find(|r| r["category_id"] == day.category.to_string());
        assert_eq!(money(fruit.unwrap(), "net"), 240 + 700 - 120);
    }
}

#[actix_web::test]
async fn taxes_products_and_exceptions_of_a_day() {
    for topology in TOPOLOGIES {
        let day = a_day(TestApp::start(topology).await).await;
        let taxes = day.rows(&format!("taxes?{SPAN}")).await;
        let taxes: Vec<_> = taxes
            .iter()
            .map(|r| {
                (
                    r["tax_rate"].as_i64().unwrap(),
                    money(r, "sold"),
                    money(r, "returned_tax"),
                    money(r, "tax"),
                )
            })
            .collect();
        assert_eq!(taxes, [(1_000, 1_100, 0, 100), (2_000, 940, 20, 137)]);

        let top = day
            .rows(&format!("top-products?{SPAN}&order_by=quantity"))
            .await;
        let of = |row: &Value| {
            (
                row["sku"].as_str().unwrap().to_owned(),
                row["quantity"].as_i64().unwrap(),
            )
        };
        assert_eq!(of(&top[0]), ("APPLE".into(), 7));
        let slow = day
            .rows(&format!(
                "top-products?{SPAN}&order_by=quantity&end=slow&limit=1"
            ))
            .await;
        assert_eq!(of(&slow[0]), ("NAIL".into(), 1));
        assert_eq!(slow[0]["last_sold_on"], "2026-03-10");
        let top = day.rows(&format!("top-products?{SPAN}&limit=1")).await;
        assert_eq!(
            top[0]["product_id"],
            day.products[1].to_string(),
            "1,100 beats 820"
        );

        let first = day
            .app
            .get(&format!("/api/sales/reports/exceptions?{SPAN}&limit=1"))
            .await
            .expect(200);
        let next = first["next_cursor"].as_str().unwrap();
        let second = day
            .app
            .get(&format!(
                "/api/sales/reports/exceptions?{SPAN}&limit=1&cursor={next}"
            ))
            .await
            .expect(200);
        let (void, cheaper) = (&first["items"][0], &second["items"][0]);
        assert_eq!(
            (&void["kind"], money(void, "amount")),
            (&json!("void"), 3_300)
        );
        assert_eq!(void["reason"], "wrong customer");
        assert_eq!(
            (&cheaper["kind"], money(cheaper, "amount")),
            (&json!("price_override"), 20)
        );
        assert_eq!(second["next_cursor"], Value::Null);
    }
}

#[actix_web::test]
async fn a_report_is_a_file_too_and_never_of_another_store() {
    for topology in TOPOLOGIES {
        let day = a_day(TestApp::start(topology).await).await;
        let manager = day.app.user(Role::Manager, Some(day.tokyo)).await;
        let path = format!("/api/sales/reports/revenue?{SPAN}&group_by=product&format=csv");
        let file = day.app.send(Method::GET, &path, &manager, None, None).await;
        assert_eq!(file.headers["content-type"], "text/csv; charset=utf-8");
        let lines: Vec<&str> = file.text.split("\r\n").collect();
        let apple = day.products[0];
        assert_eq!(
            lines[0],
            "store_id,business_date,hour,cashier_id,category_id,product_id,sku,name,tender,currency,sales,returns,gross,refunds,net,tax,rounding"
        );
        assert_eq!(
            lines[1],
            format!(",,,,,{apple},APPLE,=APPLE,,EUR,2,0,700,0,700,117,")
        );
        assert_eq!(lines[2..], [""], "the manager of one shop sees that one");
        for report in ["taxes", "top-products"] {
            let path = format!("/api/sales/reports/{report}?{SPAN}&format=csv");
            let file = day.app.send(Method::GET, &path, &manager, None, None).await;
            assert_eq!(file.text.lines().count(), 2, "{report}: {}", file.text);
        }
        let path = format!("/api/sales/reports/exceptions?{SPAN}");
        let seen = day
            .app
            .send(Method::GET, &path, &manager, None, None)
            .await
            .expect(200);
        assert_eq!(seen["items"].as_array().unwrap().len(), 1);
    }
}
