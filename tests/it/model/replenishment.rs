//! Stores that ask for goods, and logistics that has them brought.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    deed::{Call, Deed, Expected},
    state::{ITEMS, Item, Model, SHOPS, Shop, newest, share},
    transfers::{MALFORMED, Transfer, quantities},
    world::World,
};

pub const PATH: &str = "/api/inventory/replenishment/requests";

/// What a store asked for.
#[derive(Debug, Clone)]
pub struct Request {
    pub id: Uuid,
    pub shop: Shop,
    pub source: Shop,
    pub lines: BTreeMap<Item, i64>,
    pub status: &'static str,
    pub approved: BTreeMap<Item, i64>,
}

/// Somebody asks, or decides.
#[derive(Debug, Clone)]
pub enum Asking {
    Ask {
        shop: Shop,
        source: Shop,
        lines: BTreeMap<Item, i64>,
    },
    /// Shares of what was asked for; all of it where there are none.
    Approve {
        request: usize,
        shares: Vec<u8>,
    },
    Reject {
        request: usize,
    },
    Cancel {
        request: usize,
    },
}

pub fn plans() -> impl Strategy<Value = Asking> {
    let lines = prop::collection::btree_map(0..ITEMS.len(), 1..12_i64, 1..=2);
    let ahead = prop_oneof![19 => 1..SHOPS.len(), 1 => Just(0)];
    let share = prop_oneof![15 => 1..=8_u8, 1 => Just(0), 1 => Just(9)];
    let request = || 0..3_usize;
    prop_oneof![
        3 => (0..SHOPS.len(), ahead, lines).prop_map(|(shop, ahead, lines)| Asking::Ask {
            shop,
            source: (shop + ahead) % SHOPS.len(),
            lines,
        }),
        3 => (request(), prop::collection::vec(share, 0..=2))
            .prop_map(|(request, shares)| Asking::Approve { request, shares }),
        1 => request().prop_map(|request| Asking::Reject { request }),
        1 => request().prop_map(|request| Asking::Cancel { request }),
    ]
}

impl Asking {
    pub fn aim(&self, model: &Model) -> Option<Answer> {
        let newest = |back| newest(back, model.requests.len());
        Some(match self.clone() {
            Self::Ask {
                shop,
                source,
                lines,
            } => Answer::Ask {
                shop,
                source,
                lines,
            },
            Self::Approve { request, shares } => {
                let request = newest(request)?;
                let asked = model.requests[request].lines.iter().zip(&shares);
                let lines = asked.map(|((item, asked), eighths)| (*item, share(*eighths, *asked)));
                let lines = (!shares.is_empty()).then(|| lines.collect());
                Answer::Approve { request, lines }
            }
            Self::Reject { request } => Answer::Reject {
                request: newest(request)?,
            },
            Self::Cancel { request } => Answer::Cancel {
                request: newest(request)?,
            },
        })
    }
}

/// What is asked and answered.
#[derive(Debug, Clone)]
pub enum Answer {
    Ask {
        shop: Shop,
        source: Shop,
        lines: BTreeMap<Item, i64>,
    },
    Approve {
        request: usize,
        lines: Option<Vec<(Item, i64)>>,
    },
    Reject {
        request: usize,
    },
    Cancel {
        request: usize,
    },
}

impl Deed for Answer {
    fn call(&self, world: &World, model: &Model) -> Call {
        let path =
            |request: &usize, verb: &str| format!("{PATH}/{}/{verb}", model.requests[*request].id);
        match self {
            Self::Ask {
                shop,
                source,
                lines,
            } => {
                let line = |(item, quantity): (&Item, &i64)| {
                    json!({
                        "product_id": world.item(*item), "quantity": quantity,
                        "source_store_id": world.shop(*source),
                    })
                };
                let lines: Vec<Value> = lines.iter().map(line).collect();
                let body = json!({"store_id": world.shop(*shop), "lines": lines, "note": "please"});
                Call::post(PATH, body)
            }
            Self::Approve { request, lines } => {
                let body = match lines {
                    Some(lines) => json!({"lines": quantities(world, lines)}),
                    None => json!({}),
                };
                Call::post(path(request, "approve"), body)
            }
            Self::Reject { request } => {
                Call::post(path(request, "reject"), json!({"reason": "not now"}))
            }
            Self::Cancel { request } => Call::post(path(request, "cancel"), json!({})),
        }
    }

    fn apply(&self, model: &mut Model) -> Expected {
        match self {
            Self::Ask { shop, source, .. } if shop == source => MALFORMED,
            Self::Ask {
                shop,
                source,
                lines,
            } => {
                model.requests.push(Request {
                    id: Uuid::nil(),
                    shop: *shop,
                    source: *source,
                    lines: lines.clone(),
                    status: "requested",
                    approved: BTreeMap::new(),
                });
                Expected::Done(201, vec![("/status".into(), "requested".into())])
            }
            Self::Approve { request, lines } => approve(model, *request, lines.as_deref()),
            Self::Reject { request } => end(&mut model.requests[*request], "rejected"),
            Self::Cancel { request } => end(&mut model.requests[*request], "cancelled"),
        }
    }

    fn made(&self, model: &mut Model, answer: &Value) {
        let id = |value: &Value| value.as_str().unwrap().parse().unwrap();
        match self {
            Self::Ask { .. } => model.requests.last_mut().unwrap().id = id(&answer["id"]),
            Self::Approve { .. } => {
                let transfer = id(&answer["transfers"][0]["transfer_id"]);
                model.transfers.last_mut().unwrap().id = transfer;
            }
            Self::Reject { .. } | Self::Cancel { .. } => {}
        }
    }
}

/// The source is asked for what is approved.
fn approve(model: &mut Model, request: usize, lines: Option<&[(Item, i64)]>) -> Expected {
    let request = &mut model.requests[request];
    let all = || {
        request
            .lines
            .iter()
            .map(|(item, asked)| (*item, *asked))
            .collect()
    };
    let lines: Vec<(Item, i64)> = lines.map_or_else(all, <[_]>::to_vec);
    let too_much = lines
        .iter()
        .any(|(item, quantity)| *quantity > request.lines[item]);
    if too_much || lines.iter().all(|(_, quantity)| *quantity == 0) {
        return MALFORMED;
    }
    let ended = end(request, "approved");
    if let Expected::Done(..) = ended {
        let lines = lines.into_iter().filter(|(_, quantity)| *quantity > 0);
        request.approved = lines.collect();
        let lines: Vec<(Item, i64)> = request.approved.clone().into_iter().collect();
        let transfer = Transfer::of(request.source, request.shop, "requested", &lines);
        model.transfers.push(transfer);
    }
    ended
}

fn end(request: &mut Request, status: &'static str) -> Expected {
    if request.status != "requested" {
        return Expected::Refused(409, "replenishment-status");
    }
    request.status = status;
    Expected::Done(200, vec![("/status".into(), status.into())])
}
