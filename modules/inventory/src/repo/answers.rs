//! The stored answers of requests that were carried out.

use diesel::{
    OptionalExtension, PgConnection, QueryResult, QueryableByName, RunQueryDsl, sql_types,
};
use kernel::{ids::UserId, statement};
use serde_json::Value;
use uuid::Uuid;

/// A request that was carried out.
#[derive(Debug, QueryableByName)]
pub(crate) struct StoredAnswer {
    #[diesel(sql_type = sql_types::Binary)]
    pub(crate) request_hash: Vec<u8>,
    #[diesel(sql_type = sql_types::Nullable<sql_types::Jsonb>)]
    pub(crate) response: Option<Value>,
}

statement! {
    struct Find { id: Uuid => sql_types::Uuid }
    "SELECT request_hash, response FROM answers WHERE id = {}"
}

pub(crate) fn find(conn: &mut PgConnection, id: Uuid) -> QueryResult<Option<StoredAnswer>> {
    Find { id }.get_result(conn).optional()
}

statement! {
    struct Claim<'a> {
        id: Uuid => sql_types::Uuid,
        actor: UserId => sql_types::Uuid,
        request_hash: &'a [u8] => sql_types::Binary,
    }
    "INSERT INTO answers (id, actor_id, request_hash, created_at) \
     VALUES ({}, {}, {}, statement_timestamp()) ON CONFLICT (id) DO NOTHING"
}

/// Claims the id. `false` when it is taken; a transaction that is claiming it now is waited for.
pub(crate) fn claim(
    conn: &mut PgConnection,
    id: Uuid,
    actor: UserId,
    request_hash: &[u8],
) -> QueryResult<bool> {
    let claim = Claim {
        id,
        actor,
        request_hash,
    };
    claim.execute(conn).map(|rows| rows == 1)
}

statement! {
    struct Answer { response: Value => sql_types::Jsonb, id: Uuid => sql_types::Uuid }
    "UPDATE answers SET response = {} WHERE id = {}"
}

/// Stores the answer, in the transaction of the claim.
pub(crate) fn answer(conn: &mut PgConnection, id: Uuid, response: Value) -> QueryResult<()> {
    Answer { response, id }.execute(conn).map(drop)
}
