//! When a store needs more of a product, and how much: from its rule, its stock and its sales.

use kernel::{ids::StoreId, money::Quantity};
use serde::Serialize;

use super::decimal;

/// What a store wants to have of a product, in base units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct Rule {
    /// Below it more is wanted.
    pub(crate) min: i64,
    /// Up to where it is filled; without one, the sales of `cover_days` on top of `min`.
    pub(crate) max: Option<i64>,
    /// Goods come in whole multiples of it.
    pub(crate) multiple: i64,
    /// How long goods are on their way.
    pub(crate) lead_days: i64,
    /// For how many days a store without `max` is filled.
    pub(crate) cover_days: Option<i64>,
    /// Who is asked first.
    pub(crate) source_store_id: Option<StoreId>,
}

/// What a store has of a product and what comes to it, in base units.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Position {
    pub(crate) on_hand: i64,
    /// Promised to other stores.
    pub(crate) reserved: i64,
    /// On the way here.
    pub(crate) incoming: i64,
    /// Asked for, and not on the way yet.
    pub(crate) ordered: i64,
}

/// How fast a product sells at a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pace {
    /// What customers took home in `days`, less what they brought back.
    pub(crate) sold: i64,
    pub(crate) days: i64,
}

impl Pace {
    /// What will be sold in so many days, rounded up.
    pub(crate) fn expected(self, days: i64) -> i64 {
        let sold = i128::from(self.sold.max(0)) * i128::from(days);
        let per = i128::from(self.days.max(1));
        let expected = (sold + per - 1).checked_div(per).unwrap_or(0);
        i64::try_from(expected)
            .unwrap_or(i64::MAX)
            .min(Quantity::MAX)
    }

    /// Units a day, to two decimals, cut off.
    pub(crate) fn per_day(self) -> String {
        let hundredths = self.sold.saturating_mul(100).checked_div(self.days.max(1));
        decimal::format(hundredths.unwrap_or(0), 2, true)
    }
}

/// Why a product is on the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shortage {
    /// There is less than `min` already, with all that comes.
    Now,
    /// There will be before new goods can be here.
    WithinLeadTime,
}

/// What a store needs of a product.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Need {
    pub(crate) shortage: Shortage,
    /// What there will be when new goods can be here, without them.
    pub(crate) projected: i64,
    /// What there should be then.
    pub(crate) target: i64,
    /// What is missing, rounded up to the rule's multiple.
    pub(crate) quantity: i64,
}

impl Rule {
    /// What there should be once goods have arrived.
    pub(crate) fn target(&self, pace: Pace) -> i64 {
        self.max.unwrap_or_else(|| {
            let cover = pace.expected(self.cover_days.unwrap_or(0));
            self.min.saturating_add(cover).min(Quantity::MAX)
        })
    }

    /// `None` where there is enough.
    pub(crate) fn need(&self, position: Position, pace: Pace) -> Option<Need> {
        let now = position
            .on_hand
            .saturating_sub(position.reserved)
            .saturating_add(position.incoming)
            .saturating_add(position.ordered);
        let projected = now.saturating_sub(pace.expected(self.lead_days));
        let shortage = match (now < self.min, projected < self.min) {
            (true, _) => Shortage::Now,
            (false, true) => Shortage::WithinLeadTime,
            (false, false) => return None,
        };
        let target = self.target(pace);
        let missing = target.saturating_sub(projected);
        (missing > 0).then(|| Need {
            shortage,
            projected,
            target,
            quantity: round_up(missing, self.multiple),
        })
    }
}

/// To a multiple, and no more than may be asked for at once.
fn round_up(quantity: i64, multiple: i64) -> i64 {
    let multiple = multiple.max(1);
    let steps = quantity
        .saturating_add(multiple - 1)
        .checked_div(multiple)
        .unwrap_or(0);
    let rounded = steps.saturating_mul(multiple);
    if rounded <= Quantity::MAX {
        rounded
    } else {
        round_down(Quantity::MAX, multiple)
    }
}

