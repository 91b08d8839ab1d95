//! Traces (W3C trace context): to which one work belongs, in this process and across to peers,
//! databases and events. [`export`](crate::telemetry) sends them away where that is wanted.
//!
//! Spans have a target of their own, [`TARGET`], which no log shows. Where traces are not exported
//! nobody listens to it, and a span costs the look at one flag.

pub(crate) mod otel;

use std::{collections::BTreeSet, fmt};

use actix_web::http::header::HeaderMap;
use tracing::{Span, field::Empty};

use crate::{context, context::Request, outbox::Envelope};

/// The target of every span.
pub const TARGET: &str = "spans";
/// The header that carries a [`Traceparent`].
pub(crate) const HEADER: &str = "traceparent";

/// `00-<trace>-<parent>-<flags>`: <https://www.w3.org/TR/trace-context/#traceparent-header>.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Traceparent {
    pub(crate) trace: u128,
    pub(crate) parent: u64,
    /// Whether whoever began the trace records it.
    pub(crate) sampled: bool,
}

impl Traceparent {
    /// Reads one; `None` where it is not valid.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('-');
        let (version, trace) = (parts.next()?, parts.next()?);
        let (parent, flags) = (parts.next()?, parts.next()?);
        let hex = |text: &str, digits: usize| {
            text.len() == digits
                && text
                    .bytes()
                    .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
        };
        let formed = hex(version, 2) && hex(trace, 32) && hex(parent, 16) && hex(flags, 2);
        // Later versions may say more; the first one may not.
        if !formed || version == "ff" || (version == "00" && parts.next().is_some()) {
            return None;
        }
        let found = Self {
            trace: u128::from_str_radix(trace, 16).ok()?,
            parent: u64::from_str_radix(parent, 16).ok()?,
            sampled: u8::from_str_radix(flags, 16).ok()? & 1 == 1,
        };
        (found.trace != 0 && found.parent != 0).then_some(found)
    }

    /// A trace that begins here and that nobody records.
    pub(crate) fn new() -> Self {
        let trace = uuid::Uuid::new_v4();
        let (first, second) = trace.as_u64_pair();
        Self {
            trace: trace.as_u128(),
            // It is nobody's span, and only has to be something: one draw is enough for both.
            parent: (first ^ second) | 1,
            sampled: false,
        }
    }

    pub(crate) fn of(headers: &HeaderMap) -> Option<Self> {
        let value = headers.get(HEADER)?;
        Self::parse(value.to_str().ok()?)
    }

    /// 32 hexadecimal digits.
    pub fn trace_id(&self) -> String {
        format!("{:032x}", self.trace)
    }
}

impl fmt::Display for Traceparent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            trace,
            parent,
            sampled,
        } = self;
        write!(
            f,
            "00-{trace:032x}-{parent:016x}-{:02x}",
            u8::from(*sampled)
        )
    }
}

/// Where the work of this moment belongs; `None` where nobody asked for it.
pub fn current() -> Option<Traceparent> {
    let here = otel::is_on().then(Span::current);
    let recorded = here.and_then(|span| otel::of(&span));
    recorded.or_else(context::traceparent)
}

/// Whether there is a span that this moment is part of.
pub(crate) fn is_on() -> bool {
    otel::is_on() && !Span::current().is_disabled()
}

/// The request and the span of this moment, to be taken along to another thread.
#[derive(Debug, Clone)]
pub(crate) struct Here {
    request: Option<Request>,
    pub(crate) span: Span,
}

impl Here {
    pub(crate) fn now() -> Self {
        Self {
            request: Request::current(),
            span: if otel::is_on() {
                Span::current()
            } else {
                Span::none()
            },
        }
    }

    /// Does `work` as if it were done there.
    pub(crate) fn enter<T>(self, work: impl FnOnce() -> T) -> T {
        let _entered = self.span.enter();
        match self.request {
            Some(request) => request.sync_scope(work),
            None => work(),
        }
    }
}

/// A request of the public listener. Its path stays out: clients write what they like there.
pub(crate) fn request(method: &str, parent: Option<Traceparent>) -> Span {
    let span = tracing::info_span!(
        target: TARGET, "request",
        otel.name = method, otel.kind = "server", module = Empty,
        http.request.method = method, http.route = Empty,
        http.response.status_code = Empty, otel.status_code = Empty,
    );
    otel::adopt(&span, parent);
    span
}

