//! What the demo chain sold, thought out before anything is sent: contents from the numbers of
//! the sales alone, times from the day of loading.

use std::collections::BTreeMap;

use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveTime, TimeZone, Utc};

use super::{
    catalogue::Product,
    chain::{REGISTERS, SHOPS, Shop},
    random::Random,
};

/// Four weeks, so that every weekday counts the same and the number of sales never changes.
const DAYS: u64 = 28;
/// Sales of each shop from Monday to Sunday; the shop in Berlin is closed on Sundays.
const WEEK: [[u32; 7]; 5] = [
    [12, 11, 12, 13, 17, 21, 9],
    [10, 9, 10, 11, 14, 18, 8],
    [9, 9, 10, 10, 13, 17, 7],
    [8, 8, 9, 9, 11, 13, 7],
    [9, 9, 9, 10, 11, 12, 0],
];
/// How busy the shops are from 8:00 to 21:59.
const HOURS: [u32; 14] = [3, 4, 5, 6, 8, 7, 5, 5, 6, 8, 11, 12, 8, 4];
/// One sale in so many is returned in part.
const RETURNED: u32 = 25;

/// Series of random numbers, one per kind of thing.
const CONTENT: u64 = 1;
const TIME: u64 = 2;
const SPARE: u64 = 3;

/// Everything that is going to be sent.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) sales: Vec<PlannedSale>,
    /// By store and product number: what must be there at the start.
    pub(super) opening: BTreeMap<(u32, u32), i64>,
}

/// A sale of the demo chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PlannedSale {
    pub(super) number: u32,
    pub(super) shop: u32,
    pub(super) till: u32,
    pub(super) occurred_at: DateTime<Utc>,
    pub(super) lines: Vec<PlannedLine>,
    /// Cents off the whole.
    pub(super) discount: i64,
    /// Tender and cents.
    pub(super) payments: Vec<(&'static str, i64)>,
}

/// A line of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PlannedLine {
    pub(super) product: u32,
    pub(super) quantity: i64,
    /// Cents off the line.
    pub(super) discount: i64,
    cents: i64,
}

impl Plan {
    /// The plan of a chain whose last sales were on the day before `today`.
    pub(super) fn new(products: &[Product], today: NaiveDate) -> Self {
        let mut sales = Vec::new();
        for (shop, week) in SHOPS.iter().zip(WEEK) {
            for back in (1..=DAYS).rev() {
                let Some(date) = today.checked_sub_days(Days::new(back)) else {
                    continue;
                };
                let weekday = usize::try_from(date.weekday().num_days_from_monday()).unwrap_or(0);
                for _ in 0..week.get(weekday).copied().unwrap_or(0) {
                    let number = u32::try_from(sales.len()).unwrap_or(u32::MAX);
                    sales.push(sale(number, shop, date, products));
                }
            }
        }
        let opening = opening(&sales, products);
        Self { sales, opening }
    }
}

impl PlannedSale {
    /// Whether some of it comes back.
    pub(super) fn is_returned(&self) -> bool {
        self.number % RETURNED == 7
    }
}

fn sale(number: u32, shop: &Shop, date: NaiveDate, products: &[Product]) -> PlannedSale {
    let mut random = Random::of(CONTENT, number.into());
    let mut lines: Vec<PlannedLine> = Vec::new();
    let wanted = 1 + random.weighted(&[14, 18, 18, 15, 12, 9, 6, 4]);
    while lines.len() < wanted {
        let Some(line) = line(&mut random, products) else {
            break;
        };
        if !lines.iter().any(|other| other.product == line.product) {
            lines.push(line);
        }
    }
    let sum: i64 = lines.iter().map(|line| line.cents).sum();
    // A loyalty voucher of one euro, now and then.
    let discount = if sum >= 1000 && random.below(16) == 0 {
        100
    } else {
        0
    };
    let payments = payments(&mut random, sum - discount);
    PlannedSale {
        number,
        shop: shop.number,
        till: random.between(1, REGISTERS),
        occurred_at: moment(number, shop, date),
        lines,
        discount,
        payments,
    }
}

fn line(random: &mut Random, products: &[Product]) -> Option<PlannedLine> {
    // The lesser of two: what stands further in front sells better.
    let place = random
        .below(u32::try_from(products.len()).ok()?)
        .min(random.below(200));
    let product = products.get(usize::try_from(place).ok()?)?;
    let quantity = if product.is_weighed() {
        i64::from(random.between(20, 160)) * 10
    } else {
        [1, 2, 3, 4, 6]
            .get(random.weighted(&[70, 20, 6, 3, 1]))
            .copied()
            .unwrap_or(1)
    };
    let gross = product.price_of(quantity)?;
    // Close to its date: 30 % off.
    let discount = if random.below(40) == 0 {
        gross * 30 / 100
    } else {
        0
    };
    Some(PlannedLine {
        product: product.number,
        quantity,
        discount,
        cents: gross - discount,
    })
}

