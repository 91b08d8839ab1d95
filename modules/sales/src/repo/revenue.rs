//! The revenue report: one statement per kind of row.

use chrono::NaiveDate;
use diesel::{PgConnection, QueryResult, QueryableByName, RunQueryDsl, sql_types};
use kernel::{
    ids::{ProductId, StoreId, UserId},
    money::Currency,
    statement,
    uuid::Uuid,
};

use crate::{domain::words::Tender, dto::RevenueGroup};

/// What a report covers.
#[derive(Debug, Clone)]
pub(crate) struct Span {
    pub(crate) from: NaiveDate,
    pub(crate) to: NaiveDate,
    /// The caller's stores; `None` is every store.
    pub(crate) scope: Option<Vec<StoreId>>,
    pub(crate) store_id: Option<StoreId>,
}

/// The clocks of stores: `zones` name the time zones of `stores`, one each.
#[derive(Debug, Clone, Default)]
pub(crate) struct Clocks {
    pub(crate) stores: Vec<StoreId>,
    pub(crate) zones: Vec<String>,
}

statement! {
    /// Sales and returns are summed side by side, each on its own business day: a join of the two
    /// would count one for every other. Sums are cut off at the largest bigint.
    struct Documents<'a> {
        group: &'a str => sql_types::Text,
        from: NaiveDate => sql_types::Date,
        to: NaiveDate => sql_types::Date,
        scope: Option<Vec<StoreId>> => sql_types::Nullable<sql_types::Array<sql_types::Uuid>>,
        store_id: Option<StoreId> => sql_types::Nullable<sql_types::Uuid>,
        stores: &'a [StoreId] => sql_types::Array<sql_types::Uuid>,
        zones: &'a [String] => sql_types::Array<sql_types::Text>,
        limit: i64 => sql_types::BigInt,
    }
    "WITH p AS (SELECT {}::text AS by, {}::date AS since, {}::date AS until, {}::uuid[] AS scope, \
             {}::uuid AS store), \
         clocks AS (SELECT * FROM unnest({}, {}) AS c(store_id, zone)), \
         facts AS ( \
             SELECT s.store_id, s.business_date, s.cashier_id, s.occurred_at, s.currency, \
                 1 AS sales, 0 AS returns, total_minor AS gross, 0::bigint AS refunds, tax_minor AS tax \
             FROM sales s, p WHERE state = 'recorded' AND business_date BETWEEN p.since AND p.until \
                 AND (p.scope IS NULL OR store_id = ANY(p.scope)) AND (p.store IS NULL OR store_id = p.store) \
             UNION ALL \
             SELECT r.store_id, r.business_date, r.cashier_id, r.occurred_at, r.currency, \
                 0, 1, 0, refund_minor, 0 \
             FROM returns r, p WHERE business_date BETWEEN p.since AND p.until \
                 AND (p.scope IS NULL OR store_id = ANY(p.scope)) AND (p.store IS NULL OR store_id = p.store)) \
     SELECT CASE p.by WHEN 'store' THEN f.store_id END AS store_id, \
         CASE p.by WHEN 'day' THEN f.business_date END AS business_date, \
         CASE p.by WHEN 'hour' THEN extract(hour FROM f.occurred_at AT TIME ZONE c.zone)::integer END AS hour, \
         CASE p.by WHEN 'cashier' THEN f.cashier_id END AS cashier_id, \
         NULL::uuid AS category_id, NULL::uuid AS product_id, NULL AS sku, NULL AS name, NULL AS tender, \
         f.currency, sum(f.sales)::bigint AS sales, sum(f.returns)::bigint AS returns, \
         LEAST(sum(f.gross), 9223372036854775807)::bigint AS gross, \
         LEAST(sum(f.refunds), 9223372036854775807)::bigint AS refunds, \
         LEAST(sum(f.tax), 9223372036854775807)::bigint AS tax, NULL::bigint AS rounding \
     FROM p, facts f LEFT JOIN clocks c ON c.store_id = f.store_id \
     GROUP BY 1, 2, 3, 4, f.currency ORDER BY 1, 2, 3, 4, f.currency LIMIT {}"
}

