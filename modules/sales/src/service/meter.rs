//! Counts what was sold, what was not, and what came back.

use kernel::{
    metrics::{Counter, Family, Metrics},
    money::{Currency, Minor},
};

use crate::{dto::SaleView, error::Error, service::record::Recorded};

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

    pub(crate) fn sale(&self, result: &Result<Recorded, Error>) {
        match result {
            Ok(Recorded { replayed: true, .. }) => {
                self.replayed.inc();
            }
            Ok(Recorded { sale, .. }) => self.sold(sale),
            Err(error) => {
                self.refused.with([reason(error)]).inc();
            }
        }
    }

    pub(crate) fn sold(&self, sale: &SaleView) {
        self.recorded.inc();
        let lines = u64::try_from(sale.lines.len()).unwrap_or(0);
        self.lines.inc_by(lines);
        add(&self.revenue, sale.total.currency, sale.total.amount);
    }

    pub(crate) fn void(&self, currency: Currency, total: Minor) {
        self.voided.inc();
        add(&self.refunded, currency, total);
    }

    pub(crate) fn back(&self, currency: Currency, refund: Minor) {
        self.returned.inc();
        add(&self.refunded, currency, refund);
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
