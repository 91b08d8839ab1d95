//! Whether what was paid is what is owed, and the change.

use kernel::money::{Currency, Minor};

use crate::domain::words::Tender;

/// No money.
pub(crate) const NOTHING: Minor = match Minor::new(0) {
    Some(zero) => zero,
    None => panic!("zero is within the bounds"),
};

/// A sale that was paid for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Settled {
    pub(crate) paid: Minor,
    pub(crate) change: Minor,
}

/// Payments sum to the total, or exceed it by change that is given out of cash. `None` otherwise.
/// Amounts are not below zero.
pub(crate) fn settle(total: Minor, payments: &[(Tender, Minor)]) -> Option<Settled> {
    let paid = sum(payments.iter().map(|(_, amount)| *amount));
    let cash = sum(payments
        .iter()
        .filter(|(tender, _)| *tender == Tender::Cash)
        .map(|(_, amount)| *amount));
    let change = paid - i128::from(total.get());
    if !(0..=cash).contains(&change) {
        return None;
    }
    Some(Settled {
        paid: Minor::try_from(paid).ok()?,
        change: Minor::try_from(change).ok()?,
    })
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
    let (whole, rest) = (minor / scale, (minor % scale).abs());
    if digits == 0 {
        format!("{whole} {currency}")
    } else {
        format!("{whole}.{rest:0digits$} {currency}")
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
        settle(Minor::new(total).unwrap(), &payments).map(|s| (s.paid.get(), s.change.get()))
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
        assert_eq!(in_words(498, currency("JPY")), "498 JPY");
        assert_eq!(in_words(1234, currency("KWD")), "1.234 KWD");
    }
}
