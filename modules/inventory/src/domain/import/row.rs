//! One row of an import, cell by cell.

use std::collections::BTreeMap;

use kernel::{
    money::{BasisPoints, Currency, Quantity},
    text::{Code, Text},
};

use super::RowProblem;
use crate::domain::{
    category::CategoryPath,
    decimal::Decimal,
    product::{MAX_BARCODES, Unit, check_attributes},
};

/// The cells of a row by the name of their column.
#[derive(Debug)]
pub(crate) struct Cells<'a>(pub(crate) Vec<(&'static str, &'a str)>);

impl<'a> Cells<'a> {
    /// `None` when the file has no such column.
    pub(crate) fn get(&self, column: &str) -> Option<&'a str> {
        self.0
            .iter()
            .find(|(name, _)| *name == column)
            .map(|(_, cell)| *cell)
    }
}

/// What a row says. `None` leaves what stands; `Some(None)` clears it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Draft {
    pub(crate) line: u64,
    pub(crate) sku: String,
    pub(crate) name: String,
    pub(crate) unit: Option<Unit>,
    pub(crate) barcodes: Option<Vec<String>>,
    pub(crate) category: Option<Option<CategoryPath>>,
    pub(crate) price: Option<Decimal>,
    pub(crate) currency: Option<Currency>,
    pub(crate) price_per: Option<Quantity>,
    pub(crate) tax_rate: Option<BasisPoints>,
    pub(crate) tax_class: Option<Option<String>>,
    pub(crate) cost: Option<Option<Decimal>>,
    pub(crate) template_sku: Option<Option<String>>,
    pub(crate) attributes: Option<BTreeMap<String, String>>,
}

/// Reads a row; on failure every cell at fault is named.
pub(crate) fn parse(line: u64, cells: &Cells<'_>) -> Result<Draft, Vec<RowProblem>> {
    let mut faults = Faults {
        line,
        problems: Vec::new(),
    };
    let sku = faults.required(cells, "sku", |cell| {
        Code::parse(cell).map(Code::into_string)
    });
    let name = faults.required(cells, "name", |cell| {
        Text::<200>::parse(cell).map(Text::into_string)
    });
    let unit = faults.filled(cells, "unit", |cell| {
        Unit::parse(&cell.to_ascii_lowercase()).ok_or_else(|| "must be each, g or ml".to_owned())
    });
    let barcodes = faults.cleared(cells, "barcodes", barcodes);
    let category = faults.cleared(cells, "category", CategoryPath::parse);
    let price = faults.filled(cells, "price", decimal);
    let currency = faults.filled(cells, "currency", |cell| {
        Currency::new(cell).ok_or_else(|| "must be an ISO 4217 code such as USD".to_owned())
    });
    let price_per = faults.filled(cells, "price_per", |cell| {
        let value: i64 = cell.parse().unwrap_or(0);
        Quantity::try_from(i128::from(value))
    });
    let tax_rate = faults.filled(cells, "tax_rate", |cell| {
        let rate = decimal(cell)?.scaled(2).and_then(BasisPoints::new);
        rate.ok_or_else(|| "must be a percentage from 0 to 100 such as 19 or 5.5".to_owned())
    });
    let code = |cell: &str| Code::parse(cell).map(Code::into_string);
    let tax_class = faults.cleared(cells, "tax_class", code);
    let cost = faults.cleared(cells, "cost", decimal);
    let template_sku = faults.cleared(cells, "template_sku", code);
    let attributes = faults.cleared(cells, "attributes", attributes);
    let (Some(sku), Some(name), true) = (sku, name, faults.problems.is_empty()) else {
        return Err(faults.problems);
    };
    Ok(Draft {
        line,
        sku,
        name,
        unit,
        barcodes: barcodes.map(Option::unwrap_or_default),
        category,
        price,
        currency,
        price_per,
        tax_rate,
        tax_class,
        cost,
        template_sku,
        attributes: attributes.map(Option::unwrap_or_default),
    })
}

