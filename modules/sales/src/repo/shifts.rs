//! Shifts and their Z reports.

use chrono::{DateTime, NaiveDate, Utc};
use diesel::{
    OptionalExtension, PgConnection, QueryResult, RunQueryDsl,
    dsl::sql,
    expression::SqlLiteral,
    insert_into,
    pg::Pg,
    prelude::*,
    sql_types::{BigInt, Bool},
};
use kernel::{
    ids::{StoreId, UserId},
    money::{Currency, Minor},
    uuid::Uuid,
};
use serde_json::Value;

use super::{Newest, sales::Sight, shift_totals::Total};
use crate::{
    domain::words::ShiftStatus,
    schema::{shift_totals, shifts, z_reports},
};

/// A register's session.
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = shifts, check_for_backend(Pg), treat_none_as_default_value = false)]
pub(crate) struct Shift {
    pub(crate) id: Uuid,
    pub(crate) store_id: StoreId,
    pub(crate) register_id: Uuid,
    pub(crate) register_code: String,
    pub(crate) cashier_id: UserId,
    pub(crate) state: ShiftStatus,
    pub(crate) currency: Currency,
    pub(crate) business_date: NaiveDate,
    pub(crate) opened_at: DateTime<Utc>,
    pub(crate) float_minor: Minor,
    pub(crate) first_receipt: i64,
    pub(crate) cash_in_minor: i64,
    pub(crate) cash_out_minor: i64,
    pub(crate) cash_count: i32,
    pub(crate) closed_at: Option<DateTime<Utc>>,
    pub(crate) closed_by: Option<UserId>,
    pub(crate) last_receipt: Option<i64>,
    pub(crate) z_number: Option<i64>,
    pub(crate) expected_minor: Option<i64>,
    pub(crate) counted_minor: Option<Minor>,
}

/// Writes a shift that was just opened.
pub(crate) fn insert(conn: &mut PgConnection, shift: &Shift) -> QueryResult<()> {
    insert_into(shifts::table)
        .values(shift)
        .execute(conn)
        .map(drop)
}

type Condition = Box<dyn BoxableExpression<shifts::table, Pg, SqlType = Bool>>;

/// `None` when the caller sees everything.
pub(super) fn seen_by(sight: Sight) -> Option<Condition> {
    let Sight {
        caller,
        all_of,
        own_of,
    } = sight;
    let all_of = all_of?;
    let own: Condition = match own_of {
        None => Box::new(shifts::cashier_id.eq(caller)),
        Some(own_of) => Box::new(
            shifts::cashier_id
                .eq(caller)
                .and(shifts::store_id.eq_any(own_of)),
        ),
    };
    Some(if all_of.is_empty() {
        own
    } else {
        Box::new(shifts::store_id.eq_any(all_of).or(own))
    })
}

/// The shift; `None` when there is none, or not in sight.
pub(crate) fn find(
    conn: &mut PgConnection,
    id: Uuid,
    sight: Option<Sight>,
) -> QueryResult<Option<Shift>> {
    let mut query = shifts::table
        .filter(shifts::id.eq(id))
        .select(Shift::as_select())
        .into_boxed();
    if let Some(seen) = sight.and_then(seen_by) {
        query = query.filter(seen);
    }
    query.first(conn).optional()
}

/// A shift as it stands: with its totals, and the last receipt of its register.
#[derive(Debug, Clone)]
pub(crate) struct Standing {
    pub(crate) shift: Shift,
    pub(crate) totals: Vec<Total>,
    pub(crate) last_receipt: i64,
}

/// The last receipt of the shift's register.
fn last_receipt() -> SqlLiteral<BigInt> {
    sql("(SELECT r.last_receipt FROM registers r \
         WHERE (r.store_id, r.register_id) = (shifts.store_id, shifts.register_id))")
}

/// Shifts that the store opened on this business day, by register, with the last receipts of their
/// registers.
pub(crate) fn of_day(
    conn: &mut PgConnection,
    store_id: StoreId,
    date: NaiveDate,
) -> QueryResult<Vec<(Shift, i64)>> {
    shifts::table
        .filter(shifts::store_id.eq(store_id))
        .filter(shifts::business_date.eq(date))
        .order((shifts::register_code, shifts::opened_at, shifts::id))
        .select((Shift::as_select(), last_receipt()))
        .load(conn)
}

/// Shifts of the store that were opened until this business day and are open, the oldest first.
pub(crate) fn left_open(
    conn: &mut PgConnection,
    store_id: StoreId,
    date: NaiveDate,
    limit: i64,
) -> QueryResult<Vec<Shift>> {
    shifts::table
        .filter(shifts::store_id.eq(store_id))
        .filter(shifts::state.eq(ShiftStatus::Open))
        .filter(shifts::business_date.le(date))
        .order((shifts::opened_at, shifts::id))
        .limit(limit)
        .select(Shift::as_select())
        .load(conn)
}

