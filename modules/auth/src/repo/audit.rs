//! The audit trail: append-only by the role's rights, and a chain of hashes per subject, so that a
//! row that was changed all the same is found.

use chrono::{DateTime, Utc};
use diesel::{
    PgConnection, QueryResult, QueryableByName, RunQueryDsl,
    sql_types::{Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid},
};
use kernel::{call::Cx, ids::UserId, statement};
use serde_json::Value;
use uuid::Uuid;

/// `r` is the row and `prev` the hash before it. A JSON array keeps the fields apart, and the
/// database's own text of `jsonb` is the same for the same value.
macro_rules! chain_hash {
    () => {
        "sha256(coalesce(prev, ''::bytea) || convert_to(jsonb_build_array(r.id, \
             (extract(epoch FROM r.at) * 1000000)::bigint, r.actor_id, r.action, r.subject_id, \
             r.store_id, r.before, r.after, r.trace_id, r.seq)::text, 'UTF8'))"
    };
}

statement! {
    struct Append<'a> {
        id: Uuid => SqlUuid,
        at: DateTime<Utc> => Timestamptz,
        actor_id: UserId => SqlUuid,
        action: &'a str => Text,
        subject_id: UserId => SqlUuid,
        before: Option<&'a Value> => Nullable<Jsonb>,
        after: Option<&'a Value> => Nullable<Jsonb>,
        trace_id: &'a str => Text,
    }
    concat!(
        "WITH new AS (SELECT {}::uuid AS id, {}::timestamptz AS at, {}::uuid AS actor_id, \
             {}::text AS action, {}::uuid AS subject_id, NULL::uuid AS store_id, \
             {}::jsonb AS before, {}::jsonb AS after, {}::text AS trace_id), \
         r AS (SELECT new.*, coalesce(last.seq, 0) + 1 AS seq, last.hash AS prev FROM new \
             LEFT JOIN LATERAL (SELECT a.seq, a.hash FROM audit a \
                 WHERE a.subject_id = new.subject_id ORDER BY a.seq DESC LIMIT 1) last ON true) \
         INSERT INTO audit (id, at, actor_id, action, subject_id, store_id, before, after, trace_id, \
             seq, hash) \
         SELECT r.id, r.at, r.actor_id, r.action, r.subject_id, r.store_id, r.before, r.after, \
             r.trace_id, r.seq, ",
        chain_hash!(),
        " FROM r"
    )
}

/// What happened to a user.
pub(crate) struct Entry<'a> {
    /// For example `user.archived`.
    pub(crate) action: &'a str,
    pub(crate) subject: UserId,
    pub(crate) before: Option<Value>,
    pub(crate) after: Option<Value>,
}

/// Call it in the transaction of the change, with the subject's row locked.
pub(crate) fn append(conn: &mut PgConnection, cx: &Cx, entry: &Entry<'_>) -> QueryResult<()> {
    Append {
        id: Uuid::now_v7(),
        at: kernel::time::now(),
        actor_id: cx.actor,
        action: entry.action,
        subject_id: entry.subject,
        before: entry.before.as_ref(),
        after: entry.after.as_ref(),
        trace_id: &cx.trace_id,
    }
    .execute(conn)
    .map(drop)
}

#[derive(QueryableByName)]
struct Broken {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
}

statement! {
    struct FindBroken {}
    concat!(
        "SELECT r.id FROM (SELECT a.*, lag(a.hash) OVER chain AS prev, lag(a.seq) OVER chain AS prev_seq \
             FROM audit a WINDOW chain AS (PARTITION BY a.subject_id ORDER BY a.seq)) r \
         WHERE r.seq <> coalesce(r.prev_seq, 0) + 1 OR r.hash <> ",
        chain_hash!(),
        " ORDER BY r.id"
    )
}

/// The rows that do not fit what stands before them.
pub(crate) fn broken(conn: &mut PgConnection) -> QueryResult<Vec<Uuid>> {
    let rows: Vec<Broken> = FindBroken {}.get_results(conn)?;
    Ok(rows.into_iter().map(|Broken { id }| id).collect())
}
