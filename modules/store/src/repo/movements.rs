//! Reads the ledger.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use diesel::{PgConnection, QueryResult, QueryableByName, RunQueryDsl, sql_types};
use kernel::{
    auth::Scope,
    ids::{ProductId, SaleId, StoreId, UserId},
    page::Limit,
    statement,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::columns::Reason;

/// A ledger row.
#[derive(Debug, QueryableByName)]
pub(crate) struct MovementRow {
    #[diesel(sql_type = sql_types::Uuid)]
    pub(crate) store_id: StoreId,
    #[diesel(sql_type = sql_types::Uuid)]
    pub(crate) product_id: ProductId,
    #[diesel(sql_type = sql_types::BigInt)]
    pub(crate) seq: i64,
    #[diesel(sql_type = sql_types::BigInt)]
    pub(crate) delta: i64,
    #[diesel(sql_type = sql_types::BigInt)]
    pub(crate) damaged_delta: i64,
    #[diesel(sql_type = sql_types::BigInt)]
    pub(crate) balance: i64,
    #[diesel(sql_type = sql_types::BigInt)]
    pub(crate) damaged_balance: i64,
    #[diesel(sql_type = sql_types::Text)]
    pub(crate) reason: Reason,
    #[diesel(sql_type = sql_types::Text)]
    pub(crate) document_type: String,
    #[diesel(sql_type = sql_types::Uuid)]
    pub(crate) document_id: Uuid,
    #[diesel(sql_type = sql_types::Uuid)]
    pub(crate) actor_id: UserId,
    #[diesel(sql_type = sql_types::Timestamptz)]
    pub(crate) occurred_at: DateTime<Utc>,
    #[diesel(sql_type = sql_types::Timestamptz)]
    pub(crate) recorded_at: DateTime<Utc>,
    #[diesel(sql_type = sql_types::Nullable<sql_types::Text>)]
    pub(crate) note: Option<String>,
}

/// The sort key of the ledger's list.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Place {
    pub(crate) recorded_at: DateTime<Utc>,
    pub(crate) store_id: StoreId,
    pub(crate) product_id: ProductId,
    pub(crate) seq: i64,
}

/// What a list of movements is limited to.
#[derive(Debug)]
pub(crate) struct MovementFilter {
    pub(crate) scope: Scope,
    pub(crate) product_id: Option<ProductId>,
    pub(crate) reason: Option<Reason>,
    pub(crate) document_id: Option<Uuid>,
    pub(crate) from: Option<DateTime<Utc>>,
    pub(crate) to: Option<DateTime<Utc>>,
    pub(crate) after: Option<Place>,
    pub(crate) limit: Limit,
}

statement! {
    struct List {
        stores: Option<Vec<StoreId>> => sql_types::Nullable<sql_types::Array<sql_types::Uuid>>,
        product: Option<ProductId> => sql_types::Nullable<sql_types::Uuid>,
        reason: Option<Reason> => sql_types::Nullable<sql_types::Text>,
        document: Option<Uuid> => sql_types::Nullable<sql_types::Uuid>,
        from: Option<DateTime<Utc>> => sql_types::Nullable<sql_types::Timestamptz>,
        to: Option<DateTime<Utc>> => sql_types::Nullable<sql_types::Timestamptz>,
        after_time: Option<DateTime<Utc>> => sql_types::Nullable<sql_types::Timestamptz>,
        after_store: Option<StoreId> => sql_types::Nullable<sql_types::Uuid>,
        after_product: Option<ProductId> => sql_types::Nullable<sql_types::Uuid>,
        after_seq: Option<i64> => sql_types::Nullable<sql_types::BigInt>,
        per_store: i64 => sql_types::BigInt,
        page: i64 => sql_types::BigInt,
    }
    // A page per store, each from that store's own index, and of these the newest.
    "SELECT m.* \
     FROM (SELECT {}::uuid[] AS stores, {}::uuid AS product, {}::text AS reason, \
             {}::uuid AS document, {}::timestamptz AS since, {}::timestamptz AS until, \
             {}::timestamptz AS after_time, {}::uuid AS after_store, {}::uuid AS after_product, \
             {}::bigint AS after_seq) p \
     JOIN stores s ON p.stores IS NULL OR s.id = ANY(p.stores) \
     CROSS JOIN LATERAL ( \
         SELECT * FROM movements m WHERE m.store_id = s.id \
             AND (p.product IS NULL OR m.product_id = p.product) \
             AND (p.reason IS NULL OR m.reason = p.reason) \
             AND (p.document IS NULL OR m.document_id = p.document) \
             AND (p.since IS NULL OR m.recorded_at >= p.since) \
             AND (p.until IS NULL OR m.recorded_at < p.until) \
             AND (p.after_time IS NULL OR (m.recorded_at <= p.after_time \
                 AND (m.recorded_at, m.store_id, m.product_id, m.seq) \
                     < (p.after_time, p.after_store, p.after_product, p.after_seq))) \
         ORDER BY m.recorded_at DESC, m.product_id DESC, m.seq DESC LIMIT {}) m \
     ORDER BY m.recorded_at DESC, m.store_id DESC, m.product_id DESC, m.seq DESC \
     LIMIT {}"
}

