//! What should be in a register's drawer, and what was counted in it.

use kernel::money::{Minor, Money};

kernel::bounded_integer! {
    /// How many coins or notes of one value: 0 to 1,000,000.
    pub Pieces, 0, 1_000_000
}

/// What a shift did to the cash in its drawer, in minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Drawer {
    pub(crate) float: i64,
    /// Payments less change, voids and refunds: below zero where more went back than came in.
    pub(crate) takings: i64,
    pub(crate) cash_in: i64,
    pub(crate) cash_out: i64,
}

impl Drawer {
    /// Both together.
    pub(crate) fn and(self, other: Self) -> Self {
        Self {
            float: self.float.saturating_add(other.float),
            takings: self.takings.saturating_add(other.takings),
            cash_in: self.cash_in.saturating_add(other.cash_in),
            cash_out: self.cash_out.saturating_add(other.cash_out),
        }
    }

    /// What there is to be. Below zero where refunds were paid out of another pocket.
    pub(crate) fn expected(self) -> i64 {
        self.float
            .saturating_add(self.takings)
            .saturating_add(self.cash_in)
            .saturating_sub(self.cash_out)
    }
}

/// Why a count is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Miscount {
    /// Neither a sum nor pieces.
    Nothing,
    /// More than can be.
    TooMuch,
    /// The pieces are worth this, and another sum was named.
    Differs(i64),
}

/// What was counted: the sum that was named, the worth of the pieces, or both where they agree.
///
/// # Errors
///
/// [`Miscount`] where there is nothing, too much, or a contradiction.
pub(crate) fn counted(
    total: Option<Minor>,
    pieces: Option<&[(Money, Pieces)]>,
) -> Result<Minor, Miscount> {
    let worth = pieces.map(|pieces| {
        let worth = pieces
            .iter()
            .map(|(value, n)| i128::from(value.amount.get()) * i128::from(n.get()));
        Minor::try_from(worth.sum::<i128>()).map_err(|_| Miscount::TooMuch)
    });
    match (total, worth.transpose()?) {
        (None, None) => Err(Miscount::Nothing),
        (Some(total), Some(worth)) if total != worth => Err(Miscount::Differs(worth.get())),
        (Some(counted), _) | (None, Some(counted)) => Ok(counted),
    }
}

#[cfg(test)]
mod tests {
    use kernel::money::Currency;

    use super::*;

    fn minor(amount: i64) -> Minor {
        Minor::new(amount).unwrap()
    }

    fn pieces(value: i64, n: i64) -> (Money, Pieces) {
        let money = Money {
            amount: minor(value),
            currency: Currency::new("EUR").unwrap(),
        };
        (money, Pieces::new(n).unwrap())
    }

    #[test]
    fn the_float_and_whatever_moved_is_expected() {
        let drawer = Drawer {
            float: 10_000,
            takings: 4_550,
            cash_in: 2_000,
            cash_out: 12_000,
        };
        assert_eq!(drawer.expected(), 4_550);
        let refunds = Drawer {
            takings: -300,
            ..Drawer::default()
        };
        assert_eq!(refunds.expected(), -300);
    }

    #[test]
    fn pieces_and_their_sum_may_be_named_if_they_agree() {
        let purse = [pieces(5_000, 3), pieces(20, 7), pieces(1, 0)];
        assert_eq!(counted(None, Some(&purse)), Ok(minor(15_140)));
        assert_eq!(
            counted(Some(minor(15_140)), Some(&purse)),
            Ok(minor(15_140))
        );
        assert_eq!(counted(Some(minor(7)), None), Ok(minor(7)));
        assert_eq!(
            counted(Some(minor(7)), Some(&purse)),
            Err(Miscount::Differs(15_140))
        );
    }

    #[test]
    fn nothing_and_more_than_there_can_be_are_no_count() {
        assert_eq!(counted(None, None), Err(Miscount::Nothing));
        let absurd = [pieces(Minor::MAX, Pieces::MAX)];
        assert_eq!(counted(None, Some(&absurd)), Err(Miscount::TooMuch));
        assert_eq!(counted(None, Some(&[])), Ok(minor(0)));
    }
}
