//! The checks of the module's books, one statement each, so that each sees one moment.

use diesel::{PgConnection, QueryResult, QueryableByName, RunQueryDsl, sql_query, sql_types};

/// What must hold, and how often it does not.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Check {
    pub(crate) title: &'static str,
    /// Counts violations.
    count: &'static str,
}

pub(crate) const CHECKS: &[Check] = &[
    Check {
        title: "R1 the transfers of a request carry what was approved of it, and nothing else",
        count: "\
            SELECT count(*) AS violations FROM ( \
                SELECT request_id, product_id, coalesce(approved, 0) AS quantity \
                FROM replenishment_lines WHERE coalesce(approved, 0) > 0) l \
            FULL JOIN ( \
                SELECT t.request_id, x.product_id, sum(x.quantity) AS quantity \
                FROM replenishment_transfers t \
                JOIN replenishment_transfer_lines x ON x.transfer_id = t.transfer_id \
                GROUP BY t.request_id, x.product_id) s USING (request_id, product_id) \
            WHERE l.quantity IS DISTINCT FROM s.quantity",
    },
    Check {
        title: "R2 a request is approved while its transfers go on, and over when they are",
        count: "\
            SELECT count(*) AS violations FROM replenishment_requests r \
            LEFT JOIN LATERAL ( \
                SELECT count(*) AS transfers, bool_and(t.status IN ( \
                        'refused', 'received', 'closed', 'cancelled', 'rejected')) AS ended \
                FROM replenishment_transfers t WHERE t.request_id = r.id) t ON true \
            WHERE CASE WHEN r.status = 'approved' THEN t.transfers = 0 OR t.ended \
                WHEN r.status IN ('fulfilled', 'unfulfilled') THEN t.transfers = 0 OR NOT t.ended \
                ELSE t.transfers > 0 END",
    },
    Check {
        title: "R3 the last cost of a product in its history is what it costs",
        count: "\
            SELECT count(*) AS violations FROM products p LEFT JOIN LATERAL ( \
                SELECT c.* FROM product_costs c WHERE c.product_id = p.id \
                ORDER BY c.version DESC LIMIT 1) c ON true \
            WHERE (c.product_id IS NOT NULL OR p.cost_minor IS NOT NULL) \
                AND (c.cost_minor, c.currency, c.price_per) \
                    IS DISTINCT FROM (p.cost_minor, p.currency, p.price_per)",
    },
];

#[derive(QueryableByName)]
struct Found {
    #[diesel(sql_type = sql_types::BigInt)]
    violations: i64,
}

/// Gives the checks of this transaction more time than a request has.
pub(crate) fn allow_time(conn: &mut PgConnection) -> QueryResult<()> {
    sql_query("SET LOCAL statement_timeout = '120s'")
        .execute(conn)
        .map(drop)
}

/// How often the check is violated.
pub(crate) fn run(conn: &mut PgConnection, check: Check) -> QueryResult<i64> {
    let Found { violations } = sql_query(check.count).get_result(conn)?;
    Ok(violations)
}
