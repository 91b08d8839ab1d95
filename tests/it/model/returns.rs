//! Goods that customers bring back.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{
    deed::{Call, Deed, Expected},
    sales::{Sale, TENDERS, tendered},
    state::{Item, Model, share},
    world::World,
};

/// Somebody brings something back.
#[derive(Debug, Clone)]
pub struct Return {
    sale: usize,
    lines: Vec<Back>,
    pay: Pay,
}

#[derive(Debug, Clone)]
struct Back {
    /// Which line of the sale; now and then one more than there are.
    line: usize,
    eighths: u8,
    damaged: bool,
}

#[derive(Debug, Clone, Copy)]
enum Pay {
    /// As the product works it out.
    Any,
    Exactly(&'static str),
    Wrong(&'static str),
}

pub fn plans() -> impl Strategy<Value = Return> {
    let tender = || prop::sample::select(&TENDERS[..]);
    let pay = prop_oneof![
        3 => Just(Pay::Any),
        2 => tender().prop_map(Pay::Exactly),
        1 => tender().prop_map(Pay::Wrong),
    ];
    let line = prop_oneof![20 => 0..6_usize, 1 => Just(usize::MAX)];
    let eighths = prop_oneof![8 => 1..5_u8, 2 => Just(8), 1 => Just(9)];
    let back = (line, eighths, any::<bool>());
    let back = back.prop_map(|(line, eighths, damaged)| Back {
        line,
        eighths,
        damaged,
    });
    (0..1_000_usize, prop::collection::vec(back, 1..=2), pay)
        .prop_map(|(sale, lines, pay)| Return { sale, lines, pay })
}

impl Return {
    pub fn aim(&self, model: &Model) -> Option<TakeBack> {
        let sale = self.sale.checked_rem(model.sales.len())?;
        let sold = &model.sales[sale];
        let lines = self.lines.iter().map(|back| {
            let line = if back.line == usize::MAX {
                sold.lines.len()
            } else {
                back.line % sold.lines.len()
            };
            let left = sold.lines.get(line).map_or(1, |l| l.quantity - l.returned);
            Goods {
                line,
                quantity: share(back.eighths, left).max(1),
                damaged: back.damaged,
            }
        });
        let lines: Vec<Goods> = lines.collect();
        let due = after(sold, &lines).map_or(0, |after| after.refunded() - sold.refunded());
        let refunds = match self.pay {
            Pay::Any => None,
            Pay::Exactly(tender) => Some((tender, due)),
            Pay::Wrong(tender) => Some((tender, due + 1)),
        };
        Some(TakeBack {
            sale,
            lines,
            refunds,
        })
    }
}

/// A return that a till asks for.
#[derive(Debug, Clone)]
pub struct TakeBack {
    sale: usize,
    lines: Vec<Goods>,
    refunds: Option<(&'static str, i64)>,
}

#[derive(Debug, Clone)]
struct Goods {
    line: usize,
    quantity: i64,
    damaged: bool,
}

/// The sale as it is when these goods are back.
fn after(sale: &Sale, lines: &[Goods]) -> Result<Sale, Expected> {
    if lines.iter().any(|goods| goods.line >= sale.lines.len()) {
        return Err(Expected::Refused(400, "invalid-request"));
    }
    let mut after = sale.clone();
    for goods in lines {
        after.lines[goods.line].returned += goods.quantity;
    }
    if after.lines.iter().any(|line| line.returned > line.quantity) {
        return Err(Expected::Refused(409, "return-exceeds-sale"));
    }
    Ok(after)
}

impl TakeBack {
    /// One movement per product and what becomes of it.
    fn goods(&self, sale: &Sale) -> BTreeMap<(Item, bool), i64> {
        let mut sums = BTreeMap::new();
        for goods in &self.lines {
            let item = sale.lines[goods.line].item;
            *sums.entry((item, goods.damaged)).or_default() += goods.quantity;
        }
        sums
    }
}

impl Deed for TakeBack {
    fn call(&self, _: &World, model: &Model) -> Call {
        let line = |goods: &Goods| {
            let disposition = if goods.damaged { "damaged" } else { "restock" };
            json!({"line": goods.line + 1, "quantity": goods.quantity, "disposition": disposition})
        };
        let lines: Vec<Value> = self.lines.iter().map(line).collect();
        let body = json!({
            "sale_id": model.sales[self.sale].id, "lines": lines, "reason": "unwanted",
            "note": "no receipt", "refunds": self.refunds.map(|refund| tendered(&[refund])),
        });
        Call::post("/api/returns", body)
    }

    fn apply(&self, model: &mut Model) -> Expected {
        let sale = model.sales[self.sale].clone();
        if sale.voided {
            return Expected::Refused(409, "sale-voided");
        }
        let mut after = match after(&sale, &self.lines) {
            Ok(after) => after,
            Err(refused) => return refused,
        };
        let due = after.refunded() - sale.refunded();
        if self.refunds.is_some_and(|(_, refund)| refund != due) {
            return Expected::Refused(400, "refund-mismatch");
        }
        // Unless told, it goes back as most of it came, the first of equals.
        let largest = sale.payments.iter().map(|(_, amount)| *amount).max();
        let main = sale
            .payments
            .iter()
            .find(|(_, amount)| Some(*amount) == largest);
        let tender = self.refunds.or(main.copied()).map(|(tender, _)| tender);
        after.refunds.extend(tender.map(|tender| (tender, due)));
        for ((item, damaged), quantity) in self.goods(&sale) {
            let (on_hand, broken) = if damaged {
                (0, quantity)
            } else {
                (quantity, 0)
            };
            model.moves((sale.shop, item), on_hand, broken);
            model.late.insert((sale.shop, item));
        }
        model.sales[self.sale] = after;
        Expected::says(201, &[("/refund/amount", due)])
    }
}
