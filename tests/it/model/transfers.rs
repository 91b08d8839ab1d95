//! Goods that are to go from one store to another: drafts.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    deed::{Call, Deed, Expected},
    state::{ITEMS, Item, Model, SHOPS, Shop},
    world::World,
};

pub const PATH: &str = "/api/stocks/transfers";

/// A transfer that was made.
#[derive(Debug, Clone)]
pub struct Transfer {
    pub id: Uuid,
    pub from: Shop,
    pub to: Shop,
    pub status: &'static str,
    pub lines: BTreeMap<Item, Line>,
    pub return_of: Option<usize>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Line {
    pub requested: i64,
    pub approved: i64,
    pub sent: i64,
    pub received: i64,
    pub damaged: i64,
    pub lost: i64,
}

impl Line {
    pub fn in_transit(&self) -> i64 {
        self.sent - self.received - self.damaged - self.lost
    }
}

impl Transfer {
    pub fn of(from: Shop, to: Shop, status: &'static str, lines: &[(Item, i64)]) -> Self {
        let line = |(item, requested): &(Item, i64)| {
            let requested = *requested;
            (
                *item,
                Line {
                    requested,
                    ..Line::default()
                },
            )
        };
        Self {
            id: Uuid::nil(),
            from,
            to,
            status,
            lines: lines.iter().map(line).collect(),
            return_of: None,
        }
    }
}

/// Somebody wants goods from another store, or changes their mind about it.
#[derive(Debug, Clone)]
pub struct Draft {
    /// The draft to change, if it is not a new one.
    edits: Option<usize>,
    from: Shop,
    to: Shop,
    lines: Vec<(Item, i64)>,
}

pub fn drafts() -> impl Strategy<Value = Draft> {
    let quantity = prop_oneof![20 => 1..25_i64, 1 => Just(0)];
    let distinct = prop::collection::btree_map(0..ITEMS.len(), quantity.clone(), 1..=3);
    let any = prop::collection::vec((0..ITEMS.len(), quantity), 1..=2);
    let lines = prop_oneof![
        9 => distinct.prop_map(|lines| lines.into_iter().collect()),
        1 => any,
    ];
    let edits = proptest::option::weighted(0.15, 0..1_000_usize);
    let ahead = prop_oneof![19 => 1..SHOPS.len(), 1 => Just(0)];
    (edits, 0..SHOPS.len(), ahead, lines).prop_map(|(edits, from, ahead, lines)| Draft {
        edits,
        from,
        to: (from + ahead) % SHOPS.len(),
        lines,
    })
}

impl Draft {
    pub fn aim(&self, model: &Model) -> Option<Self> {
        let edits = match self.edits {
            Some(transfer) => Some(transfer.checked_rem(model.transfers.len())?),
            None => None,
        };
        Some(Self {
            edits,
            ..self.clone()
        })
    }
}

pub fn quantities(world: &World, lines: &[(Item, i64)]) -> Vec<Value> {
    let line = |(item, quantity): &(Item, i64)| json!({"product_id": world.item(*item), "quantity": quantity});
    lines.iter().map(line).collect()
}

pub fn are_distinct(mut items: impl Iterator<Item = Item>) -> bool {
    let mut seen = BTreeSet::new();
    items.all(|item| seen.insert(item))
}

pub const MALFORMED: Expected = Expected::Refused(400, "invalid-request");

impl Deed for Draft {
    fn call(&self, world: &World, model: &Model) -> Call {
        let lines = quantities(world, &self.lines);
        let Some(transfer) = self.edits else {
            let (from, to) = (world.shop(self.from), world.shop(self.to));
            let body =
                json!({"from_store_id": from, "to_store_id": to, "lines": lines, "note": "soon"});
            return Call::post(PATH, body);
        };
        Call {
            method: Method::PATCH,
            ..Call::post(
                format!("{PATH}/{}", model.transfers[transfer].id),
                json!({"lines": lines}),
            )
        }
    }

    fn apply(&self, model: &mut Model) -> Expected {
        let positive = self.lines.iter().all(|(_, quantity)| *quantity > 0);
        if !positive || !are_distinct(self.lines.iter().map(|(item, _)| *item)) {
            return MALFORMED;
        }
        let new = Transfer::of(self.from, self.to, "draft", &self.lines);
        let says = vec![("/status".into(), "draft".into())];
        match self.edits {
            None if self.from == self.to => return MALFORMED,
            None => model.transfers.push(new),
            Some(old) if model.transfers[old].status != "draft" => {
                return Expected::Refused(409, "transfer-status");
            }
            Some(old) => model.transfers[old].lines = new.lines,
        }
        let status = if self.edits.is_some() { 200 } else { 201 };
        Expected::Done(status, says)
    }

    fn made(&self, model: &mut Model, answer: &Value) {
        if self.edits.is_none() {
            model.transfers.last_mut().unwrap().id =
                answer["id"].as_str().unwrap().parse().unwrap();
        }
    }
}
