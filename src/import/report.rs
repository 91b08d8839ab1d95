//! What an import did, for a person and as JSON.

use std::fmt;

use serde::Serialize;

use super::{
    catalogue::ProductsReport, opening::OpeningReport, reconcile::Reconciliation,
    rejected::Rejections, replay::SalesReport, stores::StoresReport, table,
};
use crate::progress::PhaseTime;

/// Everything that an import did.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// Whether the file was read to its end.
    pub whole: bool,
    /// Stores.
    pub stores: StoresReport,
    /// Products.
    pub products: ProductsReport,
    /// Opening stock.
    pub opening: OpeningReport,
    /// Sales.
    pub sales: SalesReport,
    /// What was not recorded.
    pub rejected: Rejections,
    /// File against database.
    pub reconciliation: Reconciliation,
    /// What each part took.
    pub phases: Vec<PhaseTime>,
}

/// Examples of what was rejected that are printed; all of it is in the JSON.
const SHOWN: usize = 10;

impl Report {
    /// Whether nothing but the reported rows and baskets differs between file and database.
    pub fn agrees(&self) -> bool {
        self.reconciliation.agrees(self.whole)
            && self.sales.wrong.is_empty()
            && self.opening.refused.is_empty()
    }

    fn loaded(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            stores,
            products,
            opening,
            sales,
            ..
        } = self;
        writeln!(
            f,
            "Stores         {} opened, {} found",
            stores.created, stores.found
        )?;
        writeln!(
            f,
            "Products       {} rows: {} created, {} updated, {} unchanged, {} failed",
            products.rows, products.created, products.updated, products.unchanged, products.failed
        )?;
        for error in products.errors.iter().take(SHOWN) {
            let column = error.column.as_deref().unwrap_or("-");
            writeln!(
                f,
                "  line {}: {column}: {}: {}",
                error.line, error.code, error.detail
            )?;
        }
        writeln!(
            f,
            "Opening stock  {} levels in {} requests, {} of them replayed, {} levels refused",
            opening.levels,
            opening.batches,
            opening.replayed,
            opening.refused.len()
        )?;
        for level in opening.refused.iter().take(SHOWN) {
            writeln!(
                f,
                "  store {}, SKU {}: {}: {}",
                level.store, level.sku, level.code, level.detail
            )?;
        }
        writeln!(
            f,
            "Sales          {} recorded, {} replayed, {} refused",
            sales.recorded, sales.replayed, sales.refused
        )?;
        for wrong in sales.wrong.iter().take(SHOWN) {
            writeln!(
                f,
                "  WRONG: basket {}, sale {}: {}",
                wrong.basket, wrong.sale_id, wrong.detail
            )?;
        }
        Ok(())
    }

    fn rejections(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Rejections {
            rows_by_reason,
            rows,
            baskets,
            ..
        } = &self.rejected;
        writeln!(
            f,
            "\nNot recorded: {} rows, {} baskets",
            rows.len(),
            baskets.len()
        )?;
        for (reason, count) in rows_by_reason {
            writeln!(f, "{count:>8} rows: {}", reason.explain())?;
        }
        for row in rows.iter().take(SHOWN) {
            let reasons: Vec<_> = row.reasons.iter().map(|reason| reason.explain()).collect();
            writeln!(
                f,
                "  line {}, basket {}, SKU {}: {}",
                row.line,
                row.basket,
                row.sku,
                reasons.join("; ")
            )?;
        }
        more(f, rows.len())?;
        for basket in baskets.iter().take(SHOWN) {
            writeln!(
                f,
                "  line {}, basket {}: {}: {}",
                basket.line, basket.basket, basket.code, basket.detail
            )?;
        }
        more(f, baskets.len())
    }
}

fn more(f: &mut fmt::Formatter<'_>, count: usize) -> fmt::Result {
    match count.checked_sub(SHOWN) {
        Some(more) if more > 0 => writeln!(f, "  … and {more} more"),
        _ => Ok(()),
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.loaded(f)?;
        self.rejections(f)?;
        writeln!(f)?;
        table::write(f, &self.reconciliation)?;
        writeln!(f)?;
        for PhaseTime {
            name,
            count,
            millis,
            per_second,
        } in &self.phases
        {
            writeln!(
                f,
                "{name:<15} {count:>9} in {:>5}.{:01} s {per_second:>9}/s",
                millis / 1000,
                millis % 1000 / 100
            )?;
        }
        let total: u64 = self.phases.iter().map(|phase| phase.millis).sum();
        writeln!(
            f,
            "{:<15} {:>9}    {:>5}.{:01} s",
            "total",
            "",
            total / 1000,
            total % 1000 / 100
        )?;
        let verdict = if self.agrees() {
            "File and database agree: only what is reported above differs."
        } else {
            "FILE AND DATABASE DIFFER."
        };
        write!(f, "\n{verdict}")
    }
}
