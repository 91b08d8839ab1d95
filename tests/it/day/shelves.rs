//! What is on the shelves: counted while selling goes on, and filled before it is empty.

use chrono::{TimeDelta, Utc};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use super::chain::{Day, Good, Shop, euros};
use crate::app::id;

const COUNTS: &str = "/api/stocks/counts";
const REPLENISHMENT: &str = "/api/inventory/replenishment";

impl Day<'_> {
    pub async fn opens_count(&self, shop: Shop, good: Good) -> (Shop, Uuid) {
        let scope = json!({"kind": "products", "product_ids": [self.good(good)]});
        let body = json!({"store_id": self.shop(shop), "scope": scope});
        (shop, id(&self.as_manager(shop, COUNTS, &body).await))
    }

    /// So many more are found, where the books had so many when the first was.
    pub async fn finds(&self, (shop, count): (Shop, Uuid), good: Good, quantity: i64, books: i64) {
        let body = json!({"entries": [{"product_id": self.good(good), "quantity": quantity}]});
        let path = format!("{COUNTS}/{count}/lines");
        let entered = self.as_manager(shop, &path, &body).await.expect(200);
        assert_eq!(entered["lines"][0]["expected"], books);
    }

    /// The books are put right by so much.
    pub async fn posts(&mut self, (_, count): (Shop, Uuid), shop: Shop, good: Good, by: i64) {
        let path = format!("{COUNTS}/{count}/post");
        let body = json!({"uncounted": "keep"});
        let posted = self.as_manager(shop, &path, &body).await.expect(200);
        assert_eq!(posted["summary"]["units_down"], -by);
        self.books.stock(shop, good, by, 0);
    }

    /// What a shop wants to have.
    pub async fn rules(&self, shop: Shop, good: Good, rule: &Value) {
        let path = format!(
            "/api/inventory/reorder-rules/{}/{}",
            self.shop(shop),
            self.good(good)
        );
        let token = &self.app.admin;
        let reply = self
            .app
            .send(Method::PUT, &path, token, None, Some(rule))
            .await;
        reply.expect(201);
    }

    /// The one thing that is suggested is accepted, submitted and approved; answers the transfer.
    pub async fn accepts(&self, shop: Shop, (good, quantity): (Good, i64), source: Shop) -> Uuid {
        let (store, date) = (self.shop(shop), Utc::now().date_naive());
        let path = format!("{REPLENISHMENT}/suggestions?store_id={store}&date={date}");
        let page = self.app.get(&path).await.expect(200);
        let suggested = &page["items"][0];
        assert_eq!(suggested["product_id"], json!(self.good(good)));
        assert_eq!(suggested["quantity"], quantity);
        assert_eq!(suggested["source"]["store_id"], json!(self.shop(source)));
        let body = json!({"store_id": store, "suggestions": [{
            "product_id": self.good(good), "quantity": quantity,
            "source_store_id": self.shop(source),
        }]});
        let accepted = format!("{REPLENISHMENT}/suggestions/accept");
        let request = id(&self.as_manager(shop, &accepted, &body).await);
        let path = |verb: &str| format!("{REPLENISHMENT}/requests/{request}/{verb}");
        let nothing = json!({});
        self.as_manager(shop, &path("submit"), &nothing)
            .await
            .expect(200);
        let approved = self.as_manager(source, &path("approve"), &nothing).await;
        let transfer = &approved.expect(200)["transfers"][0]["transfer_id"];
        transfer.as_str().unwrap().parse().unwrap()
    }

    /// For a week from now on.
    pub async fn prices(&mut self, shop: Shop, good: Good, price: i64) {
        let body = json!({
            "product_id": self.good(good), "store_id": self.shop(shop), "price": euros(price),
            "valid_until": Utc::now() + TimeDelta::days(7),
        });
        let path = "/api/inventory/prices";
        self.as_manager(shop, path, &body).await.expect(201);
        self.prices.insert((shop, good), price);
    }

    /// A share off, from now on.
    pub async fn promotes(&self, shop: Shop, good: Good, basis_points: i64) {
        let body = json!({
            "name": "Cheese week", "discount": {"basis_points": basis_points},
            "store_ids": [self.shop(shop)], "product_ids": [self.good(good)],
        });
        let path = "/api/inventory/promotions";
        self.as_manager(shop, path, &body).await.expect(201);
    }

    /// The one discrepancy of a shop is of so much, and somebody knows why.
    pub async fn explains(&self, shop: Shop, good: Good, quantity: i64, why: &str) {
        let path = "/api/stocks/discrepancies";
        let open = format!("{path}?store_id={}&state=open", self.shop(shop));
        let page = self.app.get(&open).await.expect(200);
        let [found] = &page["items"].as_array().unwrap()[..] else {
            panic!("{page}");
        };
        assert_eq!(found["product_id"], json!(self.good(good)));
        assert_eq!(found["quantity"], quantity);
        let body = json!({"resolution": why, "note": "the lorry had come already"});
        let path = format!("{path}/{}/resolve", found["id"].as_str().unwrap());
        self.as_manager(shop, &path, &body).await.expect(200);
    }
}
