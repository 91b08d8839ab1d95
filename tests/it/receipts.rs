//! Receipts, as data and as a till prints them.

use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    app::{TOPOLOGIES, TestApp, id},
    shifts::{euros, sale_at},
};

/// A shop in Paris whose register is called T1.
async fn given(app: &TestApp) -> (Uuid, Uuid, Uuid) {
    let code = format!("S{}", Uuid::now_v7().simple());
    let body = json!({
        "code": code, "name": "Épicerie du Canal", "kind": "sales",
        "address": "12 quai de Valmy\n75010 Paris",
        "settings": {
            "timezone": "Europe/Paris", "currency": "EUR",
            "receipt_text": "Thank you and see you soon, we are open every day from eight to eight",
        },
    });
    let store = id(&app.post("/api/stores", &body).await);
    let register = json!({"code": "T1", "name": "Till"});
    let register = id(&app
        .post(&format!("/api/stores/{store}/registers"), &register)
        .await);
    let product = app.given_product(249).await;
    app.given_stock(store, product, 100).await;
    (store, register, product)
}

async fn text(app: &TestApp, path: &str) -> String {
    let request = app.http.get(app.url(path)).bearer_auth(&app.admin);
    let reply = request.header("accept", "text/plain").send().await.unwrap();
    assert_eq!(reply.headers()["content-type"], "text/plain; charset=utf-8");
    reply.text().await.unwrap()
}

#[actix_web::test]
async fn a_receipt_shows_what_was_sold_paid_and_taxed() {
    for topology in TOPOLOGIES {
        let app = TestApp::start(topology).await;
        let (store, register, product) = given(&app).await;
        let mut body = sale_at(store, register, product, 2, &[("card", 100), ("cash", 400)]);
        body["lines"][0]["discount"] = json!({"amount": euros(98)});
        body["lines"][0]["note"] = json!("Close to its date");
        body["occurred_at"] = json!("2026-01-10T22:30:00Z");
        let sold = app.post("/api/sales", &body).await.expect(201);
        let path = format!("/api/sales/{}/receipt", sold["id"].as_str().unwrap());
        let receipt = app.get(&path).await.expect(200);
        assert_eq!(receipt["receipt_number"], 1);
        assert_eq!(receipt["register_code"], "T1");
        assert_eq!(receipt["store"]["timezone"], "Europe/Paris");
        assert_eq!(
            receipt["taxes"],
            json!([{"tax_rate": 2000, "net": euros(333), "tax": euros(67), "gross": euros(400)}])
        );
        let slip = text(&app, &path).await;
        for line in [
            "            Épicerie du Canal",
            "             12 quai de Valmy",
            "               75010 Paris",
            "Receipt                                  1",
            "Register                                T1",
            "Date                      2026-01-10 23:30",
            "  2 x 2.49                            4.98",
            "  Discount                           -0.98",
            "  Close to its date",
            "Subtotal                              4.98",
            "TOTAL                             4.00 EUR",
            "Card                                  1.00",
            "Cash                                  4.00",
            "Change                                1.00",
            "20.00           3.33      0.67        4.00",
            " Thank you and see you soon, we are open",
        ] {
            assert!(
                slip.lines().any(|printed| printed == line),
                "{line:?} is not in\n{slip}"
            );
        }
        assert!(slip.contains("Recorded"), "it came late:\n{slip}");
        assert!(
            slip.lines().all(|line| line.chars().count() <= 42),
            "{slip}"
        );
        assert_eq!(text(&app, &path).await, slip, "a reading leaves no trace");
        let asked = app.get(&format!("{path}?format=text")).await;
        assert_eq!(asked.text, slip);
        let json = app.get(&format!("{path}?format=json")).await.expect(200);
        assert_eq!(json, receipt);

        let void = path.replace("receipt", "void");
        app.post(&void, &json!({"reason": "a test"}))
            .await
            .expect(200);
        assert!(text(&app, &path).await.contains("VOIDED"));
    }
}

#[actix_web::test]
async fn a_return_has_the_next_number_of_its_register_and_a_receipt_of_its_own() {
    for topology in TOPOLOGIES {
        let app = TestApp::start(topology).await;
        let (store, register, product) = given(&app).await;
        let body = sale_at(store, register, product, 3, &[("cash", 747)]);
        let sold = app.post("/api/sales", &body).await.expect(201);
        let mut back = crate::returns::back(&sold, 2, "restock");
        back["register_id"] = json!(register);
        let back = app.post("/api/returns", &back).await.expect(201);
        let path = format!("/api/returns/{}/receipt", back["id"].as_str().unwrap());
        let receipt = app.get(&path).await.expect(200);
        assert_eq!(
            json!([receipt["kind"], receipt["receipt_number"]]),
            json!(["return", 2])
        );
        assert_eq!(receipt["sale_number"], sold["number"]);
        assert_eq!(receipt["taxes"][0]["gross"], euros(498));
        assert_eq!(receipt["taxes"][0]["tax"], euros(83));
        let slip = text(&app, &path).await;
        assert!(slip.contains("RETURN") && slip.contains("REFUND"), "{slip}");
        let elsewhere = app.given_store().await;
        let stranger = app.user(kernel::auth::Role::Manager, Some(elsewhere)).await;
        for path in [
            path,
            format!("/api/sales/{}/receipt", sold["id"].as_str().unwrap()),
        ] {
            let reply = app
                .send(Method::GET, &path, &stranger, None, None::<&Value>)
                .await;
            reply.expect_problem(404, "not-found");
        }
    }
}
