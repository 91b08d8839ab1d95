//! Two shops and a warehouse, what they sell, and who works there.

use std::collections::BTreeMap;

use kernel::auth::Role;
use serde_json::{Value, json};
use uuid::Uuid;

use super::books::Books;
use crate::app::{TestApp, id};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Shop {
    Bastille,
    CroixRousse,
    Warehouse,
}

impl Shop {
    pub const ALL: [Self; 3] = [Self::Bastille, Self::CroixRousse, Self::Warehouse];
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Good {
    Bread,
    Wine,
    Cheese,
    Soap,
    Umbrella,
}

impl Good {
    pub const ALL: [Self; 5] = [
        Self::Bread,
        Self::Wine,
        Self::Cheese,
        Self::Soap,
        Self::Umbrella,
    ];

    /// Its price in cents, for one or for so many grams, and its tax in basis points.
    fn price(self) -> (i64, i64, i64) {
        match self {
            Self::Bread => (240, 1, 550),
            Self::Wine => (890, 1, 2_000),
            Self::Cheese => (1_890, 1_000, 550),
            Self::Soap => (350, 1, 2_000),
            Self::Umbrella => (1_200, 1, 2_000),
        }
    }
}

/// Two at Bastille, one at Croix-Rousse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Till {
    One,
    Two,
    Three,
}

impl Till {
    pub const ALL: [Self; 3] = [Self::One, Self::Two, Self::Three];

    pub fn shop(self) -> Shop {
        match self {
            Self::One | Self::Two => Shop::Bastille,
            Self::Three => Shop::CroixRousse,
        }
    }
}

/// The chain on this day, and the pencilled books beside it.
pub struct Day<'a> {
    pub app: &'a TestApp,
    pub books: Books,
    shops: Vec<Uuid>,
    goods: Vec<Uuid>,
    registers: Vec<Uuid>,
    /// Those that are not the catalogue's.
    pub prices: BTreeMap<(Shop, Good), i64>,
    /// Of the tills that are open.
    pub shifts: BTreeMap<Till, Uuid>,
    /// A cashier per till, and a manager per shop.
    cashiers: Vec<String>,
    managers: Vec<String>,
}

impl<'a> Day<'a> {
    /// Everything is there but the goods.
    pub async fn begin(app: &'a TestApp) -> Self {
        let (mut shops, mut managers) = (Vec::new(), Vec::new());
        for shop in Shop::ALL {
            shops.push(open(app, shop).await);
            managers.push(app.user(Role::Manager, shops.last().copied()).await);
        }
        let mut goods = Vec::new();
        for good in Good::ALL {
            goods.push(list(app, good).await);
        }
        let (mut registers, mut cashiers) = (Vec::new(), Vec::new());
        for till in Till::ALL {
            let shop = shops[till.shop() as usize];
            let body = json!({"code": format!("{till:?}"), "name": format!("Till {till:?}")});
            let path = format!("/api/stores/{shop}/registers");
            registers.push(id(&app.post(&path, &body).await));
            cashiers.push(app.user(Role::Cashier, Some(shop)).await);
        }
        Self {
            app,
            books: Books::default(),
            shops,
            goods,
            registers,
            prices: BTreeMap::new(),
            shifts: BTreeMap::new(),
            cashiers,
            managers,
        }
    }

    pub fn shop(&self, shop: Shop) -> Uuid {
        self.shops[shop as usize]
    }

    pub fn good(&self, good: Good) -> Uuid {
        self.goods[good as usize]
    }

    /// What one of it costs there, or a kilogram.
    pub fn price(&self, shop: Shop, good: Good) -> i64 {
        let dated = self.prices.get(&(shop, good)).copied();
        dated.unwrap_or(good.price().0)
    }

    pub fn register(&self, till: Till) -> Uuid {
        self.registers[till as usize]
    }

    /// Posts as the cashier of a till.
    pub async fn at_till(&self, till: Till, path: &str, body: &Value) -> crate::app::Reply {
        let token = &self.cashiers[till as usize];
        self.app
            .send(reqwest::Method::POST, path, token, None, Some(body))
            .await
    }

    /// Posts as the manager of a shop.
    pub async fn as_manager(&self, shop: Shop, path: &str, body: &Value) -> crate::app::Reply {
        let token = &self.managers[shop as usize];
        self.app
            .send(reqwest::Method::POST, path, token, None, Some(body))
            .await
    }
}

pub fn euros(amount: i64) -> Value {
    json!({"amount": amount, "currency": "EUR"})
}

async fn open(app: &TestApp, shop: Shop) -> Uuid {
    let kind = if shop == Shop::Warehouse {
        "logistics"
    } else {
        "sales"
    };
    let body = json!({
        "code": format!("{shop:?}").to_uppercase(), "name": format!("{shop:?}"), "kind": kind,
        "settings": {"timezone": "Europe/Paris", "day_cutoff": "04:00", "currency": "EUR", "tax_mode": "included"},
    });
    id(&app.post("/api/stores", &body).await)
}

async fn list(app: &TestApp, good: Good) -> Uuid {
    let (price, per, tax_rate) = good.price();
    let body = json!({
        "sku": format!("{good:?}").to_uppercase(), "name": format!("{good:?}"),
        "unit": if per > 1 { "g" } else { "each" }, "price": euros(price), "price_per": per,
        "tax_rate": tax_rate,
    });
    id(&app.post("/api/inventory/products", &body).await)
}
