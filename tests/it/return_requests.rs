//! A request for every operation of returns, exchanges and parked baskets that is not in `requests`
//! already.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    app::{TestApp, id},
    exchanges::exchange,
    offline::{batch, offline},
    parked::basket,
    requests::{Fixture, Request, bare, with},
};

/// What is given back for goods without a receipt, each at a euro or less.
pub fn unreceipted(store: Uuid, product: Uuid, quantity: i64, unit: i64) -> Value {
    let euros = |amount: i64| json!({"amount": amount, "currency": "EUR"});
    json!({
        "store_id": store,
        "lines": [{
            "product_id": product, "quantity": quantity, "unit_refund": euros(unit), "disposition": "restock",
        }],
        "reason": "unwanted",
        "note": "A gift",
        "refunds": [{"tender": "voucher", "amount": euros(unit * quantity)}],
    })
}

impl Fixture {
    pub async fn of_returns(
        &self,
        app: &TestApp,
        method: &str,
        path: &str,
        store: Uuid,
    ) -> Option<Request> {
        Some(match (method, path) {
            ("GET", "/api/returns/lookup") => {
                let sold = self.given_sale(app, store).await;
                bare(format!(
                    "{path}?number={}",
                    sold["number"].as_str().unwrap()
                ))
            }
            ("POST", "/api/returns/without-receipt") => {
                with(path, unreceipted(store, self.product, 1, 90))
            }
            ("GET", "/api/sales/reports/margin") => bare(format!(
                "{path}?from=2026-01-01&to=2026-12-31&store_id={store}&group_by=product"
            )),
            ("POST", "/api/sales/exchanges") => {
                let sold = self.given_sale(app, store).await;
                with(path, exchange(store, &sold, 1, (self.product, 2), 100))
            }
            ("POST", "/api/sales/batch") => {
                let sold = offline(store, self.product, 1, 100);
                with(path, batch(&[(Uuid::now_v7().to_string(), sold)]))
            }
            ("GET", "/api/sales/parked") => bare(format!("{path}?store_id={store}")),
            ("POST", "/api/sales/parked") => with(path, basket(store, self.product)),
            ("GET" | "DELETE", "/api/sales/parked/{id}")
            | ("POST", "/api/sales/parked/{id}/resume") => {
                let body = basket(store, self.product);
                let parked = id(&app.post("/api/sales/parked", &body).await);
                bare(path.replace("{id}", &parked.to_string()))
            }
            _ => return None,
        })
    }
}
