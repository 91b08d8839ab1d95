//! A request for every operation of shifts and receipts; see `requests`.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    app::{TestApp, id},
    requests::{Fixture, Request, bare, with},
    shifts::{cash, euros, given_register, given_shift, opening, path as at, sale_at},
};

impl Fixture {
    pub async fn of_shifts(
        &self,
        app: &TestApp,
        method: &str,
        path: &str,
        store: Uuid,
    ) -> Option<Request> {
        let open = async || {
            let register = given_register(app, store).await;
            let shift = given_shift(app, store, register).await;
            let body = sale_at(store, register, self.product, 1, &[("cash", 100)]);
            app.post("/api/sales", &body).await.expect(201);
            app.post(&at(shift, "cash"), &cash("out", 1))
                .await
                .expect(201);
            shift
        };
        Some(match (method, path) {
            ("GET", "/api/sales/shifts") => bare(format!("{path}?store_id={store}")),
            ("POST", "/api/sales/shifts") => with(
                path,
                opening(store, given_register(app, store).await, 1_000),
            ),
            (
                "GET",
                "/api/sales/shifts/{id}"
                | "/api/sales/shifts/{id}/cash"
                | "/api/sales/shifts/{id}/x-report",
            ) => bare(path.replace("{id}", &open().await.to_string())),
            ("GET", "/api/sales/shifts/{id}/z-report") => {
                let shift = open().await;
                let total = json!({"total": euros(0)});
                app.post(&at(shift, "close"), &total).await.expect(200);
                bare(at(shift, "z-report"))
            }
            ("POST", "/api/sales/shifts/{id}/cash") => {
                with(at(open().await, "cash"), cash("in", 1))
            }
            ("POST", "/api/sales/shifts/{id}/close") => with(
                at(open().await, "close"),
                json!({"pieces": [{"value": euros(100), "count": 3}], "note": "a test"}),
            ),
            _ => return None,
        })
    }

    /// The path of a receipt of what was sold or taken back at a register.
    pub async fn of_receipt(&self, app: &TestApp, path: &str, store: Uuid) -> Request {
        let register = given_register(app, store).await;
        let body = sale_at(store, register, self.product, 1, &[("cash", 100)]);
        let sold: Value = app.post("/api/sales", &body).await.expect(201);
        let document = if path.starts_with("/api/returns") {
            let mut back = crate::returns::back(&sold, 1, "restock");
            back["register_id"] = json!(register);
            id(&app.post("/api/returns", &back).await).to_string()
        } else {
            sold["id"].as_str().unwrap().to_owned()
        };
        bare(path.replace("{id}", &document))
    }
}
