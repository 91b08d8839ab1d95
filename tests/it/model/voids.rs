//! Sales that are taken back as if they had never been.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::json;

use super::{
    deed::{Call, Deed, Expected},
    state::{Item, Model},
    world::World,
};

/// A sale that should not have been.
#[derive(Debug, Clone)]
pub struct Void {
    sale: usize,
}

pub fn plans() -> impl Strategy<Value = Void> {
    (0..1_000_usize).prop_map(|sale| Void { sale })
}

impl Void {
    pub fn aim(&self, model: &Model) -> Option<Self> {
        let sale = self.sale.checked_rem(model.sales.len())?;
        Some(Self { sale })
    }
}

impl Deed for Void {
    fn call(&self, _: &World, model: &Model) -> Call {
        let path = format!("/api/sales/{}/void", model.sales[self.sale].id);
        Call::post(path, json!({"reason": "wrong customer"}))
    }

    fn apply(&self, model: &mut Model) -> Expected {
        let sale = &mut model.sales[self.sale];
        if sale.voided {
            return Expected::Refused(409, "already-voided");
        }
        if sale.exchange {
            return Expected::Refused(409, "part-of-exchange");
        }
        if sale.returned() > 0 {
            return Expected::Refused(409, "has-returns");
        }
        sale.voided = true;
        let sale = sale.clone();
        model.rings_off(&sale);
        let mut goods: BTreeMap<Item, i64> = BTreeMap::new();
        for line in &sale.lines {
            *goods.entry(line.item).or_default() += line.quantity;
        }
        for (item, quantity) in goods {
            model.moves((sale.shop, item), quantity, 0);
            model.late.insert((sale.shop, item));
        }
        Expected::Done(200, vec![("/status".into(), "voided".into())])
    }
}
