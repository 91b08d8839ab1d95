//! What products cost, and since when.

use chrono::{DateTime, Utc};
use diesel::{PgConnection, QueryResult, QueryableByName, RunQueryDsl, sql_types};
use kernel::{
    ids::ProductId,
    money::{Currency, Minor, Quantity},
    statement,
};
use uuid::Uuid;

use crate::domain::product::{Change, Product};

statement! {
    struct Insert {
        products: Vec<ProductId> => sql_types::Array<sql_types::Uuid>,
        versions: Vec<i64> => sql_types::Array<sql_types::BigInt>,
        times: Vec<DateTime<Utc>> => sql_types::Array<sql_types::Timestamptz>,
        costs: Vec<Option<Minor>> => sql_types::Array<sql_types::Nullable<sql_types::BigInt>>,
        currencies: Vec<Currency> => sql_types::Array<sql_types::Text>,
        price_pers: Vec<Quantity> => sql_types::Array<sql_types::BigInt>,
    }
    "INSERT INTO product_costs (product_id, version, since, cost_minor, currency, price_per) \
     SELECT * FROM unnest({}, {}, {}, {}, {}, {})"
}

/// Whether a change is one of the cost: a new product without one changes nothing.
fn changes_cost(change: &Change) -> bool {
    let cost = |p: &Product| {
        (
            p.facts.cost_minor,
            p.facts.price.currency,
            p.facts.price_per,
        )
    };
    match &change.before {
        None => change.after.facts.cost_minor.is_some(),
        Some(before) => cost(before) != cost(&change.after),
    }
}

/// Notes what products cost from now on, where that changes.
pub(crate) fn note(conn: &mut PgConnection, changes: &[Change]) -> QueryResult<()> {
    let changed: Vec<&Product> = changes
        .iter()
        .filter(|change| changes_cost(change))
        .map(|change| &change.after)
        .collect();
    if changed.is_empty() {
        return Ok(());
    }
    Insert {
        products: changed.iter().map(|p| p.id).collect(),
        versions: changed.iter().map(|p| p.version).collect(),
        times: changed.iter().map(|p| p.updated_at).collect(),
        costs: changed.iter().map(|p| p.facts.cost_minor).collect(),
        currencies: changed.iter().map(|p| p.facts.price.currency).collect(),
        price_pers: changed.iter().map(|p| p.facts.price_per).collect(),
    }
    .execute(conn)
    .map(drop)
}

/// A product in a report, with what it cost at some moment.
#[derive(Debug, Clone, QueryableByName)]
pub(crate) struct Costed {
    #[diesel(sql_type = sql_types::Uuid)]
    pub(crate) id: ProductId,
    #[diesel(sql_type = sql_types::Text)]
    pub(crate) sku: String,
    #[diesel(sql_type = sql_types::Text)]
    pub(crate) name: String,
    #[diesel(sql_type = sql_types::Nullable<sql_types::Uuid>)]
    pub(crate) category_id: Option<Uuid>,
    #[diesel(sql_type = sql_types::Nullable<sql_types::Text>)]
    pub(crate) category_path: Option<String>,
    #[diesel(sql_type = sql_types::Text)]
    pub(crate) currency: Currency,
    #[diesel(sql_type = sql_types::BigInt)]
    pub(crate) price_minor: i64,
    #[diesel(sql_type = sql_types::BigInt)]
    pub(crate) price_per: i64,
    /// Of `cost_per` base units, in `cost_currency`; `None` where it was not known.
    #[diesel(sql_type = sql_types::Nullable<sql_types::BigInt>)]
    pub(crate) cost_minor: Option<i64>,
    #[diesel(sql_type = sql_types::BigInt)]
    pub(crate) cost_per: i64,
    #[diesel(sql_type = sql_types::Text)]
    pub(crate) cost_currency: Currency,
}

statement! {
    struct AsOf<'a> {
        before: DateTime<Utc> => sql_types::Timestamptz,
        products: &'a [ProductId] => sql_types::Array<sql_types::Uuid>,
    }
    // The cost that was in force, or, before there was any, the first that is known.
    "WITH p AS (SELECT {}::timestamptz AS before) \
     SELECT q.id, q.sku, q.name, q.category_id, c.path AS category_path, q.currency, \
         q.price_minor, q.price_per, k.cost_minor, coalesce(k.price_per, q.price_per) AS cost_per, \
         coalesce(k.currency, q.currency) AS cost_currency \
     FROM p CROSS JOIN products q LEFT JOIN categories c ON c.id = q.category_id \
     LEFT JOIN LATERAL ( \
         SELECT h.* FROM product_costs h WHERE h.product_id = q.id \
         ORDER BY h.since >= p.before, \
             CASE WHEN h.since < p.before THEN -h.version ELSE h.version END LIMIT 1) k ON true \
     WHERE q.id = ANY({}) ORDER BY q.id"
}

/// The products with what they cost just before `before`.
pub(crate) fn as_of(
    conn: &mut PgConnection,
    before: DateTime<Utc>,
    products: &[ProductId],
) -> QueryResult<Vec<Costed>> {
    AsOf { before, products }.get_results(conn)
}
