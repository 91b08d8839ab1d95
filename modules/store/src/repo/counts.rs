//! The rows of counts.

use chrono::{DateTime, Utc};
use diesel::{
    OptionalExtension, PgConnection, QueryResult, QueryableByName, RunQueryDsl, result::Error,
    sql_types,
};
use kernel::{
    auth::Scope,
    ids::{CountId, ProductId, StoreId, UserId},
    page::Limit,
    statement,
};
use uuid::Uuid;

use super::columns::{CountKindText, CountStatusText, UncountedText};

/// A count without its lines.
#[derive(Debug, Clone, PartialEq, Eq, QueryableByName)]
pub(crate) struct CountRow {
    #[diesel(sql_type = sql_types::Uuid)]
    pub(crate) id: CountId,
    #[diesel(sql_type = sql_types::BigInt)]
    pub(crate) number: i64,
    #[diesel(sql_type = sql_types::Uuid)]
    pub(crate) store_id: StoreId,
    #[diesel(sql_type = sql_types::Text)]
    pub(crate) kind: CountKindText,
    #[diesel(sql_type = sql_types::Nullable<sql_types::Uuid>)]
    pub(crate) category_id: Option<Uuid>,
    #[diesel(sql_type = sql_types::Bool)]
    pub(crate) blind: bool,
    #[diesel(sql_type = sql_types::Text)]
    pub(crate) status: CountStatusText,
    #[diesel(sql_type = sql_types::Nullable<sql_types::Text>)]
    pub(crate) note: Option<String>,
    #[diesel(sql_type = sql_types::Nullable<sql_types::Text>)]
    pub(crate) uncounted: Option<UncountedText>,
    #[diesel(sql_type = sql_types::Nullable<sql_types::Text>)]
    pub(crate) reason: Option<String>,
    #[diesel(sql_type = sql_types::Uuid)]
    pub(crate) opened_by: UserId,
    #[diesel(sql_type = sql_types::Timestamptz)]
    pub(crate) opened_at: DateTime<Utc>,
    #[diesel(sql_type = sql_types::Timestamptz)]
    pub(crate) updated_at: DateTime<Utc>,
    #[diesel(sql_type = sql_types::Nullable<sql_types::Uuid>)]
    pub(crate) ended_by: Option<UserId>,
    #[diesel(sql_type = sql_types::Nullable<sql_types::Timestamptz>)]
    pub(crate) ended_at: Option<DateTime<Utc>>,
}

/// Sums over the lines of a count; see the view of the same name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, QueryableByName)]
pub(crate) struct Summary {
    #[diesel(sql_type = sql_types::BigInt)]
    pub(crate) lines: i64,
    #[diesel(sql_type = sql_types::BigInt)]
    pub(crate) counted: i64,
    #[diesel(sql_type = sql_types::BigInt)]
    pub(crate) awaiting_recount: i64,
    #[diesel(sql_type = sql_types::BigInt)]
    pub(crate) moved: i64,
    #[diesel(sql_type = sql_types::BigInt)]
    pub(crate) deviations: i64,
    #[diesel(sql_type = sql_types::BigInt)]
    pub(crate) units_up: i64,
    #[diesel(sql_type = sql_types::BigInt)]
    pub(crate) units_down: i64,
}

/// A count with its sums.
#[derive(Debug, Clone, QueryableByName)]
pub(crate) struct Count {
    #[diesel(embed)]
    pub(crate) head: CountRow,
    #[diesel(embed)]
    pub(crate) summary: Summary,
}

