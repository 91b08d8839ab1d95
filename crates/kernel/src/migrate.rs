//! A module's migrations, and the role that may use its schema and nothing else.

use std::{error::Error, thread, time::Duration};

use diesel::{
    Connection, PgConnection, QueryableByName, RunQueryDsl, connection::SimpleConnection,
    migration::Migration, pg::Pg, sql_query, sql_types::Text,
};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness};
use uuid::Uuid;

use crate::fence::{self, Closed, Mark};

/// One process at a time migrates a database, or closes and opens a schema in it.
/// This is the number of the advisory lock that keeps them apart.
pub const LOCK: &str = "hashtext('comptoir migrations')";
/// How often the lock is asked for, and how long a migration that found its table taken stays away
/// from it, so that those who waited behind it come to their turn.
const PAUSE: Duration = Duration::from_millis(200);
/// How often a migration is tried that gives up when its table is taken.
const TRIES: u32 = 15;

/// One migration and whether it was run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// For example `2026-01-01-000001_products`.
    pub name: String,
    /// Whether it is applied.
    pub applied: bool,
}

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// The database role of a schema's module: `comptoir_<schema>`.
pub fn role_of(schema: &str) -> String {
    format!("comptoir_{schema}")
}

/// Creates schema and role where they are missing, then runs what is pending. Safe to call from
/// several processes at once. Answers the names of what was run.
///
/// # Errors
///
/// When the server cannot be reached, the user may not create roles or schemas, or a migration
/// fails (which then changed nothing); [`Closed`] when the module's data is not in force here.
pub fn up(url: &str, schema: &str, migrations: EmbeddedMigrations) -> Result<Vec<String>> {
    with_lock(url, schema, |conn| run_pending(conn, schema, migrations))
}

fn run_pending(
    conn: &mut PgConnection,
    schema: &str,
    migrations: EmbeddedMigrations,
) -> Result<Vec<String>> {
    let pending = conn.pending_migrations(migrations)?;
    let mut run = |migration: &dyn Migration<Pg>| patiently(conn, schema, migration);
    pending.iter().map(|migration| run(&**migration)).collect()
}

fn patiently(
    conn: &mut PgConnection,
    schema: &str,
    migration: &dyn Migration<Pg>,
) -> Result<String> {
    for _ in 1..TRIES {
        match run_one(conn, schema, migration) {
            Err(error) if is_in_the_way(&*error) => thread::sleep(PAUSE),
            done => return done,
        }
    }
    run_one(conn, schema, migration)
}

fn run_one(conn: &mut PgConnection, schema: &str, migration: &dyn Migration<Pg>) -> Result<String> {
    drop_unfinished(conn, schema)?;
    Ok(conn.run_migration(migration)?.to_string())
}

/// Whether the migration did nothing because somebody else uses the table, and may try again.
fn is_in_the_way(error: &(dyn Error + Send + Sync)) -> bool {
    let said = error.to_string();
    said.contains("due to lock timeout") || said.contains("deadlock detected")
}

/// An index whose building CONCURRENTLY was cut short stays there, is of no use and has the name.
fn drop_unfinished(conn: &mut PgConnection, schema: &str) -> Result<()> {
    let unfinished: Vec<Name> = sql_query(
        "SELECT indexrelid::regclass::text AS name FROM pg_index JOIN pg_class c ON c.oid = indexrelid \
         JOIN pg_namespace n ON n.oid = relnamespace WHERE nspname = $1 AND NOT indisvalid",
    )
    .bind::<Text, _>(schema)
    .load(conn)?;
    for Name { name } in unfinished {
        conn.batch_execute(&format!("DROP INDEX CONCURRENTLY {name}"))?;
    }
    Ok(())
}

#[derive(QueryableByName)]
struct Name {
    #[diesel(sql_type = Text)]
    name: String,
}

/// Reverts the newest migration, or all of them. Answers the names of what was reverted.
///
/// # Errors
///
/// As [`up`].
pub fn down(
    url: &str,
    schema: &str,
    migrations: EmbeddedMigrations,
    all: bool,
) -> Result<Vec<String>> {
    with_lock(url, schema, |conn| {
        if all {
            return Ok(conn
                .revert_all_migrations(migrations)?
                .iter()
                .map(ToString::to_string)
                .collect());
        }
        if conn.applied_migrations()?.is_empty() {
            return Ok(Vec::new());
        }
        Ok(vec![conn.revert_last_migration(migrations)?.to_string()])
    })
}

/// Every migration of the module, oldest first.
///
/// # Errors
///
/// As [`up`].
pub fn status(url: &str, schema: &str, migrations: &EmbeddedMigrations) -> Result<Vec<Status>> {
    use diesel::migration::MigrationSource;
    with_lock(url, schema, |conn| {
        let applied = conn.applied_migrations()?;
        let all = MigrationSource::<diesel::pg::Pg>::migrations(migrations)?;
        Ok(all
            .iter()
            .map(|m| Status {
                name: m.name().to_string(),
                applied: applied.contains(&m.name().version().as_owned()),
            })
            .collect())
    })
}

