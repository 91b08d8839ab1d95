//! Products: one by one, and saved many at a time.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use diesel::{
    PgConnection, QueryableByName,
    connection::SimpleConnection,
    prelude::*,
    sql_types::{Array, BigInt, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid},
};
use kernel::{
    ids::ProductId,
    money::{BasisPoints, Currency, Minor, Money, Quantity},
    statement,
};
use serde_json::Value;
use uuid::Uuid;

use crate::{
    domain::{
        product::{Facts, Product, Unit},
        words,
    },
    schema::products,
};

/// One row of `products`.
#[derive(Debug, Clone, Queryable, Selectable, QueryableByName)]
#[diesel(table_name = products, check_for_backend(diesel::pg::Pg))]
pub(crate) struct Row {
    id: ProductId,
    sku: String,
    name: String,
    unit: Unit,
    barcodes: Vec<String>,
    category_id: Option<Uuid>,
    price_minor: Minor,
    currency: Currency,
    price_per: Quantity,
    tax_rate: BasisPoints,
    cost_minor: Option<Minor>,
    template_id: Option<ProductId>,
    attributes: Value,
    archived_at: Option<DateTime<Utc>>,
    version: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    tax_class: Option<String>,
}

/// The columns of [`Row`], for statements that are not diesel's own.
macro_rules! columns {
    () => {
        "p.id, p.sku, p.name, p.unit, p.barcodes, p.category_id, p.price_minor, p.currency, \
         p.price_per, p.tax_rate, p.cost_minor, p.template_id, p.attributes, p.archived_at, \
         p.version, p.created_at, p.updated_at, p.tax_class"
    };
}
pub(crate) use columns;

impl From<Row> for Product {
    fn from(row: Row) -> Self {
        let Row {
            id,
            sku,
            name,
            unit,
            barcodes,
            category_id,
            price_minor,
            currency,
            price_per,
            tax_rate,
            cost_minor,
            template_id,
            attributes,
            archived_at,
            version,
            created_at,
            updated_at,
            tax_class,
        } = row;
        let facts = Facts {
            sku,
            name,
            unit,
            barcodes,
            category_id,
            price: Money {
                amount: price_minor,
                currency,
            },
            price_per,
            tax_rate,
            tax_class,
            cost_minor,
            template_id,
            attributes: texts(attributes),
        };
        Self {
            id,
            facts,
            archived_at,
            version,
            created_at,
            updated_at,
        }
    }
}

fn texts(attributes: Value) -> BTreeMap<String, String> {
    serde_json::from_value(attributes).unwrap_or_default()
}

statement! {
    struct Find { id: ProductId => SqlUuid }
    concat!("SELECT ", columns!(), " FROM products p WHERE p.id = {}")
}

/// The product of this id.
pub(crate) fn find(conn: &mut PgConnection, id: ProductId) -> QueryResult<Option<Product>> {
    let row: Option<Row> = Find { id }.get_result(conn).optional()?;
    Ok(row.map(Product::from))
}

statement! {
    struct FindBySku<'a> { sku: &'a str => Text }
    concat!("SELECT ", columns!(), " FROM products p WHERE p.sku = {}")
}

/// The product of this SKU.
pub(crate) fn find_by_sku(conn: &mut PgConnection, sku: &str) -> QueryResult<Option<Product>> {
    let row: Option<Row> = FindBySku { sku }.get_result(conn).optional()?;
    Ok(row.map(Product::from))
}

statement! {
    struct FindByBarcode<'a> { barcode: &'a str => Text }
    concat!(
        "SELECT ", columns!(),
        " FROM barcodes b JOIN products p ON p.id = b.product_id WHERE b.barcode = {}"
    )
}

/// The product with this barcode.
pub(crate) fn find_by_barcode(
    conn: &mut PgConnection,
    barcode: &str,
) -> QueryResult<Option<Product>> {
    let row: Option<Row> = FindByBarcode { barcode }.get_result(conn).optional()?;
    Ok(row.map(Product::from))
}

/// The product of this id, locked until the transaction ends.
pub(crate) fn lock(conn: &mut PgConnection, id: ProductId) -> QueryResult<Option<Product>> {
    let row: Option<Row> = products::table
        .find(id)
        .select(Row::as_select())
        .for_no_key_update()
        .first(conn)
        .optional()?;
    Ok(row.map(Product::from))
}

/// The template of a product's template, where that is one: `None` for no such product. The row
/// stays as it is until the transaction ends.
pub(crate) fn template_of(
    conn: &mut PgConnection,
    id: ProductId,
) -> QueryResult<Option<Option<ProductId>>> {
    products::table
        .find(id)
        .select(products::template_id)
        .for_share()
        .first(conn)
        .optional()
}

/// Makes this transaction's statements go by the indexes. A plan that was made while the table was
/// nearly empty is kept on the connection, and would read the whole table for every block of an
/// import until the statistics are renewed.
pub(crate) fn by_index_only(conn: &mut PgConnection) -> QueryResult<()> {
    conn.batch_execute("SET LOCAL enable_seqscan = off")
}

statement! {
    struct LockBySku<'a> { skus: &'a [&'a str] => Array<Text> }
    concat!(
        "SELECT ", columns!(),
        " FROM products p WHERE p.sku = ANY({}) ORDER BY p.id FOR NO KEY UPDATE"
    )
}

/// The products of these SKUs, locked in the order of their ids.
pub(crate) fn lock_by_sku(conn: &mut PgConnection, skus: &[&str]) -> QueryResult<Vec<Product>> {
    let rows: Vec<Row> = LockBySku { skus }.get_results(conn)?;
    Ok(rows.into_iter().map(Product::from).collect())
}

statement! {
    struct Templates<'a> { ids: &'a [ProductId] => Array<SqlUuid> }
    "SELECT t.id FROM unnest({}) AS t(id) \
     WHERE EXISTS (SELECT 1 FROM products v WHERE v.template_id = t.id)"
}