statement! {
    struct Insert<'a> {
        id: CountId => sql_types::Uuid,
        store: StoreId => sql_types::Uuid,
        kind: CountKindText => sql_types::Text,
        category: Option<Uuid> => sql_types::Nullable<sql_types::Uuid>,
        blind: bool => sql_types::Bool,
        note: Option<&'a str> => sql_types::Nullable<sql_types::Text>,
        actor: UserId => sql_types::Uuid,
        at: DateTime<Utc> => sql_types::Timestamptz,
    }
    "INSERT INTO counts (store_id, id, number, kind, category_id, blind, status, note, opened_by, \
         opened_at, updated_at) \
     SELECT n.store_id, n.id, 1 + (SELECT coalesce(max(c.number), 0) FROM counts c \
             WHERE c.store_id = n.store_id), \
         n.kind, n.category_id, n.blind, 'open', n.note, n.actor_id, n.at, n.at \
     FROM (SELECT {}::uuid AS id, {}::uuid AS store_id, {}::text AS kind, {}::uuid AS category_id, \
         {}::boolean AS blind, {}::text AS note, {}::uuid AS actor_id, {}::timestamptz AS at) n"
}

/// A count to be made.
#[derive(Debug)]
pub(crate) struct NewCount<'a> {
    pub(crate) id: CountId,
    pub(crate) store_id: StoreId,
    pub(crate) kind: CountKindText,
    pub(crate) category_id: Option<Uuid>,
    pub(crate) blind: bool,
    pub(crate) note: Option<&'a str>,
    pub(crate) actor: UserId,
    pub(crate) at: DateTime<Utc>,
}

/// Makes a count under the store's next number. The caller has locked the store.
pub(crate) fn insert(conn: &mut PgConnection, new: &NewCount<'_>) -> QueryResult<()> {
    Insert {
        id: new.id,
        store: new.store_id,
        kind: new.kind,
        category: new.category_id,
        blind: new.blind,
        note: new.note,
        actor: new.actor,
        at: new.at,
    }
    .execute(conn)
    .map(drop)
}

statement! {
    struct Covering<'a> {
        store: StoreId => sql_types::Uuid,
        full: bool => sql_types::Bool,
        products: &'a [ProductId] => sql_types::Array<sql_types::Uuid>,
    }
    "SELECT c.number FROM (SELECT {}::uuid AS store_id, {}::boolean AS is_full, \
         {}::uuid[] AS products) n \
     JOIN counts c ON c.store_id = n.store_id AND c.ended_at IS NULL AND (n.is_full \
         OR c.kind = 'full' OR EXISTS (SELECT FROM count_lines l WHERE l.store_id = c.store_id \
             AND l.count_id = c.id AND l.is_open AND l.product_id = ANY(n.products))) \
     ORDER BY c.number LIMIT 1"
}

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = sql_types::BigInt)]
    number: i64,
}

/// The first open count that covers one of `products`, or any at all where the new one is `full`.
/// The caller has locked the store.
pub(crate) fn covering(
    conn: &mut PgConnection,
    store: StoreId,
    full: bool,
    products: &[ProductId],
) -> QueryResult<Option<i64>> {
    let covering = Covering {
        store,
        full,
        products,
    };
    let found: Option<Number> = covering.get_result(conn).optional()?;
    Ok(found.map(|row| row.number))
}

statement! {
    struct Find {
        id: CountId => sql_types::Uuid,
        stores: Option<Vec<StoreId>> => sql_types::Nullable<sql_types::Array<sql_types::Uuid>>,
    }
    // The variance of a line that nobody counted is none, until posting moved it all the same.
    "SELECT c.*, s.* FROM (SELECT {}::uuid AS id, {}::uuid[] AS stores) p \
     JOIN counts c ON c.id = p.id AND (p.stores IS NULL OR c.store_id = ANY(p.stores)) \
     CROSS JOIN LATERAL ( \
         SELECT count(*) AS lines, count(l.counted) AS counted, \
             count(*) FILTER (WHERE l.awaits_recount) AS awaiting_recount, \
             count(*) FILTER (WHERE l.last_version <> l.level_version) AS moved, \
             count(*) FILTER (WHERE l.variance <> 0) AS deviations, \
             coalesce(sum(greatest(l.variance, 0)), 0)::bigint AS units_up, \
             coalesce(sum(greatest(-l.variance, 0)), 0)::bigint AS units_down \
         FROM (SELECT *, coalesce(posted, counted - expected, 0) AS variance FROM count_lines) l \
         WHERE l.store_id = c.store_id AND l.count_id = c.id) s"
}

