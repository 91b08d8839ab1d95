//! Extractors whose refusals are problems that name the field at fault.

use std::{future::Future, ops::Deref, pin::Pin, time::Duration};

use actix_web::{
    FromRequest, HttpRequest,
    dev::Payload,
    http::{StatusCode, header},
    web,
};
use futures::{Stream, StreamExt};
use serde::de::DeserializeOwned;

use crate::{
    problem::{FieldError, Problem},
    route_table::RouteTable,
};

/// The largest JSON body, in bytes. Imports are streamed and have a limit of their own.
pub const MAX_BODY_BYTES: usize = 1_048_576;
/// How much of a refused body is read on, and for how long.
const DISCARD_BYTES: usize = 16 * 1_048_576;
const DISCARD_TIME: Duration = Duration::from_secs(10);

type LocalFuture<T> = Pin<Box<dyn Future<Output = Result<T, Problem>>>>;

/// A JSON body. 415 for another media type, 413 when too large, 400 with a JSON pointer otherwise.
#[derive(Debug)]
pub struct Json<T>(pub T);

impl<T> Json<T> {
    /// The parsed body.
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T> Deref for Json<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: DeserializeOwned + 'static> FromRequest for Json<T> {
    type Error = Problem;
    type Future = LocalFuture<Self>;

    fn from_request(req: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let media = req
            .headers()
            .get(header::CONTENT_TYPE)
            .and_then(|v| v.to_str().ok());
        let is_json = media.is_some_and(is_json);
        let declared = req
            .headers()
            .get(header::CONTENT_LENGTH)
            .and_then(|v| v.to_str().ok())
            .and_then(|v| v.parse::<usize>().ok());
        let mut payload = payload.take();
        Box::pin(async move {
            let body = if !is_json {
                Err(not_json())
            } else if declared.is_some_and(|n| n > MAX_BODY_BYTES) {
                Err(too_large())
            } else {
                read(&mut payload).await
            };
            match body {
                Ok(body) => parse(&body).map(Self),
                Err(problem) => {
                    discard(&mut payload, DISCARD_BYTES).await;
                    Err(problem)
                }
            }
        })
    }
}

fn is_json(media: &str) -> bool {
    let essence = media.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/json")
        || essence.eq_ignore_ascii_case("application/merge-patch+json")
}

fn not_json() -> Problem {
    Problem::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "unsupported-media-type",
        "Send the body as application/json.",
    )
}

/// Reads on for a while after a refusal: most clients hear an answer only when they have sent
/// everything. Who sends more than `bytes`, or for more than 10 seconds, finds the connection
/// closed.
pub async fn discard<E>(
    payload: &mut (impl Stream<Item = Result<web::Bytes, E>> + Unpin),
    bytes: usize,
) {
    let reading = async {
        let mut left = bytes;
        while let Some(Ok(chunk)) = payload.next().await {
            left = left.saturating_sub(chunk.len());
            if left == 0 {
                break;
            }
        }
    };
    let _late = tokio::time::timeout(DISCARD_TIME, reading).await;
}

fn too_large() -> Problem {
    let detail = format!("The body is larger than {MAX_BODY_BYTES} bytes.");
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "body-too-large", detail)
}