statement! {
    /// Per line. What comes back counts for the category that the line was sold in.
    struct Lines<'a> {
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
             SELECT s.id AS sale_id, NULL::uuid AS return_id, l.product_id, l.category_id, l.sku, l.name, \
                 s.currency, l.total_minor AS gross, 0::bigint AS refunds, l.tax_minor AS tax \
             FROM p, sales s JOIN sale_lines l ON l.sale_id = s.id \
             WHERE s.state = 'recorded' AND s.business_date BETWEEN p.since AND p.until \
                 AND (p.scope IS NULL OR s.store_id = ANY(p.scope)) AND (p.store IS NULL OR s.store_id = p.store) \
             UNION ALL \
             SELECT NULL, r.id, b.product_id, b.category_id, b.sku, b.name, r.currency, 0, b.refund_minor, 0 \
             FROM p, returns r JOIN return_lines b ON b.return_id = r.id \
             WHERE r.business_date BETWEEN p.since AND p.until \
                 AND (p.scope IS NULL OR r.store_id = ANY(p.scope)) AND (p.store IS NULL OR r.store_id = p.store)) \
     SELECT NULL::uuid AS store_id, NULL::date AS business_date, NULL::integer AS hour, \
         NULL::uuid AS cashier_id, \
         CASE p.by WHEN 'category' THEN f.category_id END AS category_id, \
         CASE p.by WHEN 'product' THEN f.product_id END AS product_id, \
         CASE p.by WHEN 'product' THEN max(f.sku) END AS sku, \
         CASE p.by WHEN 'product' THEN max(f.name) END AS name, NULL AS tender, \
         f.currency, count(DISTINCT f.sale_id) AS sales, count(DISTINCT f.return_id) AS returns, \
         LEAST(sum(f.gross), 9223372036854775807)::bigint AS gross, \
         LEAST(sum(f.refunds), 9223372036854775807)::bigint AS refunds, \
         LEAST(sum(f.tax), 9223372036854775807)::bigint AS tax, NULL::bigint AS rounding \
     FROM p, facts f GROUP BY p.by, 5, 6, f.currency ORDER BY 5, 6, f.currency LIMIT {}"
}

statement! {
    /// Per means of payment; change is cash that went out again. Rounding is in what was paid, and
    /// told beside it.
    struct Tenders {
        from: NaiveDate => sql_types::Date,
        to: NaiveDate => sql_types::Date,
        scope: Option<Vec<StoreId>> => sql_types::Nullable<sql_types::Array<sql_types::Uuid>>,
        store_id: Option<StoreId> => sql_types::Nullable<sql_types::Uuid>,
        limit: i64 => sql_types::BigInt,
    }
    "WITH p AS (SELECT {}::date AS since, {}::date AS until, {}::uuid[] AS scope, {}::uuid AS store), \
         sold AS (SELECT s.* FROM sales s, p \
             WHERE s.state = 'recorded' AND s.business_date BETWEEN p.since AND p.until \
                 AND (p.scope IS NULL OR s.store_id = ANY(p.scope)) AND (p.store IS NULL OR s.store_id = p.store)), \
         facts AS ( \
             SELECT s.id AS sale_id, NULL::uuid AS return_id, a.tender, s.currency, \
                 a.amount_minor AS gross, 0::bigint AS refunds, 0::bigint AS rounding \
             FROM sold s JOIN payments a ON a.sale_id = s.id \
             UNION ALL \
             SELECT s.id, NULL, 'cash', s.currency, -s.change_minor, 0, s.rounding_minor FROM sold s \
             WHERE s.change_minor > 0 OR s.rounding_minor <> 0 \
             UNION ALL \
             SELECT NULL, r.id, b.tender, r.currency, 0, b.amount_minor, 0 \
             FROM p, returns r JOIN refunds b ON b.return_id = r.id \
             WHERE r.business_date BETWEEN p.since AND p.until \
                 AND (p.scope IS NULL OR r.store_id = ANY(p.scope)) AND (p.store IS NULL OR r.store_id = p.store) \
             UNION ALL \
             SELECT NULL, r.id, 'cash', r.currency, 0, 0, -r.rounding_minor FROM p, returns r \
             WHERE r.rounding_minor <> 0 AND r.business_date BETWEEN p.since AND p.until \
                 AND (p.scope IS NULL OR r.store_id = ANY(p.scope)) AND (p.store IS NULL OR r.store_id = p.store)) \
     SELECT NULL::uuid AS store_id, NULL::date AS business_date, NULL::integer AS hour, \
         NULL::uuid AS cashier_id, NULL::uuid AS category_id, NULL::uuid AS product_id, NULL AS sku, \
         NULL AS name, f.tender, f.currency, \
         count(DISTINCT f.sale_id) AS sales, count(DISTINCT f.return_id) AS returns, \
         GREATEST(LEAST(sum(f.gross), 9223372036854775807), -9223372036854775808)::bigint AS gross, \
         LEAST(sum(f.refunds), 9223372036854775807)::bigint AS refunds, NULL::bigint AS tax, \
         sum(f.rounding)::bigint AS rounding \
     FROM facts f GROUP BY f.tender, f.currency ORDER BY f.tender, f.currency LIMIT {}"
}

