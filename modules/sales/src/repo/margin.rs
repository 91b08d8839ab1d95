//! The margin report: one statement.

use chrono::NaiveDate;
use diesel::{PgConnection, QueryResult, QueryableByName, RunQueryDsl, sql_types};
use kernel::{
    ids::{ProductId, StoreId},
    money::Currency,
    statement,
    uuid::Uuid,
};

use super::revenue::Span;
use crate::dto::MarginGroup;

statement! {
    /// Per line, each on the business day of its own document. Sums are cut off at the ends of bigint.
    struct Margins<'a> {
        group: &'a str => sql_types::Text,
        from: NaiveDate => sql_types::Date,
        to: NaiveDate => sql_types::Date,
        scope: Option<Vec<StoreId>> => sql_types::Nullable<sql_types::Array<sql_types::Uuid>>,
        store_id: Option<StoreId> => sql_types::Nullable<sql_types::Uuid>,
        limit: i64 => sql_types::BigInt,
    }
    "WITH p AS (SELECT {}::text AS by, {}::date AS since, {}::date AS until, {}::uuid[] AS scope, \
             {}::uuid AS store), \
         facts AS ( \
             SELECT s.store_id, s.business_date, l.product_id, l.category_id, l.sku, l.name, s.currency, \
                 l.total_minor - l.tax_minor AS revenue, l.cost_minor AS cost \
             FROM p, sales s JOIN sale_lines l ON l.sale_id = s.id \
             WHERE s.state = 'recorded' AND s.business_date BETWEEN p.since AND p.until \
                 AND (p.scope IS NULL OR s.store_id = ANY(p.scope)) AND (p.store IS NULL OR s.store_id = p.store) \
             UNION ALL \
             SELECT r.store_id, r.business_date, b.product_id, b.category_id, b.sku, b.name, r.currency, \
                 b.tax_minor - b.refund_minor, -b.cost_minor \
             FROM p, returns r JOIN return_lines b ON b.return_id = r.id \
             WHERE r.business_date BETWEEN p.since AND p.until \
                 AND (p.scope IS NULL OR r.store_id = ANY(p.scope)) AND (p.store IS NULL OR r.store_id = p.store)), \
         sums AS ( \
             SELECT CASE p.by WHEN 'store' THEN f.store_id END AS store_id, \
                 CASE p.by WHEN 'day' THEN f.business_date END AS business_date, \
                 CASE p.by WHEN 'category' THEN f.category_id END AS category_id, \
                 CASE p.by WHEN 'product' THEN f.product_id END AS product_id, \
                 CASE p.by WHEN 'product' THEN max(f.sku) END AS sku, \
                 CASE p.by WHEN 'product' THEN max(f.name) END AS name, f.currency, \
                 coalesce(sum(f.revenue) FILTER (WHERE f.cost IS NOT NULL), 0) AS revenue, \
                 coalesce(sum(f.cost), 0) AS cost, \
                 count(*) FILTER (WHERE f.cost IS NULL) AS uncosted_lines, \
                 coalesce(sum(f.revenue) FILTER (WHERE f.cost IS NULL), 0) AS uncosted \
             FROM p, facts f GROUP BY p.by, 1, 2, 3, 4, f.currency) \
     SELECT store_id, business_date, category_id, product_id, sku, name, currency, \
         GREATEST(LEAST(revenue, 9223372036854775807), -9223372036854775808)::bigint AS revenue, \
         GREATEST(LEAST(cost, 9223372036854775807), -9223372036854775808)::bigint AS cost, \
         uncosted_lines, \
         GREATEST(LEAST(uncosted, 9223372036854775807), -9223372036854775808)::bigint AS uncosted_revenue \
     FROM sums ORDER BY 1, 2, 3, 4, currency LIMIT {}"
}

/// One group of the margin report.
#[derive(Debug, Clone, QueryableByName)]
pub(crate) struct MarginSums {
    #[diesel(sql_type = sql_types::Nullable<sql_types::Uuid>)]
    pub(crate) store_id: Option<StoreId>,
    #[diesel(sql_type = sql_types::Nullable<sql_types::Date>)]
    pub(crate) business_date: Option<NaiveDate>,
    #[diesel(sql_type = sql_types::Nullable<sql_types::Uuid>)]
    pub(crate) category_id: Option<Uuid>,
    #[diesel(sql_type = sql_types::Nullable<sql_types::Uuid>)]
    pub(crate) product_id: Option<ProductId>,
    #[diesel(sql_type = sql_types::Nullable<sql_types::Text>)]
    pub(crate) sku: Option<String>,
    #[diesel(sql_type = sql_types::Nullable<sql_types::Text>)]
    pub(crate) name: Option<String>,
    #[diesel(sql_type = sql_types::Text)]
    pub(crate) currency: Currency,
    #[diesel(sql_type = sql_types::BigInt)]
    pub(crate) revenue: i64,
    #[diesel(sql_type = sql_types::BigInt)]
    pub(crate) cost: i64,
    #[diesel(sql_type = sql_types::BigInt)]
    pub(crate) uncosted_lines: i64,
    #[diesel(sql_type = sql_types::BigInt)]
    pub(crate) uncosted_revenue: i64,
}

/// Margins by `group`, at most `limit` rows.
pub(crate) fn margins(
    conn: &mut PgConnection,
    group: MarginGroup,
    span: Span,
    limit: i64,
) -> QueryResult<Vec<MarginSums>> {
    let Span {
        from,
        to,
        scope,
        store_id,
    } = span;
    Margins {
        group: group.as_str(),
        from,
        to,
        scope,
        store_id,
        limit,
    }
    .get_results(conn)
}
