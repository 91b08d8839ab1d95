//! Reads the sales file basket by basket; the rows of one stand together in it.

use std::{collections::HashSet, mem, ops::ControlFlow, path::Path};

use csv::StringRecord;

use super::{
    files::Table,
    row::{Columns, Row},
};
use crate::operator::Failure;

/// The file of sales.
const NAME: &str = "sales.csv.gz";

/// What stands next in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Item {
    /// The rows of one basket, at least one.
    Basket(Vec<Row>),
    /// More rows of a basket that had ended: it was sent without them.
    Scattered(Vec<Row>),
    /// A row that cannot be read, by its line.
    Malformed(u64),
}

/// Passes everything in the file, or up to the end of the `limit`-th basket, to `take`, until
/// that breaks off.
pub(super) fn each(
    folder: &Path,
    limit: Option<usize>,
    take: impl FnMut(Item) -> ControlFlow<()>,
) -> Result<(), Failure> {
    let mut table = Table::open(folder, NAME)?;
    let columns = Columns::find(&table)?;
    let mut record = StringRecord::new();
    let mut groups = Groups {
        limit,
        seen: HashSet::new(),
        open: Vec::new(),
        take,
    };
    loop {
        let flow = match table.reader.read_record(&mut record) {
            Ok(false) => break,
            Ok(true) => {
                let line = record.position().map_or(0, csv::Position::line);
                groups.add(Row::read(&record, line, &columns))
            }
            Err(error) => match malformed(&error) {
                Some(line) => (groups.take)(Item::Malformed(line)),
                None => return Err(table.failure(error)),
            },
        };
        if flow.is_break() {
            return Ok(());
        }
    }
    // Whether to go on does not matter at the end.
    let _ = groups.close();
    Ok(())
}

/// The line of a row with too few or too many fields, or text that is not UTF-8.
fn malformed(error: &csv::Error) -> Option<u64> {
    match error.kind() {
        csv::ErrorKind::UnequalLengths { pos, .. } | csv::ErrorKind::Utf8 { pos, .. } => {
            pos.as_ref().map(csv::Position::line)
        }
        _ => None,
    }
}

/// Puts rows that follow each other and name one basket together.
struct Groups<F> {
    limit: Option<usize>,
    seen: HashSet<String>,
    open: Vec<Row>,
    take: F,
}

impl<F: FnMut(Item) -> ControlFlow<()>> Groups<F> {
    fn add(&mut self, row: Row) -> ControlFlow<()> {
        if self
            .open
            .first()
            .is_some_and(|first| first.basket != row.basket)
        {
            self.close()?;
            if self.limit.is_some_and(|limit| self.seen.len() >= limit) {
                return ControlFlow::Break(());
            }
        }
        self.open.push(row);
        ControlFlow::Continue(())
    }

    fn close(&mut self) -> ControlFlow<()> {
        let rows = mem::take(&mut self.open);
        let Some(first) = rows.first() else {
            return ControlFlow::Continue(());
        };
        let new = self.seen.insert(first.basket.clone());
        (self.take)(if new {
            Item::Basket(rows)
        } else {
            Item::Scattered(rows)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::row::tests::row;

    fn grouped(baskets: &[&str], limit: Option<usize>) -> Vec<Item> {
        let mut items = Vec::new();
        let take = |item| {
            items.push(item);
            ControlFlow::Continue(())
        };
        let mut groups = Groups {
            limit,
            seen: HashSet::new(),
            open: Vec::new(),
            take,
        };
        let broke = baskets.iter().zip(2..).any(|(basket, line)| {
            groups
                .add(Row {
                    basket: (*basket).into(),
                    ..row(line, "A", 1, "1", "0")
                })
                .is_break()
        });
        if !broke {
            let _ = groups.close();
        }
        items
    }

    fn shape(items: &[Item]) -> Vec<(char, usize)> {
        let count = |item: &Item| match item {
            Item::Basket(rows) => ('b', rows.len()),
            Item::Scattered(rows) => ('s', rows.len()),
            Item::Malformed(_) => ('m', 1),
        };
        items.iter().map(count).collect()
    }

    #[test]
    fn rows_of_a_basket_stay_together() {
        assert_eq!(
            shape(&grouped(&["1", "1", "2", "3", "3", "3"], None)),
            [('b', 2), ('b', 1), ('b', 3)]
        );
        assert_eq!(shape(&grouped(&[], None)), []);
    }

    #[test]
    fn a_basket_that_comes_again_is_told_apart() {
        assert_eq!(
            shape(&grouped(&["1", "2", "1"], None)),
            [('b', 1), ('b', 1), ('s', 1)]
        );
    }

    #[test]
    fn the_limit_counts_whole_baskets() {
        assert_eq!(
            shape(&grouped(&["1", "1", "2", "2", "3"], Some(2))),
            [('b', 2), ('b', 2)]
        );
        assert_eq!(shape(&grouped(&["1"], Some(2))), [('b', 1)]);
    }
}
