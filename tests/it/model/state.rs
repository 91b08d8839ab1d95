//! What must be true after every request: a few maps, and their rules in the simplest words.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    counts::Count,
    discrepancies::Discrepancy,
    money::rounded,
    offline::Rung,
    parked::Basket,
    replenishment::Request,
    returns::TakenBack,
    sales::Sale,
    shifts::{Register, Shift, Till},
    transfers::Transfer,
};

/// Stores and products are known by their place in the world.
pub type Shop = usize;
pub type Item = usize;
pub type Key = (Shop, Item);

/// A level larger than this is refused to those who correct it.
pub const MOST: i64 = 1_000_000_000;

/// What a store has of a product.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Level {
    pub on_hand: i64,
    pub reserved: i64,
    pub damaged: i64,
    pub incoming: i64,
    pub version: i64,
}

/// How a store does business.
#[derive(Debug)]
pub struct ShopRules {
    pub tax_added: bool,
    pub sells_below_zero: bool,
    /// What is owed in cash is rounded to.
    pub coin: i64,
    /// Whether taxes are those of a region.
    pub in_region: bool,
}

/// The stores of every world: an ordinary one, one that adds the tax and rounds cash, one that sells
/// what is not there and has taxes of its own.
pub const SHOPS: [ShopRules; 3] = [
    ShopRules {
        tax_added: false,
        sells_below_zero: false,
        coin: 1,
        in_region: false,
    },
    ShopRules {
        tax_added: true,
        sells_below_zero: false,
        coin: 5,
        in_region: false,
    },
    ShopRules {
        tax_added: false,
        sells_below_zero: true,
        coin: 1,
        in_region: true,
    },
];

/// Registers of each store.
pub const REGISTERS: usize = 2;

/// What a product costs.
#[derive(Debug)]
pub struct ItemRules {
    pub unit: &'static str,
    pub price: i64,
    pub per: i64,
    pub tax_rate: i64,
}

/// The products of every world; of the last, the price is for a kilogram.
pub const ITEMS: [ItemRules; 4] = [
    ItemRules {
        unit: "each",
        price: 100,
        per: 1,
        tax_rate: 2_000,
    },
    ItemRules {
        unit: "each",
        price: 333,
        per: 1,
        tax_rate: 550,
    },
    ItemRules {
        unit: "each",
        price: 0,
        per: 1,
        tax_rate: 0,
    },
    ItemRules {
        unit: "g",
        price: 1_599,
        per: 1_000,
        tax_rate: 1_000,
    },
];

/// Prices that begin before anything is sold: at every store, or at one.
pub const PRICES: [(Option<Shop>, Item, i64); 3] =
    [(None, 0, 110), (Some(2), 0, 95), (Some(1), 1, 301)];

/// The product that has a tax class, and its rate in the region.
pub const TAXED: (Item, i64) = (1, 1_000);

/// What a store charges for a product: its own price before one of every store, before the product's.
pub fn price(shop: Shop, item: Item) -> i64 {
    let of = |at: Option<Shop>| {
        PRICES
            .iter()
            .find(|(place, of, _)| (*place, *of) == (at, item))
    };
    let dated = of(Some(shop)).or_else(|| of(None));
    dated.map_or(ITEMS[item].price, |(_, _, price)| *price)
}

/// What is taken off: a share in basis points, or so much for one or a kilogram.
#[derive(Debug, Clone, Copy)]
pub enum Off {
    Share(i64),
    Amount(i64),
}

/// What is taken off from the beginning, at every store or at one, of a product, and from which
/// quantity on.
pub const PROMOTIONS: [(Option<Shop>, Item, i64, Off); 4] = [
    (None, 0, 1, Off::Share(1_000)),
    (Some(0), 0, 3, Off::Amount(15)),
    (None, 1, 2, Off::Share(1_550)),
    (Some(1), 3, 100, Off::Amount(200)),
];

/// The most that a promotion takes off so much of a product that comes to `gross`.
pub fn promotion(shop: Shop, item: Item, quantity: i64, gross: i64) -> i64 {
    let holds = PROMOTIONS.iter().filter(|(at, of, from, _)| {
        at.is_none_or(|at| at == shop) && *of == item && *from <= quantity
    });
    let off = holds.map(|(_, _, _, off)| match off {
        Off::Share(share) => rounded(gross * share, 10_000),
        Off::Amount(amount) => rounded(amount * quantity, ITEMS[item].per),
    });
    off.map(|off| off.min(gross)).max().unwrap_or(0)
}

pub fn tax_rate(shop: Shop, item: Item) -> i64 {
    match TAXED {
        (taxed, rate) if taxed == item && SHOPS[shop].in_region => rate,
        _ => ITEMS[item].tax_rate,
    }
}

/// Everything that the model knows.
#[derive(Debug, Clone, Default)]
pub struct Model {
    pub levels: BTreeMap<Key, Level>,
    /// What left a shelf although it was not there.
    pub discrepancies: Vec<Discrepancy>,
    pub sales: Vec<Sale>,
    pub returns: Vec<TakenBack>,
    pub transfers: Vec<Transfer>,
    pub counts: Vec<Count>,
    pub registers: BTreeMap<Till, Register>,
    pub shifts: Vec<Shift>,
    pub parked: Vec<Basket>,
    pub offline: Vec<Rung>,
    pub requests: Vec<Request>,
    /// Levels that change when the store hears of something that is recorded already.
    pub late: BTreeSet<Key>,
    /// A mistake in the rules, to see whether it would be found.
    pub mistaken: bool,
}

impl Model {
    pub fn level(&self, key: Key) -> Level {
        self.levels.get(&key).copied().unwrap_or_default()
    }

    pub fn level_mut(&mut self, key: Key) -> &mut Level {
        self.levels.entry(key).or_default()
    }

    /// Whether so much can leave the shelf.
    pub fn can_take(&self, key: Key, quantity: i64) -> bool {
        SHOPS[key.0].sells_below_zero || self.level(key).on_hand >= quantity
    }

    /// One movement.
    pub fn moves(&mut self, key: Key, on_hand: i64, damaged: i64) {
        if (on_hand, damaged) == (0, 0) {
            return;
        }
        let level = self.level_mut(key);
        level.on_hand += on_hand;
        level.damaged += damaged;
        level.version += 1;
        let Level {
            on_hand: after,
            version,
            ..
        } = *level;
        if on_hand < 0 && after < 0 {
            let quantity = -after.max(on_hand);
            self.discrepancies
                .push(Discrepancy::new(key, version, quantity, after));
        }
    }
}

/// A quantity that is likely to fit: none to all of `limit` in eighths, or one more than there is.
pub fn share(eighths: u8, limit: i64) -> i64 {
    match eighths {
        9.. => limit + 1,
        _ => limit * i64::from(eighths) / 8,
    }
}

/// One of so many, counted back from the newest.
pub fn newest(back: usize, of: usize) -> Option<usize> {
    let back = back.checked_rem(of)?;
    Some(of - 1 - back)
}
