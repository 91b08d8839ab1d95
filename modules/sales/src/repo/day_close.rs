//! A store's day: what its documents come to, and which of them no shift of the day counted.

use chrono::NaiveDate;
use diesel::{PgConnection, QueryResult, QueryableByName, RunQueryDsl, sql_types};
use kernel::{ids::StoreId, money::Currency, statement, uuid::Uuid};

use super::shift_totals::Total;

statement! {
    /// Sums per part of the day: each of its shifts, as its running totals say; all documents of
    /// the day (`day`); those of them that none of its shifts counted (`outside`); and those of
    /// other days that one of its shifts did count (`other_days`). So that
    /// `day = shifts + outside - other_days`.
    struct Sums<'a> {
        store_id: StoreId => sql_types::Uuid,
        date: NaiveDate => sql_types::Date,
        currency: &'a str => sql_types::Text,
    }
    "WITH p AS (SELECT {}::uuid AS store, {}::date AS date, {}::text AS currency), \
     here AS (SELECT s.* FROM shifts s, p WHERE s.store_id = p.store AND s.business_date = p.date), \
     counted AS ( \
         SELECT r.kind, r.document_id AS id FROM here h JOIN receipts r ON r.store_id = h.store_id \
             AND r.register_id = h.register_id AND r.number >= h.first_receipt \
             AND r.number <= coalesce(h.last_receipt, 9223372036854775807) AND r.shift_id = h.id), \
     paid_out AS (SELECT v.id FROM here h JOIN sales v ON v.void_shift_id = h.id), \
     sale_ids AS ( \
         SELECT s.id FROM sales s, p WHERE s.store_id = p.store AND s.business_date = p.date \
         UNION SELECT id FROM counted WHERE kind = 'sale' UNION SELECT id FROM paid_out), \
     sold AS ( \
         SELECT s.id, s.total_minor, s.tax_minor, s.discount_minor, s.change_minor, m.part, m.side \
         FROM p, sale_ids i JOIN sales s ON s.id = i.id \
         LEFT JOIN counted c ON c.id = s.id LEFT JOIN paid_out v ON v.id = s.id \
         CROSS JOIN LATERAL (SELECT s.business_date = p.date AS today, s.state = 'voided' AS void, \
             c.id IS NOT NULL AS in_shift, v.id IS NOT NULL AS void_in_shift) f \
         CROSS JOIN LATERAL (VALUES \
             ('day', 'sold', f.today), ('day', 'voided', f.today AND f.void), \
             ('outside', 'sold', f.today AND NOT f.in_shift), \
             ('outside', 'voided', f.today AND f.void AND NOT f.void_in_shift), \
             ('other_days', 'sold', NOT f.today AND f.in_shift), \
             ('other_days', 'voided', NOT f.today AND f.void_in_shift)) m (part, side, holds) \
         WHERE m.holds AND s.state <> 'aborted' AND s.currency = p.currency), \
     return_ids AS ( \
         SELECT r.id FROM returns r, p WHERE r.store_id = p.store AND r.business_date = p.date \
         UNION SELECT id FROM counted WHERE kind = 'return'), \
     back AS ( \
         SELECT r.id, r.refund_minor, m.part, 'returned' AS side \
         FROM p, return_ids i JOIN returns r ON r.id = i.id LEFT JOIN counted c ON c.id = r.id \
         CROSS JOIN LATERAL (SELECT r.business_date = p.date AS today, c.id IS NOT NULL AS in_shift) f \
         CROSS JOIN LATERAL (VALUES ('day', f.today), ('outside', f.today AND NOT f.in_shift), \
             ('other_days', NOT f.today AND f.in_shift)) m (part, holds) \
         WHERE m.holds AND r.currency = p.currency), \
     facts (part, side, kind, item, n, amount, tax) AS ( \
         SELECT part, side, 'document', '', 1, total_minor, tax_minor FROM sold \
         UNION ALL SELECT part, side, 'discount', '', 1, discount_minor, 0 FROM sold WHERE discount_minor <> 0 \
         UNION ALL SELECT part, side, 'tender', a.tender, 1, a.amount_minor, 0 \
             FROM sold s JOIN payments a ON a.sale_id = s.id \
         UNION ALL SELECT part, side, 'tender', 'cash', 0, -change_minor, 0 FROM sold WHERE change_minor <> 0 \
         UNION ALL SELECT part, side, 'tax', l.tax_rate::text, 1, l.total_minor, l.tax_minor \
             FROM sold s JOIN sale_lines l ON l.sale_id = s.id \
         UNION ALL SELECT part, side, 'document', '', 1, refund_minor, \
             coalesce((SELECT sum(l.tax_minor) FROM return_lines l WHERE l.return_id = b.id), 0) FROM back b \
         UNION ALL SELECT part, side, 'tender', a.tender, 1, a.amount_minor, 0 \
             FROM back b JOIN refunds a ON a.return_id = b.id \
         UNION ALL SELECT part, side, 'tax', l.tax_rate::text, 1, l.refund_minor, l.tax_minor \
             FROM back b JOIN return_lines l ON l.return_id = b.id) \
     SELECT part, NULL::uuid AS shift_id, kind, item, \
         coalesce(sum(n) FILTER (WHERE side = 'sold'), 0)::bigint AS sold_count, \
         coalesce(sum(amount) FILTER (WHERE side = 'sold'), 0)::bigint AS sold_minor, \
         coalesce(sum(tax) FILTER (WHERE side = 'sold'), 0)::bigint AS sold_tax_minor, \
         coalesce(sum(n) FILTER (WHERE side = 'voided'), 0)::bigint AS voided_count, \
         coalesce(sum(amount) FILTER (WHERE side = 'voided'), 0)::bigint AS voided_minor, \
         coalesce(sum(tax) FILTER (WHERE side = 'voided'), 0)::bigint AS voided_tax_minor, \
         coalesce(sum(n) FILTER (WHERE side = 'returned'), 0)::bigint AS returned_count, \
         coalesce(sum(amount) FILTER (WHERE side = 'returned'), 0)::bigint AS returned_minor, \
         coalesce(sum(tax) FILTER (WHERE side = 'returned'), 0)::bigint AS returned_tax_minor \
     FROM facts GROUP BY part, kind, item \
     UNION ALL \
     SELECT 'shift', t.shift_id, t.kind, t.item, t.sold_count, t.sold_minor, t.sold_tax_minor, \
         t.voided_count, t.voided_minor, t.voided_tax_minor, \
         t.returned_count, t.returned_minor, t.returned_tax_minor \
     FROM here h JOIN shift_totals t ON t.store_id = h.store_id AND t.shift_id = h.id \
     ORDER BY 1, 2, 3, 4"
}

