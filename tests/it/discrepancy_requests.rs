//! A request for every operation of discrepancies; see `requests`.

use serde_json::json;
use uuid::Uuid;

use crate::{
    app::TestApp,
    discrepancies::given_discrepancy,
    requests::{Fixture, Request, bare, with},
};

impl Fixture {
    pub async fn of_discrepancies(
        &self,
        app: &TestApp,
        method: &str,
        path: &str,
        store: Uuid,
    ) -> Option<Request> {
        // Of a product of its own: the shop's must not run out.
        let one = async || {
            let product = app.given_product(1).await;
            let found = given_discrepancy(app, store, product).await;
            path.replace("{id}", found["id"].as_str().unwrap())
        };
        Some(match (method, path) {
            ("GET", "/api/stocks/discrepancies") => bare(format!("{path}?store_id={store}")),
            ("GET", "/api/stocks/discrepancies/{id}") => bare(one().await),
            ("POST", "/api/stocks/discrepancies/{id}/resolve") => with(
                one().await,
                json!({"resolution": "counted", "note": "They were there"}),
            ),
            _ => return None,
        })
    }
}
