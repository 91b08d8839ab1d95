//! The transfers that approvals make in the store module, and what is heard of them.

use chrono::{DateTime, Utc};
use diesel::{PgConnection, QueryResult, QueryableByName, RunQueryDsl, result::Error, sql_types};
use kernel::{
    ids::{ProductId, StoreId, TransferId, UserId},
    statement,
};
use serde::Deserialize;
use serde_json::Value;
use store_api::{TransferLineState, TransferState};
use uuid::Uuid;

/// A transfer that is to be made.
#[derive(Debug, Clone)]
pub(crate) struct NewSupply {
    pub(crate) transfer_id: TransferId,
    pub(crate) request_id: Uuid,
    pub(crate) from_store_id: StoreId,
    /// Product, SKU, name, quantity.
    pub(crate) lines: Vec<(ProductId, String, String, i64)>,
}

statement! {
    struct Insert {
        ids: Vec<TransferId> => sql_types::Array<sql_types::Uuid>,
        requests: Vec<Uuid> => sql_types::Array<sql_types::Uuid>,
        sources: Vec<StoreId> => sql_types::Array<sql_types::Uuid>,
        now: DateTime<Utc> => sql_types::Timestamptz,
    }
    "INSERT INTO replenishment_transfers (transfer_id, request_id, from_store_id, status, \
         transfer_version, created_at, updated_at) \
     SELECT u.*, 'planned', 0, t.now, t.now \
     FROM unnest({}, {}, {}) AS u, (VALUES ({}::timestamptz)) AS t(now)"
}

statement! {
    struct InsertLines<'a> {
        ids: Vec<TransferId> => sql_types::Array<sql_types::Uuid>,
        products: Vec<ProductId> => sql_types::Array<sql_types::Uuid>,
        skus: Vec<&'a str> => sql_types::Array<sql_types::Text>,
        names: Vec<&'a str> => sql_types::Array<sql_types::Text>,
        quantities: Vec<i64> => sql_types::Array<sql_types::BigInt>,
    }
    "INSERT INTO replenishment_transfer_lines (transfer_id, product_id, sku, name, quantity) \
     SELECT * FROM unnest({}, {}, {}, {}, {})"
}

/// Notes what is to be made; it is made once this is committed.
pub(crate) fn plan(
    conn: &mut PgConnection,
    supplies: &[NewSupply],
    now: DateTime<Utc>,
) -> QueryResult<()> {
    Insert {
        ids: supplies.iter().map(|s| s.transfer_id).collect(),
        requests: supplies.iter().map(|s| s.request_id).collect(),
        sources: supplies.iter().map(|s| s.from_store_id).collect(),
        now,
    }
    .execute(conn)?;
    let lines = || supplies.iter().flat_map(|s| &s.lines);
    InsertLines {
        ids: supplies
            .iter()
            .flat_map(|s| s.lines.iter().map(|_| s.transfer_id))
            .collect(),
        products: lines().map(|l| l.0).collect(),
        skus: lines().map(|l| l.1.as_str()).collect(),
        names: lines().map(|l| l.2.as_str()).collect(),
        quantities: lines().map(|l| l.3).collect(),
    }
    .execute(conn)
    .map(drop)
}

#[derive(QueryableByName)]
struct PlannedRow {
    #[diesel(sql_type = sql_types::Uuid)]
    transfer_id: TransferId,
    #[diesel(sql_type = sql_types::Uuid)]
    request_id: Uuid,
    #[diesel(sql_type = sql_types::BigInt)]
    request_number: i64,
    #[diesel(sql_type = sql_types::Uuid)]
    from_store_id: StoreId,
    #[diesel(sql_type = sql_types::Uuid)]
    to_store_id: StoreId,
    #[diesel(sql_type = sql_types::Uuid)]
    decided_by: UserId,
    #[diesel(sql_type = sql_types::Jsonb)]
    lines: Value,
}

