//! The reconciliation as a table of plain text.

use std::fmt;

use super::{
    cents::{format, format_count},
    figures::Figures,
    reconcile::Reconciliation,
};

/// Differing days that are printed.
const SHOWN: usize = 10;

/// Writes the table.
pub(super) fn write(f: &mut fmt::Formatter<'_>, result: &Reconciliation) -> fmt::Result {
    writeln!(
        f,
        "{:<24} {:>9} {:>11} {:>14} {:>17}",
        "Reconciliation", "sales", "lines", "units", "revenue"
    )?;
    row(f, "in the file", result.file, true)?;
    row(f, "reported, not recorded", result.rejected, true)?;
    row(f, "expected", result.expected, true)?;
    row(f, "in the database", result.database, true)?;
    row(f, "difference", result.difference, true)?;
    row(f, "by the revenue report", result.revenue_report, false)?;
    if result.others != Figures::default() {
        row(f, "of it not of this run", result.others, true)?;
    }
    if result.days_compared > 0 {
        let (all, differing) = (result.days_compared, result.days_differing.len());
        writeln!(
            f,
            "\nRevenue per store and business day: {all} pairs compared, {differing} differ"
        )?;
    }
    for day in result.days_differing.iter().take(SHOWN) {
        let (file, report) = (day.expected, day.revenue_report);
        writeln!(
            f,
            "  DIFFERS: store {} on {}: {} sales, {} in the file; {} sales, {} reported",
            day.store,
            day.business_date,
            file.sales,
            format(file.revenue_cents),
            report.sales,
            format(report.revenue_cents)
        )?;
    }
    for day in &result.samples {
        writeln!(
            f,
            "  store {:<5} {}: {:>4} sales, {:>10} in the file, {:>10} reported ({})",
            day.store,
            day.business_date,
            day.sales,
            format(day.expected_cents),
            format(day.reported_cents),
            day.chosen_as
        )?;
    }
    Ok(())
}

fn row(f: &mut fmt::Formatter<'_>, name: &str, figures: Figures, goods: bool) -> fmt::Result {
    let Figures {
        sales,
        lines,
        units,
        revenue_cents,
    } = figures;
    let count = |n| {
        if goods {
            format_count(n)
        } else {
            "-".to_owned()
        }
    };
    let (sales, revenue) = (format_count(sales), format(revenue_cents));
    writeln!(
        f,
        "{name:<24} {sales:>9} {:>11} {:>14} {revenue:>17}",
        count(lines),
        count(units)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Shown(Reconciliation);

    impl fmt::Display for Shown {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write(f, &self.0)
        }
    }

    #[test]
    fn the_columns_stand_under_each_other() {
        let file = Figures {
            sales: 20_000,
            lines: 193_794,
            units: 21_000_000,
            revenue_cents: 59_000_001,
        };
        let text = Shown(Reconciliation {
            file,
            ..Reconciliation::default()
        })
        .to_string();
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(
            lines[1],
            "in the file                 20,000     193,794     21,000,000        590,000.01"
        );
        assert!(
            lines[..6].iter().all(|line| line.len() == lines[0].len()),
            "{text}"
        );
    }
}
