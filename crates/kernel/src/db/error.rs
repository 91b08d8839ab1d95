//! Why the database did not do the work, in words for a log and in a status for a client.

use std::{fmt, time::Duration};

use diesel::result::{DatabaseErrorKind, Error as Query};

use crate::problem::Problem;

/// The database could not do the work. What it did before failing was rolled back, unless the
/// COMMIT itself got no answer: then the outcome is unknown.
#[derive(Debug, thiserror::Error)]
pub enum DbError {
    /// Every connection was busy for as long as a request may wait.
    #[error("no free connection within {0:?}")]
    Busy(Duration),
    /// As many requests as may wait for a group commit do.
    #[error("too many requests wait to be written")]
    Full,
    /// The server could not be reached.
    #[error("could not connect: {0}")]
    Pool(#[from] diesel::r2d2::PoolError),
    /// The same, of a connection beside the pool.
    #[error("could not connect: {0}")]
    Connect(#[from] diesel::ConnectionError),
    /// A statement failed.
    #[error("query failed: {}", Why(.0))]
    Query(#[from] diesel::result::Error),
    /// The module may not use its schema here: it moved to another database.
    #[error("the schema is closed to its module, or is not there")]
    Closed,
    /// The closure panicked.
    #[error("database task panicked")]
    Panicked,
}

/// What the server said, with the names of what it is about, and without the values: those stand in
/// the detail, which is not shown, and in what could not be converted.
struct Why<'a>(&'a diesel::result::Error);

impl fmt::Display for Why<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Query::DatabaseError(kind, info) => {
                write!(f, "{kind:?}: {}", without_values(kind, info.message()))?;
                match (info.table_name(), info.constraint_name()) {
                    (Some(table), Some(constraint)) => write!(f, " ({table}, {constraint})"),
                    (Some(table), None) => write!(f, " ({table})"),
                    _ => Ok(()),
                }
            }
            Query::DeserializationError(_) => f.write_str("a row does not fit its type"),
            Query::SerializationError(_) => f.write_str("a value does not fit its column"),
            Query::QueryBuilderError(_) => f.write_str("the statement could not be built"),
            other => write!(f, "{other}"),
        }
    }
}

/// What `PostgreSQL` quotes is the name of something in these messages, and perhaps a value in all
/// others: of them only what stands before it is shown.
fn without_values<'a>(kind: &DatabaseErrorKind, message: &'a str) -> &'a str {
    let names_only = [
        "relation \"",
        "column \"",
        "permission denied ",
        "could not extend file ",
    ];
    let known = !matches!(kind, DatabaseErrorKind::Unknown);
    if known || is_transient(message) || names_only.iter().any(|start| message.starts_with(start)) {
        return message;
    }
    match message.split(['"', ':']).next().map(str::trim_end) {
        Some(start) if !start.is_empty() => start,
        _ => "it quotes a value",
    }
}

impl DbError {
    /// Whether the same request may well work a moment later.
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Busy(_) | Self::Full | Self::Pool(_) | Self::Connect(_) | Self::Closed => true,
            // A failed COMMIT, a lost connection, a deadlock and a statement time-out all mean
            // "ask again with the same key"; none of them is known to have changed anything.
            Self::Query(
                Query::DatabaseError(
                    DatabaseErrorKind::ClosedConnection
                    | DatabaseErrorKind::UnableToSendCommand
                    | DatabaseErrorKind::SerializationFailure
                    | DatabaseErrorKind::ReadOnlyTransaction,
                    _,
                )
                | Query::BrokenTransactionManager
                | Query::RollbackErrorOnCommit { .. },
            ) => true,
            Self::Query(Query::DatabaseError(_, info)) => is_transient(info.message()),
            Self::Query(_) | Self::Panicked => false,
        }
    }
}

impl From<&DbError> for Problem {
    fn from(error: &DbError) -> Self {
        if error.is_passing() {
            Self::unavailable(error)
        } else {
            Self::internal(error)
        }
    }
}

fn is_transient(message: &str) -> bool {
    [
        "deadlock detected",
        "canceling statement",
        "terminating connection",
        "server closed",
        "shutting down",
        "starting up",
        "recovery mode",
    ]
    .iter()
    .any(|text| message.contains(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_says_why_and_repeats_no_value() {
        let said = |kind, message: &str| {
            let error = Query::DatabaseError(kind, Box::new(message.to_owned()));
            DbError::from(error).to_string()
        };
        assert_eq!(
            said(
                DatabaseErrorKind::UniqueViolation,
                "duplicate key value violates unique constraint \"users_email\""
            ),
            "query failed: UniqueViolation: duplicate key value violates unique constraint \"users_email\""
        );
        assert_eq!(
            said(
                DatabaseErrorKind::Unknown,
                "invalid input syntax for type integer: \"secret\""
            ),
            "query failed: Unknown: invalid input syntax for type integer"
        );
        assert_eq!(
            said(
                DatabaseErrorKind::Unknown,
                "value \"123456789\" is out of range for type smallint"
            ),
            "query failed: Unknown: value"
        );
        for (message, shown) in [
            (
                "malformed array literal: \"secret\"",
                "malformed array literal",
            ),
            (
                "syntax error in tsquery: \"secret\"",
                "syntax error in tsquery",
            ),
            ("time zone \"secret\" not recognized", "time zone"),
            ("\"secret\" is not a number", "it quotes a value"),
            (
                "relation \"sales\" does not exist",
                "relation \"sales\" does not exist",
            ),
            (
                "could not extend file \"base/1/2\": No space left on device",
                "could not extend file \"base/1/2\": No space left on device",
            ),
        ] {
            let shown = format!("query failed: Unknown: {shown}");
            assert_eq!(said(DatabaseErrorKind::Unknown, message), shown);
        }
        let converted = DbError::from(Query::DeserializationError("secret".into()));
        assert!(!converted.to_string().contains("secret"));
    }
}
