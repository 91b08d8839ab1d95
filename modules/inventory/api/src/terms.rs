//! What a product costs at a store at a moment: the rule, which the lookup of a scanner and the
//! pricing of a sale share, over everything that is dated on the moment's day.

use chrono::{DateTime, Days, NaiveDate, NaiveTime, Utc};
use kernel::{
    money::{BasisPoints, Currency, Minor, Money, Quantity, mul_div_round},
    uuid::Uuid,
};
use serde::{Deserialize, Serialize};

use crate::ProductSnapshot;

/// From a moment on, and until another one (which is not part of it) or for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// The first moment.
    pub from: DateTime<Utc>,
    /// The first moment after it.
    pub until: Option<DateTime<Utc>>,
}

impl Span {
    /// Whether `at` lies in it.
    pub fn holds(&self, at: DateTime<Utc>) -> bool {
        self.from <= at && self.until.is_none_or(|until| at < until)
    }
}

/// A price with a beginning.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatedPrice {
    /// Whether it is this store's own; otherwise it holds at every store that sells in its currency.
    pub own: bool,
    /// The price of `price_per` base units.
    pub price: Money,
    /// How many base units it is for.
    pub price_per: Quantity,
    /// When it holds.
    pub span: Span,
}

/// A tax rate with a beginning; it holds until the next one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatedRate {
    /// The rate.
    pub rate: BasisPoints,
    /// The first moment.
    pub from: DateTime<Utc>,
}

/// What a promotion takes off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Off {
    /// A share of the price.
    Rate(BasisPoints),
    /// An amount per `price_per` base units, at stores that sell in its currency.
    Amount(Money),
}

/// A promotion of the product at the store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Promotion {
    /// Its id.
    pub id: Uuid,
    /// What the receipt calls it.
    pub name: String,
    /// What it takes off.
    pub off: Off,
    /// A line has at least so many base units.
    pub min_quantity: Quantity,
    /// When it holds.
    pub span: Span,
}

/// Everything dated that may hold on one day (in UTC) for one product at one store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// The store's prices and those of every store.
    pub prices: Vec<DatedPrice>,
    /// The rates of the product's tax class in the store's region.
    pub tax_rates: Vec<DatedRate>,
    /// Those that name the product or a category that it is in.
    pub promotions: Vec<Promotion>,
}

/// A price that holds, and for how much.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Price {
    /// The price of `price_per` base units.
    pub price: Money,
    /// How many base units it is for.
    pub price_per: Quantity,
    /// Where it comes from.
    pub source: PriceSource,
}

/// Where a price comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PriceSource {
    /// The product's own price.
    Product,
    /// A dated price of every store.
    Chain,
    /// A dated price of the store.
    Store,
}

/// A day in UTC: its first moment and the first one after it.
pub fn bounds(day: NaiveDate) -> (DateTime<Utc>, DateTime<Utc>) {
    let start = day.and_time(NaiveTime::MIN).and_utc();
    let end = start.checked_add_days(Days::new(1));
    (start, end.unwrap_or(DateTime::<Utc>::MAX_UTC))
}

impl Terms {
    /// The price of `product` at `at`, in the store's currency where there is one: the store's own
    /// before that of every store, before the product's; of several the one that began last.
    pub fn price(&self, product: &ProductSnapshot, currency: Currency, at: DateTime<Utc>) -> Price {
        let dated = self
            .prices
            .iter()
            .filter(|p| p.price.currency == currency && p.span.holds(at))
            .max_by_key(|p| (p.own, p.span.from));
        match dated {
            Some(dated) => Price {
                price: dated.price,
                price_per: dated.price_per,
                source: if dated.own {
                    PriceSource::Store
                } else {
                    PriceSource::Chain
                },
            },
            None => Price {
                price: product.price,
                price_per: product.price_per,
                source: PriceSource::Product,
            },
        }
    }

    /// The tax rate of `product` at `at`: the region's for its class, or its own.
    pub fn tax_rate(&self, product: &ProductSnapshot, at: DateTime<Utc>) -> BasisPoints {
        self.tax_rates
            .iter()
            .filter(|rate| rate.from <= at)
            .max_by_key(|rate| rate.from)
            .map_or(product.tax_rate, |rate| rate.rate)
    }

    /// The one promotion that takes most off a line of `quantity` at `price`, which comes to
    /// `gross`, and how much that is. Of equals it is the one with the smallest id, which is the
    /// oldest. `None` where nothing is taken off.
    pub fn promotion(
        &self,
        price: Price,
        quantity: Quantity,
        gross: Minor,
        at: DateTime<Utc>,
    ) -> Option<(&Promotion, Minor)> {
        self.promotions
            .iter()
            .filter(|p| p.span.holds(at) && p.min_quantity <= quantity)
            .filter_map(|p| Some((p, p.off.of(price, quantity, gross)?)))
            .filter(|(_, discount)| discount.get() > 0)
            .max_by_key(|(p, discount)| (*discount, std::cmp::Reverse(p.id)))
    }
}

impl Off {
    /// What is taken off a line that comes to `gross`, at most all of it. `None` for an amount in
    /// another currency.
    fn of(self, price: Price, quantity: Quantity, gross: Minor) -> Option<Minor> {
        let discount = match self {
            Self::Rate(rate) => mul_div_round(gross.get(), rate.get(), BasisPoints::MAX)?,
            Self::Amount(off) if off.currency == price.price.currency => {
                mul_div_round(off.amount.get(), quantity.get(), price.price_per.get())?
            }
            Self::Amount(_) => return None,
        };
        Minor::try_from(discount.min(gross.get().into())).ok()
    }
}

#[cfg(test)]
mod tests;
