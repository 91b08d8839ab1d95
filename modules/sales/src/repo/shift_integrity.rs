//! The invariants of shifts and receipts as SQL: each counts what breaks it.

use diesel::{PgConnection, QueryResult, RunQueryDsl};
use kernel::statement;

use super::integrity::Count;

statement! {
    struct Broken {}
    "WITH sold (sale_id, kind, item, n, amount, tax) AS ( \
         SELECT id, 'document', '', 1, total_minor, tax_minor FROM sales WHERE state <> 'aborted' \
         UNION ALL SELECT id, 'discount', '', 1, discount_minor, 0 FROM sales WHERE discount_minor <> 0 \
         UNION ALL SELECT sale_id, 'tender', tender, 1, amount_minor, 0 FROM payments \
         UNION ALL SELECT id, 'tender', 'cash', 0, -change_minor, 0 FROM sales WHERE change_minor <> 0 \
         UNION ALL SELECT sale_id, 'tax', tax_rate::text, 1, total_minor, tax_minor FROM sale_lines), \
     back (return_id, kind, item, n, amount, tax) AS ( \
         SELECT r.id, 'document', '', 1, r.refund_minor, \
             coalesce((SELECT sum(tax_minor) FROM return_lines b WHERE b.return_id = r.id), 0) FROM returns r \
         UNION ALL SELECT return_id, 'tender', tender, 1, amount_minor, 0 FROM refunds \
         UNION ALL SELECT return_id, 'tax', tax_rate::text, 1, refund_minor, tax_minor FROM return_lines), \
     facts (shift_id, side, kind, item, n, amount, tax) AS ( \
         SELECT r.shift_id, 'sold', f.kind, f.item, f.n, f.amount, f.tax \
         FROM receipts r JOIN sold f ON f.sale_id = r.document_id WHERE r.shift_id IS NOT NULL \
         UNION ALL \
         SELECT s.void_shift_id, 'voided', f.kind, f.item, f.n, f.amount, f.tax \
         FROM sales s JOIN sold f ON f.sale_id = s.id WHERE s.void_shift_id IS NOT NULL \
         UNION ALL \
         SELECT r.shift_id, 'returned', f.kind, f.item, f.n, f.amount, f.tax \
         FROM receipts r JOIN back f ON f.return_id = r.document_id WHERE r.shift_id IS NOT NULL \
         UNION ALL \
         SELECT shift_id, 'sold', kind, item, -sold_count, -sold_minor, -sold_tax_minor FROM shift_totals \
         UNION ALL \
         SELECT shift_id, 'voided', kind, item, -voided_count, -voided_minor, -voided_tax_minor FROM shift_totals \
         UNION ALL \
         SELECT shift_id, 'returned', kind, item, -returned_count, -returned_minor, -returned_tax_minor \
         FROM shift_totals) \
     SELECT 'I12: receipts of a register are numbered from 1 without gaps' AS invariant, \
         count(*) AS broken \
     FROM registers g FULL JOIN (SELECT store_id, register_id, count(*) AS n, max(number) AS last \
         FROM receipts GROUP BY store_id, register_id) r USING (store_id, register_id) \
     WHERE g.last_receipt IS DISTINCT FROM coalesce(r.last, 0) OR coalesce(r.n, 0) <> coalesce(r.last, 0) \
     UNION ALL \
     SELECT 'I12: what was made at a register has its receipt, and nothing else has one', count(*) \
     FROM (SELECT id, store_id, register_id, 'sale' AS kind FROM sales \
             WHERE state <> 'aborted' AND register_id IS NOT NULL \
         UNION ALL SELECT id, store_id, register_id, 'return' FROM returns WHERE register_id IS NOT NULL) d \
     FULL JOIN receipts r ON r.document_id = d.id AND r.store_id = d.store_id \
         AND r.register_id = d.register_id AND r.kind = d.kind \
     WHERE d.id IS NULL OR r.document_id IS NULL \
     UNION ALL \
     SELECT 'I13: the totals of a shift are the sums of its sales, voids and returns', count(*) FROM ( \
         SELECT 1 FROM facts GROUP BY shift_id, side, kind, item \
         HAVING sum(n) <> 0 OR sum(amount) <> 0 OR sum(tax) <> 0) f \
     UNION ALL \
     SELECT 'I13: the cash of a shift is the sum of its movements', count(*) \
     FROM shifts s LEFT JOIN (SELECT shift_id, count(*) AS n, max(n) AS last, \
             coalesce(sum(amount_minor) FILTER (WHERE direction = 'in'), 0) AS cash_in, \
             coalesce(sum(amount_minor) FILTER (WHERE direction = 'out'), 0) AS cash_out \
         FROM cash_movements GROUP BY shift_id) m ON m.shift_id = s.id \
     WHERE s.cash_count <> coalesce(m.n, 0) OR m.n <> m.last \
         OR s.cash_in_minor <> coalesce(m.cash_in, 0) OR s.cash_out_minor <> coalesce(m.cash_out, 0) \
     UNION ALL \
     SELECT 'I14: a register knows its open shift', count(*) \
     FROM (SELECT store_id, register_id, open_shift_id AS id FROM registers WHERE open_shift_id IS NOT NULL) g \
     FULL JOIN (SELECT store_id, register_id, id FROM shifts WHERE state = 'open') s \
         ON s.id = g.id AND s.store_id = g.store_id AND s.register_id = g.register_id \
     WHERE g.id IS NULL OR s.id IS NULL \
     UNION ALL \
     SELECT 'I14: Z reports of a register are numbered from 1 without gaps', count(*) \
     FROM (SELECT store_id, register_id, last_z FROM registers WHERE last_z > 0) g \
     FULL JOIN (SELECT store_id, register_id, count(*) AS n, max(number) AS last FROM z_reports \
         GROUP BY store_id, register_id) z USING (store_id, register_id) \
     WHERE g.last_z IS DISTINCT FROM z.last OR z.n <> z.last \
     UNION ALL \
     SELECT 'I14: a Z report says what its shift came to', count(*) \
     FROM (SELECT * FROM shifts WHERE state = 'closed') s \
     FULL JOIN z_reports z ON z.shift_id = s.id AND z.number = s.z_number \
     LEFT JOIN shift_totals d ON (d.store_id, d.shift_id, d.kind) = (s.store_id, s.id, 'document') \
     LEFT JOIN shift_totals c ON (c.store_id, c.shift_id, c.kind, c.item) = (s.store_id, s.id, 'tender', 'cash') \
     WHERE s.id IS NULL OR z.shift_id IS NULL \
         OR s.expected_minor <> s.float_minor + s.cash_in_minor - s.cash_out_minor \
             + coalesce(c.sold_minor - c.voided_minor - c.returned_minor, 0) \
         OR (z.report -> 'drawer' -> 'expected' ->> 'amount')::bigint <> s.expected_minor \
         OR (z.report -> 'counted' ->> 'amount')::bigint <> s.counted_minor \
         OR (z.report -> 'sales' -> 'total' ->> 'amount')::bigint <> coalesce(d.sold_minor, 0) \
         OR (z.report -> 'revenue' ->> 'amount')::bigint \
             <> coalesce(d.sold_minor - d.voided_minor - d.returned_minor, 0) \
     UNION ALL \
     SELECT 'I10: every shift has its events', count(*) FROM shifts s \
     LEFT JOIN (SELECT aggregate_id, max(seq) AS seq FROM outbox GROUP BY aggregate_id) e ON e.aggregate_id = s.id \
     WHERE coalesce(e.seq, 0) <> CASE s.state WHEN 'closed' THEN 2 ELSE 1 END"
}

/// Checks everything, in one statement and so in one snapshot.
pub(crate) fn broken(conn: &mut PgConnection) -> QueryResult<Vec<Count>> {
    Broken {}.get_results(conn)
}