#[derive(QueryableByName)]
struct IdRow {
    #[diesel(sql_type = SqlUuid)]
    id: ProductId,
}

/// Those of `ids` that other products name as their template.
pub(crate) fn templates(conn: &mut PgConnection, ids: &[ProductId]) -> QueryResult<Vec<ProductId>> {
    let rows: Vec<IdRow> = Templates { ids }.get_results(conn)?;
    Ok(rows.into_iter().map(|row| row.id).collect())
}

statement! {
    struct Save<'a> {
        ids: Vec<ProductId> => Array<SqlUuid>,
        skus: Vec<&'a str> => Array<Text>,
        names: Vec<&'a str> => Array<Text>,
        units: Vec<Unit> => Array<Text>,
        barcodes: Vec<String> => Array<Text>,
        categories: Vec<Option<Uuid>> => Array<Nullable<SqlUuid>>,
        prices: Vec<Minor> => Array<BigInt>,
        currencies: Vec<Currency> => Array<Text>,
        price_pers: Vec<Quantity> => Array<BigInt>,
        tax_rates: Vec<BasisPoints> => Array<BigInt>,
        costs: Vec<Option<Minor>> => Array<Nullable<BigInt>>,
        templates: Vec<Option<ProductId>> => Array<Nullable<SqlUuid>>,
        attributes: Vec<Value> => Array<Jsonb>,
        words: Vec<String> => Array<Text>,
        archived: Vec<Option<DateTime<Utc>>> => Array<Nullable<Timestamptz>>,
        versions: Vec<i64> => Array<BigInt>,
        created: Vec<DateTime<Utc>> => Array<Timestamptz>,
        updated: Vec<DateTime<Utc>> => Array<Timestamptz>,
        tax_classes: Vec<Option<&'a str>> => Array<Nullable<Text>>,
    }
    "INSERT INTO products (id, sku, name, unit, barcodes, category_id, price_minor, currency, \
         price_per, tax_rate, cost_minor, template_id, attributes, search, archived_at, version, \
         created_at, updated_at, tax_class) \
     SELECT id, sku, name, unit, string_to_array(barcodes, '|'), category_id, price_minor, currency, \
         price_per, tax_rate, cost_minor, template_id, attributes, \
         array_to_tsvector(string_to_array(words, ' ')), archived_at, version, created_at, updated_at, tax_class \
     FROM unnest({}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}) \
         AS u(id, sku, name, unit, barcodes, category_id, price_minor, currency, price_per, \
             tax_rate, cost_minor, template_id, attributes, words, archived_at, version, \
             created_at, updated_at, tax_class) \
     ON CONFLICT (id) DO UPDATE SET sku = excluded.sku, name = excluded.name, \
         unit = excluded.unit, barcodes = excluded.barcodes, category_id = excluded.category_id, \
         price_minor = excluded.price_minor, currency = excluded.currency, \
         price_per = excluded.price_per, tax_rate = excluded.tax_rate, \
         cost_minor = excluded.cost_minor, template_id = excluded.template_id, \
         attributes = excluded.attributes, search = excluded.search, \
         archived_at = excluded.archived_at, version = excluded.version, \
         updated_at = excluded.updated_at, tax_class = excluded.tax_class \
     WHERE products.version = excluded.version - 1"
}

/// Writes new products and next versions of old ones. Answers how many were written: those that
/// someone else changed in the meantime are not.
pub(crate) fn save(conn: &mut PgConnection, products: &[&Product]) -> QueryResult<usize> {
    let facts = || products.iter().map(|p| &p.facts);
    let mut attributes = Vec::with_capacity(products.len());
    for facts in facts() {
        let json = serde_json::to_value(&facts.attributes);
        attributes.push(json.map_err(|e| diesel::result::Error::SerializationError(e.into()))?);
    }
    Save {
        ids: products.iter().map(|p| p.id).collect(),
        skus: facts().map(|f| f.sku.as_str()).collect(),
        names: facts().map(|f| f.name.as_str()).collect(),
        units: facts().map(|f| f.unit).collect(),
        // A barcode is a plain code, which holds no bar.
        barcodes: facts().map(|f| f.barcodes.join("|")).collect(),
        categories: facts().map(|f| f.category_id).collect(),
        prices: facts().map(|f| f.price.amount).collect(),
        currencies: facts().map(|f| f.price.currency).collect(),
        price_pers: facts().map(|f| f.price_per).collect(),
        tax_rates: facts().map(|f| f.tax_rate).collect(),
        costs: facts().map(|f| f.cost_minor).collect(),
        templates: facts().map(|f| f.template_id).collect(),
        attributes,
        words: facts().map(|f| words::of(&[&f.name, &f.sku])).collect(),
        archived: products.iter().map(|p| p.archived_at).collect(),
        versions: products.iter().map(|p| p.version).collect(),
        created: products.iter().map(|p| p.created_at).collect(),
        updated: products.iter().map(|p| p.updated_at).collect(),
        tax_classes: facts().map(|f| f.tax_class.as_deref()).collect(),
    }
    .execute(conn)
}
