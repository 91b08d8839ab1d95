//! The reports beside revenue: one statement each.

use chrono::{DateTime, NaiveDate, Utc};
use diesel::{PgConnection, QueryResult, QueryableByName, RunQueryDsl, sql_types};
use kernel::{
    ids::{ProductId, StoreId, UserId},
    money::Currency,
    statement,
    uuid::Uuid,
};

use super::revenue::Span;

statement! {
    /// What came back took its share of the line's tax with it, or the product's where there was no
    /// receipt.
    struct Taxes {
        from: NaiveDate => sql_types::Date,
        to: NaiveDate => sql_types::Date,
        scope: Option<Vec<StoreId>> => sql_types::Nullable<sql_types::Array<sql_types::Uuid>>,
        store_id: Option<StoreId> => sql_types::Nullable<sql_types::Uuid>,
    }
    "WITH p AS (SELECT {}::date AS since, {}::date AS until, {}::uuid[] AS scope, {}::uuid AS store), \
         facts AS ( \
             SELECT l.tax_rate, s.currency, l.total_minor AS sold, l.tax_minor AS sold_tax, \
                 0::bigint AS returned, 0::bigint AS returned_tax \
             FROM p, sales s JOIN sale_lines l ON l.sale_id = s.id \
             WHERE s.state = 'recorded' AND s.business_date BETWEEN p.since AND p.until \
                 AND (p.scope IS NULL OR s.store_id = ANY(p.scope)) AND (p.store IS NULL OR s.store_id = p.store) \
             UNION ALL \
             SELECT b.tax_rate, r.currency, 0, 0, b.refund_minor, b.tax_minor \
             FROM p, returns r JOIN return_lines b ON b.return_id = r.id \
             WHERE r.business_date BETWEEN p.since AND p.until \
                 AND (p.scope IS NULL OR r.store_id = ANY(p.scope)) AND (p.store IS NULL OR r.store_id = p.store)) \
     SELECT tax_rate, currency, LEAST(sum(sold), 9223372036854775807)::bigint AS sold, \
         LEAST(sum(sold_tax), 9223372036854775807)::bigint AS sold_tax, \
         LEAST(sum(returned), 9223372036854775807)::bigint AS returned, \
         LEAST(sum(returned_tax), 9223372036854775807)::bigint AS returned_tax \
     FROM facts GROUP BY 1, 2 ORDER BY 1, 2"
}

/// The tax of one rate.
#[derive(Debug, Clone, QueryableByName)]
pub(crate) struct TaxSums {
    #[diesel(sql_type = sql_types::BigInt)]
    pub(crate) tax_rate: i64,
    #[diesel(sql_type = sql_types::Text)]
    pub(crate) currency: Currency,
    #[diesel(sql_type = sql_types::BigInt)]
    pub(crate) sold: i64,
    #[diesel(sql_type = sql_types::BigInt)]
    pub(crate) sold_tax: i64,
    #[diesel(sql_type = sql_types::BigInt)]
    pub(crate) returned: i64,
    #[diesel(sql_type = sql_types::BigInt)]
    pub(crate) returned_tax: i64,
}

/// Taxes per rate.
pub(crate) fn taxes(conn: &mut PgConnection, span: Span) -> QueryResult<Vec<TaxSums>> {
    let Span {
        from,
        to,
        scope,
        store_id,
    } = span;
    Taxes {
        from,
        to,
        scope,
        store_id,
    }
    .get_results(conn)
}

