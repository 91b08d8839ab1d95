//! Counts of what is there, while selling goes on.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    deed::{Call, Deed, Expected},
    state::{ITEMS, Item, Level, Model, SHOPS, Shop, newest},
    world::World,
};

pub const PATH: &str = "/api/stocks/counts";

/// A count that was opened.
#[derive(Debug, Clone)]
pub struct Count {
    pub id: Uuid,
    pub shop: Shop,
    pub full: bool,
    pub status: &'static str,
    pub lines: BTreeMap<Item, Line>,
}

/// A product on its sheet.
#[derive(Debug, Clone, Default)]
pub struct Line {
    /// What the books said when it came onto the sheet.
    pub sheet: i64,
    pub figure: Option<Figure>,
    pub awaits: bool,
    pub posted: Option<i64>,
}

/// What was found, and the level when the first of it was.
#[derive(Debug, Clone, Copy)]
pub struct Figure {
    pub counted: i64,
    pub begun: Level,
    pub last_version: i64,
}

impl Figure {
    pub fn variance(&self) -> i64 {
        self.counted - self.begun.on_hand
    }

    pub fn moved(&self) -> bool {
        self.last_version != self.begun.version
    }
}

impl Count {
    fn is_open(&self) -> bool {
        ["open", "counting", "recounting"].contains(&self.status)
    }
}

/// Somebody counts.
#[derive(Debug, Clone)]
pub enum Counting {
    /// The whole store where there are no items.
    Open {
        shop: Shop,
        items: Vec<Item>,
    },
    /// What is found is off what the books say by so much; it is found in one place or in two.
    Enter {
        count: usize,
        found: Vec<(Item, i64, bool)>,
    },
    Recount {
        count: usize,
        over: Option<i64>,
        moved: bool,
    },
    Post {
        count: usize,
        zero: bool,
    },
    Cancel {
        count: usize,
    },
}

pub fn plans() -> impl Strategy<Value = Counting> {
    let items = prop_oneof![
        8 => prop::collection::btree_set(0..ITEMS.len(), 0..=2).prop_map(|items| items.into_iter().collect()),
        1 => Just(vec![1, 1]),
    ];
    let count = || prop_oneof![4 => 0..2_usize, 1 => 0..1_000_usize];
    let found = (0..ITEMS.len(), -3..4_i64, prop::bool::weighted(0.6));
    prop_oneof![
        3 => (0..SHOPS.len(), items).prop_map(|(shop, items)| Counting::Open { shop, items }),
        5 => (count(), prop::collection::vec(found, 1..=3))
            .prop_map(|(count, found)| Counting::Enter { count, found }),
        1 => (count(), proptest::option::of(0..3_i64), any::<bool>())
            .prop_map(|(count, over, moved)| Counting::Recount { count, over, moved }),
        2 => (count(), prop::bool::weighted(0.3)).prop_map(|(count, zero)| Counting::Post { count, zero }),
        1 => count().prop_map(|count| Counting::Cancel { count }),
    ]
}

impl Counting {
    /// The newest count is 0: it is most likely open. Of a count of some products these are found,
    /// and now and then another one.
    pub fn aim(&self, model: &Model) -> Option<Self> {
        let newest = |back| newest(back, model.counts.len());
        Some(match self.clone() {
            Self::Open { shop, items } => Self::Open { shop, items },
            Self::Enter { count, found } => {
                let count = newest(count)?;
                let Count {
                    shop,
                    full,
                    ref lines,
                    ..
                } = model.counts[count];
                let sheet: Vec<Item> = lines.keys().copied().collect();
                let found = found.into_iter().map(|(item, off, add)| {
                    let item = match full || off == 3 {
                        true => item,
                        false => sheet[item % sheet.len()],
                    };
                    (item, (model.level((shop, item)).on_hand + off).max(0), add)
                });
                Self::Enter {
                    count,
                    found: found.collect(),
                }
            }
            Self::Recount { count, over, moved } => Self::Recount {
                count: newest(count)?,
                over,
                moved,
            },
            Self::Post { count, zero } => Self::Post {
                count: newest(count)?,
                zero,
            },
            Self::Cancel { count } => Self::Cancel {
                count: newest(count)?,
            },
        })
    }
}

const STATUS: Expected = Expected::Refused(409, "count-status");
const MALFORMED: Expected = Expected::Refused(400, "invalid-request");

impl Deed for Counting {
    fn call(&self, world: &World, model: &Model) -> Call {
        let path = |count: &usize, verb: &str| format!("{PATH}/{}/{verb}", model.counts[*count].id);
        match self {
            Self::Open { shop, items } => {
                let products: Vec<Uuid> = items.iter().map(|item| world.item(*item)).collect();
                let scope = match &items[..] {
                    [] => json!({"kind": "full"}),
                    _ => json!({"kind": "products", "product_ids": products}),
                };
                let body =
                    json!({"store_id": world.shop(*shop), "scope": scope, "note": "monthly"});
                Call::post(PATH, body)
            }
            Self::Enter { count, found } => {
                let entry = |(item, quantity, add): &(Item, i64, bool)| {
                    let mode = if *add { "add" } else { "set" };
                    json!({"product_id": world.item(*item), "quantity": quantity, "mode": mode})
                };
                let entries: Vec<Value> = found.iter().map(entry).collect();
                Call::post(path(count, "lines"), json!({"entries": entries}))
            }
            Self::Recount { count, over, moved } => {
                let body = json!({"over_units": over, "moved": moved});
                Call::post(path(count, "recount"), body)
            }
            Self::Post { count, zero } => {
                let uncounted = if *zero { "zero" } else { "keep" };
                Call::post(path(count, "post"), json!({"uncounted": uncounted}))
            }
            Self::Cancel { count } => {
                Call::post(path(count, "cancel"), json!({"reason": "too late"}))
            }
        }
    }

