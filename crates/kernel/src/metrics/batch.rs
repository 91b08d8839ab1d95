//! Group commits: who waits for one, and how many share it.

use super::{Counter, Gauge, Histogram, Metrics, number};

/// Group commits of one kind.
#[derive(Debug, Clone)]
pub(crate) struct BatchMeter {
    pub(crate) waiting: Gauge,
    pub(crate) refused: Counter,
    pub(crate) size: Histogram,
}

impl BatchMeter {
    pub(crate) fn new(
        metrics: &Metrics,
        module: &'static str,
        writer: &'static str,
        limit: usize,
    ) -> Self {
        let labels = [module, writer];
        let most = metrics.gauge(
            "comptoir_batch_limit",
            "How many may wait; more are turned away",
            ["module", "writer"],
        );
        most.with(labels).set(number(limit));
        Self {
            waiting: metrics
                .gauge(
                    "comptoir_batch_waiting",
                    "Requests that wait for a group commit",
                    ["module", "writer"],
                )
                .with(labels),
            refused: metrics
                .counter(
                    "comptoir_batch_refused_total",
                    "Requests that were turned away because as many waited as may",
                    ["module", "writer"],
                )
                .with(labels),
            size: metrics
                .sizes(
                    "comptoir_batch_size",
                    "Requests in one group commit (buckets 1, 2, 4, 8, 16, 32, 64)",
                    ["module", "writer"],
                )
                .with(labels),
        }
    }
}
