//! Users as they are shown, with their grants; never their passwords.

use chrono::{DateTime, Utc};
use diesel::{
    OptionalExtension, PgConnection, QueryResult, QueryableByName, RunQueryDsl, deserialize,
    deserialize::{FromSql, FromSqlRow},
    pg::{Pg, PgValue},
    sql_types::{BigInt, Bool, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid},
};
use kernel::{
    auth::{Grant, Role},
    ids::{StoreId, UserId},
    statement,
};

/// A user's grants, in the order they were given.
#[derive(Debug, Clone, FromSqlRow)]
pub(crate) struct Grants(pub(crate) Vec<Grant>);

impl FromSql<Jsonb, Pg> for Grants {
    fn from_sql(bytes: PgValue<'_>) -> deserialize::Result<Self> {
        let value = <serde_json::Value as FromSql<Jsonb, Pg>>::from_sql(bytes)?;
        Ok(Self(serde_json::from_value(value)?))
    }
}

#[derive(Debug, Clone, QueryableByName)]
pub(crate) struct User {
    #[diesel(sql_type = SqlUuid)]
    pub(crate) id: UserId,
    #[diesel(sql_type = Text)]
    pub(crate) email: String,
    #[diesel(sql_type = Text)]
    pub(crate) name: String,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub(crate) archived_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = BigInt)]
    pub(crate) version: i64,
    #[diesel(sql_type = Timestamptz)]
    pub(crate) created_at: DateTime<Utc>,
    #[diesel(sql_type = Timestamptz)]
    pub(crate) updated_at: DateTime<Utc>,
    #[diesel(sql_type = Jsonb)]
    pub(crate) grants: Grants,
}

#[derive(Debug, QueryableByName)]
pub(crate) struct Listed {
    #[diesel(embed)]
    pub(crate) user: User,
    #[diesel(sql_type = Nullable<BigInt>)]
    pub(crate) total: Option<i64>,
}

macro_rules! select_user {
    ($($rest:literal),*) => {
        concat!(
            "SELECT u.id, u.email, u.name, u.archived_at, u.version, u.created_at, u.updated_at, \
             (SELECT coalesce(jsonb_agg(jsonb_build_object('role', g.role, 'store_id', g.store_id) \
                 ORDER BY g.position), '[]') FROM grants g WHERE g.user_id = u.id) AS grants",
            $($rest),*
        )
    };
}

statement! {
    struct Find { id: UserId => SqlUuid }
    select_user!(" FROM users u WHERE u.id = {}")
}

pub(crate) fn find(conn: &mut PgConnection, id: UserId) -> QueryResult<Option<User>> {
    Find { id }.get_result(conn).optional()
}

statement! {
    struct Lock { id: UserId => SqlUuid }
    "SELECT id FROM users WHERE id = {} FOR UPDATE"
}

/// Locks the user, then reads them: in one statement the grants could be older than the lock.
pub(crate) fn lock(conn: &mut PgConnection, id: UserId) -> QueryResult<Option<User>> {
    Lock { id }.execute(conn)?;
    find(conn, id)
}

/// Which users a list shows.
#[derive(Debug)]
pub(crate) struct Filter {
    /// In name or address; in lower case.
    pub(crate) q: Option<String>,
    pub(crate) role: Option<Role>,
    /// With a grant at this very store.
    pub(crate) store_id: Option<StoreId>,
    /// `None` shows active and archived ones.
    pub(crate) archived: Option<bool>,
    pub(crate) after: Option<UserId>,
    pub(crate) counted: bool,
}

statement! {
    struct List<'a> {
        q: Option<&'a str> => Nullable<Text>,
        role: Option<&'a str> => Nullable<Text>,
        store_id: Option<StoreId> => Nullable<SqlUuid>,
        archived: Option<bool> => Nullable<Bool>,
        after: Option<UserId> => Nullable<SqlUuid>,
        counted: bool => Bool,
        size: i64 => BigInt,
    }
    concat!(
        "WITH p AS (SELECT {}::text AS q, {}::text AS role, {}::uuid AS store_id, \
             {}::boolean AS archived, {}::uuid AS after, {}::boolean AS counted), \
         matching AS (SELECT u.* FROM users u, p \
             WHERE (p.archived IS NULL OR (u.archived_at IS NOT NULL) = p.archived) \
               AND (p.q IS NULL OR strpos(lower(u.name), p.q) > 0 OR strpos(u.email, p.q) > 0) \
               AND ((p.role IS NULL AND p.store_id IS NULL) OR EXISTS (SELECT 1 FROM grants f \
                   WHERE f.user_id = u.id AND (p.role IS NULL OR f.role = p.role) \
                     AND (p.store_id IS NULL OR f.store_id = p.store_id)))) ",
        select_user!(
            ", CASE WHEN p.counted THEN (SELECT count(*) FROM matching) END AS total \
             FROM matching u, p WHERE p.after IS NULL OR u.id > p.after ORDER BY u.id LIMIT {}"
        )
    )
}