    fn apply(&self, model: &mut Model) -> Expected {
        let status = match self {
            Self::Open { shop, items } => return open(model, *shop, items),
            Self::Enter { count, found } => enter(model, *count, found),
            Self::Recount {
                over: None,
                moved: false,
                ..
            } => Err(MALFORMED),
            Self::Recount { count, over, moved } => {
                recount(&mut model.counts[*count], *over, *moved)
            }
            Self::Post { count, zero } => post(model, *count, *zero),
            Self::Cancel { count } => give_up(&mut model.counts[*count]),
        };
        match (status, self) {
            (Err(refused), _) => refused,
            (
                Ok(status),
                Self::Enter { count, .. }
                | Self::Recount { count, .. }
                | Self::Post { count, .. }
                | Self::Cancel { count },
            ) => {
                model.counts[*count].status = status;
                Expected::Done(200, vec![("/status".into(), status.into())])
            }
            (Ok(_), Self::Open { .. }) => MALFORMED,
        }
    }

    fn made(&self, model: &mut Model, answer: &Value) {
        if let Self::Open { .. } = self {
            model.counts.last_mut().unwrap().id = answer["id"].as_str().unwrap().parse().unwrap();
        }
    }
}

/// Of two counts that would cover the same product one is refused.
fn open(model: &mut Model, shop: Shop, items: &[Item]) -> Expected {
    let full = items.is_empty();
    if items.windows(2).any(|pair| pair[0] == pair[1]) {
        return MALFORMED;
    }
    let covers =
        |count: &Count| full || count.full || items.iter().any(|i| count.lines.contains_key(i));
    if model
        .counts
        .iter()
        .any(|c| c.shop == shop && c.is_open() && covers(c))
    {
        return Expected::Refused(409, "count-open");
    }
    let line = |item: Item| {
        let sheet = model.level((shop, item)).on_hand;
        (
            item,
            Line {
                sheet,
                ..Line::default()
            },
        )
    };
    let lines: BTreeMap<Item, Line> = if full {
        (0..ITEMS.len())
            .map(line)
            .filter(|(_, line)| line.sheet != 0)
            .collect()
    } else {
        items.iter().copied().map(line).collect()
    };
    let says = [("/summary/lines", i64::try_from(lines.len()).unwrap())];
    model.counts.push(Count {
        id: Uuid::nil(),
        shop,
        full,
        status: "open",
        lines,
    });
    Expected::says(201, &says)
}

fn enter(
    model: &mut Model,
    count: usize,
    found: &[(Item, i64, bool)],
) -> Result<&'static str, Expected> {
    let mut after = model.counts[count].clone();
    if !after.is_open() {
        return Err(STATUS);
    }
    for (item, quantity, add) in found {
        let now = model.level((after.shop, *item));
        if after.full {
            let sheet = now.on_hand;
            after.lines.entry(*item).or_insert(Line {
                sheet,
                ..Line::default()
            });
        }
        let line = after.lines.get_mut(item).ok_or(MALFORMED)?;
        let before = line.figure.filter(|_| *add && !line.awaits);
        line.figure = Some(Figure {
            counted: before.map_or(0, |figure| figure.counted) + quantity,
            begun: before.map_or(now, |figure| figure.begun),
            last_version: now.version,
        });
        line.awaits = false;
    }
    let awaits = after.lines.values().any(|line| line.awaits);
    model.counts[count] = after;
    Ok(if awaits { "recounting" } else { "counting" })
}

fn recount(count: &mut Count, over: Option<i64>, moved: bool) -> Result<&'static str, Expected> {
    if !["counting", "recounting"].contains(&count.status) {
        return Err(STATUS);
    }
    let mut status = count.status;
    for line in count.lines.values_mut().filter(|line| !line.awaits) {
        let Some(figure) = line.figure else { continue };
        let off = over.is_some_and(|over| figure.variance().abs() > over);
        if off || (moved && figure.moved()) {
            line.awaits = true;
            status = "recounting";
        }
    }
    Ok(status)
}

/// Nobody waits for it any more.
fn give_up(count: &mut Count) -> Result<&'static str, Expected> {
    if !count.is_open() {
        return Err(STATUS);
    }
    for line in count.lines.values_mut() {
        line.awaits = false;
    }
    Ok("cancelled")
}

/// What was found more or less than was there then comes on top of what is there now.
fn post(model: &mut Model, count: usize, zero: bool) -> Result<&'static str, Expected> {
    let Count {
        shop,
        status,
        mut lines,
        ..
    } = model.counts[count].clone();
    if status != "counting" {
        return Err(STATUS);
    }
    for (item, line) in &mut lines {
        let on_hand = model.level((shop, *item)).on_hand;
        let by = match line.figure {
            Some(figure) => figure.variance(),
            None if !zero => 0,
            None if line.sheet > 0 => -line.sheet.min(on_hand.max(0)),
            None => -line.sheet,
        };
        if line.figure.is_some() && by < 0 && !model.can_take((shop, *item), -by) {
            return Err(Expected::Refused(409, "count-outsold"));
        }
        line.posted = Some(by);
    }
    for (item, line) in &lines {
        model.moves((shop, *item), line.posted.unwrap(), 0);
    }
    model.counts[count].lines = lines;
    Ok("posted")
}