/// One sum of a part of the day.
#[derive(Debug, Clone, QueryableByName)]
struct Row {
    #[diesel(sql_type = sql_types::Text)]
    part: String,
    #[diesel(sql_type = sql_types::Nullable<sql_types::Uuid>)]
    shift_id: Option<Uuid>,
    #[diesel(embed)]
    total: Total,
}

/// A day in its parts.
#[derive(Debug, Clone, Default)]
pub(crate) struct DaySums {
    pub(crate) day: Vec<Total>,
    pub(crate) outside: Vec<Total>,
    pub(crate) other_days: Vec<Total>,
    pub(crate) shifts: Vec<(Uuid, Total)>,
}

/// The sums of the store's day, in one statement.
pub(crate) fn sums(
    conn: &mut PgConnection,
    store_id: StoreId,
    date: NaiveDate,
    currency: Currency,
) -> QueryResult<DaySums> {
    let rows: Vec<Row> = Sums {
        store_id,
        date,
        currency: currency.as_str(),
    }
    .get_results(conn)?;
    let mut sums = DaySums::default();
    for Row {
        part,
        shift_id,
        total,
    } in rows
    {
        match (part.as_str(), shift_id) {
            (_, Some(shift)) => sums.shifts.push((shift, total)),
            ("outside", None) => sums.outside.push(total),
            ("other_days", None) => sums.other_days.push(total),
            _ => sums.day.push(total),
        }
    }
    Ok(sums)
}
