//! The rows of transfers and their lines.

use chrono::{DateTime, Utc};
use diesel::{dsl::exists, prelude::*, result::Error, sql_types};
use kernel::{
    auth::Scope,
    ids::{ProductId, StoreId, TransferId, UserId},
    page::Limit,
    statement,
};
use serde_json::Value;
use uuid::Uuid;

use super::columns::Status;
use crate::{
    domain::transfer::Line,
    schema::{transfer_lines, transfers},
};

/// A transfer without its lines.
#[derive(Debug, Clone, Queryable, QueryableByName, Selectable)]
#[diesel(table_name = transfers, check_for_backend(diesel::pg::Pg))]
pub(crate) struct TransferRow {
    pub(crate) id: TransferId,
    pub(crate) number: i64,
    pub(crate) from_store_id: StoreId,
    pub(crate) to_store_id: StoreId,
    pub(crate) status: Status,
    pub(crate) note: Option<String>,
    pub(crate) source_type: Option<String>,
    pub(crate) source_id: Option<Uuid>,
    pub(crate) return_of: Option<TransferId>,
    pub(crate) reason: Option<String>,
    pub(crate) version: i64,
    pub(crate) created_by: UserId,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) updated_at: DateTime<Utc>,
    pub(crate) requested_at: Option<DateTime<Utc>>,
    pub(crate) approved_at: Option<DateTime<Utc>>,
    pub(crate) dispatched_at: Option<DateTime<Utc>>,
    pub(crate) ended_at: Option<DateTime<Utc>>,
}

/// A transfer with its lines, by product.
#[derive(Debug, Clone)]
pub(crate) struct Transfer {
    pub(crate) row: TransferRow,
    pub(crate) lines: Vec<Line>,
}

/// What is known of a transfer before it is made.
#[derive(Debug)]
pub(crate) struct NewRow<'a> {
    pub(crate) id: TransferId,
    pub(crate) from_store_id: StoreId,
    pub(crate) to_store_id: StoreId,
    pub(crate) status: Status,
    pub(crate) note: Option<&'a str>,
    pub(crate) source: Option<(&'a str, Uuid)>,
    pub(crate) return_of: Option<TransferId>,
    pub(crate) created_by: UserId,
    pub(crate) at: DateTime<Utc>,
    pub(crate) requested_at: Option<DateTime<Utc>>,
}

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = sql_types::BigInt)]
    last: i64,
}

statement! {
    struct NextNumber {}
    "INSERT INTO transfer_numbers AS n (is_only, last) VALUES (true, 1) \
     ON CONFLICT (is_only) DO UPDATE SET last = n.last + 1 RETURNING last"
}

/// Makes the row under the next number. Whoever makes another waits for this transaction, so that
/// numbers have no gaps.
pub(crate) fn insert(conn: &mut PgConnection, new: &NewRow<'_>) -> QueryResult<TransferRow> {
    let Number { last } = NextNumber {}.get_result(conn)?;
    diesel::insert_into(transfers::table)
        .values((
            transfers::id.eq(new.id),
            transfers::number.eq(last),
            transfers::from_store_id.eq(new.from_store_id),
            transfers::to_store_id.eq(new.to_store_id),
            transfers::status.eq(new.status),
            transfers::note.eq(new.note),
            transfers::source_type.eq(new.source.map(|(kind, _)| kind)),
            transfers::source_id.eq(new.source.map(|(_, id)| id)),
            transfers::return_of.eq(new.return_of),
            transfers::version.eq(1),
            transfers::created_by.eq(new.created_by),
            transfers::created_at.eq(new.at),
            transfers::updated_at.eq(new.at),
            transfers::requested_at.eq(new.requested_at),
        ))
        .returning(TransferRow::as_returning())
        .get_result(conn)
}

statement! {
    struct InsertLines<'a> {
        transfer: TransferId => sql_types::Uuid,
        products: Vec<ProductId> => sql_types::Array<sql_types::Uuid>,
        skus: Vec<&'a str> => sql_types::Array<sql_types::Text>,
        names: Vec<&'a str> => sql_types::Array<sql_types::Text>,
        requested: Vec<i64> => sql_types::Array<sql_types::BigInt>,
    }
    "INSERT INTO transfer_lines (transfer_id, product_id, sku, name, requested) \
     SELECT t.id, l.* FROM (SELECT {}::uuid AS id) t, unnest({}, {}, {}, {}) AS l"
}

