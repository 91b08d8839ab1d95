//! Who changed what: one row per change, which the module's role can neither change nor delete.

use chrono::{DateTime, Utc};
use diesel::{
    PgConnection,
    prelude::*,
    sql_types::{Array, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid},
};
use kernel::{call::Cx, statement};
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

/// One change.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) action: &'static str,
    pub(crate) resource_id: Uuid,
    pub(crate) before: Option<Value>,
    pub(crate) after: Option<Value>,
}

impl Entry {
    /// `before` is absent for what is new, `after` for what is gone.
    pub(crate) fn new<T: Serialize>(
        action: &'static str,
        resource_id: Uuid,
        before: Option<&T>,
        after: Option<&T>,
    ) -> QueryResult<Self> {
        let json = |value: &T| {
            serde_json::to_value(value)
                .map_err(|e| diesel::result::Error::SerializationError(e.into()))
        };
        Ok(Self {
            action,
            resource_id,
            before: before.map(json).transpose()?,
            after: after.map(json).transpose()?,
        })
    }
}

statement! {
    struct Insert<'a> {
        ids: Vec<Uuid> => Array<SqlUuid>,
        actions: Vec<&'a str> => Array<Text>,
        resources: Vec<Uuid> => Array<SqlUuid>,
        befores: Vec<Option<&'a Value>> => Array<Nullable<Jsonb>>,
        afters: Vec<Option<&'a Value>> => Array<Nullable<Jsonb>>,
        recorded_at: DateTime<Utc> => Timestamptz,
        actor: kernel::ids::UserId => SqlUuid,
        trace_id: &'a str => Text,
    }
    "INSERT INTO audit (id, action, resource_id, before, after, recorded_at, actor_id, trace_id) \
     SELECT u.*, at.* FROM unnest({}, {}, {}, {}, {}) AS u, \
         (VALUES ({}::timestamptz, {}::uuid, {}::text)) AS at"
}

/// Records `entries` as done by the caller, in the transaction of the change.
pub(crate) fn record(conn: &mut PgConnection, cx: &Cx, entries: &[Entry]) -> QueryResult<()> {
    Insert {
        ids: entries.iter().map(|_| Uuid::now_v7()).collect(),
        actions: entries.iter().map(|e| e.action).collect(),
        resources: entries.iter().map(|e| e.resource_id).collect(),
        befores: entries.iter().map(|e| e.before.as_ref()).collect(),
        afters: entries.iter().map(|e| e.after.as_ref()).collect(),
        recorded_at: kernel::time::now(),
        actor: cx.actor,
        trace_id: &cx.trace_id,
    }
    .execute(conn)
    .map(drop)
}
