//! The invariants of sales as SQL: each counts what breaks it.

use diesel::{PgConnection, QueryResult, QueryableByName, RunQueryDsl, sql_types};
use kernel::statement;

statement! {
    struct Broken {}
    "SELECT 'I8: no line came back more than it was sold' AS invariant, count(*) AS broken \
     FROM sale_lines WHERE returned_quantity NOT BETWEEN 0 AND quantity \
         OR refunded_minor NOT BETWEEN 0 AND total_minor \
     UNION ALL \
     SELECT 'I8: what lines say came back is what returns say', count(*) FROM ( \
         SELECT sale_id, line, sum(quantity) AS quantity, sum(refund) AS refund FROM ( \
             SELECT sale_id, line, returned_quantity AS quantity, refunded_minor AS refund \
             FROM sale_lines WHERE returned_quantity <> 0 OR refunded_minor <> 0 \
             UNION ALL \
             SELECT sale_id, line, -quantity, -refund_minor FROM return_lines \
             WHERE sale_id IS NOT NULL) a \
         GROUP BY sale_id, line) b WHERE quantity <> 0 OR refund <> 0 \
     UNION ALL \
     SELECT 'I8: refunds of a sale are its returns'' and at most what was paid', count(*) \
     FROM sales s LEFT JOIN ( \
         SELECT sale_id, sum(refund_minor) AS refund, count(*) AS n FROM returns GROUP BY sale_id \
     ) r ON r.sale_id = s.id \
     WHERE s.refunded_minor <> COALESCE(r.refund, 0) OR s.return_count <> COALESCE(r.n, 0) \
         OR s.refunded_minor > s.total_minor OR (s.state <> 'recorded' AND r.n > 0) \
     UNION ALL \
     SELECT 'I8: a return pays back what its lines say', count(*) FROM returns r \
     LEFT JOIN (SELECT return_id, sum(refund_minor) AS refund, count(*) AS n \
         FROM return_lines GROUP BY return_id) l ON l.return_id = r.id \
     LEFT JOIN (SELECT return_id, sum(amount_minor) AS amount \
         FROM refunds GROUP BY return_id) p ON p.return_id = r.id \
     WHERE r.refund_minor <> COALESCE(l.refund, -1) OR r.line_count <> COALESCE(l.n, -1) \
         OR r.refund_minor + r.rounding_minor <> COALESCE(p.amount, 0) \
     UNION ALL \
     SELECT 'I8: a return, its lines and its refunds name one sale and one store', count(*) \
     FROM returns r LEFT JOIN sales s ON s.id = r.sale_id \
     WHERE r.sale_store_id IS DISTINCT FROM s.store_id OR r.currency <> s.currency \
         OR EXISTS (SELECT FROM return_lines l WHERE l.return_id = r.id \
             AND (l.sale_id IS DISTINCT FROM r.sale_id OR l.store_id <> r.store_id)) \
         OR EXISTS (SELECT FROM refunds p WHERE p.return_id = r.id AND p.store_id <> r.store_id) \
     UNION ALL \
     SELECT 'I11: an exchange is a sale and a return, and offsets as much of both', count(*) \
     FROM (SELECT sale_id AS id, sum(amount_minor) AS amount FROM payments \
         WHERE tender = 'exchange' GROUP BY sale_id) p \
     FULL JOIN (SELECT r.exchange_sale_id AS id, r.store_id, r.refund_minor, r.request_hash, \
             COALESCE(f.amount, 0) AS amount \
         FROM returns r LEFT JOIN (SELECT return_id, sum(amount_minor) AS amount FROM refunds \
             WHERE tender = 'exchange' GROUP BY return_id) f ON f.return_id = r.id \
         WHERE r.exchange_sale_id IS NOT NULL OR f.amount IS NOT NULL) r ON r.id = p.id \
     LEFT JOIN sales s ON s.id = r.id \
     WHERE s.state IS DISTINCT FROM 'recorded' OR s.store_id <> r.store_id \
         OR s.request_hash <> r.request_hash OR r.amount <> COALESCE(p.amount, 0) \
         OR r.amount <> LEAST(s.total_minor, r.refund_minor) \
     UNION ALL \
     SELECT 'I11: the tax in a refund is part of it', count(*) FROM return_lines \
     WHERE tax_minor NOT BETWEEN 0 AND refund_minor OR cost_minor < 0 \
     UNION ALL \
     SELECT 'I11: lines sum to their sale', count(*) \
     FROM (SELECT * FROM sales WHERE state <> 'aborted') s FULL JOIN ( \
         SELECT sale_id, count(*) AS n, sum(gross_minor) AS gross, sum(discount_minor) AS discount, \
             sum(tax_minor) AS tax, sum(total_minor) AS total \
         FROM sale_lines GROUP BY sale_id) l ON l.sale_id = s.id \
     WHERE s.id IS NULL OR l.sale_id IS NULL OR s.line_count <> l.n OR s.subtotal_minor <> l.gross \
         OR s.discount_minor <> l.discount OR s.tax_minor <> l.tax OR s.total_minor <> l.total \
     UNION ALL \
     SELECT 'I11: payments sum to what was paid', count(*) \
     FROM (SELECT * FROM sales WHERE state <> 'aborted') s FULL JOIN ( \
         SELECT sale_id, sum(amount_minor) AS amount FROM payments GROUP BY sale_id \
     ) p ON p.sale_id = s.id \
     WHERE s.id IS NULL OR s.paid_minor <> COALESCE(p.amount, 0) \
         OR s.paid_minor - s.change_minor <> s.total_minor + s.rounding_minor \
     UNION ALL \
     SELECT 'I10: events of an aggregate are numbered without gaps', count(*) FROM ( \
         SELECT 1 FROM outbox GROUP BY aggregate_id \
         HAVING min(seq) <> 1 OR max(seq) <> count(*)) a \
     UNION ALL \
     SELECT 'I10: every sale and return has its events', count(*) FROM ( \
         SELECT id, event_seq FROM sales WHERE state <> 'aborted' \
         UNION ALL SELECT id, 1 FROM returns) d \
     LEFT JOIN (SELECT aggregate_id, max(seq) AS seq FROM outbox GROUP BY aggregate_id) e \
         ON e.aggregate_id = d.id \
     WHERE d.event_seq <> COALESCE(e.seq, 0) \
     UNION ALL \
     SELECT 'I10: no event is parked', count(*) FROM outbox WHERE parked_at IS NOT NULL"
}

/// An invariant and how many rows break it.
#[derive(Debug, Clone, QueryableByName)]
pub(crate) struct Count {
    #[diesel(sql_type = sql_types::Text)]
    pub(crate) invariant: String,
    #[diesel(sql_type = sql_types::BigInt)]
    pub(crate) broken: i64,
}

/// Checks everything, in one statement and so in one snapshot.
pub(crate) fn broken(conn: &mut PgConnection) -> QueryResult<Vec<Count>> {
    Broken {}.get_results(conn)
}

statement! {
    struct Waiting {}
    "SELECT 'waiting' AS invariant, count(*) AS broken FROM outbox \
     WHERE published_at IS NULL AND parked_at IS NULL"
}

/// Events that are not delivered yet.
pub(crate) fn waiting(conn: &mut PgConnection) -> QueryResult<i64> {
    let row: Count = Waiting {}.get_result(conn)?;
    Ok(row.broken)
}