/// The shift with everything in it, in one statement and so in one snapshot.
pub(crate) fn standing(
    conn: &mut PgConnection,
    id: Uuid,
    sight: Sight,
) -> QueryResult<Option<Standing>> {
    let of_shift = shift_totals::store_id
        .eq(shifts::store_id)
        .and(shift_totals::shift_id.eq(shifts::id));
    let mut wanted = shifts::table
        .filter(shifts::id.eq(id))
        .select(shifts::id)
        .into_boxed();
    if let Some(seen) = seen_by(sight) {
        wanted = wanted.filter(seen);
    }
    let rows: Vec<(Shift, Option<Total>, i64)> = shifts::table
        .left_join(shift_totals::table.on(of_shift))
        .filter(shifts::id.eq_any(wanted))
        .order((shift_totals::kind, shift_totals::item))
        .select((
            Shift::as_select(),
            Option::<Total>::as_select(),
            last_receipt(),
        ))
        .load(conn)?;
    let mut found = None;
    for (shift, total, last_receipt) in rows {
        let standing = found.get_or_insert_with(|| Standing {
            shift,
            totals: Vec::new(),
            last_receipt,
        });
        standing.totals.extend(total);
    }
    Ok(found)
}

/// What a list is limited to.
#[derive(Debug, Clone)]
pub(crate) struct Filter {
    pub(crate) store_id: Option<StoreId>,
    pub(crate) register_id: Option<Uuid>,
    pub(crate) cashier_id: Option<UserId>,
    pub(crate) status: Option<ShiftStatus>,
    pub(crate) from: Option<NaiveDate>,
    pub(crate) to: Option<NaiveDate>,
}

/// Shifts, the last opened first, in one statement.
pub(crate) fn list(
    conn: &mut PgConnection,
    sight: Sight,
    filter: &Filter,
    after: Option<Newest>,
    limit: i64,
) -> QueryResult<Vec<Shift>> {
    let Filter {
        store_id,
        register_id,
        cashier_id,
        status,
        from,
        to,
    } = *filter;
    let mut query = shifts::table.select(Shift::as_select()).into_boxed();
    if let Some(seen) = seen_by(sight) {
        query = query.filter(seen);
    }
    if let Some(store_id) = store_id {
        query = query.filter(shifts::store_id.eq(store_id));
    }
    if let Some(register_id) = register_id {
        query = query.filter(shifts::register_id.eq(register_id));
    }
    if let Some(cashier_id) = cashier_id {
        query = query.filter(shifts::cashier_id.eq(cashier_id));
    }
    if let Some(status) = status {
        query = query.filter(shifts::state.eq(status));
    }
    if let Some(from) = from {
        query = query.filter(shifts::business_date.ge(from));
    }
    if let Some(to) = to {
        query = query.filter(shifts::business_date.le(to));
    }
    if let Some(Newest { occurred_at, id }) = after {
        query = query.filter(shifts::opened_at.le(occurred_at)).filter(
            shifts::opened_at
                .lt(occurred_at)
                .or(shifts::opened_at.eq(occurred_at).and(shifts::id.lt(id))),
        );
    }
    query
        .order((shifts::opened_at.desc(), shifts::id.desc()))
        .limit(limit)
        .load(conn)
}

/// What a shift ends with.
#[derive(Debug, Clone)]
pub(crate) struct Ending {
    pub(crate) at: DateTime<Utc>,
    pub(crate) by: UserId,
    pub(crate) last_receipt: i64,
    pub(crate) z_number: i64,
    pub(crate) expected_minor: i64,
    pub(crate) counted_minor: Minor,
    pub(crate) report: Value,
}

/// Closes the shift and keeps its Z report; `false` when it is not open.
pub(crate) fn close(conn: &mut PgConnection, shift: &Shift, ending: Ending) -> QueryResult<bool> {
    let Ending {
        at,
        by,
        last_receipt,
        z_number,
        expected_minor,
        counted_minor,
        report,
    } = ending;
    let open = shifts::table
        .filter(shifts::id.eq(shift.id))
        .filter(shifts::state.eq(ShiftStatus::Open));
    let closed = diesel::update(open)
        .set((
            shifts::state.eq(ShiftStatus::Closed),
            shifts::closed_at.eq(at),
            shifts::closed_by.eq(by),
            shifts::last_receipt.eq(last_receipt),
            shifts::z_number.eq(z_number),
            shifts::expected_minor.eq(expected_minor),
            shifts::counted_minor.eq(counted_minor),
        ))
        .execute(conn)?;
    if closed == 0 {
        return Ok(false);
    }
    insert_into(z_reports::table)
        .values((
            z_reports::store_id.eq(shift.store_id),
            z_reports::register_id.eq(shift.register_id),
            z_reports::number.eq(z_number),
            z_reports::shift_id.eq(shift.id),
            z_reports::report.eq(report),
        ))
        .execute(conn)?;
    Ok(true)
}

/// The shift's Z report, with the shift; `None` inside where it is not closed yet.
pub(crate) fn z_report(
    conn: &mut PgConnection,
    id: Uuid,
    sight: Sight,
) -> QueryResult<Option<Option<Value>>> {
    let mut wanted = shifts::table
        .filter(shifts::id.eq(id))
        .select(shifts::id)
        .into_boxed();
    if let Some(seen) = seen_by(sight) {
        wanted = wanted.filter(seen);
    }
    shifts::table
        .left_join(z_reports::table.on(z_reports::shift_id.eq(shifts::id)))
        .filter(shifts::id.eq_any(wanted))
        .select(z_reports::report.nullable())
        .first(conn)
        .optional()
}
