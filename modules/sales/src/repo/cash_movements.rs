//! Cash that is put into the drawer of a shift, or taken out.

use chrono::{DateTime, Utc};
use diesel::{
    OptionalExtension, PgConnection, QueryResult, QueryableByName, RunQueryDsl, insert_into,
    pg::Pg, prelude::*, sql_types,
};
use kernel::{
    ids::{StoreId, UserId},
    money::{Currency, Minor},
    statement,
    uuid::Uuid,
};

use super::{sales::Sight, shifts::seen_by};
use crate::{
    domain::words::CashDirection,
    schema::{cash_movements, shifts},
};

statement! {
    /// Under the lock of the register nothing moves the takings between the look and the change.
    struct Move {
        cash_in: i64 => sql_types::BigInt,
        cash_out: i64 => sql_types::BigInt,
        id: Uuid => sql_types::Uuid,
    }
    "UPDATE shifts s SET cash_in_minor = cash_in_minor + {}, cash_out_minor = cash_out_minor + {}, \
         cash_count = cash_count + 1 \
     WHERE id = {} AND state = 'open' AND ($2 = 0 OR $2 <= float_minor + cash_in_minor - cash_out_minor \
         + coalesce((SELECT sold_minor - voided_minor - returned_minor FROM shift_totals t \
             WHERE (t.store_id, t.shift_id, t.kind, t.item) = (s.store_id, s.id, 'tender', 'cash')), 0)) \
     RETURNING cash_count"
}

#[derive(QueryableByName)]
struct Place {
    #[diesel(sql_type = sql_types::Integer)]
    cash_count: i32,
}

/// Counts cash that goes in or out; answers its place among the shift's movements. `None` when the
/// shift is not open, or there is not so much in the drawer. Call it with the register locked.
pub(crate) fn count(
    conn: &mut PgConnection,
    id: Uuid,
    direction: CashDirection,
    amount: Minor,
) -> QueryResult<Option<i32>> {
    let (cash_in, cash_out) = match direction {
        CashDirection::In => (amount.get(), 0),
        CashDirection::Out => (0, amount.get()),
    };
    let moved: Option<Place> = Move {
        cash_in,
        cash_out,
        id,
    }
    .get_result(conn)
    .optional()?;
    Ok(moved.map(|place| place.cash_count))
}

/// Cash that was put into the drawer, or taken out.
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = cash_movements, check_for_backend(Pg))]
pub(crate) struct CashMovement {
    pub(crate) store_id: StoreId,
    pub(crate) shift_id: Uuid,
    pub(crate) n: i32,
    pub(crate) direction: CashDirection,
    pub(crate) amount_minor: Minor,
    pub(crate) reason: String,
    pub(crate) actor_id: UserId,
    pub(crate) recorded_at: DateTime<Utc>,
}

/// Writes a movement down.
pub(crate) fn insert(conn: &mut PgConnection, row: &CashMovement) -> QueryResult<()> {
    insert_into(cash_movements::table)
        .values(row)
        .execute(conn)
        .map(drop)
}

/// The movements of a shift in sight, in their order, in one statement.
pub(crate) fn list(
    conn: &mut PgConnection,
    id: Uuid,
    sight: Sight,
    after: Option<i32>,
    limit: i64,
) -> QueryResult<Vec<(CashMovement, Currency)>> {
    let mut wanted = shifts::table
        .filter(shifts::id.eq(id))
        .select(shifts::id)
        .into_boxed();
    if let Some(seen) = seen_by(sight) {
        wanted = wanted.filter(seen);
    }
    cash_movements::table
        .inner_join(shifts::table.on(shifts::id.eq(cash_movements::shift_id)))
        .filter(shifts::id.eq_any(wanted))
        .filter(cash_movements::store_id.eq(shifts::store_id))
        .filter(cash_movements::n.gt(after.unwrap_or_default()))
        .order(cash_movements::n)
        .limit(limit)
        .select((CashMovement::as_select(), shifts::currency))
        .load(conn)
}
