//! Who did what, when, before and after: a module's append-only trail.
//!
//! Every module has the same table `audit` in its schema, which its role may neither change nor
//! delete from. The rows of a subject form a chain of SHA-256 hashes, so that a row which was
//! changed or removed all the same, by whoever may, is found by [`count_broken`].

use chrono::{DateTime, Utc};
use diesel::{
    PgConnection, QueryResult, QueryableByName, RunQueryDsl,
    sql_types::{Array, BigInt, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::{
    auth::{Can, Permission, Scope},
    call::Cx,
    db::Db,
    ids::{StoreId, UserId},
    page::{self, Cursor, Limit, Page},
    problem::Problem,
    statement,
    time::Moment,
};

/// `r` is the row and `prev` the hash before it. A JSON array keeps the fields apart, and the
/// database's own text of `jsonb` is the same for the same value.
macro_rules! chain_hash {
    () => {
        "sha256(coalesce(prev, ''::bytea) || convert_to(jsonb_build_array(r.id, \
             (extract(epoch FROM r.recorded_at) * 1000000)::bigint, r.actor_id, r.action, \
             r.subject_id, r.store_id, r.before, r.after, r.trace_id, r.seq)::text, 'UTF8'))"
    };
}

statement! {
    struct CountBroken {}
    concat!(
        "SELECT count(*) AS broken FROM (SELECT a.*, \
             lag(a.hash) OVER chain AS prev, lag(a.seq, 1, 0::bigint) OVER chain AS seq_before \
             FROM audit a WINDOW chain AS (PARTITION BY a.subject_id ORDER BY a.seq)) r \
         WHERE r.seq <> r.seq_before + 1 OR r.hash <> ",
        chain_hash!()
    )
}

#[derive(QueryableByName)]
struct Broken {
    #[diesel(sql_type = BigInt)]
    broken: i64,
}

/// How many rows do not fit what stands before them: someone changed or removed one behind the
/// module's back. Reads the whole trail.
///
/// # Errors
///
/// When the database cannot be used.
pub fn count_broken(conn: &mut PgConnection) -> QueryResult<i64> {
    CountBroken {}
        .get_result(conn)
        .map(|Broken { broken }| broken)
}

/// A change that was made.
#[derive(Debug, Clone)]
pub struct Entry {
    actor_id: UserId,
    trace_id: String,
    action: &'static str,
    subject_id: Uuid,
    store_id: Option<StoreId>,
    before: Option<Value>,
    after: Option<Value>,
}

impl Entry {
    /// `cx`'s actor did `action` (for example `store.archive`) to the thing with this id.
    pub fn new(cx: &Cx, action: &'static str, subject_id: impl Into<Uuid>) -> Self {
        Self {
            actor_id: cx.actor,
            trace_id: cx.trace_id.clone(),
            action,
            subject_id: subject_id.into(),
            store_id: None,
            before: None,
            after: None,
        }
    }

    /// It concerns this store, whose manager may read of it.
    #[must_use]
    pub fn at(mut self, store: StoreId) -> Self {
        self.store_id = Some(store);
        self
    }

    /// What the thing was and is; `None` for what was not there before, or is gone now.
    ///
    /// # Errors
    ///
    /// When a value cannot be written as JSON, which none of ours can bring about.
    pub fn change<T: Serialize>(
        mut self,
        before: Option<&T>,
        after: Option<&T>,
    ) -> QueryResult<Self> {
        let json = |value: &T| {
            serde_json::to_value(value)
                .map_err(|e| diesel::result::Error::SerializationError(e.into()))
        };
        self.before = before.map(json).transpose()?;
        self.after = after.map(json).transpose()?;
        Ok(self)
    }
}

statement! {
    struct Append<'a> {
        ids: Vec<Uuid> => Array<SqlUuid>,
        actors: Vec<UserId> => Array<SqlUuid>,
        actions: Vec<&'a str> => Array<Text>,
        subjects: Vec<Uuid> => Array<SqlUuid>,
        stores: Vec<Option<StoreId>> => Array<Nullable<SqlUuid>>,
        befores: Vec<Option<&'a Value>> => Array<Nullable<Jsonb>>,
        afters: Vec<Option<&'a Value>> => Array<Nullable<Jsonb>>,
        traces: Vec<&'a str> => Array<Text>,
        recorded_at: DateTime<Utc> => Timestamptz,
    }
    concat!(
        "WITH RECURSIVE given AS (SELECT u.*, t.recorded_at, \
                 row_number() OVER (PARTITION BY u.subject_id ORDER BY u.place) AS nth \
             FROM unnest({}, {}, {}, {}, {}, {}, {}, {}) WITH ORDINALITY AS u(id, actor_id, \
                 action, subject_id, store_id, before, after, trace_id, place), \
                 (VALUES ({}::timestamptz)) AS t(recorded_at)), \
         chain AS ( \
             SELECT r.*, ", chain_hash!(), " AS hash FROM ( \
                 SELECT g.*, coalesce(l.seq, 0) + 1 AS seq, l.hash AS prev FROM given g \
                 LEFT JOIN LATERAL (SELECT a.seq, a.hash FROM audit a \
                     WHERE a.subject_id = g.subject_id ORDER BY a.seq DESC LIMIT 1) l ON true \
                 WHERE g.nth = 1) r \
             UNION ALL \
             SELECT r.*, ", chain_hash!(), " AS hash FROM ( \
                 SELECT g.*, c.seq + 1 AS seq, c.hash AS prev FROM chain c \
                 JOIN given g ON g.subject_id = c.subject_id AND g.nth = c.nth + 1) r) \
         INSERT INTO audit (id, recorded_at, actor_id, action, subject_id, store_id, before, after, \
             trace_id, seq, hash) \
         SELECT id, recorded_at, actor_id, action, subject_id, store_id, before, after, trace_id, \
             seq, hash FROM chain"
    )
}

/// Writes `entries` down. Call it in the transaction of the changes, with the subjects' rows locked
/// or new, so that each chain has one end.
///
/// # Errors
///
/// As any insert; a subject that was not locked may be a unique violation.
pub fn append(conn: &mut PgConnection, entries: &[Entry]) -> QueryResult<()> {
    if entries.is_empty() {
        return Ok(());
    }
    Append {
        ids: entries.iter().map(|_| Uuid::now_v7()).collect(),
        actors: entries.iter().map(|e| e.actor_id).collect(),
        actions: entries.iter().map(|e| e.action).collect(),
        subjects: entries.iter().map(|e| e.subject_id).collect(),
        stores: entries.iter().map(|e| e.store_id).collect(),
        befores: entries.iter().map(|e| e.before.as_ref()).collect(),
        afters: entries.iter().map(|e| e.after.as_ref()).collect(),
        traces: entries.iter().map(|e| e.trace_id.as_str()).collect(),
        recorded_at: crate::time::now(),
    }
    .execute(conn)
    .map(drop)
}

/// Which entries a list shows.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListAudit {
    /// Only of this thing: a store, a user, a product, a sale.
    subject_id: Option<Uuid>,
    /// Only by this user.
    actor_id: Option<UserId>,
    /// Only of this store.
    store_id: Option<StoreId>,
    /// Recorded at or after this moment.
    #[param(inline)]
    from: Option<Moment>,
    /// Recorded before this moment.
    #[param(inline)]
    to: Option<Moment>,
    /// Items on a page.
    #[param(inline)]
    limit: Option<Limit>,
    /// `next_cursor` of the page before.
    #[param(inline)]
    cursor: Option<Cursor>,
}

