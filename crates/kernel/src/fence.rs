//! Closes a schema to its module, because the data went to another database or is not whole yet.
//!
//! The mark is the schema's comment: `\dn+` shows it, and a backup keeps it. Beside it the module's
//! role loses its rights, so that a process that runs already can write nothing either.

use std::fmt;

use chrono::{DateTime, SecondsFormat, Utc};
use diesel::{
    OptionalExtension, PgConnection, QueryResult, QueryableByName, RunQueryDsl, sql_query,
    sql_types::{Nullable, Text},
};
use uuid::Uuid;

use crate::migrate::role_of;

/// Why a schema is closed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mark {
    /// Its data is in force elsewhere.
    Moved {
        /// Host, port and database, without a password.
        to: String,
        /// When.
        at: DateTime<Utc>,
        /// The move that brought it there.
        by: Uuid,
    },
    /// Its data is being copied here, or the copying was cut off.
    Arriving {
        /// Host, port and database, without a password.
        from: String,
        /// The move that brings it.
        by: Uuid,
    },
}

const MOVED: &str = "comptoir: moved to ";
const ARRIVING: &str = "comptoir: arriving from ";

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Moved { to, at, by } => {
                let at = at.to_rfc3339_opts(SecondsFormat::Secs, true);
                write!(f, "{MOVED}{to} at {at} by {by}")
            }
            Self::Arriving { from, by } => write!(f, "{ARRIVING}{from} by {by}"),
        }
    }
}

impl Mark {
    /// The mark that a comment is; `None` for any other comment.
    pub fn parse(comment: &str) -> Option<Self> {
        let (rest, by) = comment.rsplit_once(" by ")?;
        let by = by.parse().ok()?;
        if let Some(from) = rest.strip_prefix(ARRIVING) {
            let from = from.to_owned();
            return Some(Self::Arriving { from, by });
        }
        let (to, at) = rest.strip_prefix(MOVED)?.rsplit_once(" at ")?;
        let at = DateTime::parse_from_rfc3339(at).ok()?.to_utc();
        let to = to.to_owned();
        Some(Self::Moved { to, at, by })
    }
}

/// A schema that its module may not use in this database.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Closed {
    /// The schema, which is named like its module.
    pub schema: String,
    /// Why.
    pub mark: Mark,
}

impl fmt::Display for Closed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let schema = &self.schema;
        match &self.mark {
            Mark::Moved { to, at, .. } => {
                let at = at.format("%Y-%m-%d %H:%M UTC");
                write!(
                    f,
                    "{schema} moved from this database to {to} on {at}, and this copy is closed"
                )
            }
            Mark::Arriving { from, .. } => {
                write!(
                    f,
                    "{schema} was being moved into this database from {from}, and that did not end"
                )
            }
        }
    }
}

/// Answers the comment of a schema: the one column, in one row where there is such a schema.
pub const COMMENT: &str =
    "SELECT obj_description(oid, 'pg_namespace') AS comment FROM pg_namespace WHERE nspname = $1";

/// The schema's mark; `None` where it is open or not there.
///
/// # Errors
///
/// As any statement.
pub fn mark(conn: &mut PgConnection, schema: &str) -> QueryResult<Option<Mark>> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Nullable<Text>)]
        comment: Option<String>,
    }
    let row: Option<Row> = sql_query(COMMENT)
        .bind::<Text, _>(schema)
        .get_result(conn)
        .optional()?;
    Ok(row
        .and_then(|row| row.comment)
        .and_then(|comment| Mark::parse(&comment)))
}

/// The statements that put the mark on a schema and take the module's rights away. They take
/// effect with the transaction they stand in.
pub fn close(schema: &str, mark: &Mark) -> String {
    let (role, comment) = (role_of(schema), mark.to_string().replace('\'', "''"));
    format!(
        "REVOKE ALL ON SCHEMA {schema} FROM {role}; \
         REVOKE ALL ON ALL TABLES IN SCHEMA {schema} FROM {role}; \
         COMMENT ON SCHEMA {schema} IS '{comment}'"
    )
}

/// Selects whether a schema's module can still write there, which after [`close`] only a role with
/// rights from elsewhere can.
pub fn still_open(schema: &str) -> String {
    let role = role_of(schema);
    format!(
        "SELECT has_schema_privilege('{role}', '{schema}', 'USAGE') OR EXISTS ( \
             SELECT FROM pg_class WHERE relnamespace = '{schema}'::regnamespace AND relkind = 'r' \
             AND has_table_privilege('{role}', oid, 'INSERT, UPDATE, DELETE, TRUNCATE'))"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_read_as_it_was_written() {
        let by = Uuid::now_v7();
        let at = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let place = "/tmp/it's by here at night:5432/comptoir".to_owned();
        for mark in [
            Mark::Moved {
                to: place.clone(),
                at,
                by,
            },
            Mark::Arriving { from: place, by },
        ] {
            assert_eq!(Mark::parse(&mark.to_string()), Some(mark));
        }
    }

    #[test]
    fn a_comment_of_a_person_is_no_mark() {
        for comment in [
            "",
            "sales, by hand",
            "comptoir: moved to somewhere by hand",
            "comptoir: moved",
        ] {
            assert_eq!(Mark::parse(comment), None, "{comment}");
        }
    }
}
