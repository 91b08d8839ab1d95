//! The list of movements that took what the books did not have.

use chrono::{DateTime, Utc};
use diesel::{
    OptionalExtension, PgConnection, QueryResult, QueryableByName, RunQueryDsl, result::Error,
    sql_types,
};
use kernel::{
    auth::Scope,
    call::SYSTEM,
    ids::{ProductId, SaleId, StoreId, UserId},
    page::Limit,
    statement,
};
use uuid::Uuid;

use super::columns::{Answer, Standing};
use crate::domain::ledger::Key;

statement! {
    struct Insert {
        stores: Vec<StoreId> => sql_types::Array<sql_types::Uuid>,
        ids: Vec<Uuid> => sql_types::Array<sql_types::Uuid>,
        products: Vec<ProductId> => sql_types::Array<sql_types::Uuid>,
        seqs: Vec<i64> => sql_types::Array<sql_types::BigInt>,
    }
    "INSERT INTO discrepancies (store_id, id, product_id, seq, state) \
     SELECT d.*, 'open' FROM unnest({}, {}, {}, {}) AS d"
}

/// Lists movements that this transaction has written. No statement where there are none, which is
/// nearly always.
pub(crate) fn insert(
    conn: &mut PgConnection,
    oversold: impl Iterator<Item = (Key, i64)>,
) -> QueryResult<()> {
    let oversold: Vec<(Key, i64)> = oversold.collect();
    if oversold.is_empty() {
        return Ok(());
    }
    Insert {
        stores: oversold.iter().map(|((store, _), _)| *store).collect(),
        ids: oversold.iter().map(|_| Uuid::now_v7()).collect(),
        products: oversold.iter().map(|((_, product), _)| *product).collect(),
        seqs: oversold.iter().map(|(_, seq)| *seq).collect(),
    }
    .execute(conn)
    .map(drop)
}

statement! {
    struct Abort<'a> {
        system: UserId => sql_types::Uuid,
        ids: &'a [SaleId] => sql_types::Array<sql_types::Uuid>,
    }
    "UPDATE discrepancies d SET state = 'resolved', resolution = 'sale_aborted', \
         resolved_by = {}, resolved_at = statement_timestamp() \
     FROM holds h JOIN movements m ON m.store_id = h.store_id AND m.document_id = h.hold_id \
         AND m.reason = 'sale' \
     WHERE h.hold_id = ANY({}) AND d.store_id = m.store_id AND d.product_id = m.product_id \
         AND d.seq = m.seq AND d.state = 'open'"
}

/// Closes what is open of holds that this transaction releases: their goods go back.
pub(crate) fn abort(conn: &mut PgConnection, released: &[SaleId]) -> QueryResult<()> {
    if released.is_empty() {
        return Ok(());
    }
    Abort {
        system: SYSTEM,
        ids: released,
    }
    .execute(conn)
    .map(drop)
}

/// A discrepancy, with what its movement tells.
#[derive(Debug, Clone, QueryableByName)]
pub(crate) struct DiscrepancyRow {
    #[diesel(sql_type = sql_types::Uuid)]
    pub(crate) id: Uuid,
    #[diesel(sql_type = sql_types::Uuid)]
    pub(crate) store_id: StoreId,
    #[diesel(sql_type = sql_types::Uuid)]
    pub(crate) product_id: ProductId,
    #[diesel(sql_type = sql_types::BigInt)]
    pub(crate) seq: i64,
    /// Taken, and not there.
    #[diesel(sql_type = sql_types::BigInt)]
    pub(crate) quantity: i64,
    #[diesel(sql_type = sql_types::BigInt)]
    pub(crate) on_hand_after: i64,
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
    #[diesel(sql_type = sql_types::Text)]
    pub(crate) state: Standing,
    #[diesel(sql_type = sql_types::Nullable<sql_types::Text>)]
    pub(crate) resolution: Option<Answer>,
    #[diesel(sql_type = sql_types::Nullable<sql_types::Text>)]
    pub(crate) note: Option<String>,
    #[diesel(sql_type = sql_types::Nullable<sql_types::Uuid>)]
    pub(crate) resolved_by: Option<UserId>,
    #[diesel(sql_type = sql_types::Nullable<sql_types::Timestamptz>)]
    pub(crate) resolved_at: Option<DateTime<Utc>>,
}

/// The columns of a row, from `d` and its movement `m`.
macro_rules! columns {
    () => {
        "d.id, d.store_id, d.product_id, d.seq, least(-m.delta, -m.balance) AS quantity, \
         m.balance AS on_hand_after, m.document_type, m.document_id, m.actor_id, m.occurred_at, \
         m.recorded_at, d.state, d.resolution, d.note, d.resolved_by, d.resolved_at \
         FROM discrepancies d JOIN movements m \
             ON m.store_id = d.store_id AND m.product_id = d.product_id AND m.seq = d.seq "
    };
}

