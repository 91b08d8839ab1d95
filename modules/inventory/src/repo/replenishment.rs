//! Replenishment requests and their lines.

use chrono::{DateTime, NaiveDate, Utc};
use diesel::{dsl::exists, prelude::*, result::Error, sql_types};
use kernel::{
    auth::Scope,
    ids::{ProductId, StoreId, TransferId, UserId},
    page::Limit,
    statement,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::columns::Status;
use crate::{
    domain::replenishment::SupplyStatus,
    schema::{replenishment_lines, replenishment_requests as requests},
};

/// A request without its lines.
#[derive(Debug, Clone, Queryable, QueryableByName, Selectable)]
#[diesel(table_name = requests, check_for_backend(diesel::pg::Pg))]
pub(crate) struct RequestRow {
    pub(crate) id: Uuid,
    pub(crate) number: i64,
    pub(crate) store_id: StoreId,
    pub(crate) status: Status,
    pub(crate) note: Option<String>,
    pub(crate) needed_by: Option<NaiveDate>,
    pub(crate) reason: Option<String>,
    pub(crate) version: i64,
    pub(crate) created_by: UserId,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) updated_at: DateTime<Utc>,
    pub(crate) requested_at: Option<DateTime<Utc>>,
    pub(crate) decided_by: Option<UserId>,
    pub(crate) decided_at: Option<DateTime<Utc>>,
    pub(crate) ended_at: Option<DateTime<Utc>>,
}

/// One product of a request, in base units.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct LineRow {
    pub(crate) product_id: ProductId,
    pub(crate) sku: String,
    pub(crate) name: String,
    pub(crate) quantity: i64,
    pub(crate) source_store_id: Option<StoreId>,
    /// `None` until it is decided.
    pub(crate) approved: Option<i64>,
}

/// A transfer that an approval makes.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct SupplyRow {
    pub(crate) transfer_id: TransferId,
    pub(crate) from_store_id: StoreId,
    pub(crate) number: Option<i64>,
    pub(crate) status: SupplyStatus,
    pub(crate) reason: Option<String>,
    pub(crate) lines: Vec<SupplyLine>,
}

/// One product of such a transfer, in base units.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct SupplyLine {
    pub(crate) product_id: ProductId,
    pub(crate) quantity: i64,
    pub(crate) sent: i64,
    pub(crate) received: i64,
    pub(crate) damaged: i64,
    pub(crate) lost: i64,
}

/// A request with its lines and the transfers that were made of it.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) row: RequestRow,
    pub(crate) lines: Vec<LineRow>,
    pub(crate) transfers: Vec<SupplyRow>,
}

/// What is known of a request before it is made.
#[derive(Debug)]
pub(crate) struct NewRow<'a> {
    pub(crate) id: Uuid,
    pub(crate) store_id: StoreId,
    pub(crate) status: Status,
    pub(crate) note: Option<&'a str>,
    pub(crate) needed_by: Option<NaiveDate>,
    pub(crate) created_by: UserId,
    pub(crate) at: DateTime<Utc>,
    pub(crate) requested_at: Option<DateTime<Utc>>,
}

statement! {
    struct LockAll {}
    "SELECT pg_advisory_xact_lock(hashtext('inventory replenishment'))"
}

/// One transaction at a time asks stores for goods: what it finds free must not be given away
/// meanwhile. Taken before any row.
pub(crate) fn lock_all(conn: &mut PgConnection) -> QueryResult<()> {
    LockAll {}.execute(conn).map(drop)
}

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = sql_types::BigInt)]
    last: i64,
}

statement! {
    struct NextNumber {}
    "INSERT INTO replenishment_numbers AS n (is_only, last) VALUES (true, 1) \
     ON CONFLICT (is_only) DO UPDATE SET last = n.last + 1 RETURNING last"
}

