//! Counts what was sold, what was not, and what came back.

use kernel::{
    metrics::{Counter, Family, Metrics},
    money::{Currency, Minor},
};

use crate::{error::Error, repo::returns::FullReturn, service::record_write::NewSale};

/// The counters of [`Sales`](crate::Sales).
#[derive(Debug)]
pub(crate) struct Meter {
    recorded: Counter,
    replayed: Counter,
    lines: Counter,
    revenue: Family<Counter, 1>,
    refused: Family<Counter, 1>,
    voided: Counter,
    returned: Counter,
    refunded: Family<Counter, 1>,
}

const REASONS: [&str; 8] = [
    "stock",
    "price",
    "product",
    "store",
    "payment",
    "request",
    "unavailable",
    "failed",
];

impl Meter {
    pub(crate) fn new(metrics: &Metrics) -> Self {
        let counter = |name, help| metrics.counter(name, help, []).one();
        let refused = metrics.counter(
            "comptoir_sales_refused_total",
            "Sales that were refused: `stock` (goods are short), `price`, `product` (unknown, archived), `store` (unknown, archived), `payment`, `request` (anything else that the client can mend), `unavailable` (no answer in time), `failed`",
            ["reason"],
        );
        for reason in REASONS {
            refused.with([reason]);
        }
        Self {
            recorded: counter(
                "comptoir_sales_recorded_total",
                "Sales that were recorded, repeats apart",
            ),
            replayed: counter(
                "comptoir_sales_replayed_total",
                "Requests that were answered with a sale recorded before",
            ),
            lines: counter("comptoir_sales_lines_total", "Lines of the recorded sales"),
            revenue: metrics.counter(
                "comptoir_sales_revenue_minor_units_total",
                "Their totals in minor units; what comes back is counted apart",
                ["currency"],
            ),
            refused,
            voided: counter("comptoir_sales_voided_total", "Sales that were voided"),
            returned: counter(
                "comptoir_returns_recorded_total",
                "Returns that were recorded",
            ),
            refunded: metrics.counter(
                "comptoir_returns_refunded_minor_units_total",
                "What they and voids paid back, in minor units",
                ["currency"],
            ),
        }
    }

    /// What a request for a sale was answered: whether it is a repeat, or why there is none. A sale
    /// that is new was counted when it was committed.
    pub(crate) fn answered(&self, replayed: Result<bool, &Error>) {
        match replayed {
            Ok(true) => {
                self.replayed.inc();
            }
            Ok(false) => {}
            Err(error) => {
                self.refused.with([reason(error)]).inc();
            }
        }
    }

    /// A sale that was committed.
    pub(crate) fn sold(&self, new: &NewSale) {
        let full = &new.full;
        self.recorded.inc();
        let lines = u64::try_from(full.lines.len()).unwrap_or(0);
        self.lines.inc_by(lines);
        add(&self.revenue, full.sale.currency, full.sale.total_minor);
    }

    pub(crate) fn void(&self, currency: Currency, total: Minor) {
        self.voided.inc();
        add(&self.refunded, currency, total);
    }

    /// A return that was committed.
    pub(crate) fn back(&self, full: &FullReturn) {
        self.returned.inc();
        add(&self.refunded, full.head.currency, full.head.refund_minor);
    }
}

fn add(family: &Family<Counter, 1>, currency: Currency, amount: Minor) {
    // A total is never below zero.
    let amount = u64::try_from(amount.get()).unwrap_or(0);
    family.with([currency.as_str().to_owned()]).inc_by(amount);
}

fn reason(error: &Error) -> &'static str {
    match error {
        Error::InsufficientStock(_) => "stock",
        Error::PriceOverride(_) | Error::CurrencyMismatch { .. } => "price",
        Error::UnknownProduct(_) | Error::ProductArchived(_) => "product",
        Error::StoreArchived | Error::NotFound("store") => "store",
        Error::PaymentMismatch { .. } => "payment",
        Error::NoAnswer(_) => "unavailable",
        Error::Db(error) if error.is_passing() => "unavailable",
        Error::Db(_) => "failed",
        Error::Problem(problem) if problem.status().is_server_error() => "failed",
        _ => "request",
    }
}
