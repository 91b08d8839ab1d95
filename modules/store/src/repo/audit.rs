//! The append-only record of who changed what about a store, chained by hashes.

use diesel::{PgConnection, QueryResult, RunQueryDsl, sql_types};
use kernel::{
    ids::{StoreId, UserId},
    statement,
};
use serde_json::Value;

/// A change that was made.
#[derive(Debug)]
pub(crate) struct Entry<'a> {
    pub(crate) store_id: StoreId,
    pub(crate) actor: UserId,
    /// For example `store.archive`.
    pub(crate) action: &'static str,
    pub(crate) before: Option<Value>,
    pub(crate) after: Value,
    pub(crate) trace_id: &'a str,
}

/// What the hash of a row covers, apart from the hash before it. The audit check computes it anew.
macro_rules! covered {
    () => {
        "convert_to(jsonb_build_array(r.store_id, r.seq, r.actor_id, r.action, r.before, r.after, \
         r.trace_id, extract(epoch FROM r.recorded_at))::text, 'UTF8')"
    };
}
pub(crate) use covered;

statement! {
    struct Append<'a> {
        store_id: StoreId => sql_types::Uuid,
        actor: UserId => sql_types::Uuid,
        action: &'a str => sql_types::Text,
        before: Option<Value> => sql_types::Nullable<sql_types::Jsonb>,
        after: Value => sql_types::Jsonb,
        trace_id: &'a str => sql_types::Text,
    }
    concat!(
        "WITH given AS (SELECT {}::uuid AS store_id, {}::uuid AS actor_id, {}::text AS action, \
             {}::jsonb AS before, {}::jsonb AS after, {}::text AS trace_id), \
         r AS (SELECT g.*, coalesce(l.seq, 0) + 1 AS seq, l.hash AS hash_before, \
                 statement_timestamp() AS recorded_at \
             FROM given g LEFT JOIN LATERAL (SELECT a.seq, a.hash FROM audit a \
                 WHERE a.store_id = g.store_id ORDER BY a.seq DESC LIMIT 1) l ON true) \
         INSERT INTO audit (store_id, seq, actor_id, action, before, after, trace_id, recorded_at, hash) \
         SELECT store_id, seq, actor_id, action, before, after, trace_id, recorded_at, \
             sha256(coalesce(hash_before, ''::bytea) || ", covered!(), ") FROM r"
    )
}

/// Notes a change. The caller has locked the store's row, so that the chain has one end.
pub(crate) fn append(conn: &mut PgConnection, entry: Entry<'_>) -> QueryResult<()> {
    let Entry {
        store_id,
        actor,
        action,
        before,
        after,
        trace_id,
    } = entry;
    Append {
        store_id,
        actor,
        action,
        before,
        after,
        trace_id,
    }
    .execute(conn)
    .map(drop)
}
