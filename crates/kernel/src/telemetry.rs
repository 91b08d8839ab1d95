//! Logs and traces: JSON in production, readable in a terminal; spans to a collector where there is
//! one. What is logged can be changed while the process runs.

use std::{
    error::Error,
    io::{IsTerminal, stderr},
    panic,
    sync::{
        OnceLock,
        atomic::{AtomicU64, Ordering},
    },
};

use opentelemetry::trace::TracerProvider;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::{Event, Level, Metadata, Subscriber, level_filters::LevelFilter};
use tracing_subscriber::{
    EnvFilter, Layer, Registry,
    filter::{FilterExt, ParseError, Targets, filter_fn},
    fmt::{self, MakeWriter},
    layer::{Context, Filter, SubscriberExt},
    reload::{self, Handle},
    util::SubscriberInitExt,
};

pub use crate::trace::otel::Export;
use crate::{
    context,
    metrics::Metrics,
    trace::{TARGET, otel},
};

/// The parts of the product, and its line per request. Only their details may be logged: those of
/// other crates are paths, headers and whole events.
pub const OWN: [&str; 13] = [
    "access",
    "auth",
    "auth_api",
    "comptoir",
    "embedded_postgres",
    "inventory",
    "inventory_api",
    "jetstream",
    "kernel",
    "sales",
    "sales_api",
    "store",
    "store_api",
];

static FILTER: OnceLock<Handle<EnvFilter, Registry>> = OnceLock::new();
static EXPORT: OnceLock<SdkTracerProvider> = OnceLock::new();
static LINES: Lines = Lines::new();
static PANICS: AtomicU64 = AtomicU64::new(0);

type Wanted = reload::Layer<EnvFilter, Registry>;
type AnyLayer = Box<dyn Layer<Registry> + Send + Sync>;

/// Starts logging to standard error, and exporting spans where `export` says so. `filter` is in
/// `tracing`'s directive syntax, such as `info,sales=debug`. A second call does nothing.
///
/// # Errors
///
/// When `filter` is not one, or spans cannot be exported.
pub fn init(
    filter: &str,
    json: bool,
    export: Option<&Export>,
) -> Result<(), Box<dyn Error + Send + Sync>> {
    let (filter, handle) = reload::Layer::new(parse(filter)?);
    let mut layers = vec![if json {
        json_lines(filter, stderr, &LINES)
    } else {
        plain_lines(filter, stderr, &LINES)
    }];
    if let Some(export) = export {
        let provider = otel::provider(export)?;
        layers.push(spans(EXPORT.get_or_init(|| provider)));
    }
    // A test binary starts more than one server.
    if tracing_subscriber::registry()
        .with(layers)
        .try_init()
        .is_ok()
    {
        let _ = FILTER.set(handle);
        watch_panics();
    }
    Ok(())
}

/// Counts and logs panics from now on. What is said in one stays out, for it may quote anything.
pub fn watch_panics() {
    panic::set_hook(Box::new(|panicked| {
        PANICS.fetch_add(1, Ordering::Relaxed);
        let place = panicked.location().map(ToString::to_string);
        tracing::error!(place, trace_id = context::trace_id(), "panicked");
    }));
}

fn json_lines<W>(filter: Wanted, to: W, count: &'static Lines) -> AnyLayer
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let layer = fmt::layer().json().flatten_event(true).with_writer(to);
    Box::new(layer.and_then(Counting(count)).with_filter(fit(filter)))
}

fn plain_lines<W>(filter: Wanted, to: W, count: &'static Lines) -> AnyLayer
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let layer = fmt::layer().with_ansi(stderr().is_terminal());
    let layer = layer.with_target(false).with_writer(to);
    Box::new(layer.and_then(Counting(count)).with_filter(fit(filter)))
}

fn spans(provider: &SdkTracerProvider) -> AnyLayer {
    let layer = tracing_opentelemetry::layer()
        .with_tracer(provider.tracer("comptoir"))
        .with_location(false)
        .with_threads(false)
        .with_target(false)
        .with_tracked_inactivity(false);
    Box::new(layer.with_filter(Targets::new().with_target(TARGET, LevelFilter::INFO)))
}

fn fit(filter: Wanted) -> impl Filter<Registry> {
    let fit = filter_fn(is_fit).with_max_level_hint(LevelFilter::TRACE);
    fit.and(filter)
}

/// Whatever is asked for: spans are for the collector, so that they cost nothing without one, and
/// of other crates only `info` and worse is logged. A filter cannot overrule this by being precise.
fn is_fit(about: &Metadata<'_>) -> bool {
    let target = about.target();
    let of = target.split("::").next().unwrap_or(target);
    target != TARGET && (*about.level() <= Level::INFO || OWN.contains(&of))
}

fn parse(filter: &str) -> Result<EnvFilter, ParseError> {
    EnvFilter::builder().parse(filter)
}