/// Adds lines on which nothing but a request stands.
pub(crate) fn insert_lines(
    conn: &mut PgConnection,
    transfer: TransferId,
    lines: &[Line],
) -> QueryResult<()> {
    InsertLines {
        transfer,
        products: lines.iter().map(|l| l.product_id).collect(),
        skus: lines.iter().map(|l| l.sku.as_str()).collect(),
        names: lines.iter().map(|l| l.name.as_str()).collect(),
        requested: lines.iter().map(|l| l.requested).collect(),
    }
    .execute(conn)
    .map(drop)
}

/// Removes the lines of a draft.
pub(crate) fn remove_lines(conn: &mut PgConnection, transfer: TransferId) -> QueryResult<()> {
    let lines = transfer_lines::table.filter(transfer_lines::transfer_id.eq(transfer));
    diesel::delete(lines).execute(conn).map(drop)
}

/// Writes what may change of a transfer and its lines, where it is still at `version`.
///
/// # Errors
///
/// [`Error::RollbackTransaction`] where it is not, which the caller's lock excludes.
pub(crate) fn save(conn: &mut PgConnection, transfer: &Transfer, version: i64) -> QueryResult<()> {
    let row = &transfer.row;
    let target = transfers::table
        .find(row.id)
        .filter(transfers::version.eq(version));
    let changed = diesel::update(target)
        .set((
            transfers::status.eq(row.status),
            transfers::note.eq(row.note.as_deref()),
            transfers::reason.eq(row.reason.as_deref()),
            transfers::version.eq(row.version),
            transfers::updated_at.eq(row.updated_at),
            transfers::requested_at.eq(row.requested_at),
            transfers::approved_at.eq(row.approved_at),
            transfers::dispatched_at.eq(row.dispatched_at),
            transfers::ended_at.eq(row.ended_at),
        ))
        .execute(conn)?;
    let lines = save_lines(conn, transfer)?;
    if changed == 1 && lines == transfer.lines.len() {
        Ok(())
    } else {
        Err(Error::RollbackTransaction)
    }
}

statement! {
    struct SaveLines {
        products: Vec<ProductId> => sql_types::Array<sql_types::Uuid>,
        approved: Vec<i64> => sql_types::Array<sql_types::BigInt>,
        sent: Vec<i64> => sql_types::Array<sql_types::BigInt>,
        received: Vec<i64> => sql_types::Array<sql_types::BigInt>,
        damaged: Vec<i64> => sql_types::Array<sql_types::BigInt>,
        lost: Vec<i64> => sql_types::Array<sql_types::BigInt>,
        transfer: TransferId => sql_types::Uuid,
    }
    "UPDATE transfer_lines l SET approved = d.approved, sent = d.sent, received = d.received, \
         damaged = d.damaged, lost = d.lost \
     FROM unnest({}, {}, {}, {}, {}, {}) AS d(product_id, approved, sent, received, damaged, lost) \
     WHERE l.transfer_id = {} AND l.product_id = d.product_id"
}

fn save_lines(conn: &mut PgConnection, transfer: &Transfer) -> QueryResult<usize> {
    let of = |field: fn(&Line) -> i64| transfer.lines.iter().map(field).collect();
    SaveLines {
        products: transfer.lines.iter().map(|l| l.product_id).collect(),
        approved: of(|l| l.approved),
        sent: of(|l| l.sent),
        received: of(|l| l.received),
        damaged: of(|l| l.damaged),
        lost: of(|l| l.lost),
        transfer: transfer.row.id,
    }
    .execute(conn)
}

#[derive(QueryableByName)]
struct Whole {
    #[diesel(embed)]
    head: TransferRow,
    #[diesel(sql_type = sql_types::Jsonb)]
    lines: Value,
}