/// One change that was made.
#[derive(Debug, Serialize, QueryableByName, ToSchema)]
pub struct AuditEntry {
    /// Unique; later entries have greater ones.
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    /// When it was written down, with the change itself.
    #[diesel(sql_type = Timestamptz)]
    recorded_at: DateTime<Utc>,
    /// Who did it.
    #[diesel(sql_type = SqlUuid)]
    actor_id: UserId,
    /// What was done, for example `store.archive`.
    #[diesel(sql_type = Text)]
    #[schema(example = "store.archive")]
    action: String,
    /// To what.
    #[diesel(sql_type = SqlUuid)]
    subject_id: Uuid,
    /// The store that it concerns; `null` where it concerns the whole chain.
    #[diesel(sql_type = Nullable<SqlUuid>)]
    store_id: Option<StoreId>,
    /// What it was; `null` for what is new.
    #[diesel(sql_type = Nullable<Jsonb>)]
    #[schema(value_type = Option<Object>)]
    before: Option<Value>,
    /// What it became; `null` for what is gone.
    #[diesel(sql_type = Nullable<Jsonb>)]
    #[schema(value_type = Option<Object>)]
    after: Option<Value>,
    /// Of the request that did it.
    #[diesel(sql_type = Text)]
    trace_id: String,
}

