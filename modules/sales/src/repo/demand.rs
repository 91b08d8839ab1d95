//! How much was sold of products, for the contract of that name.

use chrono::NaiveDate;
use diesel::{PgConnection, QueryResult, QueryableByName, RunQueryDsl, sql_types};
use kernel::{
    ids::{ProductId, StoreId},
    statement,
};
use sales_api::{Sold, SoldQuery};

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
