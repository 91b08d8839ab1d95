//! The audit trail: append-only, in the transaction of what it tells about.

use chrono::{DateTime, Utc};
use diesel::{insert_into, prelude::*};
use kernel::{
    ids::{StoreId, UserId},
    uuid::Uuid,
};
use serde_json::Value;

use crate::schema::audit;

/// One entry.
#[derive(Debug, Clone, Insertable)]
#[diesel(table_name = audit, treat_none_as_default_value = false)]
pub(crate) struct Entry {
    pub(crate) id: Uuid,
    pub(crate) at: DateTime<Utc>,
    pub(crate) actor_id: UserId,
    pub(crate) store_id: StoreId,
    pub(crate) action: &'static str,
    pub(crate) subject_id: Uuid,
    pub(crate) trace_id: String,
    pub(crate) before: Option<Value>,
    pub(crate) after: Option<Value>,
}

/// Appends `entries`.
pub(crate) fn append(conn: &mut PgConnection, entries: &[Entry]) -> QueryResult<()> {
    if entries.is_empty() {
        return Ok(());
    }
    insert_into(audit::table)
        .values(entries)
        .execute(conn)
        .map(drop)
}
