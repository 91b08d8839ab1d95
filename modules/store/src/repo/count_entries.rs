//! What was entered on the sheets of counts; never changed.

use chrono::{DateTime, Utc};
use diesel::{PgConnection, QueryResult, QueryableByName, RunQueryDsl, sql_types};
use kernel::{
    auth::Scope,
    ids::{CountId, ProductId, StoreId, UserId},
    page::Limit,
    statement,
};

use super::{
    columns::{CountStatusText, EntryModeText},
    counts::CountRow,
};

/// An entry to be written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NewEntry {
    pub(crate) product_id: ProductId,
    /// 1, 2, 3 … per line.
    pub(crate) seq: i64,
    pub(crate) pass: i64,
    pub(crate) mode: EntryModeText,
    pub(crate) quantity: i64,
    /// The line's after it.
    pub(crate) figure: i64,
    pub(crate) level_version: i64,
    pub(crate) on_hand: i64,
}

statement! {
    struct Insert {
        store: StoreId => sql_types::Uuid,
        count: CountId => sql_types::Uuid,
        actor: UserId => sql_types::Uuid,
        products: Vec<ProductId> => sql_types::Array<sql_types::Uuid>,
        seqs: Vec<i64> => sql_types::Array<sql_types::BigInt>,
        passes: Vec<i64> => sql_types::Array<sql_types::BigInt>,
        modes: Vec<&'static str> => sql_types::Array<sql_types::Text>,
        quantities: Vec<i64> => sql_types::Array<sql_types::BigInt>,
        figures: Vec<i64> => sql_types::Array<sql_types::BigInt>,
        versions: Vec<i64> => sql_types::Array<sql_types::BigInt>,
        on_hands: Vec<i64> => sql_types::Array<sql_types::BigInt>,
    }
    "INSERT INTO count_entries (store_id, count_id, actor_id, recorded_at, product_id, seq, pass, \
         mode, quantity, figure, level_version, on_hand) \
     SELECT c.*, statement_timestamp(), e.* FROM (SELECT {}::uuid, {}::uuid, {}::uuid) c, \
         unnest({}, {}, {}, {}, {}, {}, {}, {}) e"
}

pub(crate) fn insert(
    conn: &mut PgConnection,
    row: &CountRow,
    actor: UserId,
    entries: &[NewEntry],
) -> QueryResult<()> {
    let of = |field: fn(&NewEntry) -> i64| entries.iter().map(field).collect();
    Insert {
        store: row.store_id,
        count: row.id,
        actor,
        products: entries.iter().map(|e| e.product_id).collect(),
        seqs: of(|e| e.seq),
        passes: of(|e| e.pass),
        modes: entries.iter().map(|e| e.mode.text()).collect(),
        quantities: of(|e| e.quantity),
        figures: of(|e| e.figure),
        versions: of(|e| e.level_version),
        on_hands: of(|e| e.on_hand),
    }
    .execute(conn)
    .map(drop)
}

/// An entry of a list, and what decides on who sees what the books said.
#[derive(Debug, QueryableByName)]
pub(crate) struct EntryRow {
    #[diesel(sql_type = sql_types::Uuid)]
    pub(crate) store_id: StoreId,
    #[diesel(sql_type = sql_types::Uuid)]
    pub(crate) product_id: ProductId,
    #[diesel(sql_type = sql_types::BigInt)]
    pub(crate) seq: i64,
    #[diesel(sql_type = sql_types::BigInt)]
    pub(crate) pass: i64,
    #[diesel(sql_type = sql_types::Text)]
    pub(crate) mode: EntryModeText,
    #[diesel(sql_type = sql_types::BigInt)]
    pub(crate) quantity: i64,
    #[diesel(sql_type = sql_types::BigInt)]
    pub(crate) figure: i64,
    #[diesel(sql_type = sql_types::BigInt)]
    pub(crate) level_version: i64,
    #[diesel(sql_type = sql_types::BigInt)]
    pub(crate) on_hand: i64,
    #[diesel(sql_type = sql_types::Uuid)]
    pub(crate) actor_id: UserId,
    #[diesel(sql_type = sql_types::Timestamptz)]
    pub(crate) recorded_at: DateTime<Utc>,
    #[diesel(sql_type = sql_types::Bool)]
    pub(crate) blind: bool,
    #[diesel(sql_type = sql_types::Text)]
    pub(crate) status: CountStatusText,
}

statement! {
    struct List {
        count: CountId => sql_types::Uuid,
        stores: Option<Vec<StoreId>> => sql_types::Nullable<sql_types::Array<sql_types::Uuid>>,
        product: Option<ProductId> => sql_types::Nullable<sql_types::Uuid>,
        after_product: Option<ProductId> => sql_types::Nullable<sql_types::Uuid>,
        after_seq: Option<i64> => sql_types::Nullable<sql_types::BigInt>,
        page: i64 => sql_types::BigInt,
    }
    "SELECT e.*, c.blind, c.status \
     FROM (SELECT {}::uuid AS id, {}::uuid[] AS stores, {}::uuid AS product, \
         {}::uuid AS after_product, {}::bigint AS after_seq) p \
     JOIN counts c ON c.id = p.id AND (p.stores IS NULL OR c.store_id = ANY(p.stores)) \
     JOIN count_entries e ON e.store_id = c.store_id AND e.count_id = c.id \
         AND (p.product IS NULL OR e.product_id = p.product) \
         AND (p.after_product IS NULL OR (e.product_id, e.seq) > (p.after_product, p.after_seq)) \
     ORDER BY e.product_id, e.seq LIMIT {}"
}

/// The entries of a count at a store in `scope`, by product and in their order; one more than a
/// page, if there is one.
pub(crate) fn list(
    conn: &mut PgConnection,
    count: CountId,
    scope: &Scope,
    product: Option<ProductId>,
    after: Option<(ProductId, i64)>,
    limit: Limit,
) -> QueryResult<Vec<EntryRow>> {
    List {
        count,
        stores: scope.as_filter(),
        product,
        after_product: after.map(|(product, _)| product),
        after_seq: after.map(|(_, seq)| seq),
        page: limit.plus_one(),
    }
    .get_results(conn)
}
