//! Between spans and OpenTelemetry: who the parent is, what is linked, and where spans are sent.

use std::{
    error::Error,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use async_trait::async_trait;
use opentelemetry::{
    Context, KeyValue,
    trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState},
};
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::{
    Resource,
    trace::{Sampler, SdkTracerProvider},
};
use tokio::runtime::{Builder, Runtime};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;
use url::Url;

use super::Traceparent;

/// Where spans are sent, and which.
#[derive(Debug, Clone)]
pub struct Export {
    /// A collector's OTLP address over HTTP, for example `http://collector:4318`.
    pub url: Url,
    /// Which part of the traces that begin here is sent, from 0 to 1.
    pub ratio: f64,
    /// The name of this process among others.
    pub service: String,
    /// Its version.
    pub version: &'static str,
}

/// As many as there are events in one delivery.
const MAX_LINKS: u32 = 500;

/// Whether spans are sent anywhere: the one flag that is looked at where they are not.
static ON: AtomicBool = AtomicBool::new(false);

/// How long the collector has for an answer.
const WAIT: Duration = Duration::from_secs(5);

/// What collects spans and sends them, from a thread of its own.
pub(crate) fn provider(export: &Export) -> Result<SdkTracerProvider, Box<dyn Error + Send + Sync>> {
    let mut url = export.url.clone();
    if url.path() == "/" {
        url.set_path("/v1/traces");
    }
    let exporter = SpanExporter::builder()
        .with_http()
        .with_http_client(Sender::new()?)
        .with_endpoint(url.as_str())
        .with_protocol(Protocol::HttpBinary)
        .with_timeout(WAIT)
        .build()?;
    let about = Resource::builder_empty()
        .with_service_name(export.service.clone())
        .with_attribute(KeyValue::new("service.version", export.version))
        .build();
    let begun_here = Sampler::TraceIdRatioBased(export.ratio);
    ON.store(true, Ordering::Relaxed);
    Ok(SdkTracerProvider::builder()
        .with_batch_exporter(exporter)
        .with_sampler(Sampler::ParentBased(Box::new(begun_here)))
        .with_max_links_per_span(MAX_LINKS)
        .with_resource(about)
        .build())
}

/// Whether spans are made at all.
pub(crate) fn is_on() -> bool {
    ON.load(Ordering::Relaxed)
}

/// Sends from the exporter's thread, where no runtime is: so it brings its own.
#[derive(Debug)]
struct Sender {
    runtime: Runtime,
    http: reqwest::Client,
}

impl Sender {
    fn new() -> Result<Self, Box<dyn Error + Send + Sync>> {
        Ok(Self {
            runtime: Builder::new_current_thread().enable_all().build()?,
            http: reqwest::Client::builder()
                .no_proxy()
                .timeout(WAIT)
                .build()?,
        })
    }
}

#[async_trait]
impl HttpClient for Sender {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let request = reqwest::Request::try_from(request)?;
        self.runtime.block_on(async {
            let answer = self.http.execute(request).await?.error_for_status()?;
            let response = Response::builder().status(answer.status());
            Ok(response.body(answer.bytes().await?)?)
        })
    }
}

/// What `span` is to others; `None` where nobody records spans.
pub(crate) fn of(span: &Span) -> Option<Traceparent> {
    if span.is_disabled() {
        return None;
    }
    let context = span.context();
    let span = context.span();
    let about = span.span_context();
    about.is_valid().then(|| Traceparent {
        trace: u128::from_be_bytes(about.trace_id().to_bytes()),
        parent: u64::from_be_bytes(about.span_id().to_bytes()),
        sampled: about.is_sampled(),
    })
}

/// Makes `span` a part of what came from elsewhere.
pub(crate) fn adopt(span: &Span, parent: Option<Traceparent>) {
    if let Some(parent) = parent.filter(|_| !span.is_disabled()) {
        let elsewhere = Context::new().with_remote_span_context(remote(parent));
        // It fails where nobody records spans, or one has begun: then there is nothing to adopt.
        let _ = span.set_parent(elsewhere);
    }
}

/// Gives `span` a name that was not known when it began.
pub(super) fn rename(span: &Span, name: String) {
    span.context().span().update_name(name);
}

pub(super) fn link(span: &Span, to: Traceparent) {
    span.add_link(remote(to));
}

fn remote(of: Traceparent) -> SpanContext {
    let flags = if of.sampled {
        TraceFlags::SAMPLED
    } else {
        TraceFlags::default()
    };
    let trace = TraceId::from_bytes(of.trace.to_be_bytes());
    let span = SpanId::from_bytes(of.parent.to_be_bytes());
    SpanContext::new(trace, span, flags, true, TraceState::default())
}