fn payments(random: &mut Random, total: i64) -> Vec<(&'static str, i64)> {
    match random.weighted(&[60, 28, 6, 6]) {
        // In notes, so that there is change.
        1 => vec![("cash", (total + 499) / 500 * 500)],
        2 => vec![("cash", total)],
        3 if total > 1000 => vec![("voucher", 500), ("card", total - 500)],
        _ => vec![("card", total)],
    }
}

fn moment(number: u32, shop: &Shop, date: NaiveDate) -> DateTime<Utc> {
    let mut random = Random::of(TIME, number.into());
    let hour = 8 + u32::try_from(random.weighted(&HOURS)).unwrap_or(0);
    let (minute, second) = (random.below(60), random.below(60));
    // The shop in Paris is open late: what it sells after midnight belongs to the day before.
    let late = shop.number == 1 && random.below(40) == 0;
    let (date, hour) = if late {
        (date.checked_add_days(Days::new(1)).unwrap_or(date), 0)
    } else {
        (date, hour)
    };
    let local = date.and_time(NaiveTime::from_hms_opt(hour, minute, second).unwrap_or_default());
    let zoned = shop.timezone.from_local_datetime(&local).earliest();
    zoned.map_or_else(|| local.and_utc(), |at| at.with_timezone(&Utc))
}

/// What is sold, and something that is left; of some products hardly anything.
fn opening(sales: &[PlannedSale], products: &[Product]) -> BTreeMap<(u32, u32), i64> {
    let mut levels = BTreeMap::new();
    for Shop { number: store, .. } in &SHOPS {
        for product in products {
            let mut random =
                Random::of(SPARE, u64::from(*store) * 1000 + u64::from(product.number));
            let units = match (*store, random.below(20)) {
                (6, _) => random.between(40, 400),
                (_, 0) => random.between(1, 4),
                _ => random.between(8, 60),
            };
            let per = if product.is_weighed() { 1000 } else { 1 };
            levels.insert((*store, product.number), i64::from(units) * per);
        }
    }
    for sale in sales {
        for line in &sale.lines {
            *levels.entry((sale.shop, line.product)).or_default() += line.quantity;
        }
    }
    levels
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::catalogue;

    fn plan(today: &str) -> Plan {
        Plan::new(&catalogue::products().unwrap(), today.parse().unwrap())
    }

    #[test]
    fn four_weeks_are_1500_sales_and_60_returns() {
        let plan = plan("2026-03-15");
        assert_eq!(plan.sales.len(), 1500);
        assert_eq!(
            plan.sales.iter().filter(|sale| sale.is_returned()).count(),
            60
        );
        assert_eq!(plan.opening.len(), 1200);
        assert!(plan.opening.values().all(|quantity| *quantity > 0));
    }

    #[test]
    fn the_same_day_gives_the_same_plan_and_another_day_only_other_times() {
        let (one, again, later) = (plan("2026-03-15"), plan("2026-03-15"), plan("2026-04-03"));
        assert_eq!(one.sales, again.sales);
        assert_eq!(one.opening, later.opening);
        let untimed = |plan: &Plan| {
            let no_time = |sale: &PlannedSale| PlannedSale {
                occurred_at: DateTime::UNIX_EPOCH,
                ..sale.clone()
            };
            plan.sales.iter().map(no_time).collect::<Vec<_>>()
        };
        assert_eq!(untimed(&one), untimed(&later));
    }

    #[test]
    fn sales_end_before_the_day_of_loading_begins_anywhere() {
        let plan = plan("2026-03-15");
        let latest = plan
            .sales
            .iter()
            .map(|sale| sale.occurred_at)
            .max()
            .unwrap();
        assert!(
            latest < "2026-03-15T00:00:00Z".parse::<DateTime<Utc>>().unwrap(),
            "{latest}"
        );
        assert!(
            plan.sales
                .iter()
                .any(|sale| sale.shop == 1 && sale.occurred_at.format("%H").to_string() == "23")
        );
    }

    #[test]
    fn every_sale_is_paid_and_only_cash_is_changed() {
        for sale in plan("2026-03-15").sales {
            let total = sale.lines.iter().map(|line| line.cents).sum::<i64>() - sale.discount;
            let paid: i64 = sale.payments.iter().map(|(_, cents)| cents).sum();
            let cash = sale.payments.iter().any(|(tender, _)| *tender == "cash");
            assert!(
                total > 0 && (paid == total || (cash && paid > total)),
                "{sale:?}"
            );
        }
    }
}
