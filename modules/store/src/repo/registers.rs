//! The rows of registers.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use kernel::{ids::StoreId, page::Limit};
use uuid::Uuid;

use crate::schema::registers;

/// A register of a store.
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = registers, check_for_backend(diesel::pg::Pg))]
pub(crate) struct RegisterRow {
    pub(crate) store_id: StoreId,
    pub(crate) id: Uuid,
    pub(crate) code: String,
    pub(crate) name: String,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) archived_at: Option<DateTime<Utc>>,
}

pub(crate) fn insert(conn: &mut PgConnection, row: &RegisterRow) -> QueryResult<RegisterRow> {
    diesel::insert_into(registers::table)
        .values(row)
        .returning(RegisterRow::as_returning())
        .get_result(conn)
}

pub(crate) fn find(
    conn: &mut PgConnection,
    store: StoreId,
    id: Uuid,
) -> QueryResult<Option<RegisterRow>> {
    registers::table
        .find((store, id))
        .select(RegisterRow::as_select())
        .first(conn)
        .optional()
}

pub(crate) fn find_by_code(
    conn: &mut PgConnection,
    store: StoreId,
    code: &str,
) -> QueryResult<Option<Uuid>> {
    registers::table
        .filter(registers::store_id.eq(store).and(registers::code.eq(code)))
        .select(registers::id)
        .first(conn)
        .optional()
}

/// Registers of a store by code; one more than `limit`, if there is one.
pub(crate) fn list(
    conn: &mut PgConnection,
    store: StoreId,
    after: Option<String>,
    limit: Limit,
) -> QueryResult<Vec<RegisterRow>> {
    let mut query = registers::table
        .filter(registers::store_id.eq(store))
        .select(RegisterRow::as_select())
        .into_boxed();
    if let Some(code) = after {
        query = query.filter(registers::code.gt(code));
    }
    query
        .order(registers::code)
        .limit(limit.plus_one())
        .load(conn)
}

/// Archives a register; `None` where that was done before.
pub(crate) fn archive(
    conn: &mut PgConnection,
    store: StoreId,
    id: Uuid,
    at: DateTime<Utc>,
) -> QueryResult<Option<RegisterRow>> {
    let register = registers::table
        .find((store, id))
        .filter(registers::archived_at.is_null());
    diesel::update(register)
        .set(registers::archived_at.eq(at))
        .returning(RegisterRow::as_returning())
        .get_result(conn)
        .optional()
}
