//! Reads stock levels.

use chrono::{DateTime, Utc};
use diesel::{prelude::*, sql_types};
use kernel::{
    auth::Scope,
    ids::{ProductId, StoreId},
    page::Limit,
    statement,
};
use store_api::StoreLevel;

use crate::{domain::ledger::Key, schema::levels};

/// What one store has of one product.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = levels, check_for_backend(diesel::pg::Pg))]
pub(crate) struct LevelRow {
    pub(crate) store_id: StoreId,
    pub(crate) product_id: ProductId,
    pub(crate) on_hand: i64,
    pub(crate) reserved: i64,
    pub(crate) damaged: i64,
    pub(crate) incoming: i64,
    pub(crate) version: i64,
    pub(crate) updated_at: DateTime<Utc>,
}

/// What a list of levels is limited to.
#[derive(Debug)]
pub(crate) struct LevelFilter {
    pub(crate) scope: Scope,
    pub(crate) product_id: Option<ProductId>,
    pub(crate) below: Option<i64>,
    pub(crate) after: Option<Key>,
    pub(crate) limit: Limit,
}

statement! {
    struct Stocked {
        store: StoreId => sql_types::Uuid,
        most: i64 => sql_types::BigInt,
    }
    "SELECT product_id FROM levels WHERE store_id = {} AND on_hand <> 0 ORDER BY product_id LIMIT {}"
}

#[derive(QueryableByName)]
struct StockedRow {
    #[diesel(sql_type = sql_types::Uuid)]
    product_id: ProductId,
}

/// The products of which the store's books have some, or less than none; `most` at most.
pub(crate) fn stocked(
    conn: &mut PgConnection,
    store: StoreId,
    most: i64,
) -> QueryResult<Vec<ProductId>> {
    let rows: Vec<StockedRow> = Stocked { store, most }.get_results(conn)?;
    Ok(rows.into_iter().map(|row| row.product_id).collect())
}

/// Levels by store and product; one more than `limit`, if there is one.
pub(crate) fn list(conn: &mut PgConnection, filter: LevelFilter) -> QueryResult<Vec<LevelRow>> {
    let LevelFilter {
        scope,
        product_id,
        below,
        after,
        limit,
    } = filter;
    let mut query = levels::table.select(LevelRow::as_select()).into_boxed();
    if let Some(stores) = scope.as_filter() {
        query = query.filter(levels::store_id.eq_any(stores));
    }
    if let Some(product) = product_id {
        query = query.filter(levels::product_id.eq(product));
    }
    if let Some(below) = below {
        query = query.filter(levels::on_hand.lt(below));
    }
    if let Some((store, product)) = after {
        query = query.filter(
            levels::store_id.gt(store).or(levels::store_id
                .eq(store)
                .and(levels::product_id.gt(product))),
        );
    }
    query
        .order((levels::store_id, levels::product_id))
        .limit(limit.plus_one())
        .load(conn)
}

pub(crate) fn find(conn: &mut PgConnection, key: Key) -> QueryResult<Option<LevelRow>> {
    levels::table
        .find(key)
        .select(LevelRow::as_select())
        .first(conn)
        .optional()
}

/// A level with its store's names.
#[derive(Debug, QueryableByName)]
struct NamedLevel {
    #[diesel(sql_type = sql_types::Uuid)]
    store_id: StoreId,
    #[diesel(sql_type = sql_types::Text)]
    store_code: String,
    #[diesel(sql_type = sql_types::Text)]
    store_name: String,
    #[diesel(sql_type = sql_types::Uuid)]
    product_id: ProductId,
    #[diesel(sql_type = sql_types::BigInt)]
    on_hand: i64,
    #[diesel(sql_type = sql_types::BigInt)]
    reserved: i64,
    #[diesel(sql_type = sql_types::BigInt)]
    damaged: i64,
    #[diesel(sql_type = sql_types::BigInt)]
    incoming: i64,
}

statement! {
    struct OfProducts<'a> {
        products: &'a [ProductId] => sql_types::Array<sql_types::Uuid>,
        stores: Option<Vec<StoreId>> => sql_types::Nullable<sql_types::Array<sql_types::Uuid>>,
    }
    "SELECT l.store_id, s.code AS store_code, s.name AS store_name, l.product_id, l.on_hand, \
         l.reserved, l.damaged, l.incoming \
     FROM (SELECT {}::uuid[] AS products, {}::uuid[] AS stores) p \
     JOIN levels l ON l.product_id = ANY(p.products) \
         AND (p.stores IS NULL OR l.store_id = ANY(p.stores)) \
     JOIN stores s ON s.id = l.store_id \
     ORDER BY l.product_id, s.code"
}

/// The levels of `products` at the stores in `scope`, by product and store code.
pub(crate) fn of_products(
    conn: &mut PgConnection,
    scope: &Scope,
    products: &[ProductId],
) -> QueryResult<Vec<StoreLevel>> {
    let rows: Vec<NamedLevel> = OfProducts {
        products,
        stores: scope.as_filter(),
    }
    .get_results(conn)?;
    Ok(rows.into_iter().map(StoreLevel::from).collect())
}

statement! {
    struct OfStore {
        store: StoreId => sql_types::Uuid,
        after: Option<ProductId> => sql_types::Nullable<sql_types::Uuid>,
        limit: i64 => sql_types::BigInt,
    }
    "SELECT l.store_id, s.code AS store_code, s.name AS store_name, l.product_id, l.on_hand, \
         l.reserved, l.damaged, l.incoming \
     FROM (SELECT {}::uuid AS store, {}::uuid AS after) p \
     JOIN levels l ON l.store_id = p.store AND (p.after IS NULL OR l.product_id > p.after) \
     JOIN stores s ON s.id = l.store_id \
     ORDER BY l.product_id LIMIT {}"
}

/// Up to `limit` levels of one store, by product.
pub(crate) fn of_store(
    conn: &mut PgConnection,
    store: StoreId,
    after: Option<ProductId>,
    limit: i64,
) -> QueryResult<Vec<StoreLevel>> {
    let rows: Vec<NamedLevel> = OfStore {
        store,
        after,
        limit,
    }
    .get_results(conn)?;
    Ok(rows.into_iter().map(StoreLevel::from).collect())
}

impl From<NamedLevel> for StoreLevel {
    fn from(row: NamedLevel) -> Self {
        let NamedLevel {
            store_id,
            store_code,
            store_name,
            product_id,
            on_hand,
            reserved,
            damaged,
            incoming,
        } = row;
        Self {
            store_id,
            store_code,
            store_name,
            product_id,
            on_hand,
            reserved,
            damaged,
            incoming,
        }
    }
}
