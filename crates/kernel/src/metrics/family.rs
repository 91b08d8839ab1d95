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

    /// The series of these values, if it is there.
    pub(super) fn find<V: Into<Cow<'static, str>>>(&self, values: [V; N]) -> Option<M> {
        self.inner.get(&self.named(values)).map(|it| it.clone())
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
}

impl<const N: usize> Family<Gauge, N> {
    /// Sets a gauge, or takes its series away where there is no figure.
    pub fn set(&self, labels: [&'static str; N], figure: Option<f64>) {
        match figure {
            Some(figure) => {
                self.with(labels).set(figure);
            }
            None => {
                self.inner.remove(&self.named(labels));
            }
        }
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