/// A transfer that is planned, and not known to be made.
#[derive(Debug, Clone)]
pub(crate) struct Planned {
    pub(crate) transfer_id: TransferId,
    pub(crate) request_id: Uuid,
    pub(crate) request_number: i64,
    pub(crate) from_store_id: StoreId,
    pub(crate) to_store_id: StoreId,
    pub(crate) decided_by: UserId,
    pub(crate) lines: Vec<PlannedLine>,
}

/// One product of it.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct PlannedLine {
    pub(crate) product_id: ProductId,
    pub(crate) sku: String,
    pub(crate) name: String,
    pub(crate) quantity: i64,
}

statement! {
    struct FindPlanned {
        request: Option<Uuid> => sql_types::Nullable<sql_types::Uuid>,
        older_seconds: f64 => sql_types::Double,
        limit: i64 => sql_types::BigInt,
    }
    "SELECT t.transfer_id, t.request_id, r.number AS request_number, t.from_store_id, \
         r.store_id AS to_store_id, r.decided_by, \
         (SELECT jsonb_agg(to_jsonb(l) ORDER BY l.product_id) \
          FROM replenishment_transfer_lines l WHERE l.transfer_id = t.transfer_id) AS lines \
     FROM (SELECT {}::uuid AS request) p, replenishment_transfers t \
     JOIN replenishment_requests r ON r.id = t.request_id \
     WHERE t.status = 'planned' AND (p.request IS NULL OR t.request_id = p.request) \
         AND t.created_at <= now() - make_interval(secs => {}) \
     ORDER BY t.created_at, t.transfer_id LIMIT {}"
}

/// Up to `limit` transfers that are planned for so many seconds, of one request or of all.
pub(crate) fn planned(
    conn: &mut PgConnection,
    request: Option<Uuid>,
    older_seconds: f64,
    limit: i64,
) -> QueryResult<Vec<Planned>> {
    let rows: Vec<PlannedRow> = FindPlanned {
        request,
        older_seconds,
        limit,
    }
    .get_results(conn)?;
    rows.into_iter().map(Planned::try_from).collect()
}

impl TryFrom<PlannedRow> for Planned {
    type Error = Error;

    fn try_from(row: PlannedRow) -> QueryResult<Self> {
        let PlannedRow {
            transfer_id,
            request_id,
            request_number,
            from_store_id,
            to_store_id,
            decided_by,
            lines,
        } = row;
        Ok(Self {
            transfer_id,
            request_id,
            request_number,
            from_store_id,
            to_store_id,
            decided_by,
            lines: serde_json::from_value(lines)
                .map_err(|e| Error::DeserializationError(Box::new(e)))?,
        })
    }
}

statement! {
    struct Made { number: i64 => sql_types::BigInt, id: TransferId => sql_types::Uuid }
    "UPDATE replenishment_transfers SET status = 'requested', number = {}, transfer_version = 1, \
         updated_at = now() WHERE transfer_id = {} AND status = 'planned'"
}

/// It was made; nothing changes where its events were heard of already.
pub(crate) fn made(conn: &mut PgConnection, id: TransferId, number: i64) -> QueryResult<()> {
    Made { number, id }.execute(conn).map(drop)
}

statement! {
    struct Refuse<'a> { reason: &'a str => sql_types::Text, id: TransferId => sql_types::Uuid }
    "UPDATE replenishment_transfers SET status = 'refused', reason = {}, updated_at = now() \
     WHERE transfer_id = {} AND status = 'planned'"
}

/// It will never be made.
pub(crate) fn refuse(conn: &mut PgConnection, id: TransferId, reason: &str) -> QueryResult<()> {
    Refuse { reason, id }.execute(conn).map(drop)
}

statement! {
    struct Follow<'a> {
        number: i64 => sql_types::BigInt,
        status: &'a str => sql_types::Text,
        seq: i64 => sql_types::BigInt,
        id: TransferId => sql_types::Uuid,
        request: Uuid => sql_types::Uuid,
        older: i64 => sql_types::BigInt,
    }
    "UPDATE replenishment_transfers SET number = {}, status = {}, transfer_version = {}, \
         updated_at = now() \
     WHERE transfer_id = {} AND request_id = {} AND transfer_version < {} AND status <> 'refused'"
}

