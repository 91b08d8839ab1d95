//! Sales.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    deed::{Call, Deed, Expected},
    money::{self, Cut, Line, Priced, rounded, rounding},
    shifts::{Till, registers},
    state::{ITEMS, Item, Model, SHOPS, Shop, price, promotion, tax_rate},
    world::{World, euros},
};

pub const TENDERS: [&str; 4] = ["cash", "card", "voucher", "other"];

/// A sale that is recorded.
#[derive(Debug, Clone)]
pub struct Sale {
    pub id: Uuid,
    pub shop: Shop,
    pub till: Option<Till>,
    pub lines: Vec<Sold>,
    /// Tender and amount.
    pub payments: Vec<(&'static str, i64)>,
    pub change: i64,
    /// What cash was rounded by.
    pub rounding: i64,
    pub voided: bool,
    /// Whether it is part of an exchange.
    pub exchange: bool,
}

#[derive(Debug, Clone)]
pub struct Sold {
    pub item: Item,
    pub quantity: i64,
    pub total: i64,
    pub tax: i64,
    pub returned: i64,
}

impl Sold {
    /// What went back to the customer so far, however it was cut up.
    pub fn refunded(&self) -> i64 {
        rounded(self.total * self.returned, self.quantity)
    }
}

impl Sale {
    pub fn total(&self) -> i64 {
        self.lines.iter().map(|line| line.total).sum()
    }

    pub fn refunded(&self) -> i64 {
        self.lines.iter().map(Sold::refunded).sum()
    }

    pub fn returned(&self) -> i64 {
        self.lines.iter().map(|line| line.returned).sum()
    }
}

/// Somebody wants to buy something.
#[derive(Debug, Clone)]
pub struct Purchase {
    shop: Shop,
    register: Option<usize>,
    lines: Vec<Wanted>,
    cut: Option<Cut>,
    pay: Pay,
}

#[derive(Debug, Clone)]
struct Wanted {
    item: Item,
    quantity: i64,
    price: Option<i64>,
    cut: Option<Cut>,
}

#[derive(Debug, Clone, Copy)]
enum Pay {
    Exactly(&'static str),
    /// So much more than is owed.
    Over(&'static str, i64),
    /// So much in one tender and the rest in another.
    Split(&'static str, &'static str, i64),
    Under(i64),
}

fn tender() -> impl Strategy<Value = &'static str> {
    prop::sample::select(&TENDERS[..])
}

fn cut() -> impl Strategy<Value = Option<Cut>> {
    let cut = prop_oneof![
        (0..120_i64).prop_map(Cut::Amount),
        (0..=10_000_i64).prop_map(Cut::Share),
    ];
    proptest::option::weighted(0.2, cut)
}

pub fn plans() -> impl Strategy<Value = Purchase> {
    let quantity = prop_oneof![9 => 1..6_i64, 1 => 20..60_i64];
    let price = proptest::option::weighted(0.15, 0..900_i64);
    let wanted =
        (0..ITEMS.len(), quantity, price, cut()).prop_map(|(item, quantity, price, cut)| Wanted {
            item,
            quantity: quantity * if ITEMS[item].per > 1 { 77 } else { 1 },
            price,
            cut,
        });
    let pay = prop_oneof![
        8 => tender().prop_map(Pay::Exactly),
        2 => (tender(), 1..500_i64).prop_map(|(tender, over)| Pay::Over(tender, over)),
        2 => (tender(), tender(), 0..200_i64).prop_map(|(one, two, part)| Pay::Split(one, two, part)),
        1 => (1..50_i64).prop_map(Pay::Under),
    ];
    let lines = prop::collection::vec(wanted, 1..=3);
    (0..SHOPS.len(), registers(), lines, cut(), pay).prop_map(
        |(shop, register, lines, cut, pay)| Purchase {
            shop,
            register,
            lines,
            cut,
            pay,
        },
    )
}

impl Purchase {
    fn priced(&self) -> Option<Vec<Priced>> {
        let lines = self.lines.iter().map(|wanted| {
            let (item, quantity) = (wanted.item, wanted.quantity);
            let charged = wanted.price.unwrap_or(price(self.shop, item));
            let gross = rounded(charged * quantity, ITEMS[item].per);
            Line {
                gross,
                // None off a price that is set by hand.
                promotion: match wanted.price {
                    Some(_) => 0,
                    None => promotion(self.shop, item, quantity, gross),
                },
                cut: wanted.cut,
                tax_rate: tax_rate(self.shop, item),
            }
        });
        let lines: Vec<Line> = lines.collect();
        money::priced(&lines, self.cut, SHOPS[self.shop].tax_added)
    }

