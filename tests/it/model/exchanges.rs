//! Goods that are exchanged for others: a return and a sale that stand together or not at all.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{
    deed::{Call, Deed, Expected},
    money::rounding,
    returns::{self, Return, TakeBack},
    sales::{self, Purchase, Sale, Sell, TENDERS},
    state::{Model, SHOPS},
    world::World,
};

/// Somebody wants something else.
#[derive(Debug, Clone)]
pub struct Exchange {
    back: Return,
    out: Purchase,
    /// Off the difference that is paid, one way or the other.
    off: i64,
    tender: &'static str,
    /// Leave it to the product how the rest goes back.
    unsaid: bool,
}

pub fn plans() -> impl Strategy<Value = Exchange> {
    let off = prop_oneof![9 => Just(0_i64), 1 => Just(1)];
    let tender = prop::sample::select(&TENDERS[..]);
    (returns::plans(), sales::plans(), off, tender, any::<bool>()).prop_map(
        |(back, out, off, tender, unsaid)| Exchange {
            back,
            out,
            off,
            tender,
            unsaid,
        },
    )
}

impl Exchange {
    pub fn aim(&self, model: &Model) -> Option<Swap> {
        let mut back = self.back.aim(model)?;
        let mut out = self.out.aim(model);
        back.at(out.place());
        let (due, owed) = (back.due(model), out.owed());
        let offset = due.min(owed);
        let coin = SHOPS[out.place().0].coin;
        let coins = |rest: i64| rest + rounding(rest, &[(self.tender, rest)], coin) + self.off;
        out.pays(match owed - offset {
            0 => vec![],
            rest => vec![(self.tender, coins(rest))],
        });
        back.pays((!self.unsaid).then(|| vec![(self.tender, coins(due - offset))]));
        Some(Swap { back, out })
    }
}

/// An exchange that a till asks for.
#[derive(Debug, Clone)]
pub struct Swap {
    back: TakeBack,
    out: Sell,
}

impl Deed for Swap {
    fn call(&self, world: &World, model: &Model) -> Call {
        let back = self.back.call(world, model).body.unwrap();
        let out = self.out.call(world, model).body.unwrap();
        let body = json!({
            "store_id": out["store_id"], "register_id": out["register_id"],
            "returned": {
                "sale_id": back["sale_id"], "lines": back["lines"], "reason": back["reason"],
                "note": back["note"],
            },
            "sold": {"lines": out["lines"], "discount": out["discount"], "customer_ref": "C-1"},
            "payments": out["payments"], "refunds": back["refunds"],
        });
        Call::post("/api/sales/exchanges", body)
    }

    /// What can be refused of either is refused before anything is taken: the goods that come back,
    /// the price and the payment, how the rest goes back, and the goods that go out.
    fn apply(&self, model: &mut Model) -> Expected {
        let sold = match self.back.comes_back(model) {
            Ok(sold) => sold,
            Err(refused) => return refused,
        };
        let due = self.back.due(model);
        let offset = due.min(self.out.owed());
        let credit: Vec<_> = (offset > 0)
            .then_some(("exchange", offset))
            .into_iter()
            .collect();
        let sale = match self.out.settled(&credit) {
            Ok(sale) => Sale {
                exchange: true,
                ..sale
            },
            Err(refused) => return refused,
        };
        let refunds = match self.back.refunds(model, due - offset, offset > 0) {
            Ok(refunds) => refunds,
            Err(refused) => return refused,
        };
        if !self.out.is_there(model) {
            return Expected::Refused(409, "insufficient-stock");
        }
        let net = sale.total() - due;
        let mut says = under("/sale", self.out.goes_out(model, sale));
        let refunds = credit.into_iter().chain(refunds).collect();
        says.extend(under(
            "/returned",
            self.back.is_taken_back(model, sold, refunds),
        ));
        says.push(("/net/amount".into(), net.into()));
        Expected::Done(201, says)
    }

    fn made(&self, model: &mut Model, answer: &Value) {
        self.out.made(model, &answer["sale"]);
    }
}

fn under(place: &str, says: Vec<(String, Value)>) -> Vec<(String, Value)> {
    says.into_iter()
        .map(|(at, value)| (format!("{place}{at}"), value))
        .collect()
}