/// Whether `filter` is one.
///
/// # Errors
///
/// Why not.
pub fn check_filter(filter: &str) -> Result<(), String> {
    parse(filter).map(drop).map_err(|error| error.to_string())
}

/// Changes what is logged from now on.
///
/// # Errors
///
/// Why `filter` is not one.
pub fn set_filter(filter: &str) -> Result<(), String> {
    let parsed = parse(filter).map_err(|error| error.to_string())?;
    let handle = FILTER.get().ok_or("nothing is logged here")?;
    handle.reload(parsed).map_err(|error| error.to_string())
}

/// Sends what spans are left. It blocks for as long as the collector takes.
pub fn flush() {
    if let Some(provider) = EXPORT.get()
        && let Err(error) = provider.shutdown()
    {
        tracing::warn!(%error, "the last spans were not exported");
    }
}

/// Shows how many lines of the worse kinds there were, and how many panics.
pub fn describe(metrics: &Metrics) {
    let lines = metrics.counter(
        "comptoir_log_events_total",
        "Lines in the log of the levels `error` and `warn`",
        ["level"],
    );
    let panics = metrics.counter(
        "comptoir_panics_total",
        "Panics, wherever they were caught: each is a bug, and has a line with its place in the log",
        [],
    );
    let shown = [
        (lines.with(["warn"]), &LINES.warnings),
        (lines.with(["error"]), &LINES.errors),
        (panics.one(), &PANICS),
    ];
    metrics.before_scrape(move || {
        for (counter, count) in &shown {
            let so_far = count.load(Ordering::Relaxed);
            counter.inner().store(so_far, Ordering::Relaxed);
        }
    });
}

/// A process has one log, so that this is the process's and not that of one `Metrics`.
struct Lines {
    warnings: AtomicU64,
    errors: AtomicU64,
}

impl Lines {
    const fn new() -> Self {
        Self {
            warnings: AtomicU64::new(0),
            errors: AtomicU64::new(0),
        }
    }
}

/// Counts what went wrong and is logged.
struct Counting(&'static Lines);

impl<S: Subscriber> Layer<S> for Counting {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let count = match *event.metadata().level() {
            Level::ERROR => &self.0.errors,
            Level::WARN => &self.0.warnings,
            _ => return,
        };
        count.fetch_add(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io::{self, Write},
        sync::{Arc, Mutex, PoisonError},
    };

    use super::*;

    /// A log to be read.
    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);

    impl Write for Log {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let mut log = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            log.write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Log {
        fn text(&self) -> String {
            String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
        }
    }

    /// What is logged of `work` under this filter, as JSON.
    fn logged(filter: &str, count: &'static Lines, work: impl FnOnce()) -> String {
        let (filter, _handle) = reload::Layer::new(parse(filter).unwrap());
        let log = Log::default();
        let writer = log.clone();
        let layer = json_lines(filter, move || writer.clone(), count);
        let subscriber = tracing_subscriber::registry().with(vec![layer]);
        tracing::subscriber::with_default(subscriber, work);
        log.text()
    }

    #[test]
    fn no_filter_lets_spans_or_the_details_of_other_crates_into_the_log() {
        static COUNT: Lines = Lines::new();
        for filter in [
            "trace",
            "trace,spans=trace",
            "trace,[request]=trace",
            "trace,actix_http::h1=trace,actix_web::types=debug",
            "trace,async_nats::connection=trace",
        ] {
            let said = logged(filter, &COUNT, || {
                let span = tracing::info_span!(target: TARGET, "request");
                assert!(span.is_disabled(), "{filter}");
                let _entered = span.entered();
                tracing::trace!(target: "actix_http::h1", "a header");
                tracing::debug!(target: "actix_web::types", "a path");
                tracing::trace!(target: "async_nats::connection", "an event");
                tracing::info!(target: "actix_server", "a server");
                tracing::trace!(target: "sales::service", "a detail of ours");
            });
            for (words, there) in [
                ("a header", false),
                ("a path", false),
                ("an event", false),
                ("a server", true),
                ("a detail of ours", true),
            ] {
                assert_eq!(said.contains(words), there, "{words} with {filter}: {said}");
            }
        }
    }

    #[test]
    fn only_lines_that_are_logged_are_counted() {
        static COUNT: Lines = Lines::new();
        let said = logged("error", &COUNT, || {
            tracing::warn!("hidden");
            tracing::error!("shown");
        });
        let counted = [&COUNT.warnings, &COUNT.errors].map(|n| n.load(Ordering::Relaxed));
        assert_eq!(counted, [0, 1], "{said}");
        let said = logged("info", &COUNT, || tracing::warn!("shown"));
        assert_eq!(said.lines().count(), 1);
        assert_eq!(COUNT.warnings.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn what_is_no_filter_is_refused() {
        assert!(check_filter("auth=loud").is_err() && check_filter("auth=debug").is_ok());
    }
}
