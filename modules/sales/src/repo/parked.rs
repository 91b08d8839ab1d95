//! Parked baskets: each is handed out or discarded by one guarded statement.

use chrono::{DateTime, Utc};
use diesel::{pg::Pg, prelude::*, sql_types};
use kernel::{
    ids::{StoreId, UserId},
    statement,
    uuid::Uuid,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{domain::words::ParkedState, schema::parked_sales};

/// A parked basket.
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = parked_sales, check_for_backend(Pg), treat_none_as_default_value = false)]
pub(crate) struct Parked {
    pub(crate) id: Uuid,
    pub(crate) store_id: StoreId,
    pub(crate) register_id: Option<Uuid>,
    pub(crate) state: ParkedState,
    pub(crate) label: Option<String>,
    pub(crate) basket: Value,
    pub(crate) line_count: i32,
    pub(crate) request_hash: Vec<u8>,
    pub(crate) parked_by: UserId,
    pub(crate) parked_at: DateTime<Utc>,
    pub(crate) expires_at: DateTime<Utc>,
    pub(crate) ended_by: Option<UserId>,
    pub(crate) ended_at: Option<DateTime<Utc>>,
    pub(crate) end_id: Option<Uuid>,
}

/// Puts a basket aside; `false` when its id is taken.
pub(crate) fn insert(conn: &mut PgConnection, new: &Parked) -> QueryResult<bool> {
    diesel::insert_into(parked_sales::table)
        .values::<&Parked>(new)
        .on_conflict(parked_sales::id)
        .do_nothing()
        .execute(conn)
        .map(|n| n == 1)
}

/// The basket; `None` when there is none, or not in `stores`.
pub(crate) fn find(
    conn: &mut PgConnection,
    id: Uuid,
    stores: Option<Vec<StoreId>>,
) -> QueryResult<Option<Parked>> {
    let mut query = parked_sales::table
        .filter(parked_sales::id.eq(id))
        .select(Parked::as_select())
        .into_boxed();
    if let Some(stores) = stores {
        query = query.filter(parked_sales::store_id.eq_any(stores));
    }
    query.first(conn).optional()
}

/// Where a page of parked baskets, newest first, goes on.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Place {
    pub(crate) parked_at: DateTime<Utc>,
    pub(crate) id: Uuid,
}

/// What waits to be resumed at `now`, newest first, in one statement.
pub(crate) fn list(
    conn: &mut PgConnection,
    stores: Option<Vec<StoreId>>,
    store_id: Option<StoreId>,
    now: DateTime<Utc>,
    after: Option<Place>,
    limit: i64,
) -> QueryResult<Vec<Parked>> {
    let mut query = parked_sales::table
        .filter(parked_sales::state.eq(ParkedState::Parked))
        .filter(parked_sales::expires_at.gt(now))
        .select(Parked::as_select())
        .into_boxed();
    if let Some(stores) = stores {
        query = query.filter(parked_sales::store_id.eq_any(stores));
    }
    if let Some(store_id) = store_id {
        query = query.filter(parked_sales::store_id.eq(store_id));
    }
    if let Some(Place { parked_at, id }) = after {
        query = query.filter(parked_sales::parked_at.le(parked_at)).filter(
            parked_sales::parked_at
                .lt(parked_at)
                .or(parked_sales::parked_at
                    .eq(parked_at)
                    .and(parked_sales::id.lt(id))),
        );
    }
    query
        .order((parked_sales::parked_at.desc(), parked_sales::id.desc()))
        .limit(limit)
        .load(conn)
}

/// How a basket ends.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ending {
    pub(crate) state: ParkedState,
    pub(crate) by: UserId,
    pub(crate) at: DateTime<Utc>,
    /// The request that ends it.
    pub(crate) end_id: Uuid,
}

/// Ends the basket, if it still waits; `None` where somebody was faster, or it is too late.
pub(crate) fn end(
    conn: &mut PgConnection,
    id: Uuid,
    ending: Ending,
) -> QueryResult<Option<Parked>> {
    let Ending {
        state,
        by,
        at,
        end_id,
    } = ending;
    diesel::update(parked_sales::table)
        .filter(parked_sales::id.eq(id))
        .filter(parked_sales::state.eq(ParkedState::Parked))
        .filter(parked_sales::expires_at.gt(at))
        .set((
            parked_sales::state.eq(state),
            parked_sales::ended_by.eq(by),
            parked_sales::ended_at.eq(at),
            parked_sales::end_id.eq(end_id),
        ))
        .returning(Parked::as_returning())
        .get_result(conn)
        .optional()
}

statement! {
    struct Clear {
        before: DateTime<Utc> => sql_types::Timestamptz,
        limit: i64 => sql_types::BigInt,
    }
    "DELETE FROM parked_sales WHERE id IN ( \
         SELECT id FROM parked_sales WHERE expires_at < {} ORDER BY expires_at LIMIT {} \
         FOR UPDATE SKIP LOCKED)"
}

/// Clears away what expired before this moment, `limit` at most; answers how many.
pub(crate) fn clear(
    conn: &mut PgConnection,
    before: DateTime<Utc>,
    limit: i64,
) -> QueryResult<usize> {
    Clear { before, limit }.execute(conn)
}