fn decimal(cell: &str) -> Result<Decimal, String> {
    Decimal::parse(cell).map_err(str::to_owned)
}

fn barcodes(cell: &str) -> Result<Vec<String>, String> {
    let codes: Vec<String> = cell
        .split('|')
        .map(|code| Code::parse(code.trim()).map(Code::into_string))
        .collect::<Result<_, _>>()
        .map_err(|e| format!("each barcode {e}"))?;
    if codes.len() > MAX_BARCODES {
        return Err(format!("a product has {MAX_BARCODES} barcodes at most"));
    }
    Ok(codes)
}

fn attributes(cell: &str) -> Result<BTreeMap<String, String>, String> {
    let map = serde_json::from_str(cell)
        .map_err(|_| r#"must be a JSON object of texts such as {"colour": "red"}"#.to_owned())?;
    check_attributes(&map)?;
    Ok(map)
}

struct Faults {
    line: u64,
    problems: Vec<RowProblem>,
}

impl Faults {
    /// The column and the cell must be there.
    fn required<T>(
        &mut self,
        cells: &Cells<'_>,
        column: &str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        match cells.get(column) {
            None | Some("") => {
                self.add(column, "required", "must not be empty");
                None
            }
            Some(cell) => self.parsed(column, parse(cell)),
        }
    }

    /// An empty cell is as good as no column.
    fn filled<T>(
        &mut self,
        cells: &Cells<'_>,
        column: &str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        let cell = cells.get(column).filter(|cell| !cell.is_empty())?;
        self.parsed(column, parse(cell))
    }

    /// An empty cell clears what stands.
    #[expect(clippy::option_option, reason = "no column, an empty cell, a value")]
    fn cleared<T>(
        &mut self,
        cells: &Cells<'_>,
        column: &str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<Option<T>> {
        match cells.get(column)? {
            "" => Some(None),
            cell => self.parsed(column, parse(cell)).map(Some),
        }
    }

    fn parsed<T>(&mut self, column: &str, result: Result<T, String>) -> Option<T> {
        result
            .map_err(|detail| self.add(column, "invalid", &detail))
            .ok()
    }

    fn add(&mut self, column: &str, code: &str, detail: &str) {
        self.problems
            .push(RowProblem::new(self.line, Some(column), code, detail));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_cells_clear_what_may_be_empty_and_leave_the_rest() {
        let cells = Cells(vec![
            ("sku", "A-1"),
            ("name", "Apples"),
            ("category", ""),
            ("price", ""),
            ("barcodes", "1| 2"),
            ("tax_rate", "5.5"),
        ]);
        let draft = parse(7, &cells).unwrap();
        assert_eq!(draft.category, Some(None));
        assert_eq!(draft.price, None);
        assert_eq!(draft.cost, None);
        assert_eq!(draft.barcodes, Some(vec!["1".into(), "2".into()]));
        assert_eq!(draft.tax_rate, BasisPoints::new(550));
    }

    #[test]
    fn every_cell_at_fault_is_named() {
        let cells = Cells(vec![
            ("sku", "a b"),
            ("name", ""),
            ("unit", "kg"),
            ("price", "1,5"),
            ("currency", "usd"),
            ("price_per", "0"),
            ("tax_rate", "101"),
            ("cost", "-1"),
            ("attributes", "[1]"),
            ("category", "a//b"),
        ]);
        let problems = parse(3, &cells).unwrap_err();
        let mut columns: Vec<_> = problems
            .iter()
            .filter_map(|p| p.column.as_deref())
            .collect();
        columns.sort_unstable();
        let mut expected: Vec<_> = cells.0.iter().map(|(name, _)| *name).collect();
        expected.sort_unstable();
        assert_eq!(columns, expected);
        assert!(problems.iter().all(|p| p.line == 3));
    }
}
