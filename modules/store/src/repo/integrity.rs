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

pub(crate) const CHECKS: [Check; 6] = [
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
        title: "No balance is below zero, except where that was let through, and then it is listed",
        violations: "\
            SELECT format('store %s, product %s: %s on hand', store_id, product_id, on_hand) \
            FROM levels WHERE (on_hand < 0 AND NOT may_go_negative) \
                OR least(reserved, damaged, incoming) < 0 \
            UNION ALL \
            SELECT format('store %s, product %s, movement %s: balance %s', \
                store_id, product_id, seq, balance) \
            FROM movements WHERE (balance < 0 AND NOT may_go_negative) OR damaged_balance < 0 \
            UNION ALL \
            SELECT format('store %s, product %s, movement %s: taken below zero, or not, and not \
                listed so', store_id, product_id, seq) \
            FROM (SELECT store_id, product_id, seq, true AS below FROM movements \
                WHERE delta < 0 AND balance < 0) m \
            FULL JOIN (SELECT store_id, product_id, seq, true AS listed FROM discrepancies) d \
                USING (store_id, product_id, seq) \
            WHERE (listed AND below) IS NOT TRUE \
            UNION ALL \
            SELECT format('discrepancy %s is open, but its sale was aborted', d.id) \
            FROM discrepancies d JOIN movements m ON m.store_id = d.store_id \
                AND m.product_id = d.product_id AND m.seq = d.seq AND m.reason = 'sale' \
            JOIN holds h ON h.hold_id = m.document_id AND h.store_id = m.store_id \
            WHERE d.state = 'open' AND h.state = 'released'",
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
        id: "I9",
        title: "What a transfer sent is received, damaged, lost or in transit, as levels and ledger say",
        violations: "\
            SELECT format('transfer %s, product %s: %s of %s sent', t.id, l.product_id, \
                l.received + l.damaged + l.lost, l.sent) \
            FROM transfers t JOIN transfer_lines l ON l.transfer_id = t.id \
            WHERE least(l.sent, l.received, l.damaged, l.lost) < 0 \
                OR l.received + l.damaged + l.lost > l.sent \
                OR l.sent > l.approved OR l.approved > l.requested \
                OR (t.status IN ('received', 'closed') AND l.received + l.damaged + l.lost < l.sent) \
                OR (t.dispatched_at IS NULL AND l.sent <> 0) \
            UNION ALL \
            SELECT format('transfer %s, product %s: its receipts do not add up', l.transfer_id, \
                l.product_id) \
            FROM transfer_lines l LEFT JOIN ( \
                SELECT transfer_id, product_id, sum(received) AS received, \
                    sum(damaged) AS damaged, sum(lost) AS lost \
                FROM transfer_receipt_lines GROUP BY transfer_id, product_id) r \
                USING (transfer_id, product_id) \
            WHERE (l.received, l.damaged, l.lost) \
                <> (coalesce(r.received, 0), coalesce(r.damaged, 0), coalesce(r.lost, 0)) \
            UNION ALL \
            SELECT format('transfer %s, product %s: the ledger says otherwise', \
                coalesce(l.transfer_id, m.document_id), coalesce(l.product_id, m.product_id)) \
            FROM (SELECT l.*, t.from_store_id, t.to_store_id \
                FROM transfer_lines l JOIN transfers t ON t.id = l.transfer_id) l \
            FULL JOIN (SELECT document_id, product_id, \
                    sum(delta) FILTER (WHERE reason = 'transfer_out') AS sent, \
                    sum(delta) FILTER (WHERE reason = 'transfer_in') AS received, \
                    sum(damaged_delta) AS damaged, \
                    min(store_id::text) FILTER (WHERE reason = 'transfer_out') AS from_store, \
                    min(store_id::text) FILTER (WHERE reason = 'transfer_in') AS to_store \
                FROM movements WHERE document_type = 'transfer' GROUP BY document_id, product_id) m \
                ON m.document_id = l.transfer_id AND m.product_id = l.product_id \
            WHERE (coalesce(l.sent, 0), coalesce(l.received, 0), coalesce(l.damaged, 0)) \
                    <> (-coalesce(m.sent, 0), coalesce(m.received, 0), coalesce(m.damaged, 0)) \
                OR m.from_store <> l.from_store_id::text OR m.to_store <> l.to_store_id::text \
            UNION ALL \
            SELECT format('store %s, product %s: %s reserved and %s incoming, not %s and %s', \
                store_id, product_id, v.reserved, v.incoming, p.reserved, p.incoming) \
            FROM levels v FULL JOIN ( \
                SELECT store_id, product_id, sum(reserved) AS reserved, sum(incoming) AS incoming \
                FROM (SELECT t.from_store_id AS store_id, l.product_id, l.approved AS reserved, \
                        0 AS incoming \
                    FROM transfers t JOIN transfer_lines l ON l.transfer_id = t.id \
                    WHERE t.status = 'approved' \
                    UNION ALL \
                    SELECT t.to_store_id, l.product_id, 0, l.sent - l.received - l.damaged - l.lost \
                    FROM transfers t JOIN transfer_lines l ON l.transfer_id = t.id \
                    WHERE t.status IN ('in_transit', 'partially_received')) x \
                GROUP BY store_id, product_id) p USING (store_id, product_id) \
            WHERE (coalesce(v.reserved, 0), coalesce(v.incoming, 0)) \
                <> (coalesce(p.reserved, 0), coalesce(p.incoming, 0))",
    },
    Check {
        id: "I12",
        title: "A posted count moved what it found, as its entries and the ledger say, and no other",
        violations: "\
            SELECT format('count %s, product %s: its entries do not make its figure', \
                l.count_id, l.product_id) \
            FROM count_lines l LEFT JOIN ( \
                SELECT store_id, count_id, product_id, count(*) AS entries, \
                    bool_and(seq = seq_before + 1 AND figure = quantity \
                        + CASE WHEN begins THEN 0 ELSE figure_before END) AS chained, \
                    (array_agg(figure ORDER BY seq DESC))[1] AS figure, \
                    (array_agg(level_version ORDER BY seq DESC))[1] AS last_version, \
                    (array_agg(level_version ORDER BY seq DESC) FILTER (WHERE begins))[1] AS version, \
                    (array_agg(on_hand ORDER BY seq DESC) FILTER (WHERE begins))[1] AS on_hand \
                FROM (SELECT *, lag(seq, 1, 0::bigint) OVER w AS seq_before, \
                        lag(figure) OVER w AS figure_before, \
                        mode = 'set' OR lag(pass) OVER w IS DISTINCT FROM pass AS begins \
                    FROM count_entries \
                    WINDOW w AS (PARTITION BY store_id, count_id, product_id ORDER BY seq)) e \
                GROUP BY store_id, count_id, product_id) e USING (store_id, count_id, product_id) \
            WHERE (l.entries, l.counted, l.last_version, l.level_version, l.expected) \
                    IS DISTINCT FROM (coalesce(e.entries, 0), e.figure, e.last_version, e.version, \
                        e.on_hand) \
                OR NOT coalesce(e.chained, true) \
            UNION ALL \
            SELECT format('count %s, product %s: %s posted', c.id, l.product_id, l.posted) \
            FROM counts c JOIN count_lines l ON l.store_id = c.store_id AND l.count_id = c.id \
            WHERE l.is_open <> (c.ended_at IS NULL) \
                OR (l.posted IS NOT NULL) <> (c.status = 'posted') \
                OR l.posted <> l.counted - l.expected \
                OR (l.counted IS NULL AND l.posted NOT BETWEEN \
                    CASE c.uncounted WHEN 'zero' THEN least(-l.sheet_on_hand, 0) ELSE 0 END \
                    AND CASE c.uncounted WHEN 'zero' THEN greatest(-l.sheet_on_hand, 0) ELSE 0 END) \
            UNION ALL \
            SELECT format('count %s, product %s: the ledger says otherwise', count_id, product_id) \
            FROM (SELECT store_id, count_id, product_id, posted FROM count_lines \
                WHERE posted <> 0) l \
            FULL JOIN (SELECT store_id, document_id AS count_id, product_id, \
                    sum(delta) AS moved, sum(damaged_delta) AS damaged \
                FROM movements WHERE document_type = 'count' \
                GROUP BY store_id, document_id, product_id) m \
                USING (store_id, count_id, product_id) \
            WHERE (l.posted, 0) IS DISTINCT FROM (m.moved, m.damaged)",
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
