//! The checks of the books, one statement each, so that each sees one moment.

use diesel::{PgConnection, QueryResult, QueryableByName, RunQueryDsl, sql_query, sql_types};

/// A check: each row of `violations` describes one violation, in words.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Check {
    pub(crate) id: &'static str,
    pub(crate) title: &'static str,
    /// `:stuck` stands for the age in seconds at which a hold should have been settled.
    violations: &'static str,
}

pub(crate) const CHECKS: [Check; 4] = [
    Check {
        id: "I1",
        title: "Every level equals the sum of its movements, which follow each other without gaps",
        violations: "\
            SELECT format('store %s, product %s', store_id, product_id) FROM levels l FULL JOIN ( \
                SELECT store_id, product_id, sum(delta) AS on_hand, sum(damaged_delta) AS damaged, \
                    max(seq) AS version, bool_and(seq = seq_before + 1 \
                        AND balance = balance_before + delta \
                        AND damaged_balance = damaged_before + damaged_delta) AS chained \
                FROM (SELECT *, lag(seq, 1, 0::bigint) OVER w AS seq_before, \
                        lag(balance, 1, 0::bigint) OVER w AS balance_before, \
                        lag(damaged_balance, 1, 0::bigint) OVER w AS damaged_before \
                    FROM movements WINDOW w AS (PARTITION BY store_id, product_id ORDER BY seq)) m \
                GROUP BY store_id, product_id) s USING (store_id, product_id) \
            WHERE l.on_hand IS DISTINCT FROM coalesce(s.on_hand, 0) \
                OR l.damaged IS DISTINCT FROM coalesce(s.damaged, 0) \
                OR l.version IS DISTINCT FROM coalesce(s.version, 0) \
                OR NOT coalesce(s.chained, true)",
    },
    Check {
        id: "I2",
        title: "No balance is below zero, except where the store allowed it",
        violations: "\
            SELECT format('store %s, product %s: %s on hand', store_id, product_id, on_hand) \
            FROM levels WHERE (on_hand < 0 AND NOT may_go_negative) \
                OR least(reserved, damaged, incoming) < 0 \
            UNION ALL \
            SELECT format('store %s, product %s, movement %s: balance %s', \
                store_id, product_id, seq, balance) \
            FROM movements WHERE (balance < 0 AND NOT may_go_negative) OR damaged_balance < 0",
    },
    Check {
        id: "I5",
        title: "No hold stays unsettled, and a released one nets to zero",
        violations: "\
            SELECT format('hold %s is held since %s', hold_id, created_at) FROM holds \
            WHERE state = 'held' AND created_at < now() - make_interval(secs => :stuck) \
            UNION ALL \
            SELECT format('hold %s is released, but keeps %s of product %s', h.hold_id, \
                -sum(m.delta), m.product_id) \
            FROM holds h JOIN movements m ON m.store_id = h.store_id \
                AND m.document_id = h.hold_id AND m.reason IN ('sale', 'sale_aborted') \
            WHERE h.state = 'released' GROUP BY h.hold_id, m.product_id HAVING sum(m.delta) <> 0 \
            UNION ALL \
            SELECT DISTINCT format('hold %s is %s, but goods went back', h.hold_id, h.state) \
            FROM holds h JOIN movements m ON m.store_id = h.store_id \
                AND m.document_id = h.hold_id AND m.reason = 'sale_aborted' \
            WHERE h.state <> 'released' \
            UNION ALL \
            SELECT DISTINCT format('sale %s took goods without a hold', m.document_id) \
            FROM movements m WHERE m.reason = 'sale' AND NOT EXISTS ( \
                SELECT FROM holds h WHERE h.hold_id = m.document_id AND h.store_id = m.store_id)",
    },
    Check {
        id: "I10",
        title: "The outbox drains, and numbers events without gaps",
        violations: "\
            SELECT format('%s %s: event %s follows %s', aggregate_type, aggregate_id, seq, before) \
            FROM (SELECT *, lag(seq, 1, 0::bigint) OVER (PARTITION BY aggregate_id ORDER BY seq) \
                AS before FROM outbox) o WHERE seq <> before + 1 \
            UNION ALL \
            SELECT format('event %s waits since %s after %s tries', event_id, recorded_at, tries) \
            FROM outbox WHERE published_at IS NULL \
                AND (parked_at IS NOT NULL OR recorded_at < now() - interval '5 minutes')",
    },
];

/// What a check found.
#[derive(Debug, QueryableByName)]
pub(crate) struct Found {
    #[diesel(sql_type = sql_types::BigInt)]
    pub(crate) violations: i64,
    #[diesel(sql_type = sql_types::Array<sql_types::Text>)]
    pub(crate) examples: Vec<String>,
}

/// Gives the checks of this transaction more time than a request has.
pub(crate) fn allow_time(conn: &mut PgConnection) -> QueryResult<()> {
    sql_query("SET LOCAL statement_timeout = '120s'")
        .execute(conn)
        .map(drop)
}

/// Runs a check. `stuck_seconds`: the age at which a hold should have been settled.
pub(crate) fn run(conn: &mut PgConnection, check: Check, stuck_seconds: u64) -> QueryResult<Found> {
    let violations = check
        .violations
        .replace(":stuck", &stuck_seconds.to_string());
    sql_query(format!(
        "WITH found(example) AS ({violations}) \
         SELECT count(*) AS violations, coalesce(\
             (array_agg(example ORDER BY example))[1:5], ARRAY[]::text[]) AS examples FROM found"
    ))
    .get_result(conn)
}
