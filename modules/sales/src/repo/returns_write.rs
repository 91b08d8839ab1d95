//! Recording a return, under the lock of the sale's row.

use diesel::{
    OptionalExtension, PgConnection, QueryResult, QueryableByName, RunQueryDsl, insert_into,
    prelude::*, sql_types,
};
use kernel::{
    ids::SaleId,
    money::{Minor, Quantity},
    statement,
    uuid::Uuid,
};

use super::{
    returns::{FullReturn, Return},
    sales::SaleLine,
};
use crate::{
    domain::words::{SaleStatus, Tender},
    schema::{payments, refunds, return_lines, returns, sale_lines, sales},
};

/// Locks the sale's row, so that returns and a void of it happen one after the other; answers
/// its state.
pub(crate) fn lock_sale(
    conn: &mut PgConnection,
    sale_id: SaleId,
) -> QueryResult<Option<SaleStatus>> {
    sales::table
        .filter(sales::id.eq(sale_id))
        .filter(sales::state.ne("aborted"))
        .select(sales::state)
        .for_update()
        .first(conn)
        .optional()
}

/// Every line of the sale, in order.
pub(crate) fn lines(conn: &mut PgConnection, sale_id: SaleId) -> QueryResult<Vec<SaleLine>> {
    sale_lines::table
        .filter(sale_lines::sale_id.eq(sale_id))
        .order(sale_lines::line)
        .select(SaleLine::as_select())
        .load(conn)
}

/// The tender of the sale's largest payment, the first of equals.
pub(crate) fn main_tender(conn: &mut PgConnection, sale_id: SaleId) -> QueryResult<Option<Tender>> {
    payments::table
        .filter(payments::sale_id.eq(sale_id))
        .order((payments::amount_minor.desc(), payments::n))
        .select(payments::tender)
        .first(conn)
        .optional()
}

/// Whether a return stands under this id.
pub(crate) fn exists(conn: &mut PgConnection, id: Uuid) -> QueryResult<bool> {
    diesel::select(diesel::dsl::exists(
        returns::table.filter(returns::id.eq(id)),
    ))
    .get_result(conn)
}

/// Writes the return; `false` when its id is taken.
pub(crate) fn insert(conn: &mut PgConnection, new: &FullReturn) -> QueryResult<bool> {
    let inserted = insert_into(returns::table)
        .values::<&Return>(&new.head)
        .on_conflict(returns::id)
        .do_nothing()
        .execute(conn)?;
    if inserted == 0 {
        return Ok(false);
    }
    insert_into(return_lines::table)
        .values(&new.lines)
        .execute(conn)?;
    if !new.refunds.is_empty() {
        insert_into(refunds::table)
            .values(&new.refunds)
            .execute(conn)?;
    }
    Ok(true)
}

/// What one sale line gives back.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TakenBack {
    pub(crate) line: i32,
    pub(crate) quantity: Quantity,
    pub(crate) refund: Minor,
}

statement! {
    struct TakeBack {
        lines: Vec<i32> => sql_types::Array<sql_types::Integer>,
        quantities: Vec<Quantity> => sql_types::Array<sql_types::BigInt>,
        refunds: Vec<Minor> => sql_types::Array<sql_types::BigInt>,
        sale_id: SaleId => sql_types::Uuid,
    }
    "UPDATE sale_lines l SET returned_quantity = l.returned_quantity + t.quantity, \
         refunded_minor = l.refunded_minor + t.refund \
     FROM unnest({}, {}, {}) AS t (line, quantity, refund) \
     WHERE l.sale_id = {} AND l.line = t.line \
         AND l.returned_quantity + t.quantity <= l.quantity \
     RETURNING l.line"
}

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = sql_types::Integer)]
    line: i32,
}

/// Counts goods as returned, each line at most once and only as far as it was sold; answers the
/// lines that had so much to give.
pub(crate) fn take_back(
    conn: &mut PgConnection,
    sale_id: SaleId,
    taken: &[TakenBack],
) -> QueryResult<Vec<i32>> {
    let rows: Vec<Line> = TakeBack {
        lines: taken.iter().map(|t| t.line).collect(),
        quantities: taken.iter().map(|t| t.quantity).collect(),
        refunds: taken.iter().map(|t| t.refund).collect(),
        sale_id,
    }
    .get_results(conn)?;
    Ok(rows.into_iter().map(|row| row.line).collect())
}

statement! {
    struct PayBack {
        refund: Minor => sql_types::BigInt,
        sale_id: SaleId => sql_types::Uuid,
    }
    "UPDATE sales SET refunded_minor = refunded_minor + {}, return_count = return_count + 1 \
     WHERE id = {} AND state = 'recorded' AND refunded_minor + $1 <= total_minor"
}

/// Counts `refund` as paid back; `false` when the sale is voided, or more would go back than was
/// paid.
pub(crate) fn pay_back(
    conn: &mut PgConnection,
    sale_id: SaleId,
    refund: Minor,
) -> QueryResult<bool> {
    PayBack { refund, sale_id }.execute(conn).map(|n| n == 1)
}