statement! {
    struct FollowLines {
        products: Vec<ProductId> => sql_types::Array<sql_types::Uuid>,
        sent: Vec<i64> => sql_types::Array<sql_types::BigInt>,
        received: Vec<i64> => sql_types::Array<sql_types::BigInt>,
        damaged: Vec<i64> => sql_types::Array<sql_types::BigInt>,
        lost: Vec<i64> => sql_types::Array<sql_types::BigInt>,
        id: TransferId => sql_types::Uuid,
    }
    "UPDATE replenishment_transfer_lines l \
     SET sent = u.sent, received = u.received, damaged = u.damaged, lost = u.lost \
     FROM unnest({}, {}, {}, {}, {}) AS u(product_id, sent, received, damaged, lost) \
     WHERE l.transfer_id = {} AND l.product_id = u.product_id"
}

/// Takes over what is heard of a transfer, where it is newer than what is known. `false` where it
/// is not, or the transfer is none of the request's.
pub(crate) fn follow(
    conn: &mut PgConnection,
    request: Uuid,
    state: &TransferState,
    seq: i64,
) -> QueryResult<bool> {
    // The word of a status is the same here as on the wire.
    let status =
        serde_json::to_value(state.status).map_err(|e| Error::SerializationError(Box::new(e)))?;
    let changed = Follow {
        number: state.number,
        status: status.as_str().unwrap_or_default(),
        seq,
        id: state.transfer_id,
        request,
        older: seq,
    }
    .execute(conn)?;
    if changed == 0 {
        return Ok(false);
    }
    let of = |field: fn(&TransferLineState) -> i64| state.lines.iter().map(field).collect();
    FollowLines {
        products: state.lines.iter().map(|l| l.product_id).collect(),
        sent: of(|l| l.sent),
        received: of(|l| l.received),
        damaged: of(|l| l.damaged),
        lost: of(|l| l.lost),
        id: state.transfer_id,
    }
    .execute(conn)?;
    Ok(true)
}

/// How much is asked of a store.
#[derive(Debug, QueryableByName)]
pub(crate) struct AskedOf {
    #[diesel(sql_type = sql_types::Uuid)]
    pub(crate) store_id: StoreId,
    #[diesel(sql_type = sql_types::Uuid)]
    pub(crate) product_id: ProductId,
    #[diesel(sql_type = sql_types::BigInt)]
    pub(crate) quantity: i64,
}

statement! {
    struct Asked<'a> {
        products: &'a [ProductId] => sql_types::Array<sql_types::Uuid>,
        but: Option<Uuid> => sql_types::Nullable<sql_types::Uuid>,
    }
    "WITH p AS (SELECT {}::uuid[] AS products, {}::uuid AS but) \
     SELECT store_id, product_id, LEAST(sum(quantity), 9223372036854775807)::bigint AS quantity \
     FROM ( \
         SELECT t.from_store_id AS store_id, l.product_id, l.quantity \
         FROM p, replenishment_transfers t \
         JOIN replenishment_transfer_lines l ON l.transfer_id = t.transfer_id \
         WHERE t.status IN ('planned', 'draft', 'requested') AND l.product_id = ANY(p.products) \
         UNION ALL \
         SELECT l.source_store_id, l.product_id, l.quantity \
         FROM p, replenishment_requests r JOIN replenishment_lines l ON l.request_id = r.id \
         WHERE r.status IN ('draft', 'requested') AND l.source_store_id IS NOT NULL \
             AND l.product_id = ANY(p.products) AND r.id IS DISTINCT FROM p.but) a \
     GROUP BY store_id, product_id"
}

/// What open requests (but this one) ask of stores of these products, and what approved ones ask
/// that no source has promised yet. What is promised is `reserved` of the source's level.
pub(crate) fn asked(
    conn: &mut PgConnection,
    products: &[ProductId],
    but: Option<Uuid>,
) -> QueryResult<Vec<AskedOf>> {
    Asked { products, but }.get_results(conn)
}
