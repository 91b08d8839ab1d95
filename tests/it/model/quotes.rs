//! What a sale would cost; nothing is kept of it.

use proptest::prelude::*;

use super::{
    deed::{Call, Deed, Expected},
    sales::{self, Purchase, Sell},
    state::Model,
    world::World,
};

pub const PATH: &str = "/api/sales/quote";

/// Somebody asks what it would be.
#[derive(Debug, Clone)]
pub struct Asked(Purchase);

pub fn plans() -> impl Strategy<Value = Asked> {
    sales::plans().prop_map(Asked)
}

impl Asked {
    pub fn aim(&self, model: &Model) -> Quote {
        Quote(self.0.aim(model))
    }
}

/// What is asked.
#[derive(Debug, Clone)]
pub struct Quote(Sell);

impl Deed for Quote {
    fn call(&self, world: &World, model: &Model) -> Call {
        let mut body = self.0.call(world, model).body.unwrap();
        body.as_object_mut().unwrap().remove("payments");
        Call::post(PATH, body)
    }

    fn apply(&self, model: &mut Model) -> Expected {
        self.0.quoted(model)
    }
}
