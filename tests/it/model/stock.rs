//! Corrections of stock by hand.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{
    deed::{Call, Deed, Expected},
    state::{ITEMS, Item, Key, MOST, Model, SHOPS, Shop},
    world::World,
};

#[derive(Debug, Clone)]
pub struct Adjust {
    pub atomic: bool,
    pub items: Vec<Change>,
}

#[derive(Debug, Clone)]
pub struct Change {
    shop: Shop,
    item: Item,
    what: What,
}

#[derive(Debug, Clone)]
enum What {
    Adjust {
        delta: i64,
        damaged: bool,
    },
    /// `expected`: nothing, what the books say, or something else.
    Set {
        quantity: i64,
        expected: Option<i64>,
    },
    Move {
        back: bool,
        quantity: i64,
    },
}

pub fn plans() -> impl Strategy<Value = Adjust> {
    let delta = prop_oneof![12 => -9..=20_i64, 1 => Just(MOST), 1 => -60..=-30_i64];
    let expected = proptest::option::of(prop_oneof![3 => Just(0_i64), 1 => Just(1)]);
    let what = prop_oneof![
        4 => (delta, prop::bool::weighted(0.2)).prop_map(|(delta, damaged)| What::Adjust { delta, damaged }),
        2 => (0..40_i64, expected).prop_map(|(quantity, expected)| What::Set { quantity, expected }),
        2 => (any::<bool>(), 1..6_i64).prop_map(|(back, quantity)| What::Move { back, quantity }),
    ];
    let change = (0..SHOPS.len(), 0..ITEMS.len(), what);
    let change = change.prop_map(|(shop, item, what)| Change { shop, item, what });
    (any::<bool>(), prop::collection::vec(change, 1..=3))
        .prop_map(|(atomic, items)| Adjust { atomic, items })
}

/// What every store has of every product at first.
pub fn opening(quantity: i64) -> Adjust {
    let what = |quantity| What::Adjust {
        delta: quantity,
        damaged: false,
    };
    let items = (0..SHOPS.len()).flat_map(|shop| {
        (0..ITEMS.len()).map(move |item| Change {
            shop,
            item,
            what: what(quantity * if ITEMS[item].per > 1 { 100 } else { 1 }),
        })
    });
    Adjust {
        atomic: true,
        items: items.collect(),
    }
}

impl Adjust {
    /// What somebody expects is right or off by what the plan says.
    pub fn aim(&self, model: &Model) -> Self {
        let mut aimed = self.clone();
        for change in &mut aimed.items {
            if let What::Set { expected, .. } = &mut change.what {
                let on_hand = model.level((change.shop, change.item)).on_hand;
                *expected = expected.map(|off| on_hand + off);
            }
        }
        aimed
    }
}

impl Change {
    fn key(&self) -> Key {
        (self.shop, self.item)
    }

    fn json(&self, world: &World) -> Value {
        let mut json = match &self.what {
            What::Adjust { delta, damaged } => {
                let bucket = if *damaged { "damaged" } else { "on_hand" };
                json!({"type": "adjust", "delta": delta, "bucket": bucket})
            }
            What::Set { quantity, expected } => {
                json!({"type": "set", "quantity": quantity, "expected": expected})
            }
            What::Move { back, quantity } => {
                let (from, to) = if *back {
                    ("damaged", "on_hand")
                } else {
                    ("on_hand", "damaged")
                };
                json!({"type": "move", "from": from, "to": to, "quantity": quantity})
            }
        };
        json["store_id"] = json!(world.shop(self.shop));
        json["product_id"] = json!(world.item(self.item));
        json["reason"] = "correction".into();
        json["note"] = "counted".into();
        json
    }

    fn apply(&self, model: &mut Model) -> Result<(), &'static str> {
        let level = model.level(self.key());
        let (on_hand, damaged) = match self.what {
            What::Adjust {
                delta,
                damaged: false,
            } => (delta, 0),
            What::Adjust {
                delta,
                damaged: true,
            } => (0, delta),
            What::Set {
                expected: Some(expected),
                ..
            } if expected != level.on_hand => {
                return Err("expected-mismatch");
            }
            What::Set { quantity, .. } => (quantity - level.on_hand, 0),
            What::Move {
                back: false,
                quantity,
            } if level.on_hand < quantity => {
                return Err("insufficient-stock");
            }
            What::Move {
                back: true,
                quantity,
            } if level.damaged < quantity => {
                return Err("insufficient-stock");
            }
            What::Move {
                back: false,
                quantity,
            } => (-quantity, quantity),
            What::Move {
                back: true,
                quantity,
            } => (quantity, -quantity),
        };
        let grows = |by: i64, from: i64| by > 0 && from + by > MOST;
        if grows(on_hand, level.on_hand) || grows(damaged, level.damaged) {
            return Err("stock-out-of-range");
        }
        let short = on_hand < 0 && !model.can_take(self.key(), -on_hand);
        if short || level.damaged + damaged < 0 {
            return Err("insufficient-stock");
        }
        model.moves(self.key(), on_hand, damaged);
        Ok(())
    }
}

impl Deed for Adjust {
    fn call(&self, world: &World, _: &Model) -> Call {
        let items: Vec<Value> = self.items.iter().map(|item| item.json(world)).collect();
        let mode = if self.atomic { "atomic" } else { "per_item" };
        Call::post(
            "/api/stocks/adjustments",
            json!({"mode": mode, "items": items}),
        )
    }

    fn apply(&self, model: &mut Model) -> Expected {
        if self
            .items
            .iter()
            .any(|c| matches!(c.what, What::Adjust { delta: 0, .. }))
        {
            return Expected::Refused(400, "invalid-request");
        }
        let before = model.clone();
        let (mut says, mut refusal) = (Vec::new(), None);
        for (n, change) in self.items.iter().enumerate() {
            let result = change.apply(model);
            let mut say =
                |field: &str, value: Value| says.push((format!("/results/{n}/{field}"), value));
            match result {
                Ok(()) => {
                    let level = model.level(change.key());
                    say("status", "applied".into());
                    say("level/on_hand", level.on_hand.into());
                    say("level/reserved", level.reserved.into());
                    say("level/damaged", level.damaged.into());
                    say("level/incoming", level.incoming.into());
                    say("level/version", level.version.into());
                }
                Err(code) => {
                    say("status", "refused".into());
                    say("code", code.into());
                    refusal = refusal.or(Some(code));
                }
            }
        }
        match refusal {
            Some(code) if self.atomic => {
                *model = before;
                Expected::Refused(409, code)
            }
            _ => Expected::Done(201, says),
        }
    }
}
