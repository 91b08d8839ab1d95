//! The error answers that operations share, for `responses(...)` in their documentation.
use utoipa::IntoResponses;

use crate::problem::Problem;

/// What any authenticated read can answer with, besides success.
#[derive(IntoResponses)]
pub enum ReadProblems {
    /// A parameter is malformed or out of bounds.
    #[response(status = 400, content_type = "application/problem+json")]
    Invalid(Problem),
    /// No token, or one that is not valid any more: sign in again.
    #[response(status = 401, content_type = "application/problem+json")]
    Unauthenticated(Problem),
    /// The caller's role does not allow it.
    #[response(status = 403, content_type = "application/problem+json")]
    Forbidden(Problem),
    /// It does not exist, or lies outside the caller's stores.
    #[response(status = 404, content_type = "application/problem+json")]
    NotFound(Problem),
    /// Too many requests: wait for `Retry-After` seconds.
    #[response(status = 429, content_type = "application/problem+json")]
    TooManyRequests(Problem),
    /// A dependency did not answer in time: repeat after `Retry-After` seconds.
    #[response(status = 503, content_type = "application/problem+json")]
    Unavailable(Problem),
}

/// What any authenticated write can answer with, besides success.
#[derive(IntoResponses)]
pub enum WriteProblems {
    /// The body or a parameter is malformed or out of bounds; `errors` names the fields.
    #[response(status = 400, content_type = "application/problem+json")]
    Invalid(Problem),
    /// No token, or one that is not valid any more: sign in again.
    #[response(status = 401, content_type = "application/problem+json")]
    Unauthenticated(Problem),
    /// The caller's role does not allow it.
    #[response(status = 403, content_type = "application/problem+json")]
    Forbidden(Problem),
    /// It does not exist, or lies outside the caller's stores.
    #[response(status = 404, content_type = "application/problem+json")]
    NotFound(Problem),
    /// The state does not allow it; nothing was changed.
    #[response(status = 409, content_type = "application/problem+json")]
    Conflict(Problem),
    /// `If-Match` names another version.
    #[response(status = 412, content_type = "application/problem+json")]
    VersionMismatch(Problem),
    /// The body is too large.
    #[response(status = 413, content_type = "application/problem+json")]
    TooLarge(Problem),
    /// The body is not `application/json`.
    #[response(status = 415, content_type = "application/problem+json")]
    UnsupportedMediaType(Problem),
    /// The `Idempotency-Key` was used for a different request.
    #[response(status = 422, content_type = "application/problem+json")]
    KeyReused(Problem),
    /// Too many requests: wait for `Retry-After` seconds.
    #[response(status = 429, content_type = "application/problem+json")]
    TooManyRequests(Problem),
    /// The outcome is unknown: repeat with the same `Idempotency-Key`.
    #[response(status = 503, content_type = "application/problem+json")]
    Unavailable(Problem),
}
