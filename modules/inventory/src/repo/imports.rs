//! What was imported, by whom, and what became of it.

use chrono::{DateTime, Utc};
use diesel::{PgConnection, prelude::*};
use kernel::{ids::UserId, page::Limit};
use serde_json::Value;
use uuid::Uuid;

use crate::schema::imports;

/// One row of `imports`.
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = imports, check_for_backend(diesel::pg::Pg))]
#[diesel(treat_none_as_default_value = false)]
pub(crate) struct Import {
    pub(crate) id: Uuid,
    pub(crate) actor_id: UserId,
    pub(crate) dry_run: bool,
    /// `running`, `finished`, or `aborted`.
    pub(crate) state: String,
    pub(crate) rows: i64,
    pub(crate) created: i64,
    pub(crate) updated: i64,
    pub(crate) unchanged: i64,
    pub(crate) failed: i64,
    pub(crate) errors: Value,
    pub(crate) ignored_columns: Vec<String>,
    pub(crate) started_at: DateTime<Utc>,
    pub(crate) finished_at: Option<DateTime<Utc>>,
}

/// Records the start of an import.
pub(crate) fn insert(conn: &mut PgConnection, import: &Import) -> QueryResult<()> {
    diesel::insert_into(imports::table)
        .values(import)
        .execute(conn)
        .map(drop)
}

/// Records how far an import came.
pub(crate) fn update(conn: &mut PgConnection, import: &Import) -> QueryResult<()> {
    diesel::update(imports::table.find(import.id))
        .set((
            imports::state.eq(&import.state),
            imports::rows.eq(import.rows),
            imports::created.eq(import.created),
            imports::updated.eq(import.updated),
            imports::unchanged.eq(import.unchanged),
            imports::failed.eq(import.failed),
            imports::errors.eq(&import.errors),
            imports::finished_at.eq(import.finished_at),
        ))
        .execute(conn)
        .map(drop)
}

/// The import of this id.
pub(crate) fn find(conn: &mut PgConnection, id: Uuid) -> QueryResult<Option<Import>> {
    imports::table
        .find(id)
        .select(Import::as_select())
        .first(conn)
        .optional()
}

/// One page, newest first: ids are time-ordered.
pub(crate) fn list(
    conn: &mut PgConnection,
    before: Option<Uuid>,
    limit: Limit,
) -> QueryResult<Vec<Import>> {
    let mut query = imports::table
        .select(Import::as_select())
        .order(imports::id.desc())
        .limit(limit.plus_one())
        .into_boxed();
    if let Some(before) = before {
        query = query.filter(imports::id.lt(before));
    }
    query.load(conn)
}
