//! The rows of holds: goods that were taken for a sale.

use chrono::{DateTime, Utc};
use diesel::{prelude::*, sql_types};
use kernel::{
    auth::Scope,
    ids::{SaleId, StoreId},
    page::Limit,
    statement,
};

use super::columns::State;
use crate::{domain::reason::HoldState, schema::holds};

/// What the database says about the id of a hold that is asked for.
#[derive(Debug, QueryableByName)]
pub(crate) struct Asked {
    #[diesel(sql_type = sql_types::Uuid)]
    pub(crate) hold_id: SaleId,
    /// Whether this call made the row.
    #[diesel(sql_type = sql_types::Bool)]
    pub(crate) fresh: bool,
    /// Whether the store exists and is in use.
    #[diesel(sql_type = sql_types::Bool)]
    pub(crate) open: bool,
    #[diesel(sql_type = sql_types::Bool)]
    pub(crate) allows_negative: bool,
    /// Of a hold that stood before.
    #[diesel(sql_type = sql_types::Nullable<sql_types::Text>)]
    pub(crate) state: Option<State>,
    #[diesel(sql_type = sql_types::Nullable<sql_types::Binary>)]
    pub(crate) request_hash: Option<Vec<u8>>,
}

statement! {
    struct Take<'a> {
        ids: &'a [SaleId] => sql_types::Array<sql_types::Uuid>,
        stores: &'a [StoreId] => sql_types::Array<sql_types::Uuid>,
        hashes: &'a [&'a [u8]] => sql_types::Array<sql_types::Binary>,
    }
    "WITH asked AS MATERIALIZED ( \
         SELECT * FROM unnest({}, {}, {}) AS a(hold_id, store_id, request_hash)), \
     taken AS ( \
         INSERT INTO holds (hold_id, store_id, request_hash, state, created_at) \
         SELECT a.hold_id, a.store_id, a.request_hash, 'held', statement_timestamp() \
         FROM asked a JOIN stores s ON s.id = a.store_id AND s.archived_at IS NULL \
         ORDER BY a.hold_id ON CONFLICT (hold_id) DO NOTHING RETURNING hold_id) \
     SELECT a.hold_id, t.hold_id IS NOT NULL AS fresh, \
         s.id IS NOT NULL AND s.archived_at IS NULL AS open, \
         coalesce(s.negative_stock = 'allow', false) AS allows_negative, h.state, h.request_hash \
     FROM asked a LEFT JOIN taken t ON t.hold_id = a.hold_id \
     LEFT JOIN stores s ON s.id = a.store_id LEFT JOIN holds h ON h.hold_id = a.hold_id"
}

/// Makes a row for every id that has none, in id order, and answers what stands for each. A
/// transaction that is making one of them now is waited for.
///
/// `asked`: ids with their stores and request hashes, sorted, without repeats.
pub(crate) fn take(
    conn: &mut PgConnection,
    asked: &[(SaleId, StoreId, &[u8])],
) -> QueryResult<Vec<Asked>> {
    let ids: Vec<SaleId> = asked.iter().map(|a| a.0).collect();
    let stores: Vec<StoreId> = asked.iter().map(|a| a.1).collect();
    let hashes: Vec<&[u8]> = asked.iter().map(|a| a.2).collect();
    Take {
        ids: &ids,
        stores: &stores,
        hashes: &hashes,
    }
    .get_results(conn)
}

/// A hold that stands.
#[derive(Debug, QueryableByName)]
pub(crate) struct Standing {
    #[diesel(sql_type = sql_types::Uuid)]
    pub(crate) hold_id: SaleId,
    #[diesel(sql_type = sql_types::Text)]
    pub(crate) state: State,
    #[diesel(sql_type = sql_types::Binary)]
    pub(crate) request_hash: Vec<u8>,
}

statement! {
    struct Read<'a> { ids: &'a [SaleId] => sql_types::Array<sql_types::Uuid> }
    "SELECT hold_id, state, request_hash FROM holds WHERE hold_id = ANY({})"
}

/// Those of `ids` that stand by now.
pub(crate) fn read(conn: &mut PgConnection, ids: &[SaleId]) -> QueryResult<Vec<Standing>> {
    Read { ids }.get_results(conn)
}

