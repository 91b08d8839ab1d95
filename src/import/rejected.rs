//! What cannot be recorded, row by row, with the line in the file and the reason.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{
    figures::Figures,
    row::{Fault, Row},
};

/// A row that is not recorded.
#[derive(Debug, Clone, Serialize)]
pub struct RejectedRow {
    /// In the file; the header is line 1.
    pub line: u64,
    /// Its basket; empty where the row cannot be read.
    pub basket: String,
    /// Its product.
    pub sku: String,
    /// Everything that is wrong with it.
    pub reasons: Vec<Fault>,
}

/// A basket of which nothing is recorded.
#[derive(Debug, Clone, Serialize)]
pub struct RejectedBasket {
    /// Its first line in the file.
    pub line: u64,
    /// Its id.
    pub basket: String,
    /// Why: a word of the importer's, or the code of the API's problem.
    pub code: String,
    /// Why, for a person.
    pub detail: String,
    /// Its rows that are good in themselves, and are not recorded for its sake.
    pub rows: i64,
}

/// Everything that is not recorded, and what it sums to.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Rejections {
    /// What the file has and the database must not have.
    pub figures: Figures,
    /// How many rows have each fault; a row may have several.
    pub rows_by_reason: BTreeMap<Fault, usize>,
    /// The rows, in the order of the file.
    pub rows: Vec<RejectedRow>,
    /// The baskets, in the order of the file.
    pub baskets: Vec<RejectedBasket>,
}

impl Rejections {
    /// A row with these faults.
    pub(super) fn row(&mut self, row: &Row, reasons: Vec<Fault>) {
        self.figures += row.figures();
        let rejected = RejectedRow {
            line: row.line,
            basket: row.basket.clone(),
            sku: row.sku.clone(),
            reasons,
        };
        self.push(rejected);
    }

    /// A row that cannot be read.
    pub(super) fn malformed(&mut self, line: u64) {
        self.figures += Figures::line(0, 0);
        let (basket, sku) = (String::new(), String::new());
        self.push(RejectedRow {
            line,
            basket,
            sku,
            reasons: vec![Fault::Malformed],
        });
    }

    /// A basket, with the sums of its rows that are good in themselves.
    pub(super) fn basket(&mut self, first: &Row, good: Figures, code: &str, detail: String) {
        self.figures += Figures::SALE + good;
        self.baskets.push(RejectedBasket {
            line: first.line,
            basket: first.basket.clone(),
            code: code.to_owned(),
            detail,
            rows: good.lines,
        });
    }

    /// Adds what another part of the file brought.
    pub(super) fn merge(&mut self, other: Self) {
        self.figures += other.figures;
        for row in other.rows {
            self.push(row);
        }
        self.baskets.extend(other.baskets);
    }

    /// Sales are sent at once and answered in any order.
    pub(super) fn sort(&mut self) {
        self.rows.sort_by_key(|row| row.line);
        self.baskets.sort_by_key(|basket| basket.line);
    }

    fn push(&mut self, row: RejectedRow) {
        for reason in &row.reasons {
            *self.rows_by_reason.entry(*reason).or_default() += 1;
        }
        self.rows.push(row);
    }
}

impl Fault {
    /// What is wrong, for a person.
    pub fn explain(self) -> &'static str {
        match self {
            Self::Malformed => "the row has too few or too many fields",
            Self::QuantityZero => "quantity is 0",
            Self::QuantityNotValid => "quantity is not a whole number above 0, or too large",
            Self::UnknownSku => "products.csv does not have the SKU",
            Self::NotWholeCents => "a value is not a whole number of cents",
            Self::ValueNotValid => "the value is negative or too large",
            Self::BasketScattered => "the basket has ended earlier in the file",
            Self::BasketDisagrees => "store, time or customer differ from the basket's first row",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::row::tests::row;

    #[test]
    fn what_is_rejected_is_summed_once() {
        let mut all = Rejections::default();
        all.row(
            &row(3, "A", 0, "1.5", "0"),
            vec![Fault::QuantityZero, Fault::UnknownSku],
        );
        let mut other = Rejections::default();
        other.basket(
            &row(2, "B", 2, "1", "0"),
            Figures::line(2, 100),
            "insufficient-stock",
            "Too few.".into(),
        );
        other.malformed(9);
        all.merge(other);
        assert_eq!(
            all.figures,
            Figures {
                sales: 1,
                lines: 3,
                units: 2,
                revenue_cents: 250
            }
        );
        assert_eq!(all.rows_by_reason[&Fault::QuantityZero], 1);
        assert_eq!((all.rows.len(), all.baskets.len()), (2, 1));
    }
}
