//! Why a request to the API did not do what it was for.

use std::{fmt, time::Duration};

use serde::{Deserialize, Serialize};

use crate::operator::Failure;

/// Why there is no good answer.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The API said no, in the form of a problem.
    #[error(transparent)]
    Refused(#[from] ApiError),
    /// The server could not be reached, or the answer was lost on the way.
    #[error("{path}: no answer: {cause}")]
    NoAnswer {
        /// The path that was asked for.
        path: String,
        /// What the connection said.
        cause: String,
    },
    /// The answer is not of the form that the documentation says.
    #[error("{path}: the answer cannot be read: {cause}")]
    Unreadable {
        /// The path that was asked for.
        path: String,
        /// What is wrong with it.
        cause: serde_json::Error,
    },
    /// No access token can be had.
    #[error("cannot sign in: {0}")]
    Token(Failure),
}

impl ClientError {
    /// The HTTP status, where there was an answer.
    pub fn status(&self) -> Option<u16> {
        self.refusal().map(|refusal| refusal.status)
    }

    /// What the API said, where it said no.
    pub fn refusal(&self) -> Option<&ApiError> {
        match self {
            Self::Refused(refusal) => Some(refusal),
            Self::NoAnswer { .. } | Self::Unreadable { .. } | Self::Token(_) => None,
        }
    }

    /// Whether the same request may succeed a moment later.
    pub(super) fn may_pass(&self) -> bool {
        match self {
            Self::Refused(refusal) => matches!(refusal.status, 429 | 502..=504),
            Self::NoAnswer { .. } => true,
            Self::Unreadable { .. } | Self::Token(_) => false,
        }
    }
}

/// A problem (RFC 9457) that the API answered.
#[derive(Debug, Clone, Serialize)]
pub struct ApiError {
    /// The path that was asked for.
    pub path: String,
    /// The HTTP status.
    pub status: u16,
    /// Stable, for a program; empty where something other than the product answered.
    pub code: String,
    /// For a person.
    pub detail: String,
    /// The fields at fault.
    pub errors: Vec<FieldFault>,
    /// Finds the request in the server's log.
    pub trace_id: Option<String>,
    #[serde(skip)]
    pub(super) retry_after: Option<Duration>,
}

/// One field at fault.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FieldFault {
    /// A JSON pointer into the request.
    pub pointer: String,
    /// Stable, for a program.
    pub code: String,
    /// For a person.
    pub detail: String,
}

/// The body of a problem; a proxy's own error page leaves it empty.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Problem {
    code: String,
    detail: String,
    errors: Vec<FieldFault>,
    trace_id: Option<String>,
}

impl ApiError {
    pub(super) fn new(
        path: &str,
        status: u16,
        problem: Problem,
        retry_after: Option<Duration>,
    ) -> Self {
        let Problem {
            code,
            detail,
            errors,
            trace_id,
        } = problem;
        Self {
            path: path.to_owned(),
            status,
            code,
            detail,
            errors,
            trace_id,
            retry_after,
        }
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}: {} {}: {}",
            self.path, self.status, self.code, self.detail
        )?;
        for FieldFault {
            pointer,
            code,
            detail,
        } in &self.errors
        {
            write!(f, " [{pointer}: {code}: {detail}]")?;
        }
        if let Some(trace_id) = &self.trace_id {
            write!(f, " (trace {trace_id})")?;
        }
        Ok(())
    }
}

impl std::error::Error for ApiError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(status: u16) -> ClientError {
        ApiError::new("/api/sales", status, Problem::default(), None).into()
    }

    #[test]
    fn only_what_may_pass_is_repeated() {
        for status in [429, 502, 503, 504] {
            assert!(refused(status).may_pass(), "{status}");
        }
        for status in [400, 401, 403, 404, 409, 412, 422, 500] {
            assert!(!refused(status).may_pass(), "{status}");
        }
    }

    #[test]
    fn a_problem_is_read_with_its_fields() {
        let body = r#"{"type":"/problems/insufficient-stock","title":"Conflict","status":409,"detail":"Too few.",
            "code":"insufficient-stock","errors":[{"pointer":"/lines/0","code":"insufficient-stock","detail":"2 left","available":2}]}"#;
        let error = ApiError::new("/api/sales", 409, serde_json::from_str(body).unwrap(), None);
        assert_eq!(
            error.to_string(),
            "/api/sales: 409 insufficient-stock: Too few. [/lines/0: insufficient-stock: 2 left]"
        );
    }
}
