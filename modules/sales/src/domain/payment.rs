//! Whether what was paid is what is owed, and the change.

use kernel::money::{Currency, Minor, mul_div_round};

use crate::domain::words::Tender;

/// No money.
pub(crate) const NOTHING: Minor = match Minor::new(0) {
    Some(zero) => zero,
    None => panic!("zero is within the bounds"),
};

/// A sale that was paid for: `paid` - `change` is the total and `rounding`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Settled {
    pub(crate) paid: Minor,
    pub(crate) change: Minor,
    /// What the cash part was rounded by.
    pub(crate) rounding: Minor,
}

/// Payments sum to the total, or exceed it by change that is given out of cash. Where cash is among
/// them, what is left for it to pay is rounded to a multiple of `step`. Amounts are not below zero.
///
/// # Errors
///
/// What the payments should sum to.
pub(crate) fn settle(
    total: Minor,
    payments: &[(Tender, Minor)],
    step: Option<Minor>,
) -> Result<Settled, Minor> {
    let rounding = rounding(total, payments, step);
    let due = i128::from(total.get()) + rounding;
    let paid = sum(payments.iter().map(|(_, amount)| *amount));
    let cash = sum(of(payments, true));
    let settled = || {
        Some(Settled {
            paid: Minor::try_from(paid).ok()?,
            change: Minor::try_from(paid - due).ok()?,
            rounding: Minor::try_from(rounding).ok()?,
        })
    };
    let fits = (0..=cash).contains(&(paid - due));
    let settled = if fits { settled() } else { None };
    settled.ok_or_else(|| Minor::try_from(due).unwrap_or(total))
}

/// What is owed in cash is rounded by: to the nearest multiple of `step`, half away from zero. Owed
/// in cash is what the other means of payment leave of the total, where cash is among them.
pub(crate) fn rounding(total: Minor, payments: &[(Tender, Minor)], step: Option<Minor>) -> i128 {
    let Some(step) = step.map(Minor::get).filter(|step| *step > 0) else {
        return 0;
    };
    let left = i128::from(total.get()) - sum(of(payments, false));
    let in_cash = payments.iter().any(|(tender, _)| *tender == Tender::Cash);
    match i64::try_from(left) {
        Ok(left) if in_cash && left > 0 => mul_div_round(left, 1, step)
            .map_or(0, |steps| steps * i128::from(step) - i128::from(left)),
        _ => 0,
    }
}

/// The amounts in cash, or those in anything else.
fn of(payments: &[(Tender, Minor)], cash: bool) -> impl Iterator<Item = Minor> {
    payments
        .iter()
        .filter(move |(tender, _)| (*tender == Tender::Cash) == cash)
        .map(|(_, amount)| *amount)
}

/// The exact sum, which may be more than a [`Minor`] holds.
pub(crate) fn sum(amounts: impl Iterator<Item = Minor>) -> i128 {
    amounts.map(|amount| i128::from(amount.get())).sum()
}

/// `amount` less `part`, which is part of it.
pub(crate) fn less(amount: Minor, part: Minor) -> Minor {
    Minor::new(amount.get() - part.get()).unwrap_or(NOTHING)
}

