//! What left a shelf although it was not there, until somebody explains it.

use proptest::prelude::*;
use serde_json::json;
use uuid::Uuid;

use super::{
    deed::{Call, Deed, Expected},
    state::{Key, Model},
    world::World,
};

pub const PATH: &str = "/api/stocks/discrepancies";

/// Goods that were taken from nothing.
#[derive(Debug, Clone)]
pub struct Discrepancy {
    /// The product makes these without saying so: they are looked up when somebody asks.
    pub id: Uuid,
    pub key: Key,
    /// The movement of the level.
    pub seq: i64,
    pub quantity: i64,
    pub after: i64,
    pub resolved: bool,
}

impl Discrepancy {
    pub fn new(key: Key, seq: i64, quantity: i64, after: i64) -> Self {
        Self {
            id: Uuid::nil(),
            key,
            seq,
            quantity,
            after,
            resolved: false,
        }
    }
}

/// Somebody knows how it came about.
#[derive(Debug, Clone)]
pub struct Resolve {
    discrepancy: usize,
}

pub fn plans() -> impl Strategy<Value = Resolve> {
    (0..1_000_usize).prop_map(|discrepancy| Resolve { discrepancy })
}

impl Resolve {
    pub fn aim(&self, model: &Model) -> Option<Self> {
        let discrepancy = self.discrepancy.checked_rem(model.discrepancies.len())?;
        Some(Self { discrepancy })
    }
}

impl Deed for Resolve {
    fn call(&self, _: &World, model: &Model) -> Call {
        let id = model.discrepancies[self.discrepancy].id;
        let body = json!({"resolution": "counted", "note": "it was there"});
        Call::post(format!("{PATH}/{id}/resolve"), body)
    }

    fn apply(&self, model: &mut Model) -> Expected {
        let discrepancy = &mut model.discrepancies[self.discrepancy];
        if discrepancy.resolved {
            return Expected::Refused(409, "discrepancy-resolved");
        }
        discrepancy.resolved = true;
        Expected::Done(200, vec![("/state".into(), "resolved".into())])
    }
}