    fn owed(&self) -> i64 {
        let priced = self.priced().unwrap_or_default();
        priced.iter().map(|line| line.total).sum()
    }

    /// The customer looks at the display and pays, cash to the next coin.
    pub fn aim(&self, _: &Model) -> Sell {
        let owed = self.owed();
        let mut paid = match self.pay {
            Pay::Exactly(_) if owed == 0 => vec![],
            Pay::Exactly(tender) => vec![(tender, owed)],
            Pay::Over(tender, over) => vec![(tender, owed + over)],
            Pay::Split(one, two, part) => vec![(one, part.min(owed)), (two, owed - part.min(owed))],
            Pay::Under(by) => vec![("card", (owed - by).max(0))],
        };
        let rounding = rounding(owed, &paid, SHOPS[self.shop].coin);
        if let Some((_, cash)) = paid.iter_mut().find(|(tender, _)| *tender == "cash") {
            *cash = (*cash + rounding).max(0);
        }
        Sell {
            purchase: self.clone(),
            paid,
        }
    }
}

/// A sale that a till asks for.
#[derive(Debug, Clone)]
pub struct Sell {
    purchase: Purchase,
    paid: Vec<(&'static str, i64)>,
}

impl Sell {
    pub fn place(&self) -> (Shop, Option<usize>) {
        (self.purchase.shop, self.purchase.register)
    }

    pub fn owed(&self) -> i64 {
        self.purchase.owed()
    }

    /// As it was charged while nobody could be asked.
    pub fn offline(mut self) -> Self {
        let shop = self.purchase.shop;
        for wanted in &mut self.purchase.lines {
            wanted.price.get_or_insert(price(shop, wanted.item));
        }
        self
    }