statement! {
    struct Forget<'a> { ids: &'a [SaleId] => sql_types::Array<sql_types::Uuid> }
    "DELETE FROM holds WHERE hold_id = ANY({})"
}

/// Deletes rows that this transaction made and that came to nothing.
pub(crate) fn forget(conn: &mut PgConnection, ids: &[SaleId]) -> QueryResult<()> {
    Forget { ids }.execute(conn).map(drop)
}

#[derive(Debug, QueryableByName)]
struct Resolved {
    #[diesel(sql_type = sql_types::Uuid)]
    hold_id: SaleId,
}

statement! {
    struct Resolve<'a> {
        ids: &'a [SaleId] => sql_types::Array<sql_types::Uuid>,
        state: State => sql_types::Text,
    }
    // `state` is read from the locked rows and not asked of the table again: that would let the
    // planner walk the index of open holds once per hold.
    "WITH locked AS MATERIALIZED ( \
         SELECT hold_id, state FROM holds WHERE hold_id = ANY({}) ORDER BY hold_id FOR UPDATE) \
     UPDATE holds h SET state = {}, resolved_at = statement_timestamp() \
     FROM locked l WHERE h.hold_id = l.hold_id AND l.state = 'held' RETURNING h.hold_id"
}

/// Settles those of `ids` that are still held, and answers which these are: each hold is settled
/// by one caller only.
pub(crate) fn resolve(
    conn: &mut PgConnection,
    ids: &[SaleId],
    state: HoldState,
) -> QueryResult<Vec<SaleId>> {
    let rows: Vec<Resolved> = Resolve {
        ids,
        state: State(state),
    }
    .get_results(conn)?;
    Ok(rows.into_iter().map(|row| row.hold_id).collect())
}

/// A hold that has waited too long for its sale.
#[derive(Debug, Clone, QueryableByName)]
pub(crate) struct Due {
    #[diesel(sql_type = sql_types::Uuid)]
    pub(crate) hold_id: SaleId,
    #[diesel(sql_type = sql_types::Uuid)]
    pub(crate) store_id: StoreId,
    #[diesel(sql_type = sql_types::Timestamptz)]
    pub(crate) created_at: DateTime<Utc>,
}

statement! {
    struct FindDue {
        ttl_seconds: f64 => sql_types::Double,
        after_time: DateTime<Utc> => sql_types::Timestamptz,
        after_id: SaleId => sql_types::Uuid,
        limit: i64 => sql_types::BigInt,
    }
    "SELECT hold_id, store_id, created_at FROM holds \
     WHERE state = 'held' AND created_at < now() - make_interval(secs => {}) \
         AND (created_at, hold_id) > ({}, {}) \
     ORDER BY created_at, hold_id LIMIT {}"
}

/// Holds that are older than `ttl_seconds` by the database's clock and come after `after`,
/// oldest first.
pub(crate) fn due(
    conn: &mut PgConnection,
    ttl_seconds: f64,
    after: (DateTime<Utc>, SaleId),
    limit: i64,
) -> QueryResult<Vec<Due>> {
    FindDue {
        ttl_seconds,
        after_time: after.0,
        after_id: after.1,
        limit,
    }
    .get_results(conn)
}

/// A hold, for people.
#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = holds, check_for_backend(diesel::pg::Pg))]
pub(crate) struct HoldRow {
    pub(crate) hold_id: SaleId,
    pub(crate) store_id: StoreId,
    pub(crate) state: State,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) resolved_at: Option<DateTime<Utc>>,
}

/// Holds by id, the newest first; one more than `limit`, if there is one.
pub(crate) fn list(
    conn: &mut PgConnection,
    scope: &Scope,
    state: Option<HoldState>,
    after: Option<SaleId>,
    limit: Limit,
) -> QueryResult<Vec<HoldRow>> {
    let mut query = holds::table.select(HoldRow::as_select()).into_boxed();
    if let Some(stores) = scope.as_filter() {
        query = query.filter(holds::store_id.eq_any(stores));
    }
    if let Some(state) = state {
        query = query.filter(holds::state.eq(State(state)));
    }
    if let Some(id) = after {
        query = query.filter(holds::hold_id.lt(id));
    }
    query
        .order(holds::hold_id.desc())
        .limit(limit.plus_one())
        .load(conn)
}
