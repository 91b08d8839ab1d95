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
use tracing::{Event, Level, Subscriber, level_filters::LevelFilter};
use tracing_subscriber::{
    EnvFilter, Layer, Registry,
    filter::{ParseError, Targets},
    fmt,
    layer::{Context, SubscriberExt},
    reload::{self, Handle},
    util::SubscriberInitExt,
};

pub use crate::trace::otel::Export;
use crate::{
    metrics::Metrics,
    trace::{TARGET, otel},
};

static FILTER: OnceLock<Handle<EnvFilter, Registry>> = OnceLock::new();
static EXPORT: OnceLock<SdkTracerProvider> = OnceLock::new();
static WARNINGS: AtomicU64 = AtomicU64::new(0);
static ERRORS: AtomicU64 = AtomicU64::new(0);

type AnyLayer = Box<dyn Layer<Registry> + Send + Sync>;

/// Starts logging to standard error, and exporting spans where `export` says so. `filter` is in
/// `tracing`'s directive syntax, such as `info,sales=debug`. A second call does nothing.
///
/// # Errors
///
/// When spans cannot be exported.
pub fn init(
    filter: &str,
    json: bool,
    export: Option<&Export>,
) -> Result<(), Box<dyn Error + Send + Sync>> {
    let first = parse(filter).or_else(|_| parse("info"))?;
    let (first, handle) = reload::Layer::new(first);
    let lines: AnyLayer = if json {
        let layer = fmt::layer().json().flatten_event(true);
        Box::new(layer.with_writer(stderr).with_filter(first))
    } else {
        let layer = fmt::layer().with_ansi(stderr().is_terminal());
        let layer = layer.with_target(false);
        Box::new(layer.with_writer(stderr).with_filter(first))
    };
    let mut layers = vec![lines, Box::new(Counting.with_filter(LevelFilter::WARN))];
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
        panic::set_hook(Box::new(|panicked| {
            let place = panicked.location().map(ToString::to_string);
            tracing::error!(
                place,
                "panicked: {}",
                panicked.payload_as_str().unwrap_or("?")
            );
        }));
    }
    Ok(())
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

/// Spans are for the collector: no log asks for them, and so they cost nothing without one. And
/// whatever is asked for, the HTTP server stays quiet: its details are paths and headers.
fn parse(filter: &str) -> Result<EnvFilter, ParseError> {
    let always = format!("{TARGET}=off,actix_web=info,actix_http=info");
    EnvFilter::builder().parse(format!("{filter},{always}"))
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

/// Shows how many lines of the worse kinds there were.
pub fn describe(metrics: &Metrics) {
    let lines = metrics.counter(
        "comptoir_log_events_total",
        "Log lines of the levels `error` and `warn`",
        ["level"],
    );
    let kinds = [("warn", &WARNINGS), ("error", &ERRORS)];
    let kinds = kinds.map(|(level, count)| (lines.with([level]), count));
    metrics.before_scrape(move || {
        for (counter, count) in &kinds {
            let so_far = count.load(Ordering::Relaxed);
            counter.inner().store(so_far, Ordering::Relaxed);
        }
    });
}

/// Counts what went wrong, whether it is logged or not.
struct Counting;

impl<S: Subscriber> Layer<S> for Counting {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let count = match *event.metadata().level() {
            Level::ERROR => &ERRORS,
            _ => &WARNINGS,
        };
        count.fetch_add(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_never_lets_spans_into_the_log() {
        for filter in ["info", "trace", "info,sales=debug", "warn,spans=trace"] {
            let text = parse(filter).unwrap().to_string();
            assert!(text.contains("spans=off"), "{text}");
        }
        assert!(parse("info,=,").is_err() || parse("sales=loud").is_err());
    }
}
