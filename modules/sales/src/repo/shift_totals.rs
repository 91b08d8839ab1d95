//! The running totals of a shift: a handful of rows, however much was sold.

use diesel::{pg::Pg, prelude::*};
use kernel::{ids::StoreId, uuid::Uuid};

use crate::schema::shift_totals;

/// One sum of a shift.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, QueryableByName, Selectable)]
#[diesel(table_name = shift_totals, check_for_backend(Pg))]
pub(crate) struct Total {
    /// `document`, `discount`, `tender` or `tax`.
    pub(crate) kind: String,
    /// Which tender or tax rate; empty for the others.
    pub(crate) item: String,
    pub(crate) sold_count: i64,
    pub(crate) sold_minor: i64,
    pub(crate) sold_tax_minor: i64,
    pub(crate) voided_count: i64,
    pub(crate) voided_minor: i64,
    pub(crate) voided_tax_minor: i64,
    pub(crate) returned_count: i64,
    pub(crate) returned_minor: i64,
    pub(crate) returned_tax_minor: i64,
}

impl Total {
    /// What was sold less what was voided and what came back.
    pub(crate) fn net(&self) -> i64 {
        self.sold_minor
            .saturating_sub(self.voided_minor)
            .saturating_sub(self.returned_minor)
    }

    /// The tax within [`net`](Self::net).
    pub(crate) fn net_tax(&self) -> i64 {
        self.sold_tax_minor
            .saturating_sub(self.voided_tax_minor)
            .saturating_sub(self.returned_tax_minor)
    }
}

/// The totals of a shift, which nothing changes while its register is locked.
pub(crate) fn of(
    conn: &mut PgConnection,
    store_id: StoreId,
    shift_id: Uuid,
) -> QueryResult<Vec<Total>> {
    shift_totals::table
        .filter(shift_totals::store_id.eq(store_id))
        .filter(shift_totals::shift_id.eq(shift_id))
        .order((shift_totals::kind, shift_totals::item))
        .select(Total::as_select())
        .load(conn)
}