/// Whether exactly these migrations were run, no more and no fewer. Changes nothing.
///
/// # Errors
///
/// As [`up`].
pub fn is_current(url: &str, schema: &str, migrations: &EmbeddedMigrations) -> Result<bool> {
    use diesel::migration::MigrationSource;
    let mut conn = lock(url)?;
    let exists = sql_query("SELECT FROM pg_namespace WHERE nspname = $1")
        .bind::<Text, _>(schema)
        .execute(&mut conn)?;
    if exists == 0 {
        return Ok(false);
    }
    conn.batch_execute(&format!("SET search_path = {schema}"))?;
    let all = MigrationSource::<diesel::pg::Pg>::migrations(migrations)?;
    let mut all: Vec<_> = all.iter().map(|m| m.name().version().as_owned()).collect();
    let mut applied = conn.applied_migrations()?;
    all.sort();
    applied.sort();
    Ok(all == applied)
}

/// Makes the schema anew, empty and closed: only a copy that `mark` names may come in, until
/// [`admit`] opens it. What may be there already is a closed schema, whose data is in force
/// elsewhere, or one without a single row.
///
/// # Errors
///
/// As [`up`]; and when the schema holds data, which is then left as it is.
pub fn receive(url: &str, schema: &str, migrations: EmbeddedMigrations, mark: &Mark) -> Result<()> {
    let mut conn = lock(url)?;
    // One transaction, so that the name is never free for a process that would start afresh here.
    conn.transaction(|conn| -> Result<()> {
        if fence::mark(conn, schema)?.is_none() {
            refuse_data(conn, schema)?;
        }
        conn.batch_execute(&format!("DROP SCHEMA IF EXISTS {schema} CASCADE"))?;
        prepare(conn, schema)?;
        conn.batch_execute(&fence::close(schema, mark))?;
        Ok(())
    })?;
    run_pending(&mut conn, schema, migrations)?;
    Ok(())
}

/// Opens a schema to its module, once the move `by` has brought its data.
///
/// # Errors
///
/// As [`up`]; and when the schema is not what that move left.
pub fn admit(url: &str, schema: &str, by: Uuid) -> Result<()> {
    let mut conn = lock(url)?;
    conn.transaction(|conn| {
        match fence::mark(conn, schema)? {
            Some(Mark::Arriving { by: there, .. }) if there == by => {}
            _ => return Err(format!("the schema {schema} is not what the move left").into()),
        }
        let role = role_of(schema);
        conn.batch_execute(&format!(
            "GRANT USAGE ON SCHEMA {schema} TO {role}; COMMENT ON SCHEMA {schema} IS NULL"
        ))?;
        Ok(())
    })
}

/// Locks what an open schema holds against everyone, and refuses it if that is anything at all.
fn refuse_data(conn: &mut PgConnection, schema: &str) -> Result<()> {
    let tables: Vec<Name> = sql_query(
        "SELECT c.oid::regclass::text AS name FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace \
         WHERE nspname = $1 AND relkind IN ('r', 'p', 'm', 'f') AND relname <> '__diesel_schema_migrations'",
    )
    .bind::<Text, _>(schema)
    .load(conn)?;
    for Name { name } in tables {
        conn.batch_execute(&format!("LOCK TABLE {name}"))?;
        if sql_query(format!("SELECT FROM {name} LIMIT 1")).execute(conn)? > 0 {
            return Err(format!("{name} holds data there, and it is in force").into());
        }
    }
    Ok(())
}

/// A connection that holds the lock on migrations: a killed process cannot leave it locked. It is
/// asked for again and again, because a statement that waits has a snapshot: who builds an index
/// CONCURRENTLY under this lock waits for every snapshot, and the two would wait for each other.
fn lock(url: &str) -> Result<PgConnection> {
    let mut conn = PgConnection::establish(url)?;
    let ask = format!("SELECT WHERE pg_try_advisory_lock({LOCK})");
    while sql_query(&ask).execute(&mut conn)? == 0 {
        thread::sleep(PAUSE);
    }
    Ok(conn)
}

fn with_lock<T>(
    url: &str,
    schema: &str,
    work: impl FnOnce(&mut PgConnection) -> Result<T>,
) -> Result<T> {
    let mut conn = lock(url)?;
    if let Some(mark) = fence::mark(&mut conn, schema)? {
        let schema = schema.to_owned();
        return Err(Closed { schema, mark }.into());
    }
    prepare(&mut conn, schema)?;
    work(&mut conn)
}

/// Diesel's own table of migrations follows `search_path`, so each schema has its own history.
fn prepare(conn: &mut PgConnection, schema: &str) -> Result<()> {
    let role = role_of(schema);
    let exists = sql_query("SELECT 1 FROM pg_roles WHERE rolname = $1")
        .bind::<Text, _>(&role)
        .execute(conn)?
        > 0;
    if !exists {
        // Roles belong to the whole server: another database's migration may be just ahead.
        conn.batch_execute(&format!(
            "DO $$ BEGIN CREATE ROLE {role} NOLOGIN; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$"
        ))?;
    }
    conn.batch_execute(&format!(
        "DO $$ BEGIN \
             IF NOT pg_has_role(current_user, '{role}', 'MEMBER') THEN GRANT {role} TO current_user; END IF; \
         END $$; \
         CREATE SCHEMA IF NOT EXISTS {schema}; \
         REVOKE ALL ON SCHEMA {schema} FROM PUBLIC; \
         GRANT USAGE ON SCHEMA {schema} TO {role}; \
         ALTER DEFAULT PRIVILEGES IN SCHEMA {schema} GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {role}; \
         ALTER DEFAULT PRIVILEGES IN SCHEMA {schema} GRANT USAGE ON SEQUENCES TO {role}; \
         SET search_path = {schema}"
    ))?;
    Ok(())
}
