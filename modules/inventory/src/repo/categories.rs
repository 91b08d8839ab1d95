//! The category tree: adjacency, with the path beside it.

use chrono::{DateTime, Utc};
use diesel::{
    PgConnection,
    prelude::*,
    sql_types::{BigInt, Bool, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid},
};
use kernel::{page::Limit, statement};
use serde::Serialize;
use uuid::Uuid;

use crate::schema::categories;

/// One row of `categories`.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable, Serialize)]
#[diesel(table_name = categories, check_for_backend(diesel::pg::Pg))]
#[diesel(treat_none_as_default_value = false)]
pub(crate) struct Category {
    pub(crate) id: Uuid,
    pub(crate) parent_id: Option<Uuid>,
    pub(crate) name: String,
    /// The names from the top down, with slashes between.
    pub(crate) path: String,
    /// 1 at the top.
    pub(crate) depth: i32,
    pub(crate) version: i64,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) updated_at: DateTime<Utc>,
}

statement! {
    struct LockTree {}
    "SELECT pg_advisory_xact_lock(hashtext('inventory category tree'))"
}

/// One transaction at a time changes the tree: a move must see every other one. Readers do not wait.
pub(crate) fn lock_tree(conn: &mut PgConnection) -> QueryResult<()> {
    LockTree {}.execute(conn).map(drop)
}

/// The category of this id.
pub(crate) fn find(conn: &mut PgConnection, id: Uuid) -> QueryResult<Option<Category>> {
    categories::table
        .find(id)
        .select(Category::as_select())
        .first(conn)
        .optional()
}

/// Adds categories, parents before children or in the same call.
pub(crate) fn insert(conn: &mut PgConnection, rows: &[Category]) -> QueryResult<()> {
    diesel::insert_into(categories::table)
        .values(rows)
        .execute(conn)
        .map(drop)
}

/// Those of `paths` that are there.
pub(crate) fn by_paths(
    conn: &mut PgConnection,
    paths: &[&str],
) -> QueryResult<Vec<(String, Uuid)>> {
    categories::table
        .filter(categories::path.eq_any(paths))
        .select((categories::path, categories::id))
        .load(conn)
}

/// One page by path. `parent_id` limits it to direct children, `q` to names that contain it.
pub(crate) fn list(
    conn: &mut PgConnection,
    parent_id: Option<Uuid>,
    q: Option<&str>,
    after: Option<&str>,
    limit: Limit,
) -> QueryResult<Vec<Category>> {
    let mut query = categories::table
        .select(Category::as_select())
        .order(categories::path)
        .limit(limit.plus_one())
        .into_boxed();
    if let Some(parent_id) = parent_id {
        query = query.filter(categories::parent_id.eq(parent_id));
    }
    if let Some(q) = q {
        let literal = q
            .replace('\\', "\\\\")
            .replace('%', "\\%")
            .replace('_', "\\_");
        query = query.filter(categories::name.ilike(format!("%{literal}%")));
    }
    if let Some(after) = after {
        query = query.filter(categories::path.gt(after.to_owned()));
    }
    query.load(conn)
}

statement! {
    struct Update<'a> {
        id: Uuid => SqlUuid,
        parent_id: Option<Uuid> => Nullable<SqlUuid>,
        name: &'a str => Text,
        version: i64 => BigInt,
        old_path: &'a str => Text,
        new_path: &'a str => Text,
        deeper: i32 => Integer,
        now: DateTime<Utc> => Timestamptz,
    }
    "WITH moved AS (SELECT {}::uuid AS id, {}::uuid AS parent_id, {}::text AS name, \
         {}::bigint AS version, {}::text AS old_path, {}::text AS new_path, {}::integer AS deeper, \
         {}::timestamptz AS now), \
     fresh AS (SELECT m.* FROM moved m JOIN categories c ON c.id = m.id AND c.version = m.version) \
     UPDATE categories c SET \
         parent_id = CASE WHEN c.id = f.id THEN f.parent_id ELSE c.parent_id END, \
         name = CASE WHEN c.id = f.id THEN f.name ELSE c.name END, \
         path = f.new_path || substr(c.path, length(f.old_path) + 1), \
         depth = c.depth + f.deeper, version = c.version + 1, updated_at = f.now \
     FROM fresh f WHERE c.path = f.old_path OR starts_with(c.path, f.old_path || '/')"
}

/// Renames or moves `before` so that it is `after`, with everything below it. Answers how many
/// categories changed: none when it is not at `before`'s version any more.
pub(crate) fn update(
    conn: &mut PgConnection,
    before: &Category,
    after: &Category,
) -> QueryResult<usize> {
    Update {
        id: before.id,
        parent_id: after.parent_id,
        name: &after.name,
        version: before.version,
        old_path: &before.path,
        new_path: &after.path,
        deeper: after.depth - before.depth,
        now: after.updated_at,
    }
    .execute(conn)
}

/// The deepest level below `path`, itself included.
pub(crate) fn deepest(conn: &mut PgConnection, path: &str) -> QueryResult<i32> {
    let below = diesel::dsl::sql::<Bool>("starts_with(path, ")
        .bind::<Text, _>(format!("{path}/"))
        .sql(")");
    categories::table
        .filter(categories::path.eq(path).or(below))
        .select(diesel::dsl::max(categories::depth))
        .first::<Option<i32>>(conn)
        .map(Option::unwrap_or_default)
}

/// Deletes a category at this version. `None` when it is not (any more).
pub(crate) fn delete(
    conn: &mut PgConnection,
    id: Uuid,
    version: i64,
) -> QueryResult<Option<Category>> {
    diesel::delete(categories::table.find(id))
        .filter(categories::version.eq(version))
        .returning(Category::as_returning())
        .get_result(conn)
        .optional()
}
