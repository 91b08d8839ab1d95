//! Baskets that a till puts aside, and that one till gets.

use proptest::prelude::*;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    deed::{Call, Deed, Expected},
    state::{ITEMS, Item, Model, SHOPS, Shop},
    world::World,
};

pub const PATH: &str = "/api/sales/parked";

/// A basket that was put aside.
#[derive(Debug, Clone)]
pub struct Basket {
    pub id: Uuid,
    pub shop: Shop,
    pub waits: bool,
}

/// Somebody forgot the wallet, or is back with it.
#[derive(Debug, Clone)]
pub enum Parking {
    Park { shop: Shop, item: Item },
    Resume { basket: usize },
}

pub fn plans() -> impl Strategy<Value = Parking> {
    prop_oneof![
        (0..SHOPS.len(), 0..ITEMS.len()).prop_map(|(shop, item)| Parking::Park { shop, item }),
        (0..1_000_usize).prop_map(|basket| Parking::Resume { basket }),
    ]
}

impl Parking {
    pub fn aim(&self, model: &Model) -> Option<Self> {
        match self {
            Self::Park { .. } => Some(self.clone()),
            Self::Resume { basket } => {
                let basket = basket.checked_rem(model.parked.len())?;
                Some(Self::Resume { basket })
            }
        }
    }
}

impl Deed for Parking {
    fn call(&self, world: &World, model: &Model) -> Call {
        match self {
            Self::Park { shop, item } => {
                let lines = json!([{"product_id": world.item(*item), "quantity": 1}]);
                let body = json!({
                    "store_id": world.shop(*shop), "label": "blue coat", "basket": {"lines": lines},
                });
                Call::post(PATH, body)
            }
            Self::Resume { basket } => Call {
                method: Method::POST,
                path: format!("{PATH}/{}/resume", model.parked[*basket].id),
                body: None,
            },
        }
    }

    fn apply(&self, model: &mut Model) -> Expected {
        match self {
            Self::Park { shop, .. } => {
                model.parked.push(Basket {
                    id: Uuid::nil(),
                    shop: *shop,
                    waits: true,
                });
                Expected::Done(201, vec![("/status".into(), "parked".into())])
            }
            Self::Resume { basket } => {
                let basket = &mut model.parked[*basket];
                if !basket.waits {
                    return Expected::Refused(409, "basket-resumed");
                }
                basket.waits = false;
                Expected::Done(200, vec![("/status".into(), "resumed".into())])
            }
        }
    }

    fn made(&self, model: &mut Model, answer: &Value) {
        if let Self::Park { .. } = self {
            model.parked.last_mut().unwrap().id = answer["id"].as_str().unwrap().parse().unwrap();
        }
    }
}
