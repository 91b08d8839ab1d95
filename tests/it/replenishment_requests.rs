//! A request for every operation of reorder rules, replenishment and reports on stock; see
//! `requests`.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    app::TestApp,
    replenishment::{REQUESTS, RULES, given_request},
    requests::{Fixture, Request, bare, with},
};

impl Fixture {
    /// What is asked for is asked for by `store`.
    pub async fn of_replenishment(
        &self,
        app: &TestApp,
        method: &str,
        path: &str,
        store: Uuid,
    ) -> Option<Request> {
        let (product, depot) = (self.product, self.depot);
        let lines = json!([{"product_id": product, "quantity": 10, "source_store_id": depot}]);
        // More than there is, so that something is always suggested.
        let rule = json!({
            "min": 200_000, "max": 300_000, "multiple": 1, "lead_days": 1, "cover_days": 7,
            "source_store_id": depot,
        });
        let own_rule = async || {
            let at = format!("{RULES}/{store}/{product}");
            let put = app
                .send(reqwest::Method::PUT, &at, &app.admin, None, Some(&rule))
                .await;
            assert!(put.status < 300, "{}", put.text);
            at
        };
        let at = async |draft: bool| {
            let id = given_request(app, store, depot, &[(product, 10)], draft).await;
            path.replace("{id}", &id.to_string())
        };
        let asked = |field: &str| {
            let mut body = json!({"store_id": store, "note": "A test", "needed_by": "2030-01-01"});
            body[field] = lines.clone();
            body
        };
        Some(match (method, path) {
            ("GET", "/api/inventory/reorder-rules") => {
                own_rule().await;
                bare(format!("{path}?store_id={store}"))
            }
            ("POST", "/api/inventory/reorder-rules") => {
                let mut rule: Value = rule.clone();
                rule["store_id"] = json!(store);
                rule["product_id"] = json!(product);
                with(path, json!({"rules": [rule]}))
            }
            ("GET" | "DELETE", "/api/inventory/reorder-rules/{store_id}/{product_id}") => {
                bare(own_rule().await)
            }
            ("PUT", "/api/inventory/reorder-rules/{store_id}/{product_id}") => {
                with(format!("{RULES}/{store}/{product}"), rule.clone())
            }
            ("GET", "/api/inventory/replenishment/suggestions") => {
                own_rule().await;
                bare(format!("{path}?store_id={store}"))
            }
            ("POST", "/api/inventory/replenishment/suggestions/accept") => {
                with(path, asked("suggestions"))
            }
            ("GET", "/api/inventory/reports/stock-value" | "/api/inventory/reports/dead-stock") => {
                bare(format!("{path}?store_id={store}"))
            }
            ("GET", "/api/inventory/replenishment/requests") => {
                bare(format!("{REQUESTS}?store_id={store}"))
            }
            ("POST", "/api/inventory/replenishment/requests") => with(path, asked("lines")),
            ("GET", "/api/inventory/replenishment/requests/{id}")
            | ("POST", "/api/inventory/replenishment/requests/{id}/cancel") => {
                bare(at(false).await)
            }
            ("POST", "/api/inventory/replenishment/requests/{id}/submit") => bare(at(true).await),
            ("POST", "/api/inventory/replenishment/requests/{id}/approve") => {
                with(at(false).await, json!({"lines": lines}))
            }
            ("POST", "/api/inventory/replenishment/requests/{id}/reject") => {
                with(at(false).await, json!({"reason": "a test"}))
            }
            _ => return None,
        })
    }
}
