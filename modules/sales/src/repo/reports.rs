//! Reports: one statement each.

use chrono::NaiveDate;
use diesel::{PgConnection, QueryResult, QueryableByName, RunQueryDsl, sql_types};
use kernel::{ids::StoreId, money::Currency, statement};

statement! {
    /// Sales and returns are summed side by side, each on its own business day: a join of the two
    /// would count one for every other. Sums are cut off at the largest bigint.
    struct Revenue {
        by_store: bool => sql_types::Bool,
        from: NaiveDate => sql_types::Date,
        to: NaiveDate => sql_types::Date,
        scope: Option<Vec<StoreId>> => sql_types::Nullable<sql_types::Array<sql_types::Uuid>>,
        store_id: Option<StoreId> => sql_types::Nullable<sql_types::Uuid>,
    }
    "SELECT CASE WHEN {} THEN f.store_id END AS store_id, \
         CASE WHEN $1 THEN NULL ELSE f.business_date END AS business_date, f.currency, \
         sum(f.sales)::bigint AS sales, sum(f.returns)::bigint AS returns, \
         LEAST(sum(f.gross), 9223372036854775807)::bigint AS gross, \
         LEAST(sum(f.refunds), 9223372036854775807)::bigint AS refunds, \
         LEAST(sum(f.tax), 9223372036854775807)::bigint AS tax \
     FROM ( \
         SELECT store_id, business_date, currency, 1 AS sales, 0 AS returns, \
             total_minor AS gross, 0::bigint AS refunds, tax_minor AS tax \
         FROM sales WHERE state = 'recorded' AND business_date BETWEEN {} AND {} \
             AND ({} IS NULL OR store_id = ANY($4)) AND ({} IS NULL OR store_id = $5) \
         UNION ALL \
         SELECT store_id, business_date, currency, 0, 1, 0, refund_minor, 0 \
         FROM returns WHERE business_date BETWEEN $2 AND $3 \
             AND ($4 IS NULL OR store_id = ANY($4)) AND ($5 IS NULL OR store_id = $5) \
     ) f GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"
}

/// One group of the revenue report.
#[derive(Debug, Clone, QueryableByName)]
pub(crate) struct RevenueSums {
    #[diesel(sql_type = sql_types::Nullable<sql_types::Uuid>)]
    pub(crate) store_id: Option<StoreId>,
    #[diesel(sql_type = sql_types::Nullable<sql_types::Date>)]
    pub(crate) business_date: Option<NaiveDate>,
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
    #[diesel(sql_type = sql_types::BigInt)]
    pub(crate) tax: i64,
}

/// What a revenue report covers.
#[derive(Debug, Clone)]
pub(crate) struct Span {
    pub(crate) from: NaiveDate,
    pub(crate) to: NaiveDate,
    /// The caller's stores; `None` is every store.
    pub(crate) scope: Option<Vec<StoreId>>,
    pub(crate) store_id: Option<StoreId>,
}

/// Revenue per store (`by_store`) or per business day.
pub(crate) fn revenue(
    conn: &mut PgConnection,
    by_store: bool,
    span: Span,
) -> QueryResult<Vec<RevenueSums>> {
    let Span {
        from,
        to,
        scope,
        store_id,
    } = span;
    Revenue {
        by_store,
        from,
        to,
        scope,
        store_id,
    }
    .get_results(conn)
}
