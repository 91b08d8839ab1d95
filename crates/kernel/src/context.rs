//! What belongs to one request and is needed far from it: its path and its trace id.

use std::{
    future::Future,
    sync::{Arc, OnceLock},
};

use actix_web::http::header::HeaderMap;
use uuid::Uuid;

use crate::ids::UserId;

tokio::task_local! {
    static REQUEST: Request;
}

/// The request this task is answering.
#[derive(Debug, Clone)]
pub struct Request {
    /// Path without the query.
    pub path: String,
    /// 32 hexadecimal digits, as in W3C `traceparent`.
    pub trace_id: String,
    /// Known once a guard has let the caller in.
    caller: Arc<OnceLock<UserId>>,
}

impl Request {
    /// Takes the trace id from `traceparent`, or makes one.
    pub fn new(path: &str, headers: &HeaderMap) -> Self {
        let given = headers
            .get("traceparent")
            .and_then(|v| v.to_str().ok())
            .and_then(parse);
        Self {
            path: path.to_owned(),
            trace_id: given.unwrap_or_else(|| Uuid::new_v4().simple().to_string()),
            caller: Arc::default(),
        }
    }

    /// Who is asking; `None` where nobody said, or was believed.
    pub fn caller(&self) -> Option<UserId> {
        self.caller.get().copied()
    }

    /// Runs `work` with this request as the current one.
    pub async fn scope<F: Future>(self, work: F) -> F::Output {
        REQUEST.scope(self, work).await
    }
}

/// The current request's path and trace id; `None` outside a request.
pub fn current() -> Option<(String, String)> {
    REQUEST
        .try_with(|r| (r.path.clone(), r.trace_id.clone()))
        .ok()
}

/// The current trace id, or an empty string outside a request.
pub fn trace_id() -> String {
    REQUEST.try_with(|r| r.trace_id.clone()).unwrap_or_default()
}

/// Remembers who makes the current request, for its line in the log.
pub(crate) fn is_made_by(user: UserId) {
    // A handler with two guards says it twice.
    let _ = REQUEST.try_with(|r| r.caller.set(user));
}

/// `00-<32 hex>-<16 hex>-<2 hex>`: <https://www.w3.org/TR/trace-context/#traceparent-header>.
fn parse(traceparent: &str) -> Option<String> {
    let mut parts = traceparent.split('-');
    let (version, trace) = (parts.next()?, parts.next()?);
    let hex = |s: &str, n: usize| s.len() == n && s.bytes().all(|b| b.is_ascii_hexdigit());
    let valid = hex(version, 2) && hex(trace, 32) && trace.bytes().any(|b| b != b'0');
    valid.then(|| trace.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn a_trace_id_is_taken_only_from_a_valid_traceparent() {
        let id = "4bf92f3577b34da6a3ce929d0e0e4736";
        assert_eq!(
            parse(&format!("00-{id}-00f067aa0ba902b7-01")).as_deref(),
            Some(id)
        );
        assert_eq!(parse("00-zz-00f067aa0ba902b7-01"), None);
        assert_eq!(
            parse(&format!("00-{}-00f067aa0ba902b7-01", "0".repeat(32))),
            None
        );
    }
}
