//! A request for every operation of transfers; see `requests`.

use serde_json::json;
use uuid::Uuid;

use crate::{
    app::TestApp,
    requests::{Fixture, Request, bare, with},
    transfers::{draft, given_transfer},
};

impl Fixture {
    /// What is done at the source is aimed at a transfer from `store`, the rest at one to it.
    pub async fn of_transfers(
        &self,
        app: &TestApp,
        method: &str,
        path: &str,
        store: Uuid,
    ) -> Option<Request> {
        let (product, depot) = (self.product, self.depot);
        let outgoing = async |status: &str| {
            let id = given_transfer(app, store, depot, product, status).await;
            path.replace("{id}", &id.to_string())
        };
        let incoming = async |status: &str| {
            let id = given_transfer(app, depot, store, product, status).await;
            path.replace("{id}", &id.to_string())
        };
        let lines = json!([{"product_id": product, "quantity": 2}]);
        Some(match (method, path) {
            ("GET", "/api/stocks/transfers") => bare(format!("{path}?store_id={store}")),
            ("POST", "/api/stocks/transfers") => with(path, draft(depot, store, &[(product, 10)])),
            ("GET", "/api/stocks/transfers/{id}") => bare(incoming("draft").await),
            ("GET", "/api/stocks/transfers/{id}/receipts") => bare(incoming("received").await),
            ("PATCH", "/api/stocks/transfers/{id}") => with(
                incoming("draft").await,
                json!({"lines": lines, "note": "Less"}),
            ),
            ("POST", "/api/stocks/transfers/{id}/request") => bare(incoming("draft").await),
            ("POST", "/api/stocks/transfers/{id}/approve") => {
                with(outgoing("requested").await, json!({"lines": lines}))
            }
            ("POST", "/api/stocks/transfers/{id}/reject") => {
                with(outgoing("requested").await, json!({"reason": "a test"}))
            }
            ("POST", "/api/stocks/transfers/{id}/dispatch") => {
                with(outgoing("approved").await, json!({"lines": lines}))
            }
            ("POST", "/api/stocks/transfers/{id}/receive") => with(
                incoming("in_transit").await,
                json!({"lines": [{"product_id": product, "received": 2, "damaged": 1, "lost": 1}], "note": "Wet"}),
            ),
            ("POST", "/api/stocks/transfers/{id}/close") => with(
                incoming("in_transit").await,
                json!({"write_off": true, "reason": "a test"}),
            ),
            ("POST", "/api/stocks/transfers/{id}/cancel") => {
                with(incoming("approved").await, json!({"reason": "a test"}))
            }
            ("POST", "/api/stocks/transfers/{id}/return") => with(
                incoming("received").await,
                json!({"lines": lines, "reason": "a test"}),
            ),
            _ => return None,
        })
    }
}