async fn read(payload: &mut Payload) -> Result<web::BytesMut, Problem> {
    let mut body = web::BytesMut::new();
    while let Some(chunk) = payload.next().await {
        let chunk =
            chunk.map_err(|e| Problem::invalid(format!("The body could not be read: {e}.")))?;
        if body.len() + chunk.len() > MAX_BODY_BYTES {
            return Err(too_large());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// Reads a part of a body that stood there as any JSON; the problem names the field at fault in it.
///
/// # Errors
///
/// 400 when it is no `T`.
pub fn from_value<T: DeserializeOwned>(value: serde_json::Value) -> Result<T, Problem> {
    serde_path_to_error::deserialize(value).map_err(|e| {
        let pointer = pointer(e.path());
        field_problem(&pointer, e.inner())
    })
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    if contains_nul(body) {
        return Err(Problem::invalid("Text must not contain the NUL character."));
    }
    let mut json = serde_json::Deserializer::from_slice(body);
    let value = serde_path_to_error::deserialize(&mut json).map_err(|e| {
        let pointer = pointer(e.path());
        field_problem(&pointer, e.inner())
    })?;
    json.end().map_err(|e| field_problem("", &e))?;
    Ok(value)
}

/// `PostgreSQL` cannot store NUL in text, so `\u0000` is refused wherever it stands.
fn contains_nul(body: &[u8]) -> bool {
    let mut escaped = false;
    body.windows(5).enumerate().any(|(at, window)| {
        let backslash = at > 0 && body.get(at - 1) == Some(&b'\\') && !escaped;
        let hit = backslash && window == b"u0000";
        escaped = backslash;
        hit
    })
}

fn pointer(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    path.iter()
        .fold(String::new(), |pointer, segment| match segment {
            Segment::Seq { index } => format!("{pointer}/{index}"),
            Segment::Map { key } | Segment::Enum { variant: key } => {
                format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1"))
            }
            Segment::Unknown => pointer,
        })
}

fn field_problem(pointer: &str, cause: &dyn std::error::Error) -> Problem {
    let cause = without_value(&cause.to_string());
    let error = FieldError::new(pointer, "invalid", &cause);
    let place = if pointer.is_empty() {
        "The body"
    } else {
        pointer
    };
    Problem::invalid(format!("{place}: {cause}.")).with_errors(vec![error])
}

/// What the parser says without the value that it does not like: a password in the wrong place must
/// not come back in an error, which clients log.
fn without_value(cause: &str) -> String {
    for start in ["invalid type: ", "invalid value: ", "unknown variant "] {
        let Some(rest) = cause.strip_prefix(start) else {
            continue;
        };
        // The value is quoted and may hold the same words: the last ones are the parser's.
        if let Some((value, expected)) = rest.rsplit_once(", expected ") {
            let kind = value.split(['"', '`']).next().unwrap_or_default().trim();
            return format!("{} {kind}, expected {expected}", start.trim_end()).replace(" ,", ",");
        }
    }
    match cause.split_once(": ") {
        Some((what, _)) if what.starts_with("failed to parse") => what.to_owned(),
        _ => cause.to_owned(),
    }
}

/// Query parameters. Unknown or malformed ones are a 400 that names them.
#[derive(Debug)]
pub struct Query<T>(pub T);

impl<T> Query<T> {
    /// The parsed parameters.
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T: DeserializeOwned> FromRequest for Query<T> {
    type Error = Problem;
    type Future = std::future::Ready<Result<Self, Problem>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        std::future::ready(parse_query(req.query_string()).map(Self))
    }
}

fn parse_query<T: DeserializeOwned>(query: &str) -> Result<T, Problem> {
    let pairs: Vec<(String, String)> = serde_urlencoded(query);
    if pairs
        .iter()
        .any(|(k, v)| k.contains('\0') || v.contains('\0'))
    {
        return Err(Problem::invalid(
            "A parameter must not contain the NUL character.",
        ));
    }
    web::Query::<T>::from_query(query)
        .map(web::Query::into_inner)
        .map_err(|e| {
            let cause = match e {
                actix_web::error::QueryPayloadError::Deserialize(e) => {
                    without_value(&e.to_string())
                }
                other => other.to_string(),
            };
            Problem::invalid(format!("The query parameters are not valid: {cause}."))
        })
}

fn serde_urlencoded(query: &str) -> Vec<(String, String)> {
    url::form_urlencoded::parse(query.as_bytes())
        .into_owned()
        .collect()
}

/// Path parameters. A malformed one (not a UUID, not a date) is a 400.
#[derive(Debug)]
pub struct Path<T>(pub T);

impl<T> Path<T> {
    /// The parsed parameters.
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T: DeserializeOwned + 'static> FromRequest for Path<T> {
    type Error = Problem;
    type Future = std::future::Ready<Result<Self, Problem>>;

    fn from_request(req: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let parsed = web::Path::<T>::from_request(req, payload).into_inner();
        let refuse = |error| {
            req.app_data::<web::Data<RouteTable>>()
                .and_then(|table| table.misdirected(req))
                .unwrap_or_else(|| Problem::invalid(format!("The path is not valid: {error}.")))
        };
        std::future::ready(parsed.map(|path| Self(path.into_inner())).map_err(refuse))
    }
}

/// `If-Match: "<version>"`: the version that the caller believes to be current.
#[derive(Debug, Clone, Copy)]
pub struct IfMatch(pub Option<i64>);

impl IfMatch {
    /// # Errors
    ///
    /// 412 when a version was named and it is not `current`.
    pub fn check(self, current: i64) -> Result<(), Problem> {
        match self.0 {
            Some(version) if version != current => Err(Problem::version_mismatch(current)),
            _ => Ok(()),
        }
    }
}

impl FromRequest for IfMatch {
    type Error = Problem;
    type Future = std::future::Ready<Result<Self, Problem>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        let parsed = match req
            .headers()
            .get(header::IF_MATCH)
            .map(header::HeaderValue::to_str)
        {
            None => Ok(Self(None)),
            Some(Ok("*")) => Ok(Self(None)),
            Some(Ok(raw)) => raw
                .trim()
                .trim_matches('"')
                .parse()
                .map(|v| Self(Some(v)))
                .map_err(|_| Problem::invalid("If-Match must be the ETag of an earlier answer.")),
            Some(Err(_)) => Err(Problem::invalid(
                "If-Match must be the ETag of an earlier answer.",
            )),
        };
        std::future::ready(parsed)
    }
}

/// The `ETag` of a version.
pub fn etag(version: i64) -> (header::HeaderName, String) {
    (header::ETAG, format!("\"{version}\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nul_is_found_only_where_it_is_an_escape() {
        assert!(contains_nul(br#"{"a":"x\u0000y"}"#));
        assert!(contains_nul(br#"{"a":"\\\u0000"}"#));
        assert!(!contains_nul(br#"{"a":"\\u0000"}"#));
        assert!(!contains_nul(br#"{"a":"u0000"}"#));
        assert!(!contains_nul(b"{}"));
    }

    #[test]
    fn a_value_is_never_repeated() {
        for (cause, said) in [
            (
                "invalid type: string \"my secret\", expected u64 at line 1",
                "invalid type: string, expected u64 at line 1",
            ),
            (
                "invalid type: integer `12`, expected a string",
                "invalid type: integer, expected a string",
            ),
            (
                "invalid value: string \"a, expected b\", expected c",
                "invalid value: string, expected c",
            ),
            (
                "unknown variant `my secret`, expected `cash` or `card`",
                "unknown variant, expected `cash` or `card`",
            ),
            ("missing field `lines`", "missing field `lines`"),
        ] {
            assert_eq!(without_value(cause), said);
        }
    }

    #[test]
    fn the_field_at_fault_is_named() {
        #[derive(Debug, serde::Deserialize)]
        struct Line {
            #[expect(dead_code, reason = "only parsed")]
            quantity: crate::money::Quantity,
        }
        #[derive(Debug, serde::Deserialize)]
        struct Body {
            #[expect(dead_code, reason = "only parsed")]
            lines: Vec<Line>,
        }
        let problem = parse::<Body>(br#"{"lines":[{"quantity":1},{"quantity":0}]}"#).unwrap_err();
        assert!(
            problem.detail().starts_with("/lines/1/quantity"),
            "{}",
            problem.detail()
        );
    }
}
