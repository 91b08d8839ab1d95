//! The error answers of routes that need no token.

use kernel::problem::Problem;
use utoipa::IntoResponses;

/// What a login or a refresh can answer with, besides success.
#[expect(dead_code, reason = "only documents")]
#[derive(IntoResponses)]
pub(crate) enum SignInProblems {
    /// The body is malformed.
    #[response(status = 400, content_type = "application/problem+json")]
    Invalid(#[to_schema] Problem),
    /// What was sent is not valid; the answer does not say which part.
    #[response(status = 401, content_type = "application/problem+json")]
    Unauthenticated(#[to_schema] Problem),
    /// The body is too large.
    #[response(status = 413, content_type = "application/problem+json")]
    TooLarge(#[to_schema] Problem),
    /// The body is not `application/json`.
    #[response(status = 415, content_type = "application/problem+json")]
    UnsupportedMediaType(#[to_schema] Problem),
    /// Too many attempts, on this account or at once: wait for `Retry-After` seconds.
    #[response(status = 429, content_type = "application/problem+json")]
    TooManyRequests(#[to_schema] Problem),
    /// The database did not answer in time: repeat after `Retry-After` seconds.
    #[response(status = 503, content_type = "application/problem+json")]
    Unavailable(#[to_schema] Problem),
}
