//! Tills: what a register sells and takes back counts in its open shift, and in its drawer.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    deed::{Call, Deed, Expected},
    sales::Sale,
    state::{Model, REGISTERS, SHOPS, Shop, newest, share},
    world::{World, euros},
};

pub const PATH: &str = "/api/sales/shifts";

/// A register of a store, by its place among them.
pub type Till = (Shop, usize);

/// What a register knows from one day to the next.
#[derive(Debug, Clone, Default)]
pub struct Register {
    pub receipts: i64,
    pub reports: i64,
    pub shift: Option<usize>,
}

/// A session of a register.
#[derive(Debug, Clone)]
pub struct Shift {
    pub id: Uuid,
    pub till: Till,
    pub float: i64,
    pub cash_in: i64,
    pub cash_out: i64,
    /// How many, and what they come to.
    pub sales: [i64; 2],
    pub voids: [i64; 2],
    pub returns: [i64; 2],
    /// Received, given back for voids, given back for returns.
    pub tenders: BTreeMap<&'static str, [i64; 3]>,
    pub closed: bool,
}

impl Shift {
    /// What should be in the drawer.
    pub fn expected(&self) -> i64 {
        let [received, voided, refunded] = self.tenders.get("cash").copied().unwrap_or_default();
        self.float + received - voided - refunded + self.cash_in - self.cash_out
    }

