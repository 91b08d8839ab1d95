//! The journal of a register: which number a sale or return got there, and which shift counted it.

use diesel::{
    OptionalExtension, PgConnection, QueryResult, QueryableByName, RunQueryDsl, prelude::*,
    sql_types,
};
use kernel::{
    ids::{SaleId, StoreId},
    money::Currency,
    statement,
    uuid::Uuid,
};

use crate::schema::receipts;

/// What a document got at its register.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Queryable, QueryableByName)]
pub(crate) struct Receipt {
    /// From 1, without gaps.
    #[diesel(sql_type = sql_types::BigInt)]
    pub(crate) number: i64,
    /// The shift that counted it; `None` where none was open.
    #[diesel(sql_type = sql_types::Nullable<sql_types::Uuid>)]
    pub(crate) shift_id: Option<Uuid>,
}

/// What the document got; `None` where it was not made at a register.
pub(crate) fn of(conn: &mut PgConnection, document_id: Uuid) -> QueryResult<Option<Receipt>> {
    receipts::table
        .filter(receipts::document_id.eq(document_id))
        .select((receipts::number, receipts::shift_id))
        .first(conn)
        .optional()
}

statement! {
    /// As a sale is counted when it is recorded: the register's row first, whose newest version
    /// says which shift is open, then the journal and the totals.
    struct CountReturn<'a> {
        store_id: StoreId => sql_types::Uuid,
        register_id: Uuid => sql_types::Uuid,
        return_id: Uuid => sql_types::Uuid,
        currency: &'a str => sql_types::Text,
    }
    "WITH numbered AS ( \
         INSERT INTO registers (store_id, register_id, last_receipt) VALUES ({}, {}, 1) \
         ON CONFLICT (store_id, register_id) DO UPDATE SET last_receipt = registers.last_receipt + 1 \
         RETURNING *), \
     issued AS ( \
         INSERT INTO receipts (store_id, register_id, number, kind, document_id, shift_id) \
         SELECT store_id, register_id, last_receipt, 'return', {}, \
             CASE WHEN open_currency = {} THEN open_shift_id END FROM numbered \
         RETURNING store_id, number, document_id, shift_id), \
     lines AS ( \
         SELECT i.store_id, i.shift_id, b.tax_rate, b.refund_minor AS amount, b.tax_minor AS tax \
         FROM issued i JOIN return_lines b ON b.return_id = i.document_id \
         WHERE i.shift_id IS NOT NULL), \
     facts (store_id, shift_id, kind, item, n, amount, tax) AS ( \
         SELECT i.store_id, i.shift_id, 'document', '', 1, r.refund_minor, \
             coalesce((SELECT sum(tax) FROM lines), 0) \
         FROM issued i JOIN returns r ON r.id = i.document_id WHERE i.shift_id IS NOT NULL \
         UNION ALL \
         SELECT i.store_id, i.shift_id, 'tender', p.tender, 1, p.amount_minor, 0 \
         FROM issued i JOIN refunds p ON p.return_id = i.document_id WHERE i.shift_id IS NOT NULL \
         UNION ALL \
         SELECT store_id, shift_id, 'tax', tax_rate::text, 1, amount, tax FROM lines), \
     counted AS ( \
         INSERT INTO shift_totals (store_id, shift_id, kind, item, returned_count, returned_minor, \
             returned_tax_minor) \
         SELECT store_id, shift_id, kind, item, sum(n), sum(amount), sum(tax) FROM facts \
         GROUP BY store_id, shift_id, kind, item \
         ON CONFLICT (store_id, shift_id, kind, item) DO UPDATE SET \
             returned_count = shift_totals.returned_count + excluded.returned_count, \
             returned_minor = shift_totals.returned_minor + excluded.returned_minor, \
             returned_tax_minor = shift_totals.returned_tax_minor + excluded.returned_tax_minor) \
     SELECT number, shift_id FROM issued"
}

/// Numbers the return at its register, and counts it in the shift that is open there.
pub(crate) fn count_return(
    conn: &mut PgConnection,
    store_id: StoreId,
    register_id: Uuid,
    return_id: Uuid,
    currency: Currency,
) -> QueryResult<Receipt> {
    CountReturn {
        store_id,
        register_id,
        return_id,
        currency: currency.as_str(),
    }
    .get_result(conn)
}

statement! {
    struct CountVoid { shift_id: Uuid => sql_types::Uuid, sale_id: SaleId => sql_types::Uuid }
    "WITH voided AS ( \
         SELECT {}::uuid AS shift_id, s.* FROM sales s WHERE s.id = {}), \
     facts (store_id, shift_id, kind, item, n, amount, tax) AS ( \
         SELECT store_id, shift_id, 'document', '', 1, total_minor, tax_minor FROM voided \
         UNION ALL \
         SELECT store_id, shift_id, 'discount', '', 1, discount_minor, 0 FROM voided \
         WHERE discount_minor <> 0 \
         UNION ALL \
         SELECT v.store_id, v.shift_id, 'tender', p.tender, 1, p.amount_minor, 0 \
         FROM voided v JOIN payments p ON p.sale_id = v.id \
         UNION ALL \
         SELECT store_id, shift_id, 'tender', 'cash', 0, -change_minor, 0 FROM voided \
         WHERE change_minor <> 0 \
         UNION ALL \
         SELECT v.store_id, v.shift_id, 'tax', l.tax_rate::text, 1, l.total_minor, l.tax_minor \
         FROM voided v JOIN sale_lines l ON l.sale_id = v.id) \
     INSERT INTO shift_totals (store_id, shift_id, kind, item, voided_count, voided_minor, \
         voided_tax_minor) \
     SELECT store_id, shift_id, kind, item, sum(n), sum(amount), sum(tax) FROM facts \
     GROUP BY store_id, shift_id, kind, item \
     ON CONFLICT (store_id, shift_id, kind, item) DO UPDATE SET \
         voided_count = shift_totals.voided_count + excluded.voided_count, \
         voided_minor = shift_totals.voided_minor + excluded.voided_minor, \
         voided_tax_minor = shift_totals.voided_tax_minor + excluded.voided_tax_minor"
}

/// Counts the void of a sale in the shift whose drawer gives the money back. Call it under the
/// lock of the shift's register.
pub(crate) fn count_void(
    conn: &mut PgConnection,
    shift_id: Uuid,
    sale_id: SaleId,
) -> QueryResult<()> {
    CountVoid { shift_id, sale_id }.execute(conn).map(drop)
}
