//! How much of a sale may come back, and what is paid for it.

use std::collections::BTreeMap;

use kernel::money::{Minor, Quantity, mul_div_round};

/// A line of the sale, as far as earlier returns left it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sold {
    pub(crate) line: i32,
    pub(crate) quantity: Quantity,
    pub(crate) returned: i64,
    pub(crate) total: Minor,
    /// Part of the total.
    pub(crate) tax: Minor,
    pub(crate) cost: Option<Minor>,
}

/// A line of a return.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked {
    pub(crate) line: i32,
    pub(crate) quantity: Quantity,
}

/// What a line of a return takes out of its line of the sale.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Share {
    pub(crate) refund: Minor,
    /// Part of the refund.
    pub(crate) tax: Minor,
    pub(crate) cost: Option<Minor>,
}

/// Why a line (counted from zero) cannot come back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    NoSuchLine { index: usize },
    Exceeds { index: usize, returnable: i64 },
}

/// The share of each asked line, in their order.
///
/// Cumulative: after `k` of `q` came back, `round(total × k / q)` was refunded in all, so that
/// the parts sum to the line's total however the return is cut up. Its tax follows the refund in
/// the same way, its cost the quantity.
pub(crate) fn plan(sold: &[Sold], asked: &[Asked]) -> Result<Vec<Share>, Vec<Refusal>> {
    let mut state: BTreeMap<i32, Sold> = sold.iter().map(|s| (s.line, *s)).collect();
    let (mut shares, mut refusals) = (Vec::with_capacity(asked.len()), Vec::new());
    for (index, ask) in asked.iter().enumerate() {
        let Some(line) = state.get_mut(&ask.line) else {
            refusals.push(Refusal::NoSuchLine { index });
            continue;
        };
        let after = line.returned + ask.quantity.get();
        match share(line, after) {
            Some(share) if after <= line.quantity.get() => {
                line.returned = after;
                shares.push(share);
            }
            _ => refusals.push(Refusal::Exceeds {
                index,
                returnable: line.quantity.get() - line.returned,
            }),
        }
    }
    if refusals.is_empty() {
        Ok(shares)
    } else {
        Err(refusals)
    }
}

/// What is still to be refunded when all that is left of the line comes back.
pub(crate) fn rest(line: &Sold) -> Option<Minor> {
    share(line, line.quantity.get()).map(|share| share.refund)
}

/// What the step from `line.returned` to `after` takes.
fn share(line: &Sold, after: i64) -> Option<Share> {
    let (from, all) = (line.returned, line.quantity.get());
    let refunded = |returned| i64::try_from(mul_div_round(line.total.get(), returned, all)?).ok();
    let (before_minor, after_minor) = (refunded(from)?, refunded(after)?);
    let step = |whole: Minor, from: i64, to: i64, all: i64| {
        let taken = |upto| mul_div_round(whole.get(), upto, all);
        Minor::try_from(taken(to)? - taken(from)?).ok()
    };
    // What was free has no tax.
    let tax = match line.total.get() {
        0 => line.total,
        total => step(line.tax, before_minor, after_minor, total)?,
    };
    Some(Share {
        refund: step(line.total, from, after, all)?,
        tax,
        cost: line.cost.and_then(|cost| step(cost, from, after, all)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sold(line: i32, quantity: i64, returned: i64, total: i64) -> Sold {
        Sold {
            line,
            quantity: Quantity::new(quantity).unwrap(),
            returned,
            total: Minor::new(total).unwrap(),
            // A sixth: 20 % within the price.
            tax: Minor::new(total / 6).unwrap(),
            cost: Minor::new(total / 2),
        }
    }

    fn ask(line: i32, quantity: i64) -> Asked {
        Asked {
            line,
            quantity: Quantity::new(quantity).unwrap(),
        }
    }

    fn amounts(sold: &[Sold], asked: &[Asked]) -> Vec<i64> {
        let refunds = plan(sold, asked).unwrap();
        refunds.iter().map(|share| share.refund.get()).collect()
    }

    #[test]
    fn three_for_a_euro_come_back_one_by_one_for_a_euro() {
        let refunds: Vec<_> = (0..3)
            .flat_map(|before| amounts(&[sold(1, 3, before, 100)], &[ask(1, 1)]))
            .collect();
        assert_eq!(refunds, [33, 34, 33]);
    }

    #[test]
    fn a_line_named_twice_counts_twice() {
        let asked = [ask(1, 1), ask(1, 2)];
        assert_eq!(amounts(&[sold(1, 3, 0, 100)], &asked), [33, 67]);
        assert_eq!(
            plan(&[sold(1, 2, 0, 100)], &asked),
            Err(vec![Refusal::Exceeds {
                index: 1,
                returnable: 1
            }])
        );
    }

    #[test]
    fn no_more_than_was_sold_comes_back() {
        let lines = [sold(1, 2, 2, 100), sold(2, 5, 0, 500)];
        assert_eq!(
            plan(&lines, &[ask(1, 1), ask(2, 5), ask(3, 1)]),
            Err(vec![
                Refusal::Exceeds {
                    index: 0,
                    returnable: 0
                },
                Refusal::NoSuchLine { index: 2 },
            ])
        );
    }

    #[test]
    fn however_it_is_cut_up_the_refunds_sum_to_the_total() {
        for total in [0, 1, 7, 99, 100, 12_345] {
            for quantity in 1..=12 {
                for step in 1..=quantity {
                    let (mut returned, mut refunded, mut tax, mut cost) = (0, 0, 0, 0);
                    while returned < quantity {
                        let n = step.min(quantity - returned);
                        let line = sold(1, quantity, returned, total);
                        let share = plan(&[line], &[ask(1, n)]).unwrap()[0];
                        assert!(
                            (0..=share.refund.get()).contains(&share.tax.get()),
                            "{share:?}"
                        );
                        refunded += share.refund.get();
                        tax += share.tax.get();
                        cost += share.cost.unwrap().get();
                        returned += n;
                        let left = rest(&sold(1, quantity, returned, total)).unwrap();
                        assert_eq!(refunded + left.get(), total);
                    }
                    let sums = (refunded, tax, cost);
                    assert_eq!(sums, (total, total / 6, total / 2), "{quantity} by {step}");
                }
            }
        }
    }
}
