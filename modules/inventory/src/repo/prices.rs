//! Dated prices: made, read, and ended under a lock.

use chrono::{DateTime, Utc};
use diesel::{pg::Pg, prelude::*};
use kernel::{
    auth::Scope,
    ids::{ProductId, StoreId, UserId},
    money::{Currency, Minor, Quantity},
    page::Limit,
};
use uuid::Uuid;

use crate::schema::prices;

/// One row of `prices`.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = prices, check_for_backend(Pg), treat_none_as_default_value = false)]
pub(crate) struct PriceRow {
    pub(crate) id: Uuid,
    pub(crate) product_id: ProductId,
    /// `None` is every store.
    pub(crate) store_id: Option<StoreId>,
    pub(crate) price_minor: Minor,
    pub(crate) currency: Currency,
    pub(crate) price_per: Quantity,
    pub(crate) valid_from: DateTime<Utc>,
    pub(crate) valid_until: Option<DateTime<Utc>>,
    pub(crate) withdrawn_at: Option<DateTime<Utc>>,
    pub(crate) version: i64,
    pub(crate) created_by: UserId,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) updated_at: DateTime<Utc>,
}

pub(crate) fn insert(conn: &mut PgConnection, row: &PriceRow) -> QueryResult<()> {
    diesel::insert_into(prices::table)
        .values(row)
        .execute(conn)
        .map(drop)
}

type Boxed = prices::BoxedQuery<'static, Pg>;

/// Prices of every store, and those of the stores in `scope`.
fn seen(scope: &Scope) -> Boxed {
    let query = prices::table.into_boxed();
    match scope.as_filter() {
        None => query,
        Some(stores) => query.filter(
            prices::store_id
                .is_null()
                .or(prices::store_id.eq_any(stores)),
        ),
    }
}

/// The price, where it may be seen.
pub(crate) fn find(
    conn: &mut PgConnection,
    id: Uuid,
    scope: &Scope,
) -> QueryResult<Option<PriceRow>> {
    seen(scope)
        .filter(prices::id.eq(id))
        .select(PriceRow::as_select())
        .first(conn)
        .optional()
}

/// The price, locked until the transaction ends.
pub(crate) fn lock(conn: &mut PgConnection, id: Uuid) -> QueryResult<Option<PriceRow>> {
    prices::table
        .find(id)
        .select(PriceRow::as_select())
        .for_no_key_update()
        .first(conn)
        .optional()
}

/// Writes the end of a price that is locked.
pub(crate) fn save(conn: &mut PgConnection, row: &PriceRow) -> QueryResult<()> {
    diesel::update(prices::table.find(row.id))
        .set((
            prices::valid_until.eq(row.valid_until),
            prices::withdrawn_at.eq(row.withdrawn_at),
            prices::version.eq(row.version),
            prices::updated_at.eq(row.updated_at),
        ))
        .execute(conn)
        .map(drop)
}

/// What a list of prices is limited to.
#[derive(Debug)]
pub(crate) struct PriceFilter {
    pub(crate) scope: Scope,
    pub(crate) product_id: Option<ProductId>,
    /// Of this store alone.
    pub(crate) store_id: Option<StoreId>,
    /// Within their dates at this moment.
    pub(crate) at: Option<DateTime<Utc>>,
    pub(crate) after: Option<(DateTime<Utc>, Uuid)>,
    pub(crate) limit: Limit,
}

/// Prices, the one that begins last first; one more than `limit`, if there is one.
pub(crate) fn list(conn: &mut PgConnection, filter: PriceFilter) -> QueryResult<Vec<PriceRow>> {
    let PriceFilter {
        scope,
        product_id,
        store_id,
        at,
        after,
        limit,
    } = filter;
    let mut query = seen(&scope);
    if let Some(product_id) = product_id {
        query = query.filter(prices::product_id.eq(product_id));
    }
    if let Some(store_id) = store_id {
        query = query.filter(prices::store_id.eq(store_id));
    }
    if let Some(at) = at {
        let runs = prices::valid_until.is_null().or(prices::valid_until.gt(at));
        query = query
            .filter(prices::withdrawn_at.is_null())
            .filter(prices::valid_from.le(at))
            .filter(runs);
    }
    if let Some((from, id)) = after {
        query = query.filter(prices::valid_from.le(from)).filter(
            prices::valid_from
                .lt(from)
                .or(prices::valid_from.eq(from).and(prices::id.lt(id))),
        );
    }
    query
        .order((prices::valid_from.desc(), prices::id.desc()))
        .limit(limit.plus_one())
        .select(PriceRow::as_select())
        .load(conn)
}
