//! Counts what becomes of holds, and gathers what is open.

use kernel::{
    db::DbError,
    figures::awaited,
    metrics::{Counter, Family, Gauge, Metrics, number},
};
use store_api::HoldRefused;

use crate::{
    Store,
    domain::{hold::Answer, reason::HoldState},
    error::Error,
    repo::figures,
};

/// Counts requests to hold goods.
#[derive(Debug, Clone)]
pub(crate) struct HoldMeter {
    held: Counter,
    replayed: Counter,
    short: Counter,
    refused: Counter,
}

impl HoldMeter {
    pub(crate) fn new(metrics: &Metrics) -> Self {
        let taken = metrics.counter(
            "comptoir_holds_taken_total",
            "Requests to hold goods: `held`, `replayed`, `short`, `refused` (for another reason)",
            ["outcome"],
        );
        Self {
            held: taken.with(["held"]),
            replayed: taken.with(["replayed"]),
            short: taken.with(["short"]),
            refused: taken.with(["refused"]),
        }
    }

    pub(crate) fn answered(&self, answer: &Answer) {
        let outcome = match answer {
            Ok(hold) if hold.replayed => &self.replayed,
            Ok(_) => &self.held,
            Err(HoldRefused::Short { .. }) => &self.short,
            Err(_) => &self.refused,
        };
        outcome.inc();
    }
}

/// Counts holds that ended; `by`: `event` or `sweeper`.
#[derive(Debug, Clone)]
pub(crate) struct SettledMeter {
    settled: Family<Counter, 2>,
    by: &'static str,
}

impl SettledMeter {
    pub(crate) fn new(metrics: &Metrics, by: &'static str) -> Self {
        let settled = metrics.counter(
            "comptoir_holds_settled_total",
            "Holds that ended: `consumed`, `released`; `by` the `event` of the sale or the `sweeper`",
            ["state", "by"],
        );
        // An event only ever consumes.
        settled.with(["consumed", by]);
        if by == "sweeper" {
            settled.with(["released", by]);
        }
        Self { settled, by }
    }

    pub(crate) fn settled(&self, state: HoldState, holds: usize) {
        let state = match state {
            HoldState::Held => return,
            HoldState::Consumed => "consumed",
            HoldState::Released => "released",
        };
        let count = u64::try_from(holds).unwrap_or(0);
        self.settled.with([state, self.by]).inc_by(count);
    }
}

/// What is open in the module's database.
#[derive(Debug, Clone)]
pub(crate) struct OpenMeter([Family<Gauge, 0>; 5]);

impl OpenMeter {
    pub(crate) fn new(metrics: &Metrics) -> Self {
        let gauge = |name, help| metrics.gauge(name, help, []);
        Self([
            gauge(
                "comptoir_holds_open",
                "Holds that wait for their sale (state `held`); counted up to 100,000",
            ),
            gauge(
                "comptoir_holds_overdue",
                "Those of them that are older than `store.hold_seconds`: what the sweeper should have settled",
            ),
            gauge(
                "comptoir_holds_oldest_age_seconds",
                "Age of the oldest open hold; 0 when there is none",
            ),
            gauge(
                "comptoir_transfers_in_transit",
                "Transfers that were sent and not wholly received",
            ),
            gauge(
                "comptoir_transfer_units_in_transit",
                "Base units of goods that are on the way in them",
            ),
        ])
    }

    fn set(&self, figures: Option<[f64; 5]>) {
        for (n, gauge) in self.0.iter().enumerate() {
            gauge.set([], figures.and_then(|f| f.get(n).copied()));
        }
    }
}

impl Store {
    /// Gathers the figures of what is open.
    pub(crate) async fn gather(&self) -> Result<(), Error> {
        let ttl = self.options.hold_ttl.as_secs_f64();
        let read = self
            .db
            .run_beside(move |conn| figures::read(conn, ttl).map_err(DbError::from));
        let read = awaited(read, || self.open.set(None)).await;
        self.open.set(read.as_ref().ok().map(|found| {
            [
                number(found.open),
                number(found.overdue),
                found.oldest_seconds,
                number(found.transfers),
                number(found.units),
            ]
        }));
        Ok(read.map(drop)?)
    }
}