/// A count of a store in `scope`.
pub(crate) fn find(
    conn: &mut PgConnection,
    id: CountId,
    scope: &Scope,
) -> QueryResult<Option<Count>> {
    let stores = scope.as_filter();
    Find { id, stores }.get_result(conn).optional()
}

statement! {
    struct Lock { id: CountId => sql_types::Uuid }
    "SELECT * FROM counts WHERE id = {} FOR NO KEY UPDATE"
}

/// A count, locked until the transaction ends.
pub(crate) fn lock(conn: &mut PgConnection, id: CountId) -> QueryResult<Option<CountRow>> {
    Lock { id }.get_result(conn).optional()
}

statement! {
    struct Save<'a> {
        status: CountStatusText => sql_types::Text,
        uncounted: Option<UncountedText> => sql_types::Nullable<sql_types::Text>,
        reason: Option<&'a str> => sql_types::Nullable<sql_types::Text>,
        updated_at: DateTime<Utc> => sql_types::Timestamptz,
        ended_by: Option<UserId> => sql_types::Nullable<sql_types::Uuid>,
        ended_at: Option<DateTime<Utc>> => sql_types::Nullable<sql_types::Timestamptz>,
        id: CountId => sql_types::Uuid,
    }
    "UPDATE counts SET status = {}, uncounted = {}, reason = {}, updated_at = {}, ended_by = {}, \
         ended_at = {} \
     WHERE id = {} AND ended_at IS NULL"
}

/// Writes what may change of a count, which this transaction has locked and which is not over.
///
/// # Errors
///
/// [`Error::RollbackTransaction`] where it is.
pub(crate) fn save(conn: &mut PgConnection, row: &CountRow) -> QueryResult<()> {
    let save = Save {
        status: row.status,
        uncounted: row.uncounted,
        reason: row.reason.as_deref(),
        updated_at: row.updated_at,
        ended_by: row.ended_by,
        ended_at: row.ended_at,
        id: row.id,
    };
    match save.execute(conn)? {
        1 => Ok(()),
        _ => Err(Error::RollbackTransaction),
    }
}

/// What a list of counts is limited to.
#[derive(Debug)]
pub(crate) struct CountFilter {
    pub(crate) scope: Scope,
    pub(crate) status: Option<CountStatusText>,
    pub(crate) kind: Option<CountKindText>,
    pub(crate) after: Option<(DateTime<Utc>, CountId)>,
    pub(crate) limit: Limit,
}

statement! {
    struct List {
        stores: Option<Vec<StoreId>> => sql_types::Nullable<sql_types::Array<sql_types::Uuid>>,
        status: Option<CountStatusText> => sql_types::Nullable<sql_types::Text>,
        kind: Option<CountKindText> => sql_types::Nullable<sql_types::Text>,
        after_time: Option<DateTime<Utc>> => sql_types::Nullable<sql_types::Timestamptz>,
        after_id: Option<CountId> => sql_types::Nullable<sql_types::Uuid>,
        page: i64 => sql_types::BigInt,
    }
    "SELECT c.* FROM (SELECT {}::uuid[] AS stores, {}::text AS status, {}::text AS kind, \
         {}::timestamptz AS after_time, {}::uuid AS after_id) p \
     JOIN counts c ON (p.stores IS NULL OR c.store_id = ANY(p.stores)) \
         AND (p.status IS NULL OR c.status = p.status) AND (p.kind IS NULL OR c.kind = p.kind) \
         AND (p.after_time IS NULL OR (c.opened_at, c.id) < (p.after_time, p.after_id)) \
     ORDER BY c.opened_at DESC, c.id DESC LIMIT {}"
}

/// Counts, the newest first; one more than a page, if there is one.
pub(crate) fn list(conn: &mut PgConnection, filter: CountFilter) -> QueryResult<Vec<CountRow>> {
    let CountFilter {
        scope,
        status,
        kind,
        after,
        limit,
    } = filter;
    List {
        stores: scope.as_filter(),
        status,
        kind,
        after_time: after.map(|(at, _)| at),
        after_id: after.map(|(_, id)| id),
        page: limit.plus_one(),
    }
    .get_results(conn)
}
