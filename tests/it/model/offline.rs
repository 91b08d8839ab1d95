//! What tills sold while they were offline: it has happened, so that neither missing stock nor
//! another price refuses it.

use proptest::prelude::*;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    deed::{Call, Deed, Expected},
    sales::{self, Purchase, Sell},
    state::Model,
    world::World,
};

pub const PATH: &str = "/api/sales/batch";

/// A sale of a till that was offline, and the key that it has for ever.
#[derive(Debug, Clone)]
pub struct Rung {
    key: Uuid,
    sale: Value,
    total: i64,
}

/// A till is back, with something that it sold and perhaps something that it has sent before.
#[derive(Debug, Clone)]
pub struct Offline {
    purchase: Purchase,
    again: Option<usize>,
}

pub fn plans() -> impl Strategy<Value = Offline> {
    (sales::plans(), proptest::option::of(0..1_000_usize))
        .prop_map(|(purchase, again)| Offline { purchase, again })
}

impl Offline {
    pub fn aim(&self, model: &Model) -> Batch {
        let again = self
            .again
            .and_then(|again| again.checked_rem(model.offline.len()));
        Batch {
            key: Uuid::now_v7(),
            sell: self.purchase.aim(model).offline(),
            again,
        }
    }
}

/// What it sends.
#[derive(Debug, Clone)]
pub struct Batch {
    key: Uuid,
    sell: Sell,
    again: Option<usize>,
}

impl Batch {
    fn sale(&self, world: &World, model: &Model) -> Value {
        let mut sale = self.sell.call(world, model).body.unwrap();
        sale["occurred_at"] = json!(chrono::Utc::now() - chrono::TimeDelta::minutes(10));
        sale
    }
}

impl Deed for Batch {
    fn call(&self, world: &World, model: &Model) -> Call {
        let one = |key: &Uuid, sale: &Value| json!({"idempotency_key": key, "sale": sale});
        let mut sales = vec![one(&self.key, &self.sale(world, model))];
        if let Some(again) = self.again {
            let rung = &model.offline[again];
            sales.push(one(&rung.key, &rung.sale));
        }
        Call::post(PATH, json!({"sales": sales}))
    }

    fn apply(&self, model: &mut Model) -> Expected {
        let mut says = Vec::new();
        match self.sell.settled(&[]) {
            Ok(sale) => {
                let total = sale.total();
                self.sell.goes_out(model, sale);
                model.offline.push(Rung {
                    key: self.key,
                    sale: Value::Null,
                    total,
                });
                says.push(("/results/0/status".into(), "recorded".into()));
                says.push(("/results/0/sale/total/amount".into(), total.into()));
            }
            Err(Expected::Refused(_, code)) => {
                says.push(("/results/0/status".into(), "failed".into()));
                says.push(("/results/0/problem/code".into(), code.into()));
            }
            Err(done) => return done,
        }
        if let Some(again) = self.again {
            let total = model.offline[again].total;
            says.push(("/results/1/status".into(), "replayed".into()));
            says.push(("/results/1/sale/total/amount".into(), total.into()));
        }
        Expected::Done(200, says)
    }

    fn sent(&self, model: &mut Model, call: &Call, answer: &Value) {
        if answer["recorded"] == 1 {
            let sale = &call.body.as_ref().unwrap()["sales"][0]["sale"];
            model.offline.last_mut().unwrap().sale = sale.clone();
            self.sell.made(model, &answer["results"][0]["sale"]);
        }
    }
}