statement! {
    struct Products<'a> {
        from: NaiveDate => sql_types::Date,
        to: NaiveDate => sql_types::Date,
        scope: Option<Vec<StoreId>> => sql_types::Nullable<sql_types::Array<sql_types::Uuid>>,
        store_id: Option<StoreId> => sql_types::Nullable<sql_types::Uuid>,
        order: &'a str => sql_types::Text,
        sign: i64 => sql_types::BigInt,
        limit: i64 => sql_types::BigInt,
    }
    "WITH p AS (SELECT {}::date AS since, {}::date AS until, {}::uuid[] AS scope, {}::uuid AS store), \
         facts AS ( \
             SELECT l.product_id, l.sku, l.name, s.currency, l.quantity, l.total_minor AS net, s.business_date \
             FROM p, sales s JOIN sale_lines l ON l.sale_id = s.id \
             WHERE s.state = 'recorded' AND s.business_date BETWEEN p.since AND p.until \
                 AND (p.scope IS NULL OR s.store_id = ANY(p.scope)) AND (p.store IS NULL OR s.store_id = p.store) \
             UNION ALL \
             SELECT b.product_id, b.sku, b.name, r.currency, -b.quantity, -b.refund_minor, NULL \
             FROM p, returns r JOIN return_lines b ON b.return_id = r.id \
             WHERE r.business_date BETWEEN p.since AND p.until \
                 AND (p.scope IS NULL OR r.store_id = ANY(p.scope)) AND (p.store IS NULL OR r.store_id = p.store)), \
         sums AS ( \
             SELECT product_id, max(sku) AS sku, max(name) AS name, currency, \
                 LEAST(sum(quantity), 9223372036854775807)::bigint AS quantity, \
                 GREATEST(LEAST(sum(net), 9223372036854775807), -9223372036854775808)::bigint AS net, \
                 max(business_date) AS last_sold_on \
             FROM facts GROUP BY product_id, currency) \
     SELECT * FROM sums \
     ORDER BY CASE {} WHEN 'quantity' THEN quantity ELSE net END::numeric * {}, product_id, currency LIMIT {}"
}

/// What was sold of one product, less what came back.
#[derive(Debug, Clone, QueryableByName)]
pub(crate) struct ProductSums {
    #[diesel(sql_type = sql_types::Uuid)]
    pub(crate) product_id: ProductId,
    #[diesel(sql_type = sql_types::Text)]
    pub(crate) sku: String,
    #[diesel(sql_type = sql_types::Text)]
    pub(crate) name: String,
    #[diesel(sql_type = sql_types::Text)]
    pub(crate) currency: Currency,
    #[diesel(sql_type = sql_types::BigInt)]
    pub(crate) quantity: i64,
    #[diesel(sql_type = sql_types::BigInt)]
    pub(crate) net: i64,
    #[diesel(sql_type = sql_types::Nullable<sql_types::Date>)]
    pub(crate) last_sold_on: Option<NaiveDate>,
}

/// Which end of the ranking comes first, and what is ranked.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ranking {
    pub(crate) by_quantity: bool,
    pub(crate) most_first: bool,
    pub(crate) limit: i64,
}

/// The products that sold most or least.
pub(crate) fn products(
    conn: &mut PgConnection,
    span: Span,
    ranking: Ranking,
) -> QueryResult<Vec<ProductSums>> {
    let Span {
        from,
        to,
        scope,
        store_id,
    } = span;
    Products {
        from,
        to,
        scope,
        store_id,
        order: if ranking.by_quantity {
            "quantity"
        } else {
            "net"
        },
        sign: if ranking.most_first { -1 } else { 1 },
        limit: ranking.limit,
    }
    .get_results(conn)
}