statement! {
    struct Find {
        id: TransferId => sql_types::Uuid,
        stores: Option<Vec<StoreId>> => sql_types::Nullable<sql_types::Array<sql_types::Uuid>>,
    }
    "SELECT t.*, (SELECT coalesce(jsonb_agg(to_jsonb(l) || jsonb_build_object('returned', ( \
             SELECT coalesce(sum(CASE WHEN r.dispatched_at IS NOT NULL THEN b.sent \
                 WHEN r.approved_at IS NOT NULL THEN b.approved ELSE b.requested END), 0)::bigint \
             FROM transfers r JOIN transfer_lines b ON b.transfer_id = r.id \
             WHERE r.return_of = l.transfer_id AND b.product_id = l.product_id \
                 AND r.status NOT IN ('cancelled', 'rejected'))) ORDER BY l.product_id), '[]') \
         FROM transfer_lines l WHERE l.transfer_id = t.id) AS lines \
     FROM (SELECT {}::uuid AS id, {}::uuid[] AS stores) p JOIN transfers t ON t.id = p.id \
         AND (p.stores IS NULL OR t.from_store_id = ANY(p.stores) OR t.to_store_id = ANY(p.stores))"
}

/// A transfer from or to a store in `scope`.
pub(crate) fn find(
    conn: &mut PgConnection,
    id: TransferId,
    scope: &Scope,
) -> QueryResult<Option<Transfer>> {
    let stores = scope.as_filter();
    let Some(Whole { head, lines }) = Find { id, stores }.get_result(conn).optional()? else {
        return Ok(None);
    };
    let lines =
        serde_json::from_value(lines).map_err(|e| Error::DeserializationError(Box::new(e)))?;
    Ok(Some(Transfer { row: head, lines }))
}

statement! {
    struct Lock { id: TransferId => sql_types::Uuid }
    "SELECT id FROM transfers WHERE id = {} FOR NO KEY UPDATE"
}

/// A transfer, locked until the transaction ends. Its lines are read once it is.
pub(crate) fn lock(conn: &mut PgConnection, id: TransferId) -> QueryResult<Option<Transfer>> {
    Lock { id }.execute(conn)?;
    find(conn, id, &Scope::All)
}

/// What a list of transfers is limited to.
#[derive(Debug)]
pub(crate) struct TransferFilter {
    pub(crate) scope: Scope,
    pub(crate) from_store_id: Option<StoreId>,
    pub(crate) to_store_id: Option<StoreId>,
    pub(crate) status: Option<Status>,
    pub(crate) product_id: Option<ProductId>,
    pub(crate) return_of: Option<TransferId>,
    pub(crate) after: Option<i64>,
    pub(crate) limit: Limit,
}

/// Transfers by number, the newest first; one more than `limit`, if there is one.
pub(crate) fn list(
    conn: &mut PgConnection,
    filter: TransferFilter,
) -> QueryResult<Vec<TransferRow>> {
    let TransferFilter {
        scope,
        from_store_id,
        to_store_id,
        status,
        product_id,
        return_of,
        after,
        limit,
    } = filter;
    let mut query = transfers::table
        .select(TransferRow::as_select())
        .into_boxed();
    if let Some(stores) = scope.as_filter() {
        let from = transfers::from_store_id.eq_any(stores.clone());
        query = query.filter(from.or(transfers::to_store_id.eq_any(stores)));
    }
    if let Some(store) = from_store_id {
        query = query.filter(transfers::from_store_id.eq(store));
    }
    if let Some(store) = to_store_id {
        query = query.filter(transfers::to_store_id.eq(store));
    }
    if let Some(status) = status {
        query = query.filter(transfers::status.eq(status));
    }
    if let Some(product) = product_id {
        let of_transfer = transfer_lines::transfer_id.eq(transfers::id);
        query =
            query
                .filter(exists(transfer_lines::table.filter(
                    of_transfer.and(transfer_lines::product_id.eq(product)),
                )));
    }
    if let Some(original) = return_of {
        query = query.filter(transfers::return_of.eq(original));
    }
    if let Some(number) = after {
        query = query.filter(transfers::number.lt(number));
    }
    query
        .order(transfers::number.desc())
        .limit(limit.plus_one())
        .load(conn)
}