statement! {
    struct Stores {
        from: NaiveDate => sql_types::Date,
        to: NaiveDate => sql_types::Date,
        scope: Option<Vec<StoreId>> => sql_types::Nullable<sql_types::Array<sql_types::Uuid>>,
        store_id: Option<StoreId> => sql_types::Nullable<sql_types::Uuid>,
    }
    "WITH p AS (SELECT {}::date AS since, {}::date AS until, {}::uuid[] AS scope, {}::uuid AS store) \
     SELECT store_id FROM sales s, p WHERE business_date BETWEEN p.since AND p.until \
         AND (p.scope IS NULL OR store_id = ANY(p.scope)) AND (p.store IS NULL OR store_id = p.store) \
     UNION \
     SELECT store_id FROM returns r, p WHERE business_date BETWEEN p.since AND p.until \
         AND (p.scope IS NULL OR store_id = ANY(p.scope)) AND (p.store IS NULL OR store_id = p.store)"
}

/// One group of the revenue report.
#[derive(Debug, Clone, QueryableByName)]
pub(crate) struct RevenueSums {
    #[diesel(sql_type = sql_types::Nullable<sql_types::Uuid>)]
    pub(crate) store_id: Option<StoreId>,
    #[diesel(sql_type = sql_types::Nullable<sql_types::Date>)]
    pub(crate) business_date: Option<NaiveDate>,
    #[diesel(sql_type = sql_types::Nullable<sql_types::Integer>)]
    pub(crate) hour: Option<i32>,
    #[diesel(sql_type = sql_types::Nullable<sql_types::Uuid>)]
    pub(crate) cashier_id: Option<UserId>,
    #[diesel(sql_type = sql_types::Nullable<sql_types::Uuid>)]
    pub(crate) category_id: Option<Uuid>,
    #[diesel(sql_type = sql_types::Nullable<sql_types::Uuid>)]
    pub(crate) product_id: Option<ProductId>,
    #[diesel(sql_type = sql_types::Nullable<sql_types::Text>)]
    pub(crate) sku: Option<String>,
    #[diesel(sql_type = sql_types::Nullable<sql_types::Text>)]
    pub(crate) name: Option<String>,
    #[diesel(sql_type = sql_types::Nullable<sql_types::Text>)]
    pub(crate) tender: Option<Tender>,
    #[diesel(sql_type = sql_types::Text)]
    pub(crate) currency: Currency,
    #[diesel(sql_type = sql_types::BigInt)]
    pub(crate) sales: i64,
    #[diesel(sql_type = sql_types::BigInt)]
    pub(crate) returns: i64,
    #[diesel(sql_type = sql_types::BigInt)]
    pub(crate) gross: i64,
    #[diesel(sql_type = sql_types::BigInt)]
    pub(crate) refunds: i64,
    #[diesel(sql_type = sql_types::Nullable<sql_types::BigInt>)]
    pub(crate) tax: Option<i64>,
    #[diesel(sql_type = sql_types::Nullable<sql_types::BigInt>)]
    pub(crate) rounding: Option<i64>,
}

/// Revenue by `group`, at most `limit` rows. `clocks` are needed for hours only.
pub(crate) fn revenue(
    conn: &mut PgConnection,
    group: RevenueGroup,
    span: Span,
    clocks: &Clocks,
    limit: i64,
) -> QueryResult<Vec<RevenueSums>> {
    let Span {
        from,
        to,
        scope,
        store_id,
    } = span;
    match group {
        RevenueGroup::Store | RevenueGroup::Day | RevenueGroup::Hour | RevenueGroup::Cashier => {
            Documents {
                group: group.as_str(),
                from,
                to,
                scope,
                store_id,
                stores: &clocks.stores,
                zones: &clocks.zones,
                limit,
            }
            .get_results(conn)
        }
        RevenueGroup::Category | RevenueGroup::Product => Lines {
            group: group.as_str(),
            from,
            to,
            scope,
            store_id,
            limit,
        }
        .get_results(conn),
        RevenueGroup::Tender => Tenders {
            from,
            to,
            scope,
            store_id,
            limit,
        }
        .get_results(conn),
    }
}

#[derive(QueryableByName)]
struct Named {
    #[diesel(sql_type = sql_types::Uuid)]
    store_id: StoreId,
}

/// The stores in which anything happened.
pub(crate) fn stores(conn: &mut PgConnection, span: Span) -> QueryResult<Vec<StoreId>> {
    let Span {
        from,
        to,
        scope,
        store_id,
    } = span;
    let rows: Vec<Named> = Stores {
        from,
        to,
        scope,
        store_id,
    }
    .get_results(conn)?;
    Ok(rows
        .into_iter()
        .map(|Named { store_id }| store_id)
        .collect())
}
