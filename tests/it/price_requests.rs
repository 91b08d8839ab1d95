//! A request for every operation of prices, promotions and taxes; see `requests`.

use serde_json::json;
use uuid::Uuid;

use crate::{
    app::{TestApp, id},
    prices::price,
    promotions::promotion,
    requests::{Fixture, Request, bare, with},
};

impl Fixture {
    /// Prices are for products of their own, so that nothing else costs another sum.
    pub async fn of_prices(
        &self,
        app: &TestApp,
        method: &str,
        path: &str,
        store: Uuid,
    ) -> Option<Request> {
        let later = "2090-01-01T00:00:00Z";
        let coming = async || {
            let mut body = price(app.given_product(100).await, Some(store), 80);
            body["valid_from"] = json!(later);
            body
        };
        let made = async || id(&app.post("/api/inventory/prices", &coming().await).await);
        let class = async || {
            let code = format!("c{}", Uuid::now_v7().simple());
            let body = json!({"code": code, "name": "A class"});
            let made = app.post("/api/inventory/taxes/classes", &body).await;
            made.expect(201)["code"].clone()
        };
        let rate = async || json!({"region": "XX", "tax_class": class().await, "rate": 700, "valid_from": later});
        let promoted = async || {
            let product = app.given_product(100).await;
            let mut body = promotion(product, Some(&[store]), 1_000);
            body["valid_from"] = json!(later);
            body
        };
        let campaign = async || {
            id(&app
                .post("/api/inventory/promotions", &promoted().await)
                .await)
        };
        Some(match (method, path) {
            ("GET", "/api/inventory/promotions") => bare(format!("{path}?store_id={store}")),
            ("POST", "/api/inventory/promotions") => with(path, promoted().await),
            ("GET", "/api/inventory/promotions/{id}") => {
                bare(path.replace("{id}", &campaign().await.to_string()))
            }
            ("POST", "/api/inventory/promotions/{id}/end") => with(
                path.replace("{id}", &campaign().await.to_string()),
                json!({"at": "2091-01-01T00:00:00Z"}),
            ),
            ("GET", "/api/inventory/prices") => bare(format!("{path}?store_id={store}")),
            ("POST", "/api/inventory/prices") => with(path, coming().await),
            ("GET", "/api/inventory/prices/{id}") => {
                bare(path.replace("{id}", &made().await.to_string()))
            }
            ("POST", "/api/inventory/prices/{id}/end") => with(
                path.replace("{id}", &made().await.to_string()),
                json!({"at": "2091-01-01T00:00:00Z"}),
            ),
            ("GET", "/api/inventory/taxes" | "/api/inventory/taxes/classes") => bare(path),
            ("POST", "/api/inventory/taxes/classes") => with(
                path,
                json!({"code": format!("c{}", Uuid::now_v7().simple()), "name": "A class"}),
            ),
            ("POST", "/api/inventory/taxes") => with(path, rate().await),
            ("POST", "/api/inventory/taxes/{id}/withdraw") => {
                let made = id(&app.post("/api/inventory/taxes", &rate().await).await);
                bare(path.replace("{id}", &made.to_string()))
            }
            _ => return None,
        })
    }
}
