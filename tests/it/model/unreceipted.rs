//! Goods that come back without a receipt.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{
    deed::{Call, Deed, Expected},
    money::{self, Line, Priced, rounded, rounding},
    returns::{TakenBack, come_back},
    sales::{TENDERS, tendered},
    shifts::{Till, registers},
    state::{ITEMS, Item, Model, SHOPS, Shop, price, promotion, tax_rate},
    world::{World, euros},
};

/// Somebody has no receipt.
#[derive(Debug, Clone)]
pub struct Unreceipted {
    shop: Shop,
    register: Option<usize>,
    lines: Vec<Back>,
    tender: &'static str,
    /// What is paid back beyond what is due.
    over: i64,
}

#[derive(Debug, Clone)]
struct Back {
    item: Item,
    quantity: i64,
    /// Off the price of one; below zero, on top of it.
    off: i64,
    damaged: bool,
}

pub fn plans() -> impl Strategy<Value = Unreceipted> {
    let off = prop_oneof![6 => 0..90_i64, 2 => Just(60), 1 => Just(-1)];
    let back = (0..ITEMS.len(), 1..5_i64, off, any::<bool>());
    let back = back.prop_map(|(item, quantity, off, damaged)| Back {
        item,
        quantity: quantity * if ITEMS[item].per > 1 { 77 } else { 1 },
        off,
        damaged,
    });
    let tender = prop::sample::select(&TENDERS[..]);
    let over = prop_oneof![9 => Just(0_i64), 1 => Just(1)];
    let lines = prop::collection::vec(back, 1..=2);
    (0..SHOPS.len(), registers(), lines, tender, over).prop_map(
        |(shop, register, lines, tender, over)| Unreceipted {
            shop,
            register,
            lines,
            tender,
            over,
        },
    )
}

impl Unreceipted {
    pub fn aim(&self, _: &Model) -> Self {
        self.clone()
    }

    /// As if it were sold now, for what is given back.
    fn priced(&self) -> Vec<Priced> {
        let lines = self.lines.iter().map(|back| Line {
            promotion: 0,
            gross: rounded(self.unit(back) * back.quantity, ITEMS[back.item].per),
            cut: None,
            tax_rate: tax_rate(self.shop, back.item),
        });
        let lines: Vec<Line> = lines.collect();
        money::priced(&lines, None, SHOPS[self.shop].tax_added).unwrap()
    }

    fn till(&self) -> Option<Till> {
        self.register.map(|register| (self.shop, register))
    }

    fn unit(&self, back: &Back) -> i64 {
        (price(self.shop, back.item) - back.off).max(0)
    }

    /// Whether it is more than the goods could be bought for now.
    fn is_above_price(&self, back: &Back) -> bool {
        let of = |unit: i64| rounded(unit * back.quantity, ITEMS[back.item].per);
        let gross = of(price(self.shop, back.item));
        let promotion = promotion(self.shop, back.item, back.quantity, gross);
        back.off < 0 || of(self.unit(back)) > gross - promotion
    }

    /// What is due, to the next coin where it is cash.
    fn refunds(&self) -> Vec<(&'static str, i64)> {
        let due = self.due();
        let rounding = rounding(due, &[(self.tender, due)], SHOPS[self.shop].coin);
        vec![(self.tender, due + rounding)]
    }

    fn due(&self) -> i64 {
        self.priced().iter().map(|line| line.total).sum()
    }
}

impl Deed for Unreceipted {
    fn call(&self, world: &World, _: &Model) -> Call {
        let line = |back: &Back| {
            json!({
                "product_id": world.item(back.item), "quantity": back.quantity,
                "unit_refund": euros(self.unit(back)),
                "disposition": if back.damaged { "damaged" } else { "restock" },
            })
        };
        let lines: Vec<Value> = self.lines.iter().map(line).collect();
        let register = self.till().map(|till| world.register(till));
        let mut refunds = self.refunds();
        refunds[0].1 += self.over;
        let body = json!({
            "store_id": world.shop(self.shop), "register_id": register, "lines": lines, "reason": "unwanted", "note": "a gift",
            "refunds": tendered(&refunds),
        });
        Call::post("/api/returns/without-receipt", body)
    }

    fn apply(&self, model: &mut Model) -> Expected {
        if self.lines.iter().any(|back| self.is_above_price(back)) {
            return Expected::Refused(409, "refund-above-price");
        }
        if self.over != 0 {
            return Expected::Refused(400, "refund-mismatch");
        }
        let mut goods = BTreeMap::new();
        for back in &self.lines {
            *goods.entry((back.item, back.damaged)).or_default() += back.quantity;
        }
        come_back(model, self.shop, goods);
        let (due, lines) = (self.due(), self.lines.iter().zip(self.priced()));
        let refunds = self.refunds();
        let receipt = model.pays_back(self.till(), &refunds, due);
        model.returns.push(TakenBack {
            shop: self.shop,
            refunds,
            lines: lines.map(|(back, line)| (back.item, line.total)).collect(),
        });
        Expected::says(201, &[("/refund/amount", due)]).and(receipt)
    }
}
