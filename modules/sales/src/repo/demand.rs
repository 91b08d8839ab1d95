//! How much was sold of products, for the contract of that name.

use chrono::NaiveDate;
use diesel::{PgConnection, QueryResult, QueryableByName, RunQueryDsl, sql_types};
use kernel::{
    ids::{ProductId, StoreId},
    statement,
};
use sales_api::{LastSold, LastSoldQuery, Sold, SoldQuery};

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = sql_types::Uuid)]
    store_id: StoreId,
    #[diesel(sql_type = sql_types::Uuid)]
    product_id: ProductId,
    #[diesel(sql_type = sql_types::BigInt)]
    quantity: i64,
    #[diesel(sql_type = sql_types::Nullable<sql_types::Date>)]
    last_sold_on: Option<NaiveDate>,
}

statement! {
    /// Sales and returns side by side, each on its own business day.
    struct SoldOf<'a> {
        stores: &'a [StoreId] => sql_types::Array<sql_types::Uuid>,
        products: &'a [ProductId] => sql_types::Array<sql_types::Uuid>,
        from: NaiveDate => sql_types::Date,
        to: NaiveDate => sql_types::Date,
    }
    "WITH p AS (SELECT {}::uuid[] AS stores, {}::uuid[] AS products, {}::date AS since, {}::date AS until), \
         facts AS ( \
             SELECT s.store_id, l.product_id, l.quantity, s.business_date AS sold_on \
             FROM p, sales s JOIN sale_lines l ON l.sale_id = s.id \
             WHERE s.state = 'recorded' AND s.business_date BETWEEN p.since AND p.until \
                 AND s.store_id = ANY(p.stores) AND l.product_id = ANY(p.products) \
             UNION ALL \
             SELECT r.store_id, b.product_id, -b.quantity, NULL \
             FROM p, returns r JOIN return_lines b ON b.return_id = r.id \
             WHERE r.business_date BETWEEN p.since AND p.until \
                 AND r.store_id = ANY(p.stores) AND b.product_id = ANY(p.products)) \
     SELECT store_id, product_id, \
         GREATEST(LEAST(sum(quantity), 9223372036854775807), -9223372036854775808)::bigint AS quantity, \
         max(sold_on) AS last_sold_on \
     FROM facts GROUP BY store_id, product_id ORDER BY store_id, product_id"
}

/// What the stores sold of the products, less what came back.
pub(crate) fn sold(conn: &mut PgConnection, query: &SoldQuery) -> QueryResult<Vec<Sold>> {
    let SoldQuery {
        stores,
        products,
        from,
        to,
    } = query;
    let rows: Vec<Row> = SoldOf {
        stores,
        products,
        from: *from,
        to: *to,
    }
    .get_results(conn)?;
    Ok(rows.into_iter().map(Sold::from).collect())
}

impl From<Row> for Sold {
    fn from(row: Row) -> Self {
        let Row {
            store_id,
            product_id,
            quantity,
            last_sold_on,
        } = row;
        Self {
            store_id,
            product_id,
            quantity,
            last_sold_on,
        }
    }
}

#[derive(QueryableByName)]
struct LastRow {
    #[diesel(sql_type = sql_types::Uuid)]
    product_id: ProductId,
    #[diesel(sql_type = sql_types::Date)]
    sold_on: NaiveDate,
}

statement! {
    struct LastOf<'a> {
        store: StoreId => sql_types::Uuid,
        products: &'a [ProductId] => sql_types::Array<sql_types::Uuid>,
    }
    "SELECT l.product_id, max(s.business_date) AS sold_on \
     FROM (SELECT {}::uuid AS store, {}::uuid[] AS products) p \
     JOIN sale_lines l ON l.product_id = ANY(p.products) AND l.store_id = p.store \
     JOIN sales s ON s.id = l.sale_id AND s.state = 'recorded' \
     GROUP BY l.product_id ORDER BY l.product_id"
}

/// When the products were last sold at the store.
pub(crate) fn last_sold(
    conn: &mut PgConnection,
    query: &LastSoldQuery,
) -> QueryResult<Vec<LastSold>> {
    let rows: Vec<LastRow> = LastOf {
        store: query.store,
        products: &query.products,
    }
    .get_results(conn)?;
    let last = |LastRow {
                    product_id,
                    sold_on,
                }| LastSold {
        product_id,
        on: sold_on,
    };
    Ok(rows.into_iter().map(last).collect())
}
