//! What the API answered, and whether it had answered so before.

use std::time::Duration;

use reqwest::{Response, header};
use serde::{Deserialize, de::DeserializeOwned};

use super::error::{ApiError, ClientError, Problem};

/// A good answer.
#[derive(Debug, Clone)]
pub struct Answer<T> {
    /// The parsed body.
    pub body: T,
    /// Whether it is the stored answer to an earlier request with the same key.
    pub replayed: bool,
}

/// One page of a list.
#[derive(Debug, Deserialize)]
pub struct Page<T> {
    /// Its items.
    pub items: Vec<T>,
    /// Where the next page starts, if there is one.
    pub next_cursor: Option<String>,
}

/// Reads an answer, or says why there is none.
pub(super) async fn read<T: DeserializeOwned>(
    path: &str,
    sent: Result<Response, reqwest::Error>,
) -> Result<Answer<T>, ClientError> {
    let lost = |cause: reqwest::Error| ClientError::NoAnswer {
        path: path.to_owned(),
        cause: chain(&cause),
    };
    let response = sent.map_err(lost)?;
    let status = response.status();
    let header = |name: &str| {
        response
            .headers()
            .get(name)
            .and_then(|v| v.to_str().ok())
            .map(str::to_owned)
    };
    let replayed = header("idempotent-replayed").is_some_and(|v| v == "true");
    let retry_after = header(header::RETRY_AFTER.as_str())
        .and_then(|v| v.parse().ok())
        .map(Duration::from_secs);
    let bytes = response.bytes().await.map_err(lost)?;
    if status.is_success() {
        return match serde_json::from_slice(&bytes) {
            Ok(body) => Ok(Answer { body, replayed }),
            Err(cause) => Err(ClientError::Unreadable {
                path: path.to_owned(),
                cause,
            }),
        };
    }
    let problem: Problem = serde_json::from_slice(&bytes).unwrap_or_default();
    Err(ApiError::new(path, status.as_u16(), problem, retry_after).into())
}

/// reqwest's own text stops at "error sending request": the reason is in the sources.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