statement! {
    struct Exceptions {
        from: NaiveDate => sql_types::Date,
        to: NaiveDate => sql_types::Date,
        scope: Option<Vec<StoreId>> => sql_types::Nullable<sql_types::Array<sql_types::Uuid>>,
        store_id: Option<StoreId> => sql_types::Nullable<sql_types::Uuid>,
        after_time: Option<DateTime<Utc>> => sql_types::Nullable<sql_types::Timestamptz>,
        after_id: Option<Uuid> => sql_types::Nullable<sql_types::Uuid>,
        after_kind: Option<String> => sql_types::Nullable<sql_types::Text>,
        limit: i64 => sql_types::BigInt,
    }
    "WITH p AS (SELECT {}::date AS since, {}::date AS until, {}::uuid[] AS scope, {}::uuid AS store, \
             {}::timestamptz AS after_time, {}::uuid AS after_id, {}::text AS after_kind), \
         happened AS ( \
             SELECT 'void' AS kind, s.id AS document_id, s.number, s.store_id, s.voided_by AS actor_id, \
                 s.voided_at AS at, s.currency, s.total_minor AS amount, s.void_reason AS reason \
             FROM sales s, p WHERE s.state = 'voided' AND s.business_date BETWEEN p.since AND p.until \
                 AND (p.scope IS NULL OR s.store_id = ANY(p.scope)) AND (p.store IS NULL OR s.store_id = p.store) \
             UNION ALL \
             SELECT CASE a.action WHEN 'price.offline' THEN 'offline_price' ELSE 'price_override' END, s.id, s.number, s.store_id, s.cashier_id, s.recorded_at, s.currency, \
                 (SELECT round(sum((l.list_price_minor - l.unit_price_minor)::numeric * l.quantity / l.price_per))::bigint \
                  FROM sale_lines l WHERE l.sale_id = s.id), NULL \
             FROM p, sales s JOIN audit a ON a.subject_id = s.id AND a.action IN ('price.override', 'price.offline') \
             WHERE s.state <> 'aborted' AND s.business_date BETWEEN p.since AND p.until \
                 AND (p.scope IS NULL OR s.store_id = ANY(p.scope)) AND (p.store IS NULL OR s.store_id = p.store) \
             UNION ALL \
             SELECT CASE WHEN r.sale_id IS NULL THEN 'return_without_receipt' ELSE 'return_elsewhere' END, \
                 r.id, r.number, r.store_id, r.cashier_id, r.occurred_at, r.currency, r.refund_minor, \
                 concat_ws(': ', r.reason, r.note) \
             FROM returns r, p WHERE r.business_date BETWEEN p.since AND p.until \
                 AND (p.scope IS NULL OR r.store_id = ANY(p.scope)) AND (p.store IS NULL OR r.store_id = p.store) \
                 AND r.sale_store_id IS DISTINCT FROM r.store_id) \
     SELECT h.* FROM happened h, p \
     WHERE p.after_time IS NULL OR (h.at, h.document_id, h.kind) < (p.after_time, p.after_id, p.after_kind) \
     ORDER BY h.at DESC, h.document_id DESC, h.kind DESC LIMIT {}"
}

/// Something that a manager wants to look at.
#[derive(Debug, Clone, QueryableByName)]
pub(crate) struct ExceptionRow {
    #[diesel(sql_type = sql_types::Text)]
    pub(crate) kind: String,
    #[diesel(sql_type = sql_types::Uuid)]
    pub(crate) document_id: Uuid,
    #[diesel(sql_type = sql_types::Text)]
    pub(crate) number: String,
    #[diesel(sql_type = sql_types::Uuid)]
    pub(crate) store_id: StoreId,
    #[diesel(sql_type = sql_types::Uuid)]
    pub(crate) actor_id: UserId,
    #[diesel(sql_type = sql_types::Timestamptz)]
    pub(crate) at: DateTime<Utc>,
    #[diesel(sql_type = sql_types::Text)]
    pub(crate) currency: Currency,
    #[diesel(sql_type = sql_types::BigInt)]
    pub(crate) amount: i64,
    #[diesel(sql_type = sql_types::Nullable<sql_types::Text>)]
    pub(crate) reason: Option<String>,
}

/// The sort key of the list of exceptions.
pub(crate) type ExceptionPlace = (DateTime<Utc>, Uuid, String);

/// Exceptions, the newest first; `limit` rows at most.
pub(crate) fn exceptions(
    conn: &mut PgConnection,
    span: Span,
    after: Option<ExceptionPlace>,
    limit: i64,
) -> QueryResult<Vec<ExceptionRow>> {
    let Span {
        from,
        to,
        scope,
        store_id,
    } = span;
    let (after_time, after_id, after_kind) = match after {
        Some((at, id, kind)) => (Some(at), Some(id), Some(kind)),
        None => (None, None, None),
    };
    Exceptions {
        from,
        to,
        scope,
        store_id,
        after_time,
        after_id,
        after_kind,
        limit,
    }
    .get_results(conn)
}
