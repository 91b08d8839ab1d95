//! Three stores and four products that only one run knows.

use futures::future::join_all;
use serde_json::json;
use uuid::Uuid;

use super::{
    shifts::Till,
    state::{ITEMS, Item, REGISTERS, SHOPS, Shop},
};
use crate::app::{TestApp, id};

/// Who is who on the wire.
#[derive(Debug)]
pub struct World {
    pub shops: Vec<Uuid>,
    pub items: Vec<Uuid>,
    pub registers: Vec<Vec<Uuid>>,
}

impl World {
    pub async fn open(app: &TestApp) -> Self {
        let shops = join_all(SHOPS.iter().map(async |rules| {
            let body = json!({
                "code": format!("S{}", Uuid::now_v7().simple()), "name": "Shop", "kind": "sales",
                "settings": {
                    "timezone": "UTC", "day_cutoff": "00:00", "currency": "EUR",
                    "tax_mode": if rules.tax_added { "added" } else { "included" },
                    "negative_stock": if rules.sells_below_zero { "allow" } else { "refuse" },
                },
            });
            id(&app.post("/api/stores", &body).await)
        }))
        .await;
        let items = join_all(ITEMS.iter().map(async |rules| {
            let sku = format!("P-{}", Uuid::now_v7().simple());
            let body = json!({
                "sku": sku, "name": "Product", "unit": rules.unit, "tax_rate": rules.tax_rate,
                "price": {"amount": rules.price, "currency": "EUR"}, "price_per": rules.per,
            });
            id(&app.post("/api/inventory/products", &body).await)
        }))
        .await;
        let registers = join_all(shops.iter().map(async |shop| {
            let path = format!("/api/stores/{shop}/registers");
            let register = async |n: usize| {
                let body = json!({"code": format!("T{n}"), "name": "Till"});
                id(&app.post(&path, &body).await)
            };
            join_all((0..REGISTERS).map(register)).await
        }))
        .await;
        Self {
            shops,
            items,
            registers,
        }
    }

    pub fn shop(&self, shop: Shop) -> Uuid {
        self.shops[shop]
    }

    pub fn register(&self, (shop, register): Till) -> Uuid {
        self.registers[shop][register]
    }

    pub fn item(&self, item: Item) -> Uuid {
        self.items[item]
    }
}

/// Euros, in cents.
pub fn euros(amount: i64) -> serde_json::Value {
    json!({"amount": amount, "currency": "EUR"})
}
