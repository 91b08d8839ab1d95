//! One row of the sales file, and everything that can keep it from being recorded.

use csv::StringRecord;
use kernel::money::{Minor, Quantity};
use serde::Serialize;

use super::{
    cents,
    figures::Figures,
    files::{Table, field},
    price::{LinePrice, line_price},
};
use crate::operator::Failure;

/// Where the columns stand.
pub(super) struct Columns {
    basket: usize,
    store: usize,
    occurred_at: usize,
    customer: usize,
    sku: usize,
    quantity: usize,
    value: usize,
    discount: usize,
}

impl Columns {
    pub(super) fn find(table: &Table) -> Result<Self, Failure> {
        Ok(Self {
            basket: table.column("basket_id")?,
            store: table.column("store")?,
            occurred_at: table.column("occurred_at")?,
            customer: table.column("customer")?,
            sku: table.column("sku")?,
            quantity: table.column("quantity")?,
            value: table.column("sales_value")?,
            discount: table.column("retail_disc")?,
        })
    }
}

/// One line of one basket. The coupon columns are left out: who pays a line is not what it costs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row {
    /// In the file; the header is line 1.
    pub(super) line: u64,
    pub(super) basket: String,
    pub(super) store: String,
    pub(super) occurred_at: String,
    pub(super) customer: String,
    pub(super) sku: String,
    /// `None` where it is not a whole number.
    pub(super) quantity: Option<i64>,
    /// Cents; `None` where it is not a whole number of them.
    pub(super) value: Option<i64>,
    /// As `value`.
    pub(super) discount: Option<i64>,
}

/// Why a row cannot be recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fault {
    /// The row has too few or too many fields, or is not UTF-8.
    Malformed,
    /// Nothing was sold.
    QuantityZero,
    /// The quantity is negative, too large or not a number.
    QuantityNotValid,
    /// The catalogue does not have the product.
    UnknownSku,
    /// A value is not a whole number of cents.
    NotWholeCents,
    /// The value is negative or too large.
    ValueNotValid,
    /// The basket has ended earlier in the file.
    BasketScattered,
    /// Store, time or customer differ from the basket's first row.
    BasketDisagrees,
}

impl Row {
    pub(super) fn read(record: &StringRecord, line: u64, columns: &Columns) -> Self {
        let text = |column| field(record, column).to_owned();
        Self {
            line,
            basket: text(columns.basket),
            store: text(columns.store),
            occurred_at: text(columns.occurred_at),
            customer: text(columns.customer),
            sku: text(columns.sku),
            quantity: field(record, columns.quantity).parse().ok(),
            value: cents::parse(field(record, columns.value)),
            discount: cents::parse(field(record, columns.discount)),
        }
    }

    /// What the row adds to the file's sums; what cannot be read counts as nothing.
    pub(super) fn figures(&self) -> Figures {
        Figures::line(self.quantity.unwrap_or(0), self.value.unwrap_or(0))
    }

    /// The row's price, or everything that is wrong with the row.
    pub(super) fn price(&self, known_sku: bool) -> Result<LinePrice, Vec<Fault>> {
        let mut faults = Vec::new();
        let valid = self
            .quantity
            .filter(|quantity| Quantity::new(*quantity).is_some());
        match self.quantity {
            Some(0) => faults.push(Fault::QuantityZero),
            _ if valid.is_none() => faults.push(Fault::QuantityNotValid),
            _ => {}
        }
        if !known_sku {
            faults.push(Fault::UnknownSku);
        }
        let (Some(value), Some(discount)) = (self.value, self.discount) else {
            faults.push(Fault::NotWholeCents);
            return Err(faults);
        };
        let price = line_price(value, discount, valid.unwrap_or(1));
        match price.filter(|price| fits(*price, value)) {
            Some(price) if faults.is_empty() => return Ok(price),
            Some(_) => {}
            None => faults.push(Fault::ValueNotValid),
        }
        Err(faults)
    }

    /// Whether both rows can be of one sale.
    pub(super) fn same_sale(&self, other: &Self) -> bool {
        (&self.store, &self.occurred_at, &self.customer)
            == (&other.store, &other.occurred_at, &other.customer)
    }
}

/// Whether the line's sums are amounts that the product can hold; a unit price is never larger.
fn fits(price: LinePrice, value: i64) -> bool {
    price
        .discount
        .checked_add(value)
        .is_some_and(|gross| Minor::new(gross).is_some())
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A row of basket 1 in store 2, by its parts that matter.
    pub(in crate::import) fn row(
        line: u64,
        sku: &str,
        quantity: i64,
        value: &str,
        discount: &str,
    ) -> Row {
        Row {
            line,
            basket: "1".into(),
            store: "2".into(),
            occurred_at: "2017-01-01 12:00:00".into(),
            customer: "3".into(),
            sku: sku.into(),
            quantity: Some(quantity),
            value: cents::parse(value),
            discount: cents::parse(discount),
        }
    }

    #[test]
    fn a_good_row_has_a_price() {
        let price = row(2, "A", 2, "2.78", "0.8").price(true).unwrap();
        assert_eq!((price.unit_price, price.discount), (179, 80));
    }

    #[test]
    fn everything_that_is_wrong_is_said() {
        let faults = |quantity, value: &str, known| {
            row(2, "A", quantity, value, "0.0")
                .price(known)
                .unwrap_err()
        };
        assert_eq!(faults(0, "1.0", true), [Fault::QuantityZero]);
        assert_eq!(faults(1, "1.0", false), [Fault::UnknownSku]);
        assert_eq!(
            faults(0, "1.776357e-15", false),
            [Fault::QuantityZero, Fault::UnknownSku, Fault::NotWholeCents]
        );
        assert_eq!(faults(-1, "1.0", true), [Fault::QuantityNotValid]);
        assert_eq!(faults(1, "-1.0", true), [Fault::ValueNotValid]);
        assert_eq!(
            faults(1, "900000000000000.00", true),
            [Fault::ValueNotValid]
        );
    }

    #[test]
    fn what_cannot_be_read_counts_as_nothing() {
        assert_eq!(row(2, "A", 4, "x", "0").figures(), Figures::line(4, 0));
    }

    #[test]
    fn columns_are_found_by_name() {
        let record = StringRecord::from(vec![
            "9",
            "7",
            "2017-01-01 11:53:26",
            "900",
            "55",
            "1",
            "0.5",
            "0.0",
        ]);
        let columns = Columns {
            basket: 0,
            store: 1,
            occurred_at: 2,
            customer: 3,
            sku: 4,
            quantity: 5,
            value: 6,
            discount: 7,
        };
        let row = Row::read(&record, 2, &columns);
        assert_eq!(
            (
                row.basket.as_str(),
                row.sku.as_str(),
                row.quantity,
                row.value
            ),
            ("9", "55", Some(1), Some(50))
        );
    }
}
