//! What was said to have become of goods in transit, one document at a time.

use chrono::{DateTime, Utc};
use diesel::{PgConnection, QueryResult, QueryableByName, RunQueryDsl, sql_types};
use kernel::{
    auth::Scope,
    ids::{ProductId, StoreId, TransferId, UserId},
    page::Limit,
    statement,
};
use serde_json::Value;
use uuid::Uuid;

use super::columns::Receipt;
use crate::domain::transfer::Arrival;

/// A receipt to be written.
#[derive(Debug)]
pub(crate) struct NewReceipt<'a> {
    pub(crate) id: Uuid,
    pub(crate) transfer_id: TransferId,
    /// The transfer's version after it.
    pub(crate) seq: i64,
    pub(crate) kind: Receipt,
    pub(crate) actor: UserId,
    pub(crate) note: Option<&'a str>,
    pub(crate) at: DateTime<Utc>,
    pub(crate) lines: &'a [Arrival],
}

statement! {
    struct Insert<'a> {
        transfer: TransferId => sql_types::Uuid,
        seq: i64 => sql_types::BigInt,
        id: Uuid => sql_types::Uuid,
        kind: Receipt => sql_types::Text,
        actor: UserId => sql_types::Uuid,
        note: Option<&'a str> => sql_types::Nullable<sql_types::Text>,
        at: DateTime<Utc> => sql_types::Timestamptz,
        products: Vec<ProductId> => sql_types::Array<sql_types::Uuid>,
        received: Vec<i64> => sql_types::Array<sql_types::BigInt>,
        damaged: Vec<i64> => sql_types::Array<sql_types::BigInt>,
        lost: Vec<i64> => sql_types::Array<sql_types::BigInt>,
    }
    "WITH r AS ( \
         INSERT INTO transfer_receipts (transfer_id, seq, id, kind, actor_id, note, recorded_at) \
         VALUES ({}, {}, {}, {}, {}, {}, {}) RETURNING transfer_id, seq) \
     INSERT INTO transfer_receipt_lines (transfer_id, seq, product_id, received, damaged, lost) \
     SELECT r.transfer_id, r.seq, l.* FROM r, unnest({}, {}, {}, {}) AS l"
}

pub(crate) fn insert(conn: &mut PgConnection, receipt: &NewReceipt<'_>) -> QueryResult<()> {
    let of = |field: fn(&Arrival) -> i64| receipt.lines.iter().map(field).collect();
    Insert {
        transfer: receipt.transfer_id,
        seq: receipt.seq,
        id: receipt.id,
        kind: receipt.kind,
        actor: receipt.actor,
        note: receipt.note,
        at: receipt.at,
        products: receipt.lines.iter().map(|l| l.product_id).collect(),
        received: of(|l| l.received),
        damaged: of(|l| l.damaged),
        lost: of(|l| l.lost),
    }
    .execute(conn)
    .map(drop)
}

/// A receipt with its lines as JSON, by product.
#[derive(Debug, QueryableByName)]
pub(crate) struct ReceiptRow {
    #[diesel(sql_type = sql_types::Uuid)]
    pub(crate) id: Uuid,
    #[diesel(sql_type = sql_types::BigInt)]
    pub(crate) seq: i64,
    #[diesel(sql_type = sql_types::Text)]
    pub(crate) kind: Receipt,
    #[diesel(sql_type = sql_types::Uuid)]
    pub(crate) actor_id: UserId,
    #[diesel(sql_type = sql_types::Nullable<sql_types::Text>)]
    pub(crate) note: Option<String>,
    #[diesel(sql_type = sql_types::Timestamptz)]
    pub(crate) recorded_at: DateTime<Utc>,
    #[diesel(sql_type = sql_types::Jsonb)]
    pub(crate) lines: Value,
}

statement! {
    struct List {
        id: TransferId => sql_types::Uuid,
        stores: Option<Vec<StoreId>> => sql_types::Nullable<sql_types::Array<sql_types::Uuid>>,
        after: Option<i64> => sql_types::Nullable<sql_types::BigInt>,
        page: i64 => sql_types::BigInt,
    }
    "SELECT r.id, r.seq, r.kind, r.actor_id, r.note, r.recorded_at, ( \
         SELECT jsonb_agg(jsonb_build_object('product_id', l.product_id, 'received', l.received, \
             'damaged', l.damaged, 'lost', l.lost) ORDER BY l.product_id) \
         FROM transfer_receipt_lines l \
         WHERE l.transfer_id = r.transfer_id AND l.seq = r.seq) AS lines \
     FROM (SELECT {}::uuid AS id, {}::uuid[] AS stores, {}::bigint AS after) p \
     JOIN transfers t ON t.id = p.id \
         AND (p.stores IS NULL OR t.from_store_id = ANY(p.stores) OR t.to_store_id = ANY(p.stores)) \
     JOIN transfer_receipts r ON r.transfer_id = t.id AND (p.after IS NULL OR r.seq > p.after) \
     ORDER BY r.seq LIMIT {}"
}

/// The receipts of a transfer from or to a store in `scope`, in order; one more than `limit`, if
/// there is one.
pub(crate) fn list(
    conn: &mut PgConnection,
    id: TransferId,
    scope: &Scope,
    after: Option<i64>,
    limit: Limit,
) -> QueryResult<Vec<ReceiptRow>> {
    List {
        id,
        stores: scope.as_filter(),
        after,
        page: limit.plus_one(),
    }
    .get_results(conn)
}