/// Makes the row under the next number. Whoever makes another waits for this transaction, so that
/// numbers have no gaps.
pub(crate) fn insert(conn: &mut PgConnection, new: &NewRow<'_>) -> QueryResult<()> {
    let Number { last } = NextNumber {}.get_result(conn)?;
    diesel::insert_into(requests::table)
        .values((
            requests::id.eq(new.id),
            requests::number.eq(last),
            requests::store_id.eq(new.store_id),
            requests::status.eq(new.status),
            requests::note.eq(new.note),
            requests::needed_by.eq(new.needed_by),
            requests::version.eq(1),
            requests::created_by.eq(new.created_by),
            requests::created_at.eq(new.at),
            requests::updated_at.eq(new.at),
            requests::requested_at.eq(new.requested_at),
        ))
        .execute(conn)
        .map(drop)
}

statement! {
    struct InsertLines {
        request: Uuid => sql_types::Uuid,
        products: Vec<ProductId> => sql_types::Array<sql_types::Uuid>,
        quantities: Vec<i64> => sql_types::Array<sql_types::BigInt>,
        sources: Vec<Option<StoreId>> => sql_types::Array<sql_types::Nullable<sql_types::Uuid>>,
    }
    "INSERT INTO replenishment_lines (request_id, product_id, quantity, source_store_id) \
     SELECT r.id, l.* FROM (SELECT {}::uuid AS id) r, unnest({}, {}, {}) AS l"
}

/// What is asked for: product, quantity, and of whom.
pub(crate) type NewLine = (ProductId, i64, Option<StoreId>);

pub(crate) fn insert_lines(
    conn: &mut PgConnection,
    request: Uuid,
    lines: &[NewLine],
) -> QueryResult<()> {
    InsertLines {
        request,
        products: lines.iter().map(|l| l.0).collect(),
        quantities: lines.iter().map(|l| l.1).collect(),
        sources: lines.iter().map(|l| l.2).collect(),
    }
    .execute(conn)
    .map(drop)
}

statement! {
    struct Approve {
        products: Vec<ProductId> => sql_types::Array<sql_types::Uuid>,
        approved: Vec<i64> => sql_types::Array<sql_types::BigInt>,
        request: Uuid => sql_types::Uuid,
    }
    "UPDATE replenishment_lines l SET approved = u.approved \
     FROM unnest({}, {}) AS u(product_id, approved) \
     WHERE l.request_id = {} AND l.product_id = u.product_id"
}

/// Writes how much of each line is approved.
pub(crate) fn approve_lines(
    conn: &mut PgConnection,
    request: Uuid,
    approved: &[(ProductId, i64)],
) -> QueryResult<usize> {
    Approve {
        products: approved.iter().map(|a| a.0).collect(),
        approved: approved.iter().map(|a| a.1).collect(),
        request,
    }
    .execute(conn)
}

/// Writes what may change of a request, where it is still at the version before.
///
/// # Errors
///
/// [`Error::RollbackTransaction`] where it is not, which the caller's lock excludes.
pub(crate) fn save(conn: &mut PgConnection, row: &RequestRow) -> QueryResult<()> {
    let target = requests::table
        .find(row.id)
        .filter(requests::version.eq(row.version - 1));
    let changed = diesel::update(target)
        .set((
            requests::status.eq(row.status),
            requests::reason.eq(row.reason.as_deref()),
            requests::version.eq(row.version),
            requests::updated_at.eq(row.updated_at),
            requests::requested_at.eq(row.requested_at),
            requests::decided_by.eq(row.decided_by),
            requests::decided_at.eq(row.decided_at),
            requests::ended_at.eq(row.ended_at),
        ))
        .execute(conn)?;
    if changed == 1 {
        Ok(())
    } else {
        Err(Error::RollbackTransaction)
    }
}

#[derive(QueryableByName)]
struct Whole {
    #[diesel(embed)]
    head: RequestRow,
    #[diesel(sql_type = sql_types::Jsonb)]
    lines: Value,
    #[diesel(sql_type = sql_types::Jsonb)]
    transfers: Value,
}