/// What became of a [`request`], whose route is known by now; `None` where nobody waited for it.
pub(crate) fn answered(span: &Span, module: &str, [method, route]: [&str; 2], status: Option<u16>) {
    if span.is_disabled() {
        return;
    }
    otel::rename(span, format!("{method} {route}"));
    span.record("module", module);
    span.record("http.route", route);
    if let Some(status) = status {
        span.record("http.response.status_code", status);
    }
    if status.is_none_or(|status| status >= 500) {
        failed(span);
    }
}

/// A call of a port, on the caller's side.
pub(crate) fn call([port, method, transport]: [&str; 3]) -> Span {
    if !is_on() {
        return Span::none();
    }
    let kind = if transport == "http" {
        "client"
    } else {
        "internal"
    };
    tracing::info_span!(
        target: TARGET, "call",
        otel.name = format!("{port}.{method}"), otel.kind = kind, transport, otel.status_code = Empty,
    )
}

/// A call of a port, on the side that answers.
pub(crate) fn served([port, method]: [&str; 2], parent: Option<Traceparent>) -> Span {
    if parent.is_none() {
        return Span::none();
    }
    let span = tracing::info_span!(
        target: TARGET, "served",
        otel.name = format!("{port}.{method}"), otel.kind = "server", otel.status_code = Empty,
    );
    otel::adopt(&span, parent);
    span
}

/// It did not work, and that is not the caller's fault.
pub(crate) fn failed(span: &Span) {
    span.record("otel.status_code", "ERROR");
}

/// Work on one connection: a transaction, or a statement alone.
pub(crate) fn operation(module: &str, name: &str) -> Span {
    if !is_on() {
        return Span::none();
    }
    tracing::info_span!(
        target: TARGET, "operation",
        otel.name = name, otel.kind = "client", module, db.system.name = "postgresql",
    )
}

/// One statement. What is bound to it stays out.
pub(crate) fn statement(query: &dyn fmt::Display) -> Span {
    if !is_on() {
        return Span::none();
    }
    let text = query.to_string();
    let text = text.split(" -- binds:").next().unwrap_or_default();
    let word = text.split_whitespace().next().unwrap_or_default();
    tracing::info_span!(
        target: TARGET, "statement",
        otel.name = word, otel.kind = "client", db.system.name = "postgresql",
        db.query.text = text, otel.status_code = Empty,
    )
}

/// A group commit: part of the first request's trace, linked to all others.
pub(crate) fn batch(writer: &str, requests: &[Here]) -> Span {
    let mut spans = requests.iter().map(|here| &here.span);
    let Some(first) = spans.find(|span| !span.is_disabled()) else {
        return Span::none();
    };
    let span = tracing::info_span!(
        target: TARGET, parent: first, "batch",
        otel.name = format!("commit of {writer}"), requests = requests.len(),
    );
    for other in spans {
        span.follows_from(other);
    }
    span
}

/// A delivery of events: a trace of its own, linked to those of the requests that caused them.
pub fn delivery(name: &str, events: &[Envelope]) -> Span {
    let span = tracing::info_span!(
        target: TARGET, "delivery",
        otel.name = name, messaging.batch.message_count = events.len(),
    );
    if !span.is_disabled() {
        let causes: BTreeSet<&str> = events
            .iter()
            .filter_map(|event| event.traceparent.as_deref())
            .collect();
        for cause in causes.into_iter().filter_map(Traceparent::parse) {
            otel::link(&span, cause);
        }
    }
    span
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn a_valid_traceparent_is_read_and_written() {
        let read = Traceparent::parse(GOOD).unwrap();
        assert_eq!(read.to_string(), GOOD);
        assert_eq!(read.trace_id(), "4bf92f3577b34da6a3ce929d0e0e4736");
        // What a later version adds is left alone.
        let later = format!("{}-more", GOOD.replacen("00", "01", 1));
        assert_eq!(Traceparent::parse(&later), Some(read));
        let new = Traceparent::new();
        assert_eq!(Traceparent::parse(&new.to_string()), Some(new));
    }

    #[test]
    fn anything_else_is_none() {
        for bad in [
            "",
            "00-zz-00f067aa0ba902b7-01",
            &GOOD.to_uppercase(),
            &GOOD.replacen("00", "ff", 1),
            &format!("{GOOD}-more"),
            &GOOD.replace("4bf92f3577b34da6a3ce929d0e0e4736", &"0".repeat(32)),
            &GOOD.replace("00f067aa0ba902b7", &"0".repeat(16)),
            &GOOD.replace("-01", "-1"),
        ] {
            assert_eq!(Traceparent::parse(bad), None, "{bad}");
        }
    }
}
