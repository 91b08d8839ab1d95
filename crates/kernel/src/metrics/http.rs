//! Requests of the public listener.

use std::{
    borrow::Cow,
    collections::{BTreeMap, HashMap},
    sync::{Arc, PoisonError, RwLock},
    time::Instant,
};

use actix_web::http::{Method, StatusCode};

use super::{Counter, Family, Gauge, Histogram, Metrics, number, since};

/// Counts and times requests.
#[derive(Debug, Clone)]
pub struct HttpMeter {
    requests: Family<Histogram, 4>,
    /// By route the series that were used before, so that nothing is made anew for a request.
    used: Arc<RwLock<HashMap<String, Used>>>,
    cut: Family<Counter, 1>,
    in_flight: Gauge,
    limit: Gauge,
    /// Path prefixes and the modules that they belong to.
    prefixes: Vec<(&'static str, &'static str)>,
}

/// By method and status.
type Used = BTreeMap<(&'static str, u16), Histogram>;

/// A request that has its answer.
pub(crate) struct Answered<'a> {
    pub(crate) module: &'static str,
    pub(crate) route: &'a str,
    pub(crate) method: &'static str,
    pub(crate) status: StatusCode,
    pub(crate) started: Instant,
}

impl HttpMeter {
    /// `prefixes`: the paths of each module, such as `("/api/sales", "sales")`.
    pub fn new(metrics: &Metrics, prefixes: Vec<(&'static str, &'static str)>) -> Self {
        let cut = metrics.counter(
            "comptoir_http_requests_cut_total",
            "Requests that no handler finished: `overloaded` (turned away at the limit), `late` (over the time limit), `panic`, `gone` (the client closed the connection)",
            ["cause"],
        );
        for cause in ["overloaded", "late", "panic", "gone"] {
            cut.with([cause]);
        }
        Self {
            requests: metrics.durations(
                "comptoir_http_request_duration_seconds",
                "Time to answer a request of the public listener; streams until their head is sent. `route` is a template such as `/api/sales/{id}`, `status` the number",
                ["module", "route", "method", "status"],
            ),
            used: Arc::default(),
            cut,
            in_flight: metrics
                .gauge(
                    "comptoir_http_requests_in_flight",
                    "Requests that are being answered now, probes of health apart",
                    [],
                )
                .one(),
            limit: metrics
                .gauge(
                    "comptoir_http_requests_in_flight_limit",
                    "How many may be at once (`http.in_flight`)",
                    [],
                )
                .one(),
            prefixes,
        }
    }

    /// The module that a route belongs to.
    pub(crate) fn module_of(&self, route: &str) -> &'static str {
        let owns = |prefix: &str| {
            let rest = route.strip_prefix(prefix);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        let found = self.prefixes.iter().find(|(prefix, _)| owns(prefix));
        found.map_or("none", |(_, module)| module)
    }

    pub(crate) fn answered(&self, request: &Answered<'_>) {
        let key = (request.method, request.status.as_u16());
        let used = self.used.read().unwrap_or_else(PoisonError::into_inner);
        let series = used.get(request.route).and_then(|of| of.get(&key)).cloned();
        drop(used);
        since(
            &series.unwrap_or_else(|| self.first(request)),
            request.started,
        );
    }

    /// The series of a request of which there was none so far.
    fn first(&self, request: &Answered<'_>) -> Histogram {
        let labels: [Cow<'static, str>; 4] = [
            request.module.into(),
            request.route.to_owned().into(),
            request.method.into(),
            request.status.as_str().to_owned().into(),
        ];
        let series = self.requests.with(labels);
        let key = (request.method, request.status.as_u16());
        let mut used = self.used.write().unwrap_or_else(PoisonError::into_inner);
        let route = used.entry(request.route.to_owned()).or_default();
        route.insert(key, series.clone());
        series
    }

    pub(crate) fn cut(&self, cause: &'static str) {
        self.cut.with([cause]).inc();
    }

    pub(crate) fn in_flight(&self) -> &Gauge {
        &self.in_flight
    }

    pub(crate) fn limited_to(&self, most: usize) {
        self.limit.set(number(most));
    }
}

/// A client may send any word for a method.
pub(crate) fn method_name(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::HEAD => "HEAD",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_route_belongs_to_the_module_of_its_first_whole_segments() {
        let prefixes = vec![("/api/sales", "sales"), ("/api/stores", "store")];
        let meter = HttpMeter::new(&Metrics::default(), prefixes);
        assert_eq!(meter.module_of("/api/sales/{id}"), "sales");
        assert_eq!(meter.module_of("/api/sales"), "sales");
        assert_eq!(meter.module_of("/api/salesmen"), "none");
        assert_eq!(meter.module_of("unmatched"), "none");
    }
}