statement! {
    struct Find {
        id: Uuid => sql_types::Uuid,
        stores: Option<Vec<StoreId>> => sql_types::Nullable<sql_types::Array<sql_types::Uuid>>,
    }
    "SELECT r.*, \
         (SELECT coalesce(jsonb_agg(to_jsonb(l) || jsonb_build_object('sku', q.sku, 'name', q.name) \
             ORDER BY l.product_id), '[]') \
          FROM replenishment_lines l JOIN products q ON q.id = l.product_id \
          WHERE l.request_id = r.id) AS lines, \
         (SELECT coalesce(jsonb_agg(to_jsonb(t) || jsonb_build_object('lines', ( \
                 SELECT jsonb_agg(to_jsonb(x) ORDER BY x.product_id) \
                 FROM replenishment_transfer_lines x WHERE x.transfer_id = t.transfer_id)) \
             ORDER BY t.from_store_id), '[]') \
          FROM replenishment_transfers t WHERE t.request_id = r.id) AS transfers \
     FROM (SELECT {}::uuid AS id, {}::uuid[] AS stores) p JOIN replenishment_requests r \
         ON r.id = p.id AND (p.stores IS NULL OR r.store_id = ANY(p.stores))"
}

/// A request of a store in `scope`.
pub(crate) fn find(
    conn: &mut PgConnection,
    id: Uuid,
    scope: &Scope,
) -> QueryResult<Option<Request>> {
    let stores = scope.as_filter();
    let Some(whole) = Find { id, stores }.get_result(conn).optional()? else {
        return Ok(None);
    };
    let Whole {
        head,
        lines,
        transfers,
    } = whole;
    let unreadable = |e: serde_json::Error| Error::DeserializationError(Box::new(e));
    Ok(Some(Request {
        row: head,
        lines: serde_json::from_value(lines).map_err(unreadable)?,
        transfers: serde_json::from_value(transfers).map_err(unreadable)?,
    }))
}

statement! {
    struct Lock { id: Uuid => sql_types::Uuid }
    "SELECT id FROM replenishment_requests WHERE id = {} FOR NO KEY UPDATE"
}

/// A request, locked until the transaction ends. The rest is read once it is.
pub(crate) fn lock(conn: &mut PgConnection, id: Uuid) -> QueryResult<Option<Request>> {
    Lock { id }.execute(conn)?;
    find(conn, id, &Scope::All)
}

/// What a list of requests is limited to.
#[derive(Debug)]
pub(crate) struct RequestFilter {
    pub(crate) scope: Scope,
    pub(crate) status: Option<Status>,
    pub(crate) product_id: Option<ProductId>,
    pub(crate) after: Option<i64>,
    pub(crate) limit: Limit,
}

/// Requests by number, the newest first; one more than `limit`, if there is one.
pub(crate) fn list(conn: &mut PgConnection, filter: RequestFilter) -> QueryResult<Vec<RequestRow>> {
    let RequestFilter {
        scope,
        status,
        product_id,
        after,
        limit,
    } = filter;
    let mut query = requests::table.select(RequestRow::as_select()).into_boxed();
    if let Some(stores) = scope.as_filter() {
        query = query.filter(requests::store_id.eq_any(stores));
    }
    if let Some(status) = status {
        query = query.filter(requests::status.eq(status));
    }
    if let Some(product) = product_id {
        let of_request = replenishment_lines::request_id.eq(requests::id);
        let named = of_request.and(replenishment_lines::product_id.eq(product));
        query = query.filter(exists(replenishment_lines::table.filter(named)));
    }
    if let Some(number) = after {
        query = query.filter(requests::number.lt(number));
    }
    query
        .order(requests::number.desc())
        .limit(limit.plus_one())
        .load(conn)
}
