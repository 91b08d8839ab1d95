//! Products with what an export names instead of ids, page by page.

use diesel::{
    PgConnection, QueryableByName,
    prelude::*,
    sql_types::{BigInt, Bool, Nullable, Text, Uuid as SqlUuid},
};
use kernel::{ids::ProductId, statement};
use uuid::Uuid;

use super::{
    product_list::Status,
    products::{Row, columns},
};
use crate::domain::product::Product;

#[derive(QueryableByName)]
struct Found {
    #[diesel(embed)]
    product: Row,
    #[diesel(sql_type = Nullable<Text>)]
    category_path: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    template_sku: Option<String>,
}

/// One line of an export.
#[derive(Debug, Clone)]
pub(crate) struct Exported {
    pub(crate) product: Product,
    pub(crate) category_path: Option<String>,
    pub(crate) template_sku: Option<String>,
}

statement! {
    struct PageQuery {
        variants: bool => Bool,
        after: ProductId => SqlUuid,
        active: bool => Bool,
        archived: bool => Bool,
        category_id: Option<Uuid> => Nullable<SqlUuid>,
        root: Option<Uuid> => Nullable<SqlUuid>,
        limit: i64 => BigInt,
    }
    concat!(
        "SELECT ", columns!(), ", c.path AS category_path, t.sku AS template_sku \
         FROM products p LEFT JOIN categories c ON c.id = p.category_id \
         LEFT JOIN products t ON t.id = p.template_id \
         WHERE (p.template_id IS NOT NULL) = {} AND p.id > {} \
         AND CASE WHEN p.archived_at IS NULL THEN {} ELSE {} END \
         AND ({}::uuid IS NULL OR p.category_id IN ( \
             SELECT d.id FROM categories r JOIN categories d \
             ON d.path = r.path OR starts_with(d.path, r.path || '/') WHERE r.id = {})) \
         ORDER BY p.id LIMIT {}"
    )
}

/// Up to `limit` products after `after`: variants only, or only what is none. Templates must be
/// exported before their variants, or the file could not be imported into an empty catalogue.
pub(crate) fn page(
    conn: &mut PgConnection,
    variants: bool,
    after: ProductId,
    status: Status,
    category_id: Option<Uuid>,
    limit: i64,
) -> QueryResult<Vec<Exported>> {
    let rows: Vec<Found> = PageQuery {
        variants,
        after,
        active: status != Status::Archived,
        archived: status != Status::Active,
        category_id,
        root: category_id,
        limit,
    }
    .get_results(conn)?;
    let lines = rows.into_iter().map(|row| {
        let Found {
            product,
            category_path,
            template_sku,
        } = row;
        Exported {
            product: product.into(),
            category_path,
            template_sku,
        }
    });
    Ok(lines.collect())
}
