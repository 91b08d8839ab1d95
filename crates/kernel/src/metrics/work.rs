//! Background loops, and the relay among them.

use std::time::Instant;

use super::{Counter, Family, Gauge, Histogram, Metrics, since};
use crate::worker::Turn;

/// Counts and times the passes of one loop.
pub(crate) struct WorkMeter {
    ok: Counter,
    failed: Counter,
    time: Histogram,
    last: Gauge,
}

impl WorkMeter {
    pub(crate) fn new(metrics: &Metrics, module: &'static str, worker: &'static str) -> Self {
        let runs = metrics.counter(
            "comptoir_worker_runs_total",
            "Passes of a background loop: `ok`, `failed`. Workers: `relay` and `figures` of each module, `sweeper` and `stock-figures` (store), `transfers` (inventory), `parked` (sales), `clean-up` (auth), `trust` (none), `nats` of each module that listens (with NATS only)",
            ["module", "worker", "outcome"],
        );
        let labels = [module, worker];
        Self {
            ok: runs.with([module, worker, "ok"]),
            failed: runs.with([module, worker, "failed"]),
            time: metrics
                .durations(
                    "comptoir_worker_run_duration_seconds",
                    "Time of one pass",
                    ["module", "worker"],
                )
                .with(labels),
            last: metrics
                .gauge(
                    "comptoir_worker_last_run_timestamp_seconds",
                    "When the last pass that did not fail ended: `time() -` this grows when a loop is stuck",
                    ["module", "worker"],
                )
                .with(labels),
        }
    }

    pub(crate) fn ran(&self, started: Instant, turn: Turn) {
        since(&self.time, started);
        if matches!(turn, Turn::Failed | Turn::Retry) {
            self.failed.inc();
        } else {
            self.ok.inc();
            self.last.set(seconds_since_1970());
        }
    }
}

fn seconds_since_1970() -> f64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0.0, |time| time.as_secs_f64())
}

/// Counts what the relay of one module hands over.
#[derive(Debug, Clone)]
pub(crate) struct RelayMeter {
    pub(crate) delivered: Counter,
    pub(crate) refused: Counter,
    pub(crate) unanswered: Counter,
}

impl RelayMeter {
    pub(crate) fn new(metrics: &Metrics, module: &'static str) -> Self {
        let events: Family<Counter, 2> = metrics.counter(
            "comptoir_relay_events_total",
            "Events that the relay handed over: `delivered`, `refused` (too early or unreadable), `unanswered`",
            ["module", "outcome"],
        );
        Self {
            delivered: events.with([module, "delivered"]),
            refused: events.with([module, "refused"]),
            unanswered: events.with([module, "unanswered"]),
        }
    }
}
