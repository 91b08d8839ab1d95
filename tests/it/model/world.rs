//! Three stores and four products that only one run knows.

use futures::future::join_all;
use serde_json::json;
use uuid::Uuid;

use super::{
    shifts::Till,
    state::{ITEMS, Item, Off, PRICES, PROMOTIONS, REGISTERS, SHOPS, Shop, TAXED},
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
        let taxes = Taxes::given(app).await;
        let shops = join_all(SHOPS.iter().map(async |rules| {
            let body = json!({
                "code": format!("S{}", Uuid::now_v7().simple()), "name": "Shop", "kind": "sales",
                "settings": {
                    "timezone": "UTC", "day_cutoff": "00:00", "currency": "EUR",
                    "tax_mode": if rules.tax_added { "added" } else { "included" },
                    "negative_stock": if rules.sells_below_zero { "allow" } else { "refuse" },
                    "cash_rounding_minor": (rules.coin > 1).then_some(rules.coin),
                    "tax_region": rules.in_region.then_some(&taxes.region),
                },
            });
            id(&app.post("/api/stores", &body).await)
        }))
        .await;
        let items = join_all(ITEMS.iter().enumerate().map(async |(item, rules)| {
            let sku = format!("P-{}", Uuid::now_v7().simple());
            let body = json!({
                "sku": sku, "name": "Product", "unit": rules.unit, "tax_rate": rules.tax_rate,
                "price": {"amount": rules.price, "currency": "EUR"}, "price_per": rules.per,
                "tax_class": (item == TAXED.0).then_some(&taxes.class),
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
        for (shop, item, price) in PRICES {
            let store = shop.map(|shop| shops[shop]);
            let body = json!({"product_id": items[item], "store_id": store, "price": euros(price)});
            app.post("/api/inventory/prices", &body).await.expect(201);
        }
        for (shop, item, from, off) in PROMOTIONS {
            let stores = shop.map(|shop| [shops[shop]]);
            let off = match off {
                Off::Share(share) => json!({"basis_points": share}),
                Off::Amount(amount) => json!({"amount": euros(amount)}),
            };
            let body = json!({
                "name": "Offer", "discount": off, "min_quantity": from, "store_ids": stores,
                "product_ids": [items[item]],
            });
            app.post("/api/inventory/promotions", &body)
                .await
                .expect(201);
        }
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

/// A tax class and a region that no other run has.
struct Taxes {
    class: String,
    region: String,
}

impl Taxes {
    async fn given(app: &TestApp) -> Self {
        let code = |first: &str| format!("{first}{}", Uuid::now_v7().simple());
        let (class, region) = (code("c"), code("R"));
        let body = json!({"code": class, "name": "Class"});
        app.post("/api/inventory/taxes/classes", &body)
            .await
            .expect(201);
        let body = json!({
            "region": region, "tax_class": class, "rate": TAXED.1, "valid_from": "2020-01-01T00:00:00Z",
        });
        app.post("/api/inventory/taxes", &body).await.expect(201);
        Self { class, region }
    }
}