statement! {
    struct Find {
        id: Uuid => sql_types::Uuid,
        stores: Option<Vec<StoreId>> => sql_types::Nullable<sql_types::Array<sql_types::Uuid>>,
    }
    concat!(
        "SELECT ", columns!(),
        "JOIN (SELECT {}::uuid AS id, {}::uuid[] AS stores) p ON p.id = d.id \
             AND (p.stores IS NULL OR d.store_id = ANY(p.stores))"
    )
}

/// A discrepancy of a store in `scope`.
pub(crate) fn find(
    conn: &mut PgConnection,
    id: Uuid,
    scope: &Scope,
) -> QueryResult<Option<DiscrepancyRow>> {
    let stores = scope.as_filter();
    Find { id, stores }.get_result(conn).optional()
}

statement! {
    struct Lock { id: Uuid => sql_types::Uuid }
    "SELECT id FROM discrepancies WHERE id = {} FOR NO KEY UPDATE"
}

/// A discrepancy, locked until the transaction ends.
pub(crate) fn lock(conn: &mut PgConnection, id: Uuid) -> QueryResult<Option<DiscrepancyRow>> {
    Lock { id }.execute(conn)?;
    find(conn, id, &Scope::All)
}

statement! {
    struct Resolve<'a> {
        resolution: Answer => sql_types::Text,
        note: Option<&'a str> => sql_types::Nullable<sql_types::Text>,
        resolved_by: Option<UserId> => sql_types::Nullable<sql_types::Uuid>,
        resolved_at: Option<DateTime<Utc>> => sql_types::Nullable<sql_types::Timestamptz>,
        id: Uuid => sql_types::Uuid,
    }
    "UPDATE discrepancies SET state = 'resolved', resolution = {}, note = {}, resolved_by = {}, \
         resolved_at = {} \
     WHERE id = {} AND state = 'open'"
}

/// Writes how `row`, which this transaction has locked, was resolved.
///
/// # Errors
///
/// [`Error::RollbackTransaction`] where it is not open, which the lock excludes.
pub(crate) fn resolve(
    conn: &mut PgConnection,
    row: &DiscrepancyRow,
    resolution: Answer,
) -> QueryResult<()> {
    let resolve = Resolve {
        resolution,
        note: row.note.as_deref(),
        resolved_by: row.resolved_by,
        resolved_at: row.resolved_at,
        id: row.id,
    };
    match resolve.execute(conn)? {
        1 => Ok(()),
        _ => Err(Error::RollbackTransaction),
    }
}

/// What a list of discrepancies is limited to.
#[derive(Debug)]
pub(crate) struct DiscrepancyFilter {
    pub(crate) scope: Scope,
    pub(crate) product_id: Option<ProductId>,
    pub(crate) document_id: Option<Uuid>,
    pub(crate) state: Option<Standing>,
    pub(crate) after: Option<Uuid>,
    pub(crate) limit: Limit,
}

statement! {
    struct List {
        stores: Option<Vec<StoreId>> => sql_types::Nullable<sql_types::Array<sql_types::Uuid>>,
        product: Option<ProductId> => sql_types::Nullable<sql_types::Uuid>,
        document: Option<Uuid> => sql_types::Nullable<sql_types::Uuid>,
        state: Option<Standing> => sql_types::Nullable<sql_types::Text>,
        after: Option<Uuid> => sql_types::Nullable<sql_types::Uuid>,
        page: i64 => sql_types::BigInt,
    }
    concat!(
        "SELECT ", columns!(),
        "JOIN (SELECT {}::uuid[] AS stores, {}::uuid AS product, {}::uuid AS document, \
                 {}::text AS state, {}::uuid AS after) p \
             ON (p.stores IS NULL OR d.store_id = ANY(p.stores)) \
             AND (p.product IS NULL OR d.product_id = p.product) \
             AND (p.document IS NULL OR m.document_id = p.document) \
             AND (p.state IS NULL OR d.state = p.state) AND (p.after IS NULL OR d.id < p.after) \
         ORDER BY d.id DESC LIMIT {}"
    )
}

/// Discrepancies by id, the newest first; one more than a page, if there is one.
pub(crate) fn list(
    conn: &mut PgConnection,
    filter: DiscrepancyFilter,
) -> QueryResult<Vec<DiscrepancyRow>> {
    let DiscrepancyFilter {
        scope,
        product_id,
        document_id,
        state,
        after,
        limit,
    } = filter;
    List {
        stores: scope.as_filter(),
        product: product_id,
        document: document_id,
        state,
        after,
        page: limit.plus_one(),
    }
    .get_results(conn)
}
