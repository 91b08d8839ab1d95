//! Calls of one module's ports by another, from both sides.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use tracing::{Instrument, Span};

use super::{Counter, Family, Histogram, Metrics, since};
use crate::{
    call::{CallError, NoAnswer},
    trace,
};

/// Counts and times calls between modules.
#[derive(Debug, Clone)]
pub struct Calls {
    made: Family<Histogram, 4>,
    served: Family<Histogram, 3>,
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
                "Calls of another module's port, on the caller's side, repeats included. `transport`: `local`, `http`, `nats` (events that are put into the stream); `outcome`: `ok`, `refused`, `no_answer`. Ports: `sessions`, `stock`, `stores`, `levels`, `transfers`, `catalog`, `sale_outcomes`, `demand`, `store_events`, `inventory_events`, `sales_events`",
                ["port", "method", "transport", "outcome"],
            ),
            served: metrics.durations(
                "comptoir_port_served_duration_seconds",
                "The same calls on the side that answers (split only)",
                ["port", "method", "outcome"],
            ),
        }
    }

    /// Runs a call on the caller's side.
    pub(crate) async fn made<T, E: Outcome>(
        &self,
        [port, method, transport]: [&'static str; 3],
        call: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        let of = |outcome| [port, method, transport, outcome];
        timed(&self.made, of, trace::call([port, method, transport]), call).await
    }

    /// Runs a call on the side that answers.
    pub(crate) async fn served<T, E: Outcome>(
        &self,
        [port, method]: [&'static str; 2],
        span: Span,
        call: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        timed(&self.served, |outcome| [port, method, outcome], span, call).await
    }
}

/// Runs `call` and times it among those that ended alike; `of`: the labels of an outcome.
async fn timed<T, E: Outcome, const N: usize>(
    times: &Family<Histogram, N>,
    of: impl Fn(&'static str) -> [&'static str; N],
    span: Span,
    call: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    let started = Instant::now();
    let result = call.instrument(span.clone()).await;
    let outcome = result.as_ref().map_or_else(Outcome::name, |_| "ok");
    if outcome == "no_answer" {
        trace::failed(&span);
    }
    let time = times.find(of(outcome)).unwrap_or_else(|| {
        // The others come with the first one, so that a rate begins at 0.
        for outcome in OUTCOMES {
            times.with(of(outcome));
        }
        times.with(of(outcome))
    });
    since(&time, started);
    result
}

/// A circuit that was found open is shown for so long, so that a scrape sees it.
const SHOWN: Duration = Duration::from_secs(15);

/// Counts HTTP requests to one peer.
#[derive(Debug, Clone)]
pub(crate) struct PeerMeter {
    peer: &'static str,
    tries: Family<Counter, 2>,
    /// When a call was last turned away; forgotten once one is answered.
    turned_away: Arc<Mutex<Option<Instant>>>,
}

impl PeerMeter {
    pub(crate) fn new(metrics: &Metrics, peer: &'static str) -> Self {
        let tries = metrics.counter(
            "comptoir_peer_tries_total",
            "HTTP requests to a peer: `answered`, `unsent` (no connection), `lost` (no or no sensible answer), `open` (not tried: the circuit is open) (split only)",
            ["peer", "outcome"],
        );
        for outcome in ["answered", "unsent", "lost", "open"] {
            tries.with([peer, outcome]);
        }
        let open = metrics.gauge(
            "comptoir_peer_circuit_open",
            "1 when a call found the circuit open in the last 15 s and none was answered since, else 0 (split only)",
            ["peer"],
        );
        let (open, meter) = (
            open.with([peer]),
            Self {
                peer,
                tries,
                turned_away: Arc::default(),
            },
        );
        let watched = meter.turned_away.clone();
        metrics.before_scrape(move || {
            let at = watched.lock().unwrap_or_else(PoisonError::into_inner);
            let shown = at.is_some_and(|at| at.elapsed() < SHOWN);
            open.set(if shown { 1.0 } else { 0.0 });
        });
        meter
    }

    pub(crate) fn tried(&self, outcome: &'static str) {
        self.tries.with([self.peer, outcome]).inc();
        let mut turned_away = self
            .turned_away
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        match outcome {
            "open" => *turned_away = Some(Instant::now()),
            "answered" => *turned_away = None,
            // What got no answer may have begun before the circuit opened.
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::CLASSIC;

    #[test]
    fn a_circuit_is_open_until_a_call_is_answered_and_no_slow_one_closes_it() {
        let metrics = Metrics::default();
        let meter = PeerMeter::new(&metrics, "store");
        let open = || {
            let text = metrics.text(CLASSIC);
            text.contains("comptoir_peer_circuit_open{peer=\"store\"} 1.0")
        };
        assert!(!open());
        for (outcome, expected) in [("open", true), ("lost", true), ("answered", false)] {
            meter.tried(outcome);
            assert_eq!(open(), expected, "{outcome}");
        }
        let long_ago = Instant::now().checked_sub(SHOWN);
        *meter.turned_away.lock().unwrap() = long_ago;
        assert!(!open(), "nobody was turned away lately");
    }
}
