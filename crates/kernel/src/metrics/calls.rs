//! Calls of one module's ports by another, from both sides.

use std::time::Instant;

use tracing::{Instrument, Span};

use super::{Counter, Family, Gauge, Histogram, Metrics, since};
use crate::{
    call::{CallError, NoAnswer},
    trace,
};

/// Counts and times calls between modules.
#[derive(Debug, Clone)]
pub struct Calls {
    made: Family<Histogram, 4>,
    served: Family<Histogram, 3>,
    tries: Family<Counter, 2>,
    open: Family<Gauge, 1>,
}

/// What became of a call.
pub(crate) trait Outcome {
    /// `refused` or `no_answer`.
    fn name(&self) -> &'static str;
}

impl Outcome for NoAnswer {
    fn name(&self) -> &'static str {
        "no_answer"
    }
}

impl<E: std::error::Error + 'static> Outcome for CallError<E> {
    fn name(&self) -> &'static str {
        match self {
            Self::Refused(_) => "refused",
            Self::NoAnswer(_) => "no_answer",
        }
    }
}

const OUTCOMES: [&str; 3] = ["ok", "refused", "no_answer"];

impl Calls {
    /// The calls of this process.
    pub fn new(metrics: &Metrics) -> Self {
        Self {
            made: metrics.durations(
                "comptoir_port_call_duration_seconds",
                "Calls of another module's port, on the caller's side, repeats included. `transport`: `local`, `http`; `outcome`: `ok`, `refused`, `no_answer`. Ports: `sessions`, `stock`, `stores`, `levels`, `transfers`, `catalog`, `sale_outcomes`, `demand`, `store_events`, `inventory_events`, `sales_events`",
                ["port", "method", "transport", "outcome"],
            ),
            served: metrics.durations(
                "comptoir_port_served_duration_seconds",
                "The same calls on the side that answers (split only)",
                ["port", "method", "outcome"],
            ),
            tries: metrics.counter(
                "comptoir_peer_tries_total",
                "HTTP requests to a peer: `answered`, `unsent` (no connection), `lost` (no or no sensible answer), `open` (not tried: the circuit is open) (split only)",
                ["peer", "outcome"],
            ),
            open: metrics.gauge(
                "comptoir_peer_circuit_open",
                "1 when the last call found the circuit open, 0 when it was let through (split only)",
                ["peer"],
            ),
        }
    }

    /// The series of a peer, before it was ever called.
    pub(crate) fn peer(&self, peer: &'static str) {
        for outcome in ["answered", "unsent", "lost", "open"] {
            self.tries.with([peer, outcome]);
        }
        self.open.with([peer]);
    }

    pub(crate) fn tried(&self, peer: &'static str, outcome: &'static str) {
        self.tries.with([peer, outcome]).inc();
        let open = if outcome == "open" { 1.0 } else { 0.0 };
        self.open.with([peer]).set(open);
    }

    /// Runs a call on the caller's side.
    pub(crate) async fn made<T, E: Outcome>(
        &self,
        [port, method, transport]: [&'static str; 3],
        call: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        let (started, span) = (Instant::now(), trace::call([port, method, transport]));
        let result = call.instrument(span.clone()).await;
        for outcome in OUTCOMES {
            self.made.with([port, method, transport, outcome]);
        }
        let outcome = result.as_ref().map_or_else(Outcome::name, |_| "ok");
        if outcome == "no_answer" {
            trace::failed(&span);
        }
        since(&self.made.with([port, method, transport, outcome]), started);
        result
    }

    /// Runs a call on the side that answers.
    pub(crate) async fn served<T, E: Outcome>(
        &self,
        [port, method]: [&'static str; 2],
        span: Span,
        call: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        let started = Instant::now();
        let result = call.instrument(span.clone()).await;
        for outcome in OUTCOMES {
            self.served.with([port, method, outcome]);
        }
        let outcome = result.as_ref().map_or_else(Outcome::name, |_| "ok");
        if outcome == "no_answer" {
            trace::failed(&span);
        }
        since(&self.served.with([port, method, outcome]), started);
        result
    }
}