/// Movements, the newest first; one more than a page, if there is one.
pub(crate) fn list(
    conn: &mut PgConnection,
    filter: MovementFilter,
) -> QueryResult<Vec<MovementRow>> {
    let MovementFilter {
        scope,
        product_id,
        reason,
        document_id,
        from,
        to,
        after,
        limit,
    } = filter;
    List {
        stores: scope.as_filter(),
        product: product_id,
        reason,
        document: document_id,
        from,
        to,
        after_time: after.map(|p| p.recorded_at),
        after_store: after.map(|p| p.store_id),
        after_product: after.map(|p| p.product_id),
        after_seq: after.map(|p| p.seq),
        per_store: limit.plus_one(),
        page: limit.plus_one(),
    }
    .get_results(conn)
}

/// The last movement of a level up to some moment.
#[derive(Debug, QueryableByName)]
pub(crate) struct PastRow {
    #[diesel(sql_type = sql_types::Uuid)]
    pub(crate) store_id: StoreId,
    #[diesel(sql_type = sql_types::Uuid)]
    pub(crate) product_id: ProductId,
    #[diesel(sql_type = sql_types::BigInt)]
    pub(crate) balance: i64,
    #[diesel(sql_type = sql_types::BigInt)]
    pub(crate) damaged_balance: i64,
    #[diesel(sql_type = sql_types::BigInt)]
    pub(crate) seq: i64,
    #[diesel(sql_type = sql_types::Timestamptz)]
    pub(crate) recorded_at: DateTime<Utc>,
}

statement! {
    struct AsOf {
        at: DateTime<Utc> => sql_types::Timestamptz,
        store: StoreId => sql_types::Uuid,
        product: Option<ProductId> => sql_types::Nullable<sql_types::Uuid>,
        after: Option<ProductId> => sql_types::Nullable<sql_types::Uuid>,
        page: i64 => sql_types::BigInt,
    }
    "SELECT m.store_id, m.product_id, m.balance, m.damaged_balance, m.seq, m.recorded_at \
     FROM (SELECT {}::timestamptz AS at, {}::uuid AS store, {}::uuid AS product, \
             {}::uuid AS after) p \
     JOIN levels l ON l.store_id = p.store AND (p.product IS NULL OR l.product_id = p.product) \
         AND (p.after IS NULL OR l.product_id > p.after) \
     CROSS JOIN LATERAL ( \
         SELECT * FROM movements m WHERE m.store_id = l.store_id \
             AND m.product_id = l.product_id AND m.recorded_at <= p.at \
         ORDER BY m.seq DESC LIMIT 1) m \
     ORDER BY l.product_id LIMIT {}"
}

/// What a store had at `at`, by product; one more than `limit`, if there is one.
pub(crate) fn as_of(
    conn: &mut PgConnection,
    store: StoreId,
    at: DateTime<Utc>,
    product: Option<ProductId>,
    after: Option<ProductId>,
    limit: Limit,
) -> QueryResult<Vec<PastRow>> {
    AsOf {
        at,
        store,
        product,
        after,
        page: limit.plus_one(),
    }
    .get_results(conn)
}

#[derive(QueryableByName)]
struct Document {
    #[diesel(sql_type = sql_types::Uuid)]
    document_id: Uuid,
}

statement! {
    struct Documents<'a> {
        stores: &'a [StoreId] => sql_types::Array<sql_types::Uuid>,
        documents: &'a [Uuid] => sql_types::Array<sql_types::Uuid>,
        reasons: &'a [&'static str] => sql_types::Array<sql_types::Text>,
    }
    "SELECT DISTINCT m.document_id FROM unnest({}, {}, {}) AS d(store_id, document_id, reason) \
     JOIN movements m ON m.store_id = d.store_id AND m.document_id = d.document_id \
         AND m.reason = d.reason"
}

/// Those of the documents (store, id, reason) that have moved stock already.
pub(crate) fn documents(
    conn: &mut PgConnection,
    asked: &BTreeSet<(StoreId, Uuid, &'static str)>,
) -> QueryResult<BTreeSet<Uuid>> {
    let stores: Vec<StoreId> = asked.iter().map(|a| a.0).collect();
    let ids: Vec<Uuid> = asked.iter().map(|a| a.1).collect();
    let reasons: Vec<&'static str> = asked.iter().map(|a| a.2).collect();
    let rows: Vec<Document> = Documents {
        stores: &stores,
        documents: &ids,
        reasons: &reasons,
    }
    .get_results(conn)?;
    Ok(rows.into_iter().map(|row| row.document_id).collect())
}

/// What a hold has taken and not given back.
#[derive(Debug, QueryableByName)]
pub(crate) struct Taken {
    #[diesel(sql_type = sql_types::Uuid)]
    pub(crate) hold_id: SaleId,
    #[diesel(sql_type = sql_types::Uuid)]
    pub(crate) store_id: StoreId,
    #[diesel(sql_type = sql_types::Uuid)]
    pub(crate) product_id: ProductId,
    #[diesel(sql_type = sql_types::BigInt)]
    pub(crate) quantity: i64,
}

statement! {
    struct TakenBy<'a> { ids: &'a [SaleId] => sql_types::Array<sql_types::Uuid> }
    "SELECT h.hold_id, m.store_id, m.product_id, -sum(m.delta)::bigint AS quantity \
     FROM holds h JOIN movements m ON m.store_id = h.store_id AND m.document_id = h.hold_id \
         AND m.reason IN ('sale', 'sale_aborted') \
     WHERE h.hold_id = ANY({}) \
     GROUP BY h.hold_id, m.store_id, m.product_id HAVING sum(m.delta) <> 0 \
     ORDER BY h.hold_id, m.product_id"
}

/// What the holds have taken and not given back, by hold and product.
pub(crate) fn taken_by(conn: &mut PgConnection, holds: &[SaleId]) -> QueryResult<Vec<Taken>> {
    TakenBy { ids: holds }.get_results(conn)
}