    fn add(&mut self, column: usize, amounts: &[(&'static str, i64)], change: i64) {
        for (tender, amount) in amounts {
            self.tenders.entry(tender).or_default()[column] += amount;
        }
        if change != 0 {
            self.tenders.entry("cash").or_default()[column] -= change;
        }
    }
}

fn counts([n, sum]: &mut [i64; 2], total: i64) {
    *n += 1;
    *sum += total;
}

impl Model {
    fn open_shift(&mut self, till: Till) -> Option<&mut Shift> {
        let shift = self.registers.entry(till).or_default().shift?;
        self.shifts.get_mut(shift)
    }

    /// The next receipt of a register and the shift that counts it, as an answer says them.
    fn receipt(&mut self, till: Option<Till>) -> Vec<(String, Value)> {
        let register = till.map(|till| self.registers.entry(till).or_default());
        let (number, shift) = match register {
            Some(register) => {
                register.receipts += 1;
                (Some(register.receipts), register.shift)
            }
            None => (None, None),
        };
        let shift = shift.map(|shift| self.shifts[shift].id);
        vec![
            ("/receipt_number".into(), json!(number)),
            ("/shift_id".into(), json!(shift)),
        ]
    }

    /// A sale is rung up.
    pub fn rings_up(&mut self, sale: &Sale) -> Vec<(String, Value)> {
        if let Some(shift) = sale.till.and_then(|till| self.open_shift(till)) {
            counts(&mut shift.sales, sale.total());
            shift.add(0, &sale.payments, sale.change);
        }
        self.receipt(sale.till)
    }

    /// Its money goes back out of the drawer that stands at its register now.
    pub fn rings_off(&mut self, sale: &Sale) {
        if let Some(shift) = sale.till.and_then(|till| self.open_shift(till)) {
            counts(&mut shift.voids, sale.total());
            shift.add(1, &sale.payments, sale.change);
        }
    }

    /// Goods are paid back out of a drawer.
    pub fn pays_back(
        &mut self,
        till: Option<Till>,
        refunds: &[(&'static str, i64)],
        due: i64,
    ) -> Vec<(String, Value)> {
        if let Some(shift) = till.and_then(|till| self.open_shift(till)) {
            counts(&mut shift.returns, due);
            shift.add(2, refunds, 0);
        }
        self.receipt(till)
    }
}

/// Which register, if any, something happens at.
pub fn registers() -> impl Strategy<Value = Option<usize>> {
    proptest::option::weighted(0.7, 0..REGISTERS)
}

/// Something is done to a till.
#[derive(Debug, Clone)]
pub enum Tilling {
    Open {
        shop: Shop,
        register: usize,
        float: i64,
    },
    Cash {
        shift: usize,
        out: bool,
        eighths: u8,
    },
    Close {
        shift: usize,
        off: i64,
    },
}

pub fn plans() -> impl Strategy<Value = Tilling> {
    let float = prop_oneof![15 => 0..20_000_i64, 1 => Just(-1)];
    let shift = || prop_oneof![4 => 0..3_usize, 1 => 0..1_000_usize];
    prop_oneof![
        3 => (0..SHOPS.len(), 0..REGISTERS, float)
            .prop_map(|(shop, register, float)| Tilling::Open { shop, register, float }),
        2 => (shift(), any::<bool>(), prop_oneof![8 => 1..9_u8, 1 => Just(0), 2 => Just(9)])
            .prop_map(|(shift, out, eighths)| Tilling::Cash { shift, out, eighths }),
        1 => (shift(), -50..50_i64).prop_map(|(shift, off)| Tilling::Close { shift, off }),
    ]
}

impl Tilling {
    /// The newest shift is 0: it is most likely open.
    pub fn aim(&self, model: &Model) -> Option<Act> {
        let newest = |back| newest(back, model.shifts.len());
        Some(match *self {
            Self::Open {
                shop,
                register,
                float,
            } => Act::Open {
                till: (shop, register),
                float,
            },
            Self::Cash {
                shift,
                out,
                eighths,
            } => {
                let shift = newest(shift)?;
                let amount = share(eighths, model.shifts[shift].expected());
                Act::Cash { shift, out, amount }
            }
            Self::Close { shift, off } => {
                let shift = newest(shift)?;
                let counted = (model.shifts[shift].expected() + off).max(0);
                Act::Close { shift, counted }
            }
        })
    }
}

/// What is done to it.
#[derive(Debug, Clone)]
pub enum Act {
    Open {
        till: Till,
        float: i64,
    },
    Cash {
        shift: usize,
        out: bool,
        amount: i64,
    },
    Close {
        shift: usize,
        counted: i64,
    },
}

impl Deed for Act {
    fn call(&self, world: &World, model: &Model) -> Call {
        let path = |shift: usize, verb: &str| format!("{PATH}/{}/{verb}", model.shifts[shift].id);
        match *self {
            Self::Open { till, float } => {
                let body = json!({
                    "store_id": world.shop(till.0), "register_id": world.register(till),
                    "opening_float": euros(float),
                });
                Call::post(PATH, body)
            }
            Self::Cash { shift, out, amount } => {
                let direction = if out { "out" } else { "in" };
                let body =
                    json!({"direction": direction, "amount": euros(amount), "reason": "change"});
                Call::post(path(shift, "cash"), body)
            }
            Self::Close { shift, counted } => Call::post(
                path(shift, "close"),
                json!({"total": euros(counted), "note": "evening"}),
            ),
        }
    }

    fn apply(&self, model: &mut Model) -> Expected {
        match *self {
            Self::Open { till, float } => open(model, till, float),
            Self::Cash { shift, out, amount } => {
                let shift = &mut model.shifts[shift];
                if amount <= 0 {
                    return Expected::Refused(400, "invalid-request");
                }
                if shift.closed {
                    return Expected::Refused(409, "shift-closed");
                }
                if out && amount > shift.expected() {
                    return Expected::Refused(409, "not-enough-cash");
                }
                *if out {
                    &mut shift.cash_out
                } else {
                    &mut shift.cash_in
                } += amount;
                Expected::says(201, &[("/amount/amount", amount)])
            }
            Self::Close { shift, counted } => close(model, shift, counted),
        }
    }

    fn made(&self, model: &mut Model, answer: &Value) {
        if let Self::Open { .. } = self {
            model.shifts.last_mut().unwrap().id = answer["id"].as_str().unwrap().parse().unwrap();
        }
    }
}

fn open(model: &mut Model, till: Till, float: i64) -> Expected {
    if float < 0 {
        return Expected::Refused(400, "invalid-request");
    }
    let register = model.registers.entry(till).or_default();
    if register.shift.is_some() {
        return Expected::Refused(409, "shift-open");
    }
    register.shift = Some(model.shifts.len());
    model.shifts.push(Shift {
        id: Uuid::nil(),
        till,
        float,
        cash_in: 0,
        cash_out: 0,
        sales: [0, 0],
        voids: [0, 0],
        returns: [0, 0],
        tenders: BTreeMap::new(),
        closed: false,
    });
    Expected::Done(201, vec![("/status".into(), "open".into())])
}

fn close(model: &mut Model, shift: usize, counted: i64) -> Expected {
    let shift = &mut model.shifts[shift];
    if shift.closed {
        return Expected::Refused(409, "shift-closed");
    }
    shift.closed = true;
    let register = model.registers.entry(shift.till).or_default();
    register.reports += 1;
    register.shift = None;
    let expected = shift.expected();
    let says = [
        ("/z_number", register.reports),
        ("/drawer/expected/amount", expected),
        ("/variance/amount", counted - expected),
        ("/sales/total/amount", shift.sales[1]),
        ("/voids/total/amount", shift.voids[1]),
        ("/returns/total/amount", shift.returns[1]),
    ];
    Expected::says(200, &says)
}
