//! Products by ids, SKUs and barcodes at once, for the catalogue's contract.

use chrono::{DateTime, Utc};
use diesel::{
    PgConnection, QueryableByName,
    prelude::*,
    result::Error,
    sql_types::{Array, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid},
};
use inventory_api::{ProductKey, Terms};
use kernel::{
    ids::{ProductId, StoreId},
    statement,
};
use serde_json::Value;

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

/// Keys by their kinds.
#[derive(Debug, Default)]
pub(crate) struct Keys<'a> {
    ids: Vec<ProductId>,
    skus: Vec<&'a str>,
    barcodes: Vec<&'a str>,
}

impl<'a> FromIterator<&'a ProductKey> for Keys<'a> {
    fn from_iter<I: IntoIterator<Item = &'a ProductKey>>(keys: I) -> Self {
        let mut sorted = Self::default();
        for key in keys {
            match key {
                ProductKey::Id(id) => sorted.ids.push(*id),
                // PostgreSQL cannot be asked for text with NUL, and no key holds it.
                ProductKey::Sku(text) | ProductKey::Barcode(text) if text.contains('\0') => {}
                ProductKey::Sku(sku) => sorted.skus.push(sku),
                ProductKey::Barcode(barcode) => sorted.barcodes.push(barcode),
            }
        }
        sorted
    }
}

/// Every product that one of the keys names; once per key that names it.
pub(crate) fn resolve(
    conn: &mut PgConnection,
    keys: &Keys<'_>,
) -> QueryResult<Vec<(ProductKey, Product)>> {
    let rows: Vec<Found> = Resolve {
        ids: &keys.ids,
        skus: &keys.skus,
        barcodes: &keys.barcodes,
    }
    .get_results(conn)?;
    Ok(rows.into_iter().map(keyed).collect())
}

fn keyed(row: Found) -> (ProductKey, Product) {
    let Found { kind, key, product } = row;
    let product = Product::from(product);
    let key = match kind.as_str() {
        "id" => ProductKey::Id(product.id),
        "sku" => ProductKey::Sku(key),
        _ => ProductKey::Barcode(key),
    };
    (key, product)
}