    pub fn pays(&mut self, paid: Vec<(&'static str, i64)>) {
        self.paid = paid;
    }

    /// The sale, if its price and its payments are in order.
    pub fn settled(&self, credit: &[(&'static str, i64)]) -> Result<Sale, Expected> {
        let Purchase {
            shop,
            register,
            lines,
            ..
        } = &self.purchase;
        let priced = self
            .purchase
            .priced()
            .ok_or(Expected::Refused(400, "invalid-request"))?;
        let sold = lines.iter().zip(&priced).map(|(wanted, priced)| Sold {
            item: wanted.item,
            quantity: wanted.quantity,
            total: priced.total,
            tax: priced.tax,
            returned: 0,
        });
        let mut sale = Sale {
            id: Uuid::nil(),
            shop: *shop,
            till: register.map(|register| (*shop, register)),
            lines: sold.collect(),
            payments: [credit, &self.paid[..]].concat(),
            change: 0,
            rounding: 0,
            voided: false,
            exchange: false,
        };
        let sum = |payments: &mut dyn Iterator<Item = &(&str, i64)>| {
            payments.map(|(_, n)| n).sum::<i64>()
        };
        let cash = sum(&mut sale.payments.iter().filter(|(tender, _)| *tender == "cash"));
        sale.rounding = rounding(sale.total(), &sale.payments, SHOPS[*shop].coin);
        sale.change = sum(&mut sale.payments.iter()) - sale.total() - sale.rounding;
        if (0..=cash).contains(&sale.change) {
            Ok(sale)
        } else {
            Err(Expected::Refused(400, "payment-mismatch"))
        }
    }

    /// The price and the sums, and what would be owed in cash.
    pub fn quoted(&self, model: &Model) -> Expected {
        let Some(priced) = self.purchase.priced() else {
            return Expected::Refused(400, "invalid-request");
        };
        let sum = |of: fn(&Priced) -> i64| priced.iter().map(of).sum::<i64>();
        let total = sum(|line| line.total);
        let cash = total + rounding(total, &[("cash", 0)], SHOPS[self.purchase.shop].coin);
        let says = [
            ("/total/amount", total),
            ("/tax/amount", sum(|line| line.tax)),
            ("/discount/amount", sum(|line| line.discount)),
            ("/cash/due/amount", cash),
        ];
        let goods = self.goods();
        let enough = self.purchase.lines.iter().enumerate().map(|(n, wanted)| {
            let key = (self.purchase.shop, wanted.item);
            let enough = model.can_take(key, goods[&wanted.item]);
            (format!("/lines/{n}/is_enough"), enough.into())
        });
        Expected::says(200, &says).and(enough.collect())
    }

    fn goods(&self) -> BTreeMap<Item, i64> {
        let mut goods = BTreeMap::new();
        for wanted in &self.purchase.lines {
            *goods.entry(wanted.item).or_default() += wanted.quantity;
        }
        goods
    }

    pub fn is_there(&self, model: &Model) -> bool {
        let shop = self.purchase.shop;
        let mut goods = self.goods().into_iter();
        goods.all(|(item, quantity)| model.can_take((shop, item), quantity))
    }

    /// The goods are taken and the sale is recorded.
    pub fn goes_out(&self, model: &mut Model, sale: Sale) -> Vec<(String, Value)> {
        for (item, quantity) in self.goods() {
            model.moves((sale.shop, item), -quantity, 0);
        }
        let discount: i64 = self
            .purchase
            .priced()
            .unwrap()
            .iter()
            .map(|line| line.discount)
            .sum();
        let says = [
            ("/total/amount", sale.total()),
            ("/tax/amount", sale.lines.iter().map(|line| line.tax).sum()),
            ("/discount/amount", discount),
            ("/change/amount", sale.change),
            ("/rounding/amount", sale.rounding),
        ];
        let says = says.map(|(at, amount)| (at.to_owned(), Value::from(amount)));
        let receipt = model.rings_up(&sale);
        model.sales.push(sale);
        [says.to_vec(), receipt].concat()
    }
}

fn discount(cut: Option<Cut>) -> Value {
    match cut {
        None => Value::Null,
        Some(Cut::Amount(amount)) => json!({"amount": euros(amount)}),
        Some(Cut::Share(share)) => json!({"basis_points": share}),
    }
}

pub fn tendered(amounts: &[(&'static str, i64)]) -> Vec<Value> {
    let of = |(tender, amount): &(&str, i64)| json!({"tender": tender, "amount": euros(*amount)});
    amounts.iter().map(of).collect()
}

impl Deed for Sell {
    fn call(&self, world: &World, _: &Model) -> Call {
        let line = |wanted: &Wanted| {
            json!({
                "product_id": world.item(wanted.item), "quantity": wanted.quantity,
                "unit_price": wanted.price.map(euros), "discount": discount(wanted.cut),
            })
        };
        let lines: Vec<Value> = self.purchase.lines.iter().map(line).collect();
        let (shop, register) = self.place();
        let register = register.map(|register| world.register((shop, register)));
        let body = json!({
            "store_id": world.shop(shop), "register_id": register, "lines": lines,
            "discount": discount(self.purchase.cut), "payments": tendered(&self.paid),
            "customer_ref": "C-1",
        });
        Call::post("/api/sales", body)
    }

    fn apply(&self, model: &mut Model) -> Expected {
        let sale = match self.settled(&[]) {
            Ok(sale) => sale,
            Err(refused) => return refused,
        };
        if !self.is_there(model) {
            return Expected::Refused(409, "insufficient-stock");
        }
        Expected::Done(201, self.goes_out(model, sale))
    }

    fn made(&self, model: &mut Model, answer: &Value) {
        model.sales.last_mut().unwrap().id = answer["id"].as_str().unwrap().parse().unwrap();
    }
}