/// To a multiple; nothing where there is less than one.
pub(crate) fn round_down(quantity: i64, multiple: i64) -> i64 {
    let multiple = multiple.max(1);
    quantity.max(0) - quantity.max(0).checked_rem(multiple).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(min: i64, max: Option<i64>, multiple: i64, lead: i64, cover: Option<i64>) -> Rule {
        Rule {
            min,
            max,
            multiple,
            lead_days: lead,
            cover_days: cover,
            source_store_id: None,
        }
    }

    fn at(on_hand: i64, reserved: i64, incoming: i64, ordered: i64) -> Position {
        Position {
            on_hand,
            reserved,
            incoming,
            ordered,
        }
    }

    const NONE: Pace = Pace { sold: 0, days: 28 };
    const FOUR_A_DAY: Pace = Pace {
        sold: 112,
        days: 28,
    };

    /// Worked out by hand: rule, position, pace; projected, target and quantity.
    #[test]
    fn what_is_missing_is_as_worked_out_by_hand() {
        let fixed = rule(10, Some(40), 1, 0, None);
        let cases = [
            // At the minimum there is enough; one less, and it is filled to the maximum.
            (fixed, at(10, 0, 0, 0), NONE, None),
            (fixed, at(9, 0, 0, 0), NONE, Some((9, 40, 31))),
            // What is promised elsewhere is not there; what comes, or was asked for, is.
            (fixed, at(15, 6, 0, 0), NONE, Some((9, 40, 31))),
            (fixed, at(2, 0, 8, 0), NONE, None),
            (fixed, at(2, 0, 4, 4), NONE, None),
            (fixed, at(2, 0, 4, 3), NONE, Some((9, 40, 31))),
            // Below zero more is missing.
            (fixed, at(-5, 0, 0, 0), NONE, Some((-5, 40, 45))),
            // In boxes of twelve: 31 are three boxes.
            (
                rule(10, Some(40), 12, 0, None),
                at(9, 0, 0, 0),
                NONE,
                Some((9, 40, 36)),
            ),
            // Four a day for three days: 20 will be 8 before anything can arrive.
            (
                rule(10, Some(40), 1, 3, None),
                at(20, 0, 0, 0),
                FOUR_A_DAY,
                Some((8, 40, 32)),
            ),
            (
                rule(10, Some(40), 1, 3, None),
                at(22, 0, 0, 0),
                FOUR_A_DAY,
                None,
            ),
            // No maximum: ten and what a week sells.
            (
                rule(10, None, 1, 0, Some(7)),
                at(9, 0, 0, 0),
                FOUR_A_DAY,
                Some((9, 38, 29)),
            ),
            (
                rule(10, None, 10, 0, Some(7)),
                at(9, 0, 0, 0),
                FOUR_A_DAY,
                Some((9, 38, 30)),
            ),
            // What does not sell is only filled to the minimum.
            (
                rule(10, None, 1, 0, Some(7)),
                at(9, 0, 0, 0),
                NONE,
                Some((9, 10, 1)),
            ),
            // More came back than was sold: that is no demand.
            (
                rule(10, None, 1, 3, Some(7)),
                at(9, 0, 0, 0),
                Pace { sold: -3, days: 28 },
                Some((9, 10, 1)),
            ),
            // Nothing is wanted at all.
            (rule(0, Some(5), 1, 0, None), at(0, 0, 0, 0), NONE, None),
        ];
        for (number, (rule, position, pace, expected)) in cases.into_iter().enumerate() {
            let need = rule.need(position, pace);
            let found = need.map(|n| (n.projected, n.target, n.quantity));
            assert_eq!(found, expected, "case {number}");
        }
    }

    #[test]
    fn a_shortage_that_is_still_to_come_is_told_from_one_that_is_here() {
        let rule = rule(10, Some(40), 1, 3, None);
        let shortage = |on_hand| {
            rule.need(at(on_hand, 0, 0, 0), FOUR_A_DAY)
                .map(|n| n.shortage)
        };
        assert_eq!(shortage(9), Some(Shortage::Now));
        assert_eq!(shortage(10), Some(Shortage::WithinLeadTime));
        assert_eq!(shortage(21), Some(Shortage::WithinLeadTime));
        assert_eq!(shortage(22), None);
    }

    #[test]
    fn a_part_of_a_day_s_sales_counts_as_a_whole_unit() {
        let pace = Pace { sold: 1, days: 28 };
        assert_eq!([0, 1, 28, 29].map(|days| pace.expected(days)), [0, 1, 1, 2]);
        assert_eq!(pace.per_day(), "0.03");
        assert_eq!(FOUR_A_DAY.per_day(), "4.00");
    }

    #[test]
    fn no_figure_is_too_large() {
        let pace = Pace {
            sold: i64::MAX,
            days: 1,
        };
        assert_eq!(pace.expected(365), Quantity::MAX);
        let rule = rule(Quantity::MAX, None, 7, 90, Some(365));
        let need = rule.need(at(-Quantity::MAX, Quantity::MAX, 0, 0), pace);
        assert_eq!(need.map(|n| n.quantity), Some(999_999_994));
        assert_eq!(round_down(13, 6), 12);
        assert_eq!(round_down(-13, 6), 0);
    }
}
