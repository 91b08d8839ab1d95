//! The outcome of attempts: what stands under a sale's primary key, once and for all.

use chrono::{DateTime, Utc};
use diesel::{PgConnection, QueryResult, QueryableByName, RunQueryDsl, sql_types};
use kernel::{
    ids::{SaleId, StoreId},
    statement,
};

statement! {
    struct Abort<'a> {
        now: DateTime<Utc> => sql_types::Timestamptz,
        ids: &'a [SaleId] => sql_types::Array<sql_types::Uuid>,
        stores: &'a [StoreId] => sql_types::Array<sql_types::Uuid>,
    }
    "INSERT INTO sales (id, store_id, state, recorded_at) \
     SELECT a.id, a.store_id, 'aborted', {} FROM unnest({}, {}) AS a (id, store_id) \
     ORDER BY a.id ON CONFLICT (id) DO NOTHING"
}

statement! {
    struct Outcomes<'a> { ids: &'a [SaleId] => sql_types::Array<sql_types::Uuid> }
    "SELECT id, state = 'aborted' AS aborted FROM sales WHERE id = ANY({})"
}

/// An attempt and whether it was given up.
#[derive(Debug, Clone, Copy, QueryableByName)]
pub(crate) struct Outcome {
    #[diesel(sql_type = sql_types::Uuid)]
    pub(crate) id: SaleId,
    #[diesel(sql_type = sql_types::Bool)]
    pub(crate) aborted: bool,
}

/// Takes the primary key of every attempt that is still free. Waits for one that is being
/// recorded at the moment. Ids in order and without repeats, so that nobody deadlocks.
pub(crate) fn abort(
    conn: &mut PgConnection,
    ids: &[SaleId],
    stores: &[StoreId],
) -> QueryResult<usize> {
    Abort {
        ids,
        stores,
        now: kernel::time::now(),
    }
    .execute(conn)
}

/// What stands under each of `ids`; one that is free is left out.
pub(crate) fn outcomes(conn: &mut PgConnection, ids: &[SaleId]) -> QueryResult<Vec<Outcome>> {
    Outcomes { ids }.get_results(conn)
}
