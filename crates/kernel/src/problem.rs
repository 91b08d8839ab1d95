//! The one error body clients see: RFC 9457 `application/problem+json`.

use std::fmt;

use actix_web::{
    HttpResponse, ResponseError,
    http::{StatusCode, header},
};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::context;

/// The media type of every error.
pub const CONTENT_TYPE: &str = "application/problem+json";

/// An RFC 9457 problem. `code` is stable and safe to branch on; `detail` is for people.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(example = json!({
    "type": "/problems/not-found", "title": "Not Found", "status": 404,
    "detail": "There is no such sale.", "code": "not-found",
    "instance": "/api/sales/0198c0de-0000-7000-8000-000000000000",
    "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736"
}))]
pub struct Problem {
    /// A stable URI reference that names the kind of problem.
    #[serde(rename = "type")]
    kind: String,
    /// The HTTP status in words.
    #[schema(value_type = String)]
    title: &'static str,
    /// The HTTP status.
    status: u16,
    /// What went wrong and what to do about it, for a person.
    detail: String,
    /// The last segment of `type`, for a program.
    #[schema(value_type = String)]
    code: &'static str,
    /// The path that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    instance: Option<String>,
    /// Finds this request in logs and traces.
    #[serde(skip_serializing_if = "Option::is_none")]
    trace_id: Option<String>,
    /// Which fields are at fault, where fields are.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<FieldError>,
    #[serde(skip)]
    retry_after_seconds: Option<u32>,
    #[serde(skip)]
    allow: Option<String>,
}

/// One field at fault.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct FieldError {
    /// A JSON pointer (RFC 6901) into the request body, or the name of a parameter.
    pub pointer: String,
    /// Stable, for a program.
    pub code: String,
    /// For a person.
    pub detail: String,
    /// More, where it helps: for example `available` for a line that is short of stock.
    #[serde(flatten)]
    #[schema(value_type = Object)]
    pub extra: Map<String, Value>,
}

impl FieldError {
    /// A field error without further members.
    pub fn new(pointer: impl Into<String>, code: &str, detail: impl fmt::Display) -> Self {
        Self {
            pointer: pointer.into(),
            code: code.to_owned(),
            detail: detail.to_string(),
            extra: Map::new(),
        }
    }

    /// Adds a member, for example `available`.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.extra.insert(key.to_owned(), value.into());
        self
    }
}

impl Problem {
    /// A problem with the given status; `code` becomes the last segment of `type`.
    pub fn new(status: StatusCode, code: &'static str, detail: impl fmt::Display) -> Self {
        Self {
            kind: format!("/problems/{code}"),
            title: status.canonical_reason().unwrap_or("Error"),
            status: status.as_u16(),
            detail: detail.to_string(),
            code,
            instance: None,
            trace_id: None,
            errors: Vec::new(),
            retry_after_seconds: None,
            allow: None,
        }
    }

    /// 400: the request is malformed or a value is out of bounds.
    pub fn invalid(detail: impl fmt::Display) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid-request", detail)
    }

    /// 400 with the one field at fault.
    pub fn invalid_field(pointer: &str, detail: impl fmt::Display) -> Self {
        let error = FieldError::new(pointer, "invalid", &detail);
        Self::invalid(format!("{pointer}: {detail}")).with_errors(vec![error])
    }

    /// 404: it does not exist, or lies outside the caller's stores.
    pub fn not_found(what: &str) -> Self {
        let detail = format!("There is no such {what}, or it is outside your stores.");
        Self::new(StatusCode::NOT_FOUND, "not-found", detail)
    }

    /// 404: nothing was ever at this path.
    pub fn no_route() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "no-such-route",
            "There is nothing at this path: /swagger-ui/ shows what there is.",
        )
    }

    /// 405: the path has other methods.
    pub fn no_method(allowed: &[&str]) -> Self {
        let detail =
            "This path does not support the method: the Allow header names those that it does.";
        let mut problem = Self::new(StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed", detail);
        problem.allow = (!allowed.is_empty()).then(|| allowed.join(", "));
        problem
    }

    /// 409: the state of the resource does not allow it.
    pub fn conflict(code: &'static str, detail: impl fmt::Display) -> Self {
        Self::new(StatusCode::CONFLICT, code, detail)
    }

    /// 412: `If-Match` names another version.
    pub fn version_mismatch(current: i64) -> Self {
        let detail =
            format!("The resource is at version {current} now: read it again, then repeat.");
        Self::new(StatusCode::PRECONDITION_FAILED, "version-mismatch", detail)
    }

    /// 422: the idempotency key was used for another request.
    pub fn key_reused() -> Self {
        Self::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "idempotency-key-reused",
            "This Idempotency-Key was used for a different request: use a new key for a new request.",
        )
    }

    /// 500: hides `cause` from the client and logs it once, here, where it is handled.
    pub fn internal(cause: &dyn std::error::Error) -> Self {
        tracing::error!(
            trace_id = context::trace_id(),
            "request failed: {}",
            chain(cause)
        );
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "Something went wrong on our side. The trace id finds it in our logs.",
        )
    }

    /// 503: a dependency did not answer, or the outcome is unknown: repeat with the same key.
    pub fn unavailable(cause: &dyn std::error::Error) -> Self {
        tracing::warn!(
            trace_id = context::trace_id(),
            "unavailable: {}",
            chain(cause)
        );
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "unavailable",
            "No answer could be had in time, and the outcome may be unknown: repeat the request with the same Idempotency-Key.",
        )
        .retry_after(1)
    }

    /// Attaches the fields at fault.
    #[must_use]
    pub fn with_errors(mut self, errors: Vec<FieldError>) -> Self {
        self.errors = errors;
        self
    }

    /// Sets `Retry-After`, in seconds.
    #[must_use]
    pub fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after_seconds = Some(seconds);
        self
    }

    /// The HTTP status.
    pub fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// The stable code, for example `insufficient-stock`.
    pub fn code(&self) -> &'static str {
        self.code
    }

    /// What is told to a person.
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// The HTTP answer, with the request's path and trace id filled in.
    pub fn into_response(mut self) -> HttpResponse {
        if let Some((instance, trace_id)) = context::current() {
            self.instance.get_or_insert(instance);
            self.trace_id.get_or_insert(trace_id);
        }
        let mut response = HttpResponse::build(self.status());
        response.content_type(CONTENT_TYPE);
        response.insert_header((header::CACHE_CONTROL, "no-store"));
        if self.status == 401 {
            response.insert_header((header::WWW_AUTHENTICATE, "Bearer"));
        }
        if let Some(seconds) = self.retry_after_seconds {
            response.insert_header((header::RETRY_AFTER, seconds.to_string()));
        }
        if self.status == 413 {
            response.force_close(); // What is left of the body is not for the next request.
        }
        if let Some(methods) = &self.allow {
            response.insert_header((header::ALLOW, methods.as_str()));
        }
        response.json(self)
    }
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.ends_with(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    text
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.detail)
    }
}

impl std::error::Error for Problem {}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.status()
    }

    fn error_response(&self) -> HttpResponse {
        self.clone().into_response()
    }
}

/// Makes a module's error type an answer: `impl From<&Error> for Problem` is all it needs.
#[macro_export]
macro_rules! problem_response {
    ($error:ty) => {
        impl actix_web::ResponseError for $error {
            fn status_code(&self) -> actix_web::http::StatusCode {
                $crate::problem::Problem::from(self).status()
            }

            fn error_response(&self) -> actix_web::HttpResponse {
                $crate::problem::Problem::from(self).into_response()
            }
        }
    };
}
