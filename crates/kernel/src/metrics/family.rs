//! A metric with labels: the names are fixed, each set of values is a series.

use std::{borrow::Cow, time::Instant};

use prometheus_client::metrics::{family, histogram::Histogram};

use super::Gauge;

pub(super) type Inner<M, const N: usize> =
    family::Family<[(&'static str, Cow<'static, str>); N], M, fn() -> M>;

/// One metric with `N` labels. Clones share its series.
#[derive(Debug, Clone)]
pub struct Family<M, const N: usize> {
    labels: [&'static str; N],
    inner: Inner<M, N>,
}

impl<M: Clone, const N: usize> Family<M, N> {
    pub(super) fn new(labels: [&'static str; N], new: fn() -> M) -> Self {
        Self {
            labels,
            inner: Inner::new_with_constructor(new),
        }
    }

    pub(super) fn inner(&self) -> Inner<M, N> {
        self.inner.clone()
    }

    /// The series of these values, in the order of the names. It is there from now on.
    pub fn with<V: Into<Cow<'static, str>>>(&self, values: [V; N]) -> M {
        self.inner.get_or_create_owned(&self.named(values))
    }

    /// Takes the series of these values away, until it is asked for again.
    pub fn without<V: Into<Cow<'static, str>>>(&self, values: [V; N]) {
        self.inner.remove(&self.named(values));
    }

    fn named<V: Into<Cow<'static, str>>>(
        &self,
        values: [V; N],
    ) -> [(&'static str, Cow<'static, str>); N] {
        let mut labels = self.labels.into_iter();
        values.map(|value| (labels.next().unwrap_or_default(), value.into()))
    }
}

impl<M: Clone> Family<M, 0> {
    /// The one series of a metric without labels.
    pub fn one(&self) -> M {
        self.with::<&'static str>([])
    }

    /// Takes it away, until it is asked for again.
    pub fn none(&self) {
        self.without::<&'static str>([]);
    }
}

/// Counts up now, and down when it is dropped, whatever becomes of the work.
#[derive(Debug)]
pub struct Busy(Gauge);

impl Busy {
    /// One more.
    pub fn new(gauge: &Gauge) -> Self {
        gauge.inc();
        Self(gauge.clone())
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// Times what began at `started`.
pub(crate) fn since(histogram: &Histogram, started: Instant) {
    histogram.observe(started.elapsed().as_secs_f64());
}
