//! What a sign-in is checked against.

use chrono::{DateTime, Utc};
use diesel::{
    OptionalExtension, PgConnection, QueryResult, QueryableByName, RunQueryDsl,
    sql_types::{BigInt, Bool, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid},
};
use kernel::{ids::UserId, statement};

use crate::crypto::hasher::PEPPER_VERSION;

#[derive(QueryableByName)]
pub(crate) struct Credentials {
    #[diesel(sql_type = SqlUuid)]
    pub(crate) id: UserId,
    #[diesel(sql_type = Text)]
    pub(crate) email: String,
    #[diesel(sql_type = Text)]
    pub(crate) name: String,
    #[diesel(sql_type = Text)]
    pub(crate) password_hash: String,
    #[diesel(sql_type = BigInt)]
    pub(crate) password_version: i64,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub(crate) archived_at: Option<DateTime<Utc>>,
    /// Whether the user has signed in from this address before.
    #[diesel(sql_type = Bool)]
    pub(crate) knows_address: bool,
}

statement! {
    struct Find<'a> {
        address: Option<&'a str> => Nullable<Text>,
        email: Option<&'a str> => Nullable<Text>,
        id: Option<UserId> => Nullable<SqlUuid>,
    }
    "SELECT u.id, u.email, u.name, u.password_hash, u.password_version, u.archived_at, \
         EXISTS (SELECT 1 FROM sessions s WHERE s.user_id = u.id AND s.address = {}) AS knows_address \
     FROM users u WHERE u.email = {} OR u.id = {}"
}

pub(crate) fn of_email(
    conn: &mut PgConnection,
    email: &str,
    address: Option<&str>,
) -> QueryResult<Option<Credentials>> {
    Find {
        address,
        email: Some(email),
        id: None,
    }
    .get_result(conn)
    .optional()
}

pub(crate) fn of_user(
    conn: &mut PgConnection,
    id: UserId,
    address: Option<&str>,
) -> QueryResult<Option<Credentials>> {
    Find {
        address,
        email: None,
        id: Some(id),
    }
    .get_result(conn)
    .optional()
}

statement! {
    struct Rehash<'a> {
        password_hash: &'a str => Text,
        pepper_version: i32 => Integer,
        id: UserId => SqlUuid,
        password_version: i64 => BigInt,
    }
    "UPDATE users SET password_hash = {}, pepper_version = {} WHERE id = {} AND password_version = {}"
}

/// Stores the same password with a stronger hash.
pub(crate) fn rehash(
    conn: &mut PgConnection,
    of: &Credentials,
    password_hash: &str,
) -> QueryResult<()> {
    Rehash {
        password_hash,
        pepper_version: PEPPER_VERSION,
        id: of.id,
        password_version: of.password_version,
    }
    .execute(conn)
    .map(drop)
}
