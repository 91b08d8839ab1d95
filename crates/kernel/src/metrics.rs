//! What a process counts and times, for Prometheus. `docs/metrics.md` names every metric.
//!
//! A [`Metrics`] belongs to one process and is handed to whatever has something to tell. Asking for
//! a metric twice gives the same one. Labels are names from the code, never anything that a client
//! sent, so that there is an end to the number of series.

mod batch;
mod cache;
mod calls;
mod db;
mod family;
mod http;
mod operation;
mod process;
mod text;
mod work;

use std::{
    any::Any,
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError, atomic::AtomicU64},
};

use prometheus_client::registry::{Metric, Registry};

pub(crate) use batch::BatchMeter;
pub use cache::CacheMeter;
pub use calls::Calls;
pub(crate) use calls::{Outcome, PeerMeter};
pub(crate) use db::DbMeter;
pub(crate) use family::since;
pub use family::{Busy, Family};
pub use http::HttpMeter;
pub(crate) use http::{Answered, method_name};
/// Tells about the process itself: memory, files, threads, what was built.
pub use process::describe;
pub use prometheus_client::metrics::{counter::Counter, histogram::Histogram};
pub use text::{CLASSIC, OPEN_METRICS};
pub(crate) use work::{RelayMeter, WorkMeter};

/// Goes up and down.
pub type Gauge = prometheus_client::metrics::gauge::Gauge<f64, AtomicU64>;
/// Only goes up, in fractions.
pub type Seconds = Counter<f64, AtomicU64>;

/// The buckets of every duration, in seconds.
const DURATIONS: [f64; 13] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
];
/// The buckets of what is counted in groups.
const SIZES: [f64; 7] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0];

/// A count as a gauge has it.
pub fn number(count: impl TryInto<i64>) -> f64 {
    let count = count.try_into().unwrap_or(i64::MAX);
    let high = i32::try_from(count >> 32).map_or(0.0, f64::from);
    let low = u32::try_from(count & 0xffff_ffff).map_or(0.0, f64::from);
    high * 4_294_967_296.0 + low
}

type Refresh = Arc<dyn Fn() + Send + Sync>;

#[derive(Default)]
struct State {
    registry: Registry,
    known: BTreeMap<&'static str, Box<dyn Any + Send>>,
    refresh: Vec<Refresh>,
}

/// The metrics of one process. Cheap to clone.
#[derive(Clone, Default)]
pub struct Metrics(Arc<Mutex<State>>);

impl Metrics {
    /// What only goes up; its name ends with `_total`.
    pub fn counter<const N: usize>(
        &self,
        name: &'static str,
        help: &'static str,
        labels: [&'static str; N],
    ) -> Family<Counter, N> {
        self.family(name, help, labels, Counter::default)
    }

    /// Seconds that only go up.
    pub fn seconds<const N: usize>(
        &self,
        name: &'static str,
        help: &'static str,
        labels: [&'static str; N],
    ) -> Family<Seconds, N> {
        self.family(name, help, labels, Seconds::default)
    }

    /// What is so at the moment.
    pub fn gauge<const N: usize>(
        &self,
        name: &'static str,
        help: &'static str,
        labels: [&'static str; N],
    ) -> Family<Gauge, N> {
        self.family(name, help, labels, Gauge::default)
    }

    /// How long something takes.
    pub fn durations<const N: usize>(
        &self,
        name: &'static str,
        help: &'static str,
        labels: [&'static str; N],
    ) -> Family<Histogram, N> {
        self.family(name, help, labels, || Histogram::new(DURATIONS))
    }

    /// How many come together.
    pub fn sizes<const N: usize>(
        &self,
        name: &'static str,
        help: &'static str,
        labels: [&'static str; N],
    ) -> Family<Histogram, N> {
        self.family(name, help, labels, || Histogram::new(SIZES))
    }

    /// Calls `refresh` before every scrape: for gauges that are read off something. It must not
    /// wait for anything, nor hold anything that holds these metrics.
    pub fn before_scrape(&self, refresh: impl Fn() + Send + Sync + 'static) {
        self.state().refresh.push(Arc::new(refresh));
    }

    /// Every metric, as a scrape gets it.
    pub fn text(&self, format: &str) -> String {
        let refresh = self.state().refresh.clone();
        for refresh in refresh {
            refresh();
        }
        text::write(&self.state().registry, format)
    }

    fn family<M, const N: usize>(
        &self,
        name: &'static str,
        help: &'static str,
        labels: [&'static str; N],
        new: fn() -> M,
    ) -> Family<M, N>
    where
        M: Clone + Send + Sync + 'static,
        family::Inner<M, N>: Metric,
    {
        let mut state = self.state();
        if let Some(known) = state.known.get(name) {
            let known = known.downcast_ref::<Family<M, N>>();
            debug_assert!(known.is_some(), "{name} is asked for in two ways");
            if let Some(family) = known {
                return family.clone();
            }
        }
        let family = Family::new(labels, new);
        let stem = name.strip_suffix("_total").unwrap_or(name);
        state.registry.register(stem, help, family.inner());
        state.known.insert(name, Box::new(family.clone()));
        family
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics")
            .field("known", &self.state().known.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn asking_twice_gives_the_same_metric() {
        let metrics = Metrics::default();
        let ask = || metrics.counter("things_total", "Things", ["kind"]);
        ask().with(["a"]).inc();
        ask().with(["a"]).inc();
        assert!(
            metrics
                .text(CLASSIC)
                .contains("things_total{kind=\"a\"} 2\n")
        );
    }

    #[test]
    fn both_formats_name_counters_as_their_readers_expect() {
        let metrics = Metrics::default();
        metrics.counter("things_total", "Things", []).one().inc();
        assert_eq!(
            metrics.text(CLASSIC),
            "# HELP things_total Things.\n# TYPE things_total counter\nthings_total 1\n"
        );
        assert_eq!(
            metrics.text(OPEN_METRICS),
            "# HELP things Things.\n# TYPE things counter\nthings_total 1\n# EOF\n"
        );
    }

    #[test]
    fn every_count_is_a_number() {
        for count in [
            0_i64,
            1,
            4_294_967_295,
            4_294_967_296,
            1_000_000_000_000,
            -1,
        ] {
            assert_eq!(format!("{:.0}", number(count)), count.to_string());
        }
        assert!(number(u64::MAX) > 9e18);
    }

    #[test]
    fn what_is_read_off_is_read_before_every_scrape() {
        let metrics = Metrics::default();
        let gauge = metrics.gauge("depth", "Depth", []).one();
        metrics.before_scrape(move || {
            gauge.inc();
        });
        metrics.text(CLASSIC);
        assert!(metrics.text(CLASSIC).contains("depth 2"));
    }
}
