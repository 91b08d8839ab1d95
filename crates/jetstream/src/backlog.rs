//! What waits in the stream for one listener: the outbox is empty as soon as the stream has it.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use async_nats::jetstream::consumer::{Consumer, pull};
use kernel::metrics::{Family, Gauge, Metrics, number};

use crate::broker::{Away, in_time};

/// How often it is asked for, as the figures of a database are.
const EVERY: Duration = Duration::from_secs(5);

pub(crate) struct Backlog {
    module: &'static str,
    waiting: Family<Gauge, 1>,
    unapplied: Family<Gauge, 1>,
    looked: Mutex<Option<Instant>>,
}

impl Backlog {
    pub(crate) fn new(metrics: &Metrics, module: &'static str) -> Self {
        Self {
            module,
            waiting: metrics.gauge(
                "comptoir_nats_events_waiting",
                "Events in the stream that the module has still to take (with NATS only)",
                ["module"],
            ),
            unapplied: metrics.gauge(
                "comptoir_nats_events_unapplied",
                "Events that it took and has not applied, among them those that it could not apply: they are tried again, and never parked (with NATS only)",
                ["module"],
            ),
            looked: Mutex::new(None),
        }
    }

    /// Asks the server, now and then.
    pub(crate) async fn look(&self, handle: &Consumer<pull::Config>) -> Result<(), Away> {
        if self.is_fresh() {
            return Ok(());
        }
        let about = in_time(handle.get_info()).await?;
        self.waiting
            .set([self.module], Some(number(about.num_pending)));
        let unapplied = number(about.num_ack_pending);
        self.unapplied.set([self.module], Some(unapplied));
        *self.looked.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        Ok(())
    }

    fn is_fresh(&self) -> bool {
        let looked = self.looked.lock().unwrap_or_else(PoisonError::into_inner);
        looked.is_some_and(|at| at.elapsed() < EVERY)
    }

    /// The server gives no answer: what it said before is not true for long.
    pub(crate) fn forget(&self) {
        *self.looked.lock().unwrap_or_else(PoisonError::into_inner) = None;
        self.waiting.set([self.module], None);
        self.unapplied.set([self.module], None);
    }
}