statement! {
    struct List {
        stores: Option<Vec<StoreId>> => Nullable<Array<SqlUuid>>,
        subject: Option<Uuid> => Nullable<SqlUuid>,
        actor: Option<UserId> => Nullable<SqlUuid>,
        from: Option<DateTime<Utc>> => Nullable<Timestamptz>,
        to: Option<DateTime<Utc>> => Nullable<Timestamptz>,
        after_time: Option<DateTime<Utc>> => Nullable<Timestamptz>,
        after_id: Option<Uuid> => Nullable<SqlUuid>,
        limit: i64 => BigInt,
    }
    "SELECT a.* FROM (SELECT {}::uuid[] AS stores, {}::uuid AS subject, {}::uuid AS actor, \
         {}::timestamptz AS since, {}::timestamptz AS until, {}::timestamptz AS after_time, \
         {}::uuid AS after_id) p, audit a \
     WHERE (p.stores IS NULL OR a.store_id = ANY(p.stores)) \
         AND (p.subject IS NULL OR a.subject_id = p.subject) \
         AND (p.actor IS NULL OR a.actor_id = p.actor) \
         AND (p.since IS NULL OR a.recorded_at >= p.since) \
         AND (p.until IS NULL OR a.recorded_at < p.until) \
         AND (p.after_time IS NULL OR (a.recorded_at, a.id) < (p.after_time, p.after_id)) \
     ORDER BY a.recorded_at DESC, a.id DESC LIMIT {}"
}

/// A page of the trail, the newest first, as far as the caller may see it: what concerns no store
/// is for those whose permission is held everywhere.
///
/// # Errors
///
/// 404 for a store outside the caller's scope, 400 for a cursor this list never gave, 503 when the
/// database cannot be used.
pub async fn list<P: Permission>(
    db: &Db,
    can: &Can<P>,
    query: ListAudit,
) -> Result<Page<AuditEntry>, Problem> {
    let scope = match query.store_id {
        Some(store) => {
            can.at(store)?;
            Scope::Only(vec![store])
        }
        None => can.scope(),
    };
    let after: Option<(DateTime<Utc>, Uuid)> = page::after(query.cursor.as_ref())?;
    let limit = query.limit.unwrap_or_default();
    let list = List {
        stores: scope.as_filter(),
        subject: query.subject_id,
        actor: query.actor_id,
        from: query.from.map(|at| at.0),
        to: query.to.map(|at| at.0),
        after_time: after.map(|(at, _)| at),
        after_id: after.map(|(_, id)| id),
        limit: limit.plus_one(),
    };
    let rows: Vec<AuditEntry> = db
        .run(move |conn| list.get_results(conn).map_err(crate::db::DbError::from))
        .await
        .map_err(|e| Problem::from(&e))?;
    Ok(Page::build(rows, limit, |e| (e.recorded_at, e.id), |e| e))
}
