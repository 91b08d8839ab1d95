//! What happens to goods beside the tills.

use serde_json::{Value, json};
use uuid::Uuid;

use super::chain::{Day, Good, Shop};
use crate::app::id;

const TRANSFERS: &str = "/api/stocks/transfers";

impl Day<'_> {
    /// A supplier's lorry.
    pub async fn delivered(&mut self, shop: Shop, goods: &[(Good, i64)]) {
        let item = |(good, quantity): &(Good, i64)| {
            json!({
                "type": "adjust", "store_id": self.shop(shop), "product_id": self.good(*good),
                "delta": quantity, "reason": "delivery",
            })
        };
        let items: Vec<Value> = goods.iter().map(item).collect();
        let body = json!({"items": items});
        self.as_manager(shop, "/api/stocks/adjustments", &body)
            .await
            .expect(201);
        for (good, quantity) in goods {
            self.books.stock(shop, *good, *quantity, 0);
        }
    }

    /// One asks and the other approves and sends.
    pub async fn sends(&mut self, from: Shop, to: Shop, goods: &[(Good, i64)]) -> Uuid {
        let line = |(good, quantity): &(Good, i64)| json!({"product_id": self.good(*good), "quantity": quantity});
        let lines: Vec<Value> = goods.iter().map(line).collect();
        let body =
            json!({"from_store_id": self.shop(from), "to_store_id": self.shop(to), "lines": lines});
        let transfer = id(&self.as_manager(to, TRANSFERS, &body).await);
        let path = format!("{TRANSFERS}/{transfer}/request");
        self.as_manager(to, &path, &json!({})).await.expect(200);
        self.dispatches(transfer, from, goods).await;
        transfer
    }

    /// All that was asked for leaves.
    pub async fn dispatches(&mut self, transfer: Uuid, from: Shop, goods: &[(Good, i64)]) {
        for verb in ["approve", "dispatch"] {
            let path = format!("{TRANSFERS}/{transfer}/{verb}");
            self.as_manager(from, &path, &json!({})).await.expect(200);
        }
        for (good, quantity) in goods {
            self.books.stock(from, *good, -quantity, 0);
        }
    }

    /// Whole, broken, and never.
    pub async fn receives(
        &mut self,
        transfer: Uuid,
        shop: Shop,
        (good, [received, damaged, lost]): (Good, [i64; 3]),
    ) {
        let line = json!({
            "product_id": self.good(good), "received": received, "damaged": damaged, "lost": lost,
        });
        let path = format!("{TRANSFERS}/{transfer}/receive");
        self.as_manager(shop, &path, &json!({"lines": [line]}))
            .await
            .expect(200);
        self.books.stock(shop, good, received, damaged);
    }
}
