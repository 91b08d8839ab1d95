//! Sessions: one per login, alive until they end or expire.

use chrono::{DateTime, Utc};
use diesel::{
    BoolExpressionMethods, ExpressionMethods, JoinOnDsl, NullableExpressionMethods, PgConnection,
    QueryDsl, QueryResult, Queryable, QueryableByName, RunQueryDsl, Selectable, SelectableHelper,
    sql_types::{BigInt, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid},
};
use kernel::{
    ids::{SessionId, UserId},
    statement,
};
use uuid::Uuid;

use crate::schema::{sessions, users};

#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = sessions)]
pub(crate) struct Session {
    pub(crate) id: SessionId,
    pub(crate) user_agent: Option<String>,
    pub(crate) address: Option<String>,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) last_used_at: DateTime<Utc>,
    pub(crate) expires_at: DateTime<Utc>,
}

statement! {
    pub(crate) struct Open<'a> {
        id: SessionId => SqlUuid,
        user_agent: Option<&'a str> => Nullable<Text>,
        address: Option<&'a str> => Nullable<Text>,
        now: DateTime<Utc> => Timestamptz,
        idle_until: DateTime<Utc> => Timestamptz,
        until: DateTime<Utc> => Timestamptz,
        user: UserId => SqlUuid,
        password_version: i64 => BigInt,
    }
    "INSERT INTO sessions (id, user_id, user_agent, address, created_at, last_used_at, expires_at, \
         absolute_expires_at) \
     SELECT new.id, u.id, new.user_agent, new.address, new.now, new.now, \
         least(new.idle_until, new.until), new.until \
     FROM users u, (SELECT {}::uuid AS id, {}::text AS user_agent, {}::text AS address, \
         {}::timestamptz AS now, {}::timestamptz AS idle_until, {}::timestamptz AS until) new \
     WHERE u.id = {} AND u.archived_at IS NULL AND u.password_version = {} FOR SHARE OF u"
}

/// `false` when the user was archived, or got another password, since they were checked. The
/// share lock makes an archiving wait, so that it ends this session too.
pub(crate) fn open(conn: &mut PgConnection, session: Open<'_>) -> QueryResult<bool> {
    session.execute(conn).map(|n| n == 1)
}

/// The live sessions of a user, newest first; `None` where there is no such user.
pub(crate) fn list(
    conn: &mut PgConnection,
    user: UserId,
    before: Option<SessionId>,
    size: i64,
) -> QueryResult<Option<Vec<Session>>> {
    let live = sessions::ended_at
        .is_null()
        .and(sessions::expires_at.gt(kernel::time::now()));
    let page = sessions::id.lt(before.unwrap_or(SessionId(Uuid::max())));
    let rows: Vec<Option<Session>> = users::table
        .left_join(sessions::table.on(sessions::user_id.eq(users::id).and(live).and(page)))
        .filter(users::id.eq(user))
        .select(Option::<Session>::as_select())
        .order(sessions::id.nullable().desc())
        .limit(size)
        .load(conn)?;
    Ok((!rows.is_empty()).then(|| rows.into_iter().flatten().collect()))
}

statement! {
    struct End {
        now: DateTime<Utc> => Timestamptz,
        id: SessionId => SqlUuid,
        user: Option<UserId> => Nullable<SqlUuid>,
    }
    "WITH p AS (SELECT {}::timestamptz AS now, {}::uuid AS id, {}::uuid AS user_id) \
     UPDATE sessions s SET ended_at = p.now FROM p \
     WHERE s.id = p.id AND s.user_id = coalesce(p.user_id, s.user_id) \
       AND s.ended_at IS NULL AND s.expires_at > p.now"
}

/// Ends one live session, of this user if one is named; `false` if there is none.
pub(crate) fn end(
    conn: &mut PgConnection,
    id: SessionId,
    user: Option<UserId>,
) -> QueryResult<bool> {
    End {
        now: kernel::time::now(),
        id,
        user,
    }
    .execute(conn)
    .map(|n| n == 1)
}

statement! {
    struct EndAll {
        user: UserId => SqlUuid,
        but: Option<SessionId> => Nullable<SqlUuid>,
        now: DateTime<Utc> => Timestamptz,
    }
    "WITH live AS (SELECT id FROM sessions WHERE user_id = {} AND ended_at IS NULL \
         AND id IS DISTINCT FROM {} ORDER BY id FOR UPDATE) \
     UPDATE sessions s SET ended_at = {} FROM live WHERE s.id = live.id"
}

/// Ends every session of the user, or every one `but` this.
pub(crate) fn end_all(
    conn: &mut PgConnection,
    user: UserId,
    but: Option<SessionId>,
) -> QueryResult<usize> {
    EndAll {
        user,
        but,
        now: kernel::time::now(),
    }
    .execute(conn)
}

#[derive(QueryableByName)]
struct Ended {
    #[diesel(sql_type = SqlUuid)]
    id: SessionId,
}

statement! {
    struct EndedWithin { seconds: i32 => Integer }
    "SELECT id FROM sessions WHERE ended_at > now() - make_interval(secs => {})"
}

/// The sessions that ended within so many seconds.
pub(crate) fn ended_within(conn: &mut PgConnection, seconds: i32) -> QueryResult<Vec<SessionId>> {
    let rows: Vec<Ended> = EndedWithin { seconds }.get_results(conn)?;
    Ok(rows.into_iter().map(|Ended { id }| id).collect())
}
