//! Everything that can go wrong, and what a client is told about it.

use actix_web::http::StatusCode;
use diesel::result::{DatabaseErrorKind, Error as QueryError};
use kernel::{
    db::{DbError, Failure},
    problem::{FieldError, Problem},
};

pub use crate::domain::policy::Weakness;

/// Why the module did not do what it was asked for.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address or the password is wrong, or the user is archived: never said which.
    #[error("the credentials are not valid")]
    InvalidCredentials,
    /// The refresh token is unknown, spent, expired, or its session has ended.
    #[error("the refresh token is not valid")]
    InvalidRefreshToken,
    /// The account or the address has to wait after too many failures.
    #[error("too many failed attempts")]
    TooManyAttempts {
        /// Seconds until the next attempt is let through.
        retry_after: u32,
    },
    /// The queue for bcrypt is full.
    #[error("too many logins at the moment")]
    Busy,
    /// The caller's current password is another one.
    #[error("the current password is wrong")]
    WrongPassword,
    /// A new password is not good enough.
    #[error("the password {0}")]
    Weak(#[from] Weakness),
    /// An e-mail address is none.
    #[error("the e-mail address {0}")]
    Email(&'static str),
    /// A name or a password is out of bounds.
    #[error("{0}")]
    Invalid(String),
    /// The grant at this position stands there twice.
    #[error("grant {0} stands there twice")]
    DuplicateGrant(usize),
    /// More grants than an access token can carry.
    #[error("too many grants")]
    TooManyGrants,
    /// No such user.
    #[error("no such user")]
    NoSuchUser,
    /// No such session, or not the caller's.
    #[error("no such session")]
    NoSuchSession,
    /// Somebody has this address already.
    #[error("the e-mail address is taken")]
    EmailTaken,
    /// The id that the client chose is in use.
    #[error("the id is taken")]
    IdTaken,
    /// Nobody would be left to administer the chain.
    #[error("the last active admin of every store")]
    LastAdmin,
    /// `If-Match` names another version than this one.
    #[error("at version {0} now")]
    Version(i64),
    /// A request was refused before it came to any rule.
    #[error(transparent)]
    Refused(#[from] Problem),
    /// The database could not do it.
    #[error(transparent)]
    Db(#[from] DbError),
    /// A stored hash is not one, or bcrypt failed.
    #[error("bcrypt failed")]
    Bcrypt(#[from] bcrypt::BcryptError),
    /// Signing failed.
    #[error("signing failed")]
    Signing(#[from] jsonwebtoken::errors::Error),
    /// The operating system gave no randomness.
    #[error("no randomness")]
    Entropy(#[from] rand::rngs::SysError),
    /// A blocking task panicked.
    #[error("a task panicked")]
    Panicked(#[from] tokio::task::JoinError),
}

impl Failure for Error {
    fn of_database(&self) -> Option<&DbError> {
        match self {
            Self::Db(error) => Some(error),
            _ => None,
        }
    }
}

impl From<QueryError> for Error {
    fn from(error: QueryError) -> Self {
        match &error {
            QueryError::DatabaseError(DatabaseErrorKind::UniqueViolation, info)
                if info.constraint_name() == Some("users_email_key") =>
            {
                Self::EmailTaken
            }
            QueryError::DatabaseError(DatabaseErrorKind::UniqueViolation, info)
                if info.constraint_name() == Some("users_pkey") =>
            {
                Self::IdTaken
            }
            _ => Self::Db(error.into()),
        }
    }
}

impl From<&Error> for Problem {
    fn from(error: &Error) -> Self {
        match error {
            Error::InvalidCredentials => Self::new(
                StatusCode::UNAUTHORIZED,
                "invalid-credentials",
                "The e-mail address or the password is wrong.",
            ),
            Error::InvalidRefreshToken => Self::new(
                StatusCode::UNAUTHORIZED,
                "invalid-refresh-token",
                "The refresh token is not valid any more: sign in again.",
            ),
            Error::TooManyAttempts { retry_after } => Self::new(
                StatusCode::TOO_MANY_REQUESTS,
                "too-many-attempts",
                format!("Too many failed attempts: try again in {retry_after} s. The right password works then."),
            )
            .retry_after(*retry_after),
            Error::Busy => Self::new(
                StatusCode::TOO_MANY_REQUESTS,
                "login-busy",
                "Too many people are signing in at the moment: try again in a second.",
            )
            .retry_after(1),
            Error::WrongPassword => field("/current_password", "wrong-password", "is not your password"),
            Error::Weak(weakness) => field("/password", weakness.code(), weakness),
            Error::Email(cause) => field("/email", "invalid", cause),
            Error::Invalid(cause) => Self::invalid(cause),
            Error::DuplicateGrant(at) => {
                field(&format!("/grants/{at}"), "duplicate-grant", "stands in the list already")
            }
            Error::TooManyGrants => field("/grants", "too-many-grants", "must be at most 100"),
            Error::NoSuchUser => Self::not_found("user"),
            Error::NoSuchSession => Self::not_found("session"),
            Error::IdTaken => Self::conflict(
                "id-taken",
                "This id is in use: leave it out, or choose another.",
            ),
            Error::EmailTaken => {
                Self::conflict("email-taken", "Another user, perhaps an archived one, has this e-mail address.")
            }
            Error::LastAdmin => Self::conflict(
                "last-admin",
                "This is the last active admin of every store: make another one first.",
            ),
            Error::Version(current) => Self::version_mismatch(*current),
            Error::Refused(problem) => problem.clone(),
            Error::Db(error) => Self::from(error),
            Error::Bcrypt(error) => Self::internal(error),
            Error::Signing(error) => Self::internal(error),
            Error::Entropy(error) => Self::internal(error),
            Error::Panicked(error) => Self::internal(error),
        }
    }
}

fn field(pointer: &str, code: &str, detail: impl std::fmt::Display) -> Problem {
    let detail = detail.to_string();
    let sentence = format!("{pointer} {}.", detail.trim_end_matches('.'));
    Problem::invalid(sentence).with_errors(vec![FieldError::new(pointer, code, detail)])
}

/// A weak password in the field that this request has it in.
pub(crate) fn weak_at(pointer: &'static str) -> impl Fn(Error) -> Error {
    move |error| match error {
        Error::Weak(weakness) => Error::Refused(field(pointer, weakness.code(), weakness)),
        other => other,
    }
}

kernel::problem_response!(Error);
