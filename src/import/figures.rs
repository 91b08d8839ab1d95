//! The four sums that file and database must agree on.

use std::ops::{Add, AddAssign, Sub};

use serde::Serialize;

/// Sales, lines, units and revenue.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Figures {
    /// Sales.
    pub sales: i64,
    /// Lines of sales.
    pub lines: i64,
    /// Units of all lines, each in its product's base unit.
    pub units: i64,
    /// Revenue in cents, discounts taken off.
    pub revenue_cents: i64,
}

impl Figures {
    /// One sale without lines.
    pub(super) const SALE: Self = Self {
        sales: 1,
        lines: 0,
        units: 0,
        revenue_cents: 0,
    };

    /// One line.
    pub(super) fn line(units: i64, revenue_cents: i64) -> Self {
        Self {
            sales: 0,
            lines: 1,
            units,
            revenue_cents,
        }
    }
}

// A year of a large chain is far from the bounds of an i64; a file of nonsense must not panic.
impl Add for Figures {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            sales: self.sales.saturating_add(other.sales),
            lines: self.lines.saturating_add(other.lines),
            units: self.units.saturating_add(other.units),
            revenue_cents: self.revenue_cents.saturating_add(other.revenue_cents),
        }
    }
}

impl Sub for Figures {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self {
            sales: self.sales.saturating_sub(other.sales),
            lines: self.lines.saturating_sub(other.lines),
            units: self.units.saturating_sub(other.units),
            revenue_cents: self.revenue_cents.saturating_sub(other.revenue_cents),
        }
    }
}

impl AddAssign for Figures {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl std::iter::Sum for Figures {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), Add::add)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_added_can_be_taken_off() {
        let basket: Figures = [Figures::SALE, Figures::line(2, 500), Figures::line(1, 99)]
            .into_iter()
            .sum();
        assert_eq!(
            basket,
            Figures {
                sales: 1,
                lines: 2,
                units: 3,
                revenue_cents: 599
            }
        );
        assert_eq!(basket - basket, Figures::default());
        assert_eq!(
            basket - Figures::line(1, 99),
            Figures {
                sales: 1,
                lines: 1,
                units: 2,
                revenue_cents: 500
            }
        );
    }
}
