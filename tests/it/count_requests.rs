//! A request for every operation of counts; see `requests`.

use serde_json::json;
use uuid::Uuid;

use crate::{
    app::TestApp,
    counts::{enters, entry, given_count, of_products},
    requests::{Fixture, Request, bare, with},
};

impl Fixture {
    /// Each of a product of its own, for an open count covers it.
    pub async fn of_counts(
        &self,
        app: &TestApp,
        method: &str,
        path: &str,
        store: Uuid,
    ) -> Option<Request> {
        let product = app.given_product(1).await;
        let one = async |counted: bool| {
            let count = given_count(app, store, &[product]).await;
            if counted {
                enters(app, count, product, "set", 3).await;
            }
            path.replace("{id}", &count.to_string())
        };
        Some(match (method, path) {
            ("GET", "/api/stocks/counts") => bare(format!("{path}?store_id={store}")),
            ("POST", "/api/stocks/counts") => {
                let mut body = of_products(store, &[product]);
                body["blind"] = json!(true);
                body["note"] = json!("Shelf by shelf");
                with(path, body)
            }
            ("GET", "/api/stocks/counts/{id}") => bare(one(false).await),
            ("GET", "/api/stocks/counts/{id}/lines" | "/api/stocks/counts/{id}/entries") => {
                bare(one(true).await)
            }
            ("POST", "/api/stocks/counts/{id}/lines") => {
                with(one(false).await, entry(product, "add", 2))
            }
            ("POST", "/api/stocks/counts/{id}/recount") => with(
                one(true).await,
                json!({"over_units": 1, "over_basis_points": 100, "moved": true}),
            ),
            ("POST", "/api/stocks/counts/{id}/post") => {
                with(one(true).await, json!({"uncounted": "zero"}))
            }
            ("POST", "/api/stocks/counts/{id}/cancel") => {
                with(one(true).await, json!({"reason": "a test"}))
            }
            _ => return None,
        })
    }
}
