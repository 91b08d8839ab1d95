//! Loads a chain's real catalogue and stock, replays its sales, and compares file and database.
//!
//! Everything goes through the public API, so it does what a till does. Every key is computed
//! from the file: run again, it records nothing again.

mod baskets;
mod catalogue;
mod cents;
mod clock;
mod figures;
mod files;
mod opening;
mod price;
mod readback;
mod reconcile;
mod rejected;
mod replay;
mod report;
mod request;
mod row;
mod stores;
mod table;

use std::{io::Write, path::PathBuf, sync::Arc};

use chrono::NaiveTime;
use chrono_tz::Tz;

use crate::{client::Api, operator::Failure, progress::Progress};

pub use catalogue::{ProductError, ProductsReport};
pub use figures::Figures;
pub use opening::{OpeningReport, RefusedLevel};
pub use reconcile::{DayDifference, Reconciliation, SampleDay};
pub use rejected::{RejectedBasket, RejectedRow, Rejections};
pub use replay::{SalesReport, WrongAnswer};
pub use report::Report;
pub use row::Fault;
pub use stores::StoresReport;

use clock::Clock;

/// What to import, and how to read it.
#[derive(Debug, Clone)]
pub struct ImportOptions {
    /// Folder with `stores.csv`, `products.csv.gz` and `sales.csv.gz`.
    pub data: PathBuf,
    /// Only the first so many baskets.
    pub limit: Option<usize>,
    /// Requests at once.
    pub concurrency: usize,
    /// The zone of every shop's clock.
    pub timezone: Tz,
    /// When the business day of every shop turns, by its clock.
    pub day_cutoff: NaiveTime,
    /// What the file's prices are in: an ISO 4217 code with two decimals.
    pub currency: String,
    /// Where the report goes, as JSON.
    pub report: Option<PathBuf>,
}

impl ImportOptions {
    /// Everything in `data`, as the shops of "The Complete Journey" are.
    pub fn new(data: PathBuf) -> Self {
        Self {
            data,
            limit: None,
            concurrency: 16,
            timezone: Tz::America__New_York,
            day_cutoff: NaiveTime::from_hms_opt(5, 0, 0).unwrap_or_default(),
            currency: "USD".into(),
            report: None,
        }
    }
}

/// Imports, compares, prints the comparison and writes the report.
///
/// # Errors
///
/// When a file cannot be read, or the API refuses what everything else needs. A sale that it
/// refuses is part of the report.
pub async fn run(
    api: &Api,
    options: &ImportOptions,
    progress: &Progress,
) -> Result<Report, Failure> {
    let clock = Clock {
        zone: options.timezone,
        day_cutoff: options.day_cutoff,
    };
    let mut phases = Vec::new();

    let (stores, stores_report, time) = stores::load(api, options, progress).await?;
    phases.push(time);
    let (products_report, time) = catalogue::load(api, options, progress).await?;
    phases.push(time);
    let (products, time) = catalogue::ids(api, progress).await?;
    phases.push(time);
    let (stores, products) = (Arc::new(stores), Arc::new(products));
    let (opening_report, time) = opening::load(api, options, &stores, &products, progress).await?;
    phases.push(time);
    let replayed = replay::run(
        api,
        options,
        clock,
        &stores,
        &products,
        opening_report.baskets,
        progress,
    )
    .await?;
    phases.extend(replayed.time.clone());
    let (reconciliation, time) = reconcile::run(api, options, &stores, &replayed, progress).await?;
    phases.push(time);

    let report = Report {
        whole: options.limit.is_none(),
        stores: stores_report,
        products: products_report,
        opening: opening_report,
        sales: replayed.sales,
        rejected: replayed.rejections,
        reconciliation,
        phases,
    };
    let mut out = std::io::stdout();
    writeln!(out, "{report}")?;
    if let Some(path) = &options.report {
        let file = std::fs::File::create(path).map_err(|e| format!("{}: {e}", path.display()))?;
        serde_json::to_writer_pretty(std::io::BufWriter::new(file), &report)?;
        writeln!(
            out,
            "Every row and basket that was not recorded is in {}.",
            path.display()
        )?;
    }
    Ok(report)
}