/// In order of creation.
pub(crate) fn list(
    conn: &mut PgConnection,
    filter: &Filter,
    size: i64,
) -> QueryResult<Vec<Listed>> {
    let Filter {
        q,
        role,
        store_id,
        archived,
        after,
        counted,
    } = filter;
    List {
        q: q.as_deref(),
        role: role.map(Role::as_str),
        store_id: *store_id,
        archived: *archived,
        after: *after,
        counted: *counted,
        size,
    }
    .get_results(conn)
}

statement! {
    pub(crate) struct Insert<'a> {
        id: UserId => SqlUuid,
        email: &'a str => Text,
        name: &'a str => Text,
        password_hash: &'a str => Text,
        pepper_version: i32 => diesel::sql_types::Integer,
        now: DateTime<Utc> => Timestamptz,
    }
    "INSERT INTO users (id, email, name, password_hash, pepper_version, created_at, updated_at) \
     SELECT id, email, name, hash, pepper, now, now FROM (SELECT {} AS id, {} AS email, {} AS name, \
         {} AS hash, {} AS pepper, {} AS now) new"
}

pub(crate) fn insert(conn: &mut PgConnection, new: Insert<'_>) -> QueryResult<()> {
    new.execute(conn).map(drop)
}

statement! {
    struct Update<'a> {
        name: Option<&'a str> => Nullable<Text>,
        email: Option<&'a str> => Nullable<Text>,
        now: DateTime<Utc> => Timestamptz,
        id: UserId => SqlUuid,
        version: Option<i64> => Nullable<BigInt>,
    }
    "UPDATE users SET name = coalesce({}, name), email = coalesce({}, email), updated_at = {}, \
         version = version + 1 WHERE id = {} AND version = coalesce({}, version)"
}

/// Raises the version, and sets what is given. `false` when the version is another one.
pub(crate) fn update(
    conn: &mut PgConnection,
    id: UserId,
    name: Option<&str>,
    email: Option<&str>,
    version: Option<i64>,
) -> QueryResult<bool> {
    Update {
        name,
        email,
        now: kernel::time::now(),
        id,
        version,
    }
    .execute(conn)
    .map(|n| n == 1)
}

statement! {
    struct SetArchived {
        archived_at: Option<DateTime<Utc>> => Nullable<Timestamptz>,
        now: DateTime<Utc> => Timestamptz,
        id: UserId => SqlUuid,
        archived: bool => Bool,
    }
    "UPDATE users SET archived_at = {}, updated_at = {}, version = version + 1 \
     WHERE id = {} AND (archived_at IS NULL) = {}"
}

/// `false` when nothing was to be changed.
pub(crate) fn set_archived(
    conn: &mut PgConnection,
    id: UserId,
    archived: bool,
) -> QueryResult<bool> {
    let now = kernel::time::now();
    SetArchived {
        archived_at: archived.then_some(now),
        now,
        id,
        archived,
    }
    .execute(conn)
    .map(|n| n == 1)
}

statement! {
    struct SetPassword<'a> {
        password_hash: &'a str => Text,
        pepper_version: i32 => diesel::sql_types::Integer,
        id: UserId => SqlUuid,
        password_version: Option<i64> => Nullable<BigInt>,
    }
    "UPDATE users SET password_hash = {}, pepper_version = {}, password_version = password_version + 1 \
     WHERE id = {} AND password_version = coalesce({}, password_version)"
}

/// `false` where there is no such user, or the password changed since `password_version`.
pub(crate) fn set_password(
    conn: &mut PgConnection,
    id: UserId,
    password_hash: &str,
    password_version: Option<i64>,
) -> QueryResult<bool> {
    let pepper_version = crate::crypto::hasher::PEPPER_VERSION;
    SetPassword {
        password_hash,
        pepper_version,
        id,
        password_version,
    }
    .execute(conn)
    .map(|n| n == 1)
}

statement! {
    struct LockAdmins {}
    "SELECT pg_advisory_xact_lock(hashtext('comptoir auth admins'))"
}

/// One at a time from here to the end of the transaction: two admins who archive each other must
/// not both see the other one remain. A later statement sees what was committed before.
pub(crate) fn lock_admins(conn: &mut PgConnection) -> QueryResult<()> {
    LockAdmins {}.execute(conn).map(drop)
}

statement! {
    struct AdminRemains {}
    "SELECT 1 FROM users u JOIN grants g ON g.user_id = u.id \
     WHERE u.archived_at IS NULL AND g.role = 'admin' AND g.store_id IS NULL LIMIT 1"
}

pub(crate) fn admin_remains(conn: &mut PgConnection) -> QueryResult<bool> {
    AdminRemains {}.execute(conn).map(|n| n == 1)
}

statement! {
    struct Any {}
    "SELECT 1 FROM users LIMIT 1"
}

pub(crate) fn any(conn: &mut PgConnection) -> QueryResult<bool> {
    Any {}.execute(conn).map(|n| n == 1)
}