/// An amount for people: `4.98 EUR`.
pub(crate) fn in_words(minor: i128, currency: Currency) -> String {
    let digits = usize::try_from(currency.exponent()).unwrap_or(2);
    let scale = 10_i128.pow(currency.exponent());
    let sign = if minor < 0 { "-" } else { "" };
    let (whole, rest) = ((minor / scale).abs(), (minor % scale).abs());
    if digits == 0 {
        format!("{sign}{whole} {currency}")
    } else {
        format!("{sign}{whole}.{rest:0digits$} {currency}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settled(total: i64, payments: &[(Tender, i64)]) -> Option<(i64, i64)> {
        let payments: Vec<_> = payments
            .iter()
            .map(|(tender, amount)| (*tender, Minor::new(*amount).unwrap()))
            .collect();
        let settled = settle(Minor::new(total).unwrap(), &payments, None).ok()?;
        assert_eq!(settled.rounding.get(), 0);
        Some((settled.paid.get(), settled.change.get()))
    }

    type Paid = &'static [(Tender, i64)];
    /// Total and payments; change and rounding, or what was expected.
    type Case = (i64, Paid, Result<(i64, i64), i64>);

    #[test]
    fn what_is_left_for_cash_is_rounded_to_the_nearest_coin() {
        use Tender::{Card, Cash, Voucher};
        let minor = |amount| Minor::new(amount).unwrap();
        let cases: [Case; 15] = [
            (498, &[(Cash, 500)], Ok((0, 2))),
            (497, &[(Cash, 500)], Ok((5, -2))),
            (497, &[(Cash, 495)], Ok((0, -2))),
            (498, &[(Cash, 498)], Err(500)),
            (498, &[(Card, 498)], Ok((0, 0))),
            (498, &[(Card, 500)], Err(498)),
            (498, &[(Card, 300), (Cash, 200)], Ok((0, 2))),
            (498, &[(Card, 296), (Cash, 200)], Ok((0, -2))),
            // Cash that has nothing left to pay is change.
            (498, &[(Card, 498), (Cash, 5)], Ok((5, 0))),
            (498, &[(Card, 496), (Cash, 0)], Ok((0, -2))),
            (498, &[(Card, 496)], Err(498)),
            (498, &[(Voucher, 499), (Cash, 5)], Err(498)),
            (2, &[(Cash, 0)], Ok((0, -2))),
            (2, &[], Err(2)),
            (0, &[], Ok((0, 0))),
        ];
        for (total, payments, expected) in cases {
            let payments: Vec<_> = payments.iter().map(|(t, a)| (*t, minor(*a))).collect();
            let settled = settle(minor(total), &payments, Minor::new(5));
            let found = settled
                .map(|s| {
                    assert_eq!(s.paid.get() - s.change.get(), total + s.rounding.get());
                    (s.change.get(), s.rounding.get())
                })
                .map_err(Minor::get);
            assert_eq!(found, expected, "{total} {payments:?}");
        }
        // Half a step goes away from zero.
        let half = settle(minor(25), &[(Cash, minor(30))], Minor::new(10));
        assert_eq!(half.unwrap().rounding.get(), 5);
    }

    #[test]
    fn the_exact_amount_needs_no_change() {
        assert_eq!(settled(498, &[(Tender::Card, 498)]), Some((498, 0)));
        let mixed = [(Tender::Voucher, 400), (Tender::Cash, 98)];
        assert_eq!(settled(498, &mixed), Some((498, 0)));
        assert_eq!(settled(0, &[]), Some((0, 0)));
    }

    #[test]
    fn change_comes_out_of_cash_alone() {
        assert_eq!(settled(498, &[(Tender::Cash, 500)]), Some((500, 2)));
        assert_eq!(settled(498, &[(Tender::Card, 500)]), None);
        let mixed = [(Tender::Card, 498), (Tender::Cash, 2)];
        assert_eq!(settled(498, &mixed), Some((500, 2)));
        let too_much_card = [(Tender::Card, 499), (Tender::Cash, 0)];
        assert_eq!(settled(498, &too_much_card), None);
    }

    #[test]
    fn too_little_is_refused() {
        assert_eq!(settled(498, &[(Tender::Cash, 497)]), None);
        assert_eq!(settled(1, &[]), None);
    }

    #[test]
    fn amounts_are_written_with_their_currency_s_digits() {
        let currency = |code| Currency::new(code).unwrap();
        assert_eq!(in_words(498, currency("EUR")), "4.98 EUR");
        assert_eq!(in_words(5, currency("EUR")), "0.05 EUR");
        assert_eq!(in_words(-5, currency("EUR")), "-0.05 EUR");
        assert_eq!(in_words(-498, currency("EUR")), "-4.98 EUR");
        assert_eq!(in_words(498, currency("JPY")), "498 JPY");
        assert_eq!(in_words(1234, currency("KWD")), "1.234 KWD");
    }
}
