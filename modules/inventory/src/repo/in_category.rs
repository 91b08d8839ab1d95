//! The products of a category and of all categories below it, for the catalogue's contract.

use diesel::{
    PgConnection, QueryableByName,
    prelude::*,
    sql_types::{BigInt, Bool, Nullable, Text, Uuid as SqlUuid},
};
use inventory_api::{CategoryPage, ProductRef};
use kernel::{ids::ProductId, statement};
use uuid::Uuid;

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = SqlUuid)]
    id: ProductId,
    #[diesel(sql_type = Text)]
    sku: String,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Bool)]
    archived: bool,
}

statement! {
    struct List {
        category: Uuid => SqlUuid,
        after: Option<ProductId> => Nullable<SqlUuid>,
        page: i64 => BigInt,
    }
    "SELECT p.id, p.sku, p.name, p.archived_at IS NOT NULL AS archived \
     FROM (SELECT {}::uuid AS category_id, {}::uuid AS after) a \
     JOIN categories top ON top.id = a.category_id \
     JOIN categories c ON c.path = top.path OR starts_with(c.path, top.path || '/') \
     JOIN products p ON p.category_id = c.id AND (a.after IS NULL OR p.id > a.after) \
     ORDER BY p.id LIMIT {}"
}

/// A page of products by id, `size` at most.
pub(crate) fn list(
    conn: &mut PgConnection,
    page: CategoryPage,
    size: usize,
) -> QueryResult<Vec<ProductRef>> {
    let list = List {
        category: page.category_id,
        after: page.after,
        page: i64::try_from(size).unwrap_or(i64::MAX),
    };
    let rows: Vec<Row> = list.get_results(conn)?;
    let products = rows.into_iter().map(|row| {
        let Row {
            id,
            sku,
            name,
            archived,
        } = row;
        ProductRef {
            id,
            sku,
            name,
            archived,
        }
    });
    Ok(products.collect())
}