statement! {
    /// Of the prices and rates that began before the day only the last one of each can hold on it,
    /// and prices that end: when such a one does, an earlier one holds again.
    struct Offers<'a> {
        store: StoreId => SqlUuid,
        region: Option<&'a str> => Nullable<Text>,
        since: DateTime<Utc> => Timestamptz,
        until: DateTime<Utc> => Timestamptz,
        ids: &'a [ProductId] => Array<SqlUuid>,
        skus: &'a [&'a str] => Array<Text>,
        barcodes: &'a [&'a str] => Array<Text>,
    }
    concat!(
        "SELECT f.kind, f.key, ", columns!(), ", jsonb_build_object( \
             'prices', coalesce((SELECT jsonb_agg(jsonb_build_object( \
                     'own', x.store_id IS NOT NULL, \
                     'price', jsonb_build_object('amount', x.price_minor, 'currency', x.currency), \
                     'price_per', x.price_per, \
                     'span', jsonb_build_object('from', x.valid_from, 'until', x.valid_until))) \
                 FROM prices x WHERE x.product_id = p.id AND (x.store_id = a.store OR x.store_id IS NULL) \
                     AND x.withdrawn_at IS NULL AND x.valid_from < a.until \
                     AND (x.valid_until IS NULL OR x.valid_until > a.since) \
                     AND NOT EXISTS (SELECT FROM prices y WHERE y.product_id = x.product_id \
                         AND y.store_id IS NOT DISTINCT FROM x.store_id AND y.currency = x.currency \
                         AND y.withdrawn_at IS NULL AND y.valid_until IS NULL \
                         AND y.valid_from > x.valid_from AND y.valid_from <= a.since)), '[]'), \
             'tax_rates', coalesce((SELECT jsonb_agg(jsonb_build_object( \
                     'rate', t.rate, 'from', t.valid_from)) \
                 FROM tax_rates t WHERE t.region = a.region AND t.tax_class = p.tax_class \
                     AND t.withdrawn_at IS NULL AND t.valid_from < a.until \
                     AND NOT EXISTS (SELECT FROM tax_rates l WHERE l.region = t.region \
                         AND l.tax_class = t.tax_class AND l.withdrawn_at IS NULL \
                         AND l.valid_from > t.valid_from AND l.valid_from <= a.since)), '[]'), \
             'promotions', coalesce((SELECT jsonb_agg(jsonb_build_object( \
                     'id', m.id, 'name', m.name, 'min_quantity', m.min_quantity, \
                     'off', CASE WHEN m.rate IS NOT NULL THEN jsonb_build_object('rate', m.rate) \
                         ELSE jsonb_build_object('amount', jsonb_build_object( \
                             'amount', m.amount_minor, 'currency', m.currency)) END, \
                     'span', jsonb_build_object('from', m.valid_from, 'until', m.valid_until))) \
                 FROM promotions m WHERE m.withdrawn_at IS NULL AND m.valid_from < a.until \
                     AND (m.valid_until IS NULL OR m.valid_until > a.since) \
                     AND (m.every_store OR EXISTS (SELECT FROM promotion_stores s \
                         WHERE s.store_id = a.store AND s.promotion_id = m.id)) \
                     AND (EXISTS (SELECT FROM promotion_products o \
                             WHERE o.promotion_id = m.id AND o.product_id = p.id) \
                         OR EXISTS (SELECT FROM promotion_categories o JOIN categories r ON r.id = o.category_id \
                             WHERE o.promotion_id = m.id \
                                 AND (c.path = r.path OR starts_with(c.path, r.path || '/'))))), '[]') \
         ) AS terms \
         FROM (SELECT {}::uuid AS store, {}::text AS region, {}::timestamptz AS since, \
             {}::timestamptz AS until) a, \
         (SELECT 'id' AS kind, q.id::text AS key, q.id FROM products q WHERE q.id = ANY({}) \
          UNION ALL SELECT 'sku', q.sku, q.id FROM products q WHERE q.sku = ANY({}) \
          UNION ALL SELECT 'barcode', b.barcode, b.product_id FROM barcodes b \
              WHERE b.barcode = ANY({})) f \
         JOIN products p ON p.id = f.id LEFT JOIN categories c ON c.id = p.category_id"
    )
}

statement! {
    /// Until the end of the transaction plans are kept, and find rows by key whatever the tables' size was
    /// when they were made. Left to itself PostgreSQL plans [`Offers`] anew every time, because it
    /// takes ten keys for granted where one is asked for; that takes ten times as long as the answer.
    struct KeepPlans {}
    "SELECT set_config('plan_cache_mode', 'force_generic_plan', true), \
         set_config('enable_seqscan', 'off', true)"
}

#[derive(QueryableByName)]
struct Dated {
    #[diesel(embed)]
    found: Found,
    #[diesel(sql_type = Jsonb)]
    terms: Value,
}

/// Where and when something is offered: at a store, whose tax rates are those of a region, on a
/// day from its first moment until the one after it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place<'a> {
    pub(crate) store: StoreId,
    pub(crate) region: Option<&'a str>,
    pub(crate) since: DateTime<Utc>,
    pub(crate) until: DateTime<Utc>,
}

/// As [`resolve`], with what may hold of each product at `place`. To be called in a transaction, for
/// whose rest plans are kept.
pub(crate) fn offers(
    conn: &mut PgConnection,
    place: Place<'_>,
    keys: &Keys<'_>,
) -> QueryResult<Vec<(ProductKey, Product, Terms)>> {
    let Place {
        store,
        region,
        since,
        until,
    } = place;
    KeepPlans {}.execute(conn)?;
    let rows: Vec<Dated> = Offers {
        store,
        region,
        since,
        until,
        ids: &keys.ids,
        skus: &keys.skus,
        barcodes: &keys.barcodes,
    }
    .get_results(conn)?;
    let offer = |row: Dated| {
        let (key, product) = keyed(row.found);
        let terms = serde_json::from_value(row.terms);
        let terms = terms.map_err(|e| Error::DeserializationError(Box::new(e)))?;
        Ok((key, product, terms))
    };
    rows.into_iter().map(offer).collect()
}
