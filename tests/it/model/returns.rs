//! Goods that customers bring back.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{
    deed::{Call, Deed, Expected},
    money::rounding,
    sales::{Sale, TENDERS, tendered},
    shifts::registers,
    state::{Item, Model, SHOPS, Shop, share},
    world::World,
};

/// Goods that a store took back.
#[derive(Debug, Clone)]
pub struct TakenBack {
    pub shop: Shop,
    /// Tender and amount.
    pub refunds: Vec<(&'static str, i64)>,
    /// What was refunded per product.
    pub lines: Vec<(Item, i64)>,
}

/// Somebody brings something back.
#[derive(Debug, Clone)]
pub struct Return {
    sale: usize,
    /// To another store, it may be.
    shop: Option<Shop>,
    register: Option<usize>,
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
    let shop = proptest::option::weighted(0.3, 0..SHOPS.len());
    let lines = prop::collection::vec(back, 1..=2);
    (0..1_000_usize, shop, registers(), lines, pay).prop_map(
        |(sale, shop, register, lines, pay)| Return {
            sale,
            shop,
            register,
            lines,
            pay,
        },
    )
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
        let coin = SHOPS[self.shop.unwrap_or(sold.shop)].coin;
        let coins = |tender| due + rounding(due, &[(tender, due)], coin);
        let refunds = match self.pay {
            Pay::Any => None,
            Pay::Exactly(tender) => Some(vec![(tender, coins(tender))]),
            Pay::Wrong(tender) => Some(vec![(tender, coins(tender) + 1)]),
        };
        Some(TakeBack {
            sale,
            shop: self.shop,
            register: self.register,
            lines,
            refunds,
        })
    }
}

/// A return that a till asks for.
#[derive(Debug, Clone)]
pub struct TakeBack {
    sale: usize,
    shop: Option<Shop>,
    register: Option<usize>,
    lines: Vec<Goods>,
    refunds: Option<Vec<(&'static str, i64)>>,
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

/// The store hears of it later.
pub fn come_back(model: &mut Model, shop: Shop, goods: BTreeMap<(Item, bool), i64>) {
    for ((item, damaged), quantity) in goods {
        let (on_hand, broken) = if damaged {
            (0, quantity)
        } else {
            (quantity, 0)
        };
        model.moves((shop, item), on_hand, broken);
        model.late.insert((shop, item));
    }
}

impl TakeBack {
    /// It happens there.
    pub fn at(&mut self, (shop, register): (Shop, Option<usize>)) {
        (self.shop, self.register) = (Some(shop), register);
    }

    pub fn pays(&mut self, refunds: Option<Vec<(&'static str, i64)>>) {
        self.refunds = refunds;
    }

    /// One movement per product and what becomes of it.
    fn goods(&self, sale: &Sale) -> BTreeMap<(Item, bool), i64> {
        let mut sums = BTreeMap::new();
        for goods in &self.lines {
            let item = sale.lines[goods.line].item;
            *sums.entry((item, goods.damaged)).or_default() += goods.quantity;
        }
        sums
    }

    /// The sale as it is when the goods are back, if they may come back.
    pub fn comes_back(&self, model: &Model) -> Result<Sale, Expected> {
        let sale = &model.sales[self.sale];
        if sale.voided {
            return Err(Expected::Refused(409, "sale-voided"));
        }
        after(sale, &self.lines)
    }

    /// What the goods were paid with.
    pub fn due(&self, model: &Model) -> i64 {
        let sale = &model.sales[self.sale];
        after(sale, &self.lines).map_or(0, |after| after.refunded() - sale.refunded())
    }

    /// How `due` goes back: as asked, or as most of it came, the first of equals.
    pub fn refunds(
        &self,
        model: &Model,
        due: i64,
        is_offset: bool,
    ) -> Result<Vec<(&'static str, i64)>, Expected> {
        let sale = &model.sales[self.sale];
        let coin = SHOPS[self.shop.unwrap_or(sale.shop)].coin;
        let coins = |refunds: &[(&str, i64)]| due + rounding(due, refunds, coin);
        let largest = sale.payments.iter().map(|(_, amount)| *amount).max();
        let mut payments = sale.payments.iter();
        let main = payments.find(|(_, amount)| Some(*amount) == largest);
        match (&self.refunds, main) {
            (Some(asked), _) if asked.iter().map(|(_, n)| n).sum::<i64>() == coins(asked) => {
                Ok(asked.clone())
            }
            (Some(_), _) => Err(Expected::Refused(400, "refund-mismatch")),
            (None, _) if is_offset && due == 0 => Ok(vec![]),
            (None, Some(("exchange", _))) => Err(Expected::Refused(400, "invalid-request")),
            (None, Some((tender, _))) => Ok(vec![(*tender, coins(&[(*tender, due)]))]),
            (None, None) => Ok(vec![]),
        }
    }

    /// The return is recorded; `after` is what it leaves of the sale.
    pub fn is_taken_back(
        &self,
        model: &mut Model,
        after: Sale,
        refunds: Vec<(&'static str, i64)>,
    ) -> Vec<(String, Value)> {
        let before = model.sales[self.sale].clone();
        let shop = self.shop.unwrap_or(before.shop);
        let due = after.refunded() - before.refunded();
        let till = self.register.map(|register| (shop, register));
        let mut says = vec![("/refund/amount".into(), due.into())];
        says.extend(model.pays_back(till, &refunds, due));
        let lines = before.lines.iter().zip(&after.lines);
        model.returns.push(TakenBack {
            shop,
            refunds,
            lines: lines
                .map(|(before, after)| (after.item, after.refunded() - before.refunded()))
                .collect(),
        });
        come_back(model, shop, self.goods(&before));
        model.sales[self.sale] = after;
        says
    }
}

impl Deed for TakeBack {
    fn call(&self, world: &World, model: &Model) -> Call {
        let line = |goods: &Goods| {
            let disposition = if goods.damaged { "damaged" } else { "restock" };
            json!({"line": goods.line + 1, "quantity": goods.quantity, "disposition": disposition})
        };
        let lines: Vec<Value> = self.lines.iter().map(line).collect();
        let sale = &model.sales[self.sale];
        let at = self.shop.unwrap_or(sale.shop);
        let body = json!({
            "sale_id": sale.id, "store_id": self.shop.map(|shop| world.shop(shop)),
            "register_id": self.register.map(|register| world.register((at, register))),
            "lines": lines, "reason": "unwanted", "note": "as good as new",
            "refunds": self.refunds.as_deref().map(tendered),
        });
        Call::post("/api/returns", body)
    }

    fn apply(&self, model: &mut Model) -> Expected {
        let after = match self.comes_back(model) {
            Ok(after) => after,
            Err(refused) => return refused,
        };
        match self.refunds(model, self.due(model), false) {
            Ok(refunds) => Expected::Done(201, self.is_taken_back(model, after, refunds)),
            Err(refused) => refused,
        }
    }
}
