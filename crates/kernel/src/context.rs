//! What belongs to one request and is needed far from it: its path, its trace and its caller.

use std::{
    future::Future,
    sync::{Arc, OnceLock},
};

use tracing::Span;

use crate::{
    ids::UserId,
    trace::{Traceparent, otel},
};

tokio::task_local! {
    static REQUEST: Request;
}

/// The request this task is answering. Clones are one.
#[derive(Debug, Clone)]
pub struct Request(Arc<About>);

#[derive(Debug)]
struct About {
    path: String,
    trace: Traceparent,
    trace_id: String,
    /// Known once a guard has let the caller in.
    caller: OnceLock<UserId>,
}

impl Request {
    /// A request for `path`, without its query. It belongs to the trace that `span` records, or to
    /// the one that it came with, or to one of its own.
    pub fn new(path: &str, span: &Span, came_with: Option<Traceparent>) -> Self {
        let trace = otel::of(span).or(came_with);
        let trace = trace.unwrap_or_else(Traceparent::new);
        Self(Arc::new(About {
            path: path.to_owned(),
            trace,
            trace_id: trace.trace_id(),
            caller: OnceLock::new(),
        }))
    }

    /// What it asks for, without its query.
    pub(crate) fn path(&self) -> &str {
        &self.0.path
    }

    /// The request that this moment is part of.
    pub fn current() -> Option<Self> {
        REQUEST.try_with(Self::clone).ok()
    }

    /// Finds it in logs and traces.
    pub fn trace_id(&self) -> &str {
        &self.0.trace_id
    }

    /// Who is asking; `None` where nobody said, or was believed.
    pub fn caller(&self) -> Option<UserId> {
        self.0.caller.get().copied()
    }

    /// Runs `work` with this request as the current one.
    pub async fn scope<F: Future>(self, work: F) -> F::Output {
        REQUEST.scope(self, work).await
    }

    /// As [`scope`](Self::scope), on a thread that may block.
    pub(crate) fn sync_scope<T>(self, work: impl FnOnce() -> T) -> T {
        REQUEST.sync_scope(self, work)
    }
}

/// The current request's path and trace id; `None` outside a request.
pub fn current() -> Option<(String, String)> {
    REQUEST
        .try_with(|r| (r.0.path.clone(), r.0.trace_id.clone()))
        .ok()
}

/// The current trace id, or an empty string outside a request.
pub fn trace_id() -> String {
    REQUEST
        .try_with(|r| r.0.trace_id.clone())
        .unwrap_or_default()
}

/// What the current request tells those that it asks.
pub(crate) fn traceparent() -> Option<Traceparent> {
    REQUEST.try_with(|r| r.0.trace).ok()
}

/// Remembers who makes the current request, for its line in the log.
pub(crate) fn is_made_by(user: UserId) {
    // A handler with two guards says it twice.
    let _ = REQUEST.try_with(|r| r.0.caller.set(user));
}
