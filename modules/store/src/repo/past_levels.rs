//! What a store had at some moment, computed backwards from what it has.

use chrono::{DateTime, Utc};
use diesel::{PgConnection, QueryResult, QueryableByName, RunQueryDsl, sql_types};
use kernel::{
    ids::{ProductId, StoreId},
    statement,
};
use store_api::PastLevel;

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = sql_types::Uuid)]
    product_id: ProductId,
    #[diesel(sql_type = sql_types::BigInt)]
    on_hand: i64,
    #[diesel(sql_type = sql_types::BigInt)]
    damaged: i64,
}

statement! {
    struct OfStore {
        store: StoreId => sql_types::Uuid,
        before: DateTime<Utc> => sql_types::Timestamptz,
        after: Option<ProductId> => sql_types::Nullable<sql_types::Uuid>,
        limit: i64 => sql_types::BigInt,
    }
    // Nothing happens after it was recorded, so the index by that time finds all that happened since.
    "WITH p AS (SELECT {}::uuid AS store, {}::timestamptz AS before, {}::uuid AS after), \
         since AS ( \
             SELECT m.product_id, sum(m.delta) AS delta, sum(m.damaged_delta) AS damaged \
             FROM p JOIN movements m ON m.store_id = p.store \
                 AND m.recorded_at >= p.before AND m.occurred_at >= p.before \
                 AND (p.after IS NULL OR m.product_id > p.after) \
             WHERE m.reason <> 'opening' OR NOT EXISTS ( \
                 SELECT FROM movements e \
                 WHERE e.store_id = m.store_id AND e.product_id = m.product_id \
                     AND (e.occurred_at < p.before OR e.recorded_at < p.before)) \
             GROUP BY m.product_id) \
     SELECT * FROM ( \
         SELECT l.product_id, (l.on_hand - coalesce(s.delta, 0))::bigint AS on_hand, \
             (l.damaged - coalesce(s.damaged, 0))::bigint AS damaged \
         FROM p JOIN levels l ON l.store_id = p.store \
             AND (p.after IS NULL OR l.product_id > p.after) \
         LEFT JOIN since s ON s.product_id = l.product_id) past \
     WHERE (on_hand, damaged) <> (0, 0) ORDER BY product_id LIMIT {}"
}

/// Up to `limit` levels of one store as they were just before `before`, by product.
pub(crate) fn of_store(
    conn: &mut PgConnection,
    store: StoreId,
    before: DateTime<Utc>,
    after: Option<ProductId>,
    limit: i64,
) -> QueryResult<Vec<PastLevel>> {
    let rows: Vec<Row> = OfStore {
        store,
        before,
        after,
        limit,
    }
    .get_results(conn)?;
    let level = |row: Row| {
        let Row {
            product_id,
            on_hand,
            damaged,
        } = row;
        PastLevel {
            product_id,
            on_hand,
            damaged,
        }
    };
    Ok(rows.into_iter().map(level).collect())
}
