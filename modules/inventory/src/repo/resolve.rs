//! Products by ids, SKUs and barcodes at once, for the catalogue's contract.

use diesel::{
    PgConnection, QueryableByName,
    prelude::*,
    sql_types::{Array, Text, Uuid as SqlUuid},
};
use kernel::{ids::ProductId, statement};

use super::products::{Row, columns};
use crate::domain::product::Product;

#[derive(QueryableByName)]
struct Found {
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = Text)]
    key: String,
    #[diesel(embed)]
    product: Row,
}

statement! {
    struct Resolve<'a> {
        ids: &'a [ProductId] => Array<SqlUuid>,
        skus: &'a [&'a str] => Array<Text>,
        barcodes: &'a [&'a str] => Array<Text>,
    }
    concat!(
        "SELECT 'id' AS kind, p.id::text AS key, ", columns!(),
        " FROM products p WHERE p.id = ANY({}) \
         UNION ALL SELECT 'sku', p.sku, ", columns!(),
        " FROM products p WHERE p.sku = ANY({}) \
         UNION ALL SELECT 'barcode', b.barcode, ", columns!(),
        " FROM barcodes b JOIN products p ON p.id = b.product_id WHERE b.barcode = ANY({})"
    )
}

/// What was found under one key.
#[derive(Debug)]
pub(crate) enum FoundBy {
    Id,
    Sku,
    Barcode(String),
}

/// Every product that one of the keys names; once per key that names it.
pub(crate) fn resolve(
    conn: &mut PgConnection,
    ids: &[ProductId],
    skus: &[&str],
    barcodes: &[&str],
) -> QueryResult<Vec<(FoundBy, Product)>> {
    let rows: Vec<Found> = Resolve {
        ids,
        skus,
        barcodes,
    }
    .get_results(conn)?;
    let found = rows.into_iter().map(|row| {
        let Found { kind, key, product } = row;
        let by = match kind.as_str() {
            "id" => FoundBy::Id,
            "sku" => FoundBy::Sku,
            _ => FoundBy::Barcode(key),
        };
        (by, Product::from(product))
    });
    Ok(found.collect())
}
