//! Which product each barcode is: the primary key holds that no two share one.

use diesel::{
    PgConnection, QueryableByName,
    prelude::*,
    sql_types::{Array, Text, Uuid as SqlUuid},
};
use kernel::{ids::ProductId, statement};

#[derive(Debug, QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    barcode: String,
    #[diesel(sql_type = SqlUuid)]
    product_id: ProductId,
}

statement! {
    struct Owners<'a> { barcodes: &'a [&'a str] => Array<Text> }
    "SELECT barcode, product_id FROM barcodes WHERE barcode = ANY({})"
}

/// Those of `barcodes` that are taken, and by whom.
pub(crate) fn owners(
    conn: &mut PgConnection,
    barcodes: &[&str],
) -> QueryResult<Vec<(String, ProductId)>> {
    let rows: Vec<Row> = Owners { barcodes }.get_results(conn)?;
    let pairs = rows.into_iter().map(|row| {
        let Row {
            barcode,
            product_id,
        } = row;
        (barcode, product_id)
    });
    Ok(pairs.collect())
}

statement! {
    struct Remove<'a> { barcodes: &'a [&'a str] => Array<Text> }
    "DELETE FROM barcodes WHERE barcode = ANY({})"
}

statement! {
    struct Add<'a> {
        barcodes: Vec<&'a str> => Array<Text>,
        products: Vec<ProductId> => Array<SqlUuid>,
    }
    "INSERT INTO barcodes (barcode, product_id) SELECT * FROM unnest({}, {})"
}

/// Gives up `removed`, then takes `added`.
pub(crate) fn replace(
    conn: &mut PgConnection,
    removed: &[&str],
    added: &[(&str, ProductId)],
) -> QueryResult<()> {
    if !removed.is_empty() {
        Remove { barcodes: removed }.execute(conn)?;
    }
    if !added.is_empty() {
        let (barcodes, products) = added.iter().copied().unzip();
        Add { barcodes, products }.execute(conn)?;
    }
    Ok(())
}
