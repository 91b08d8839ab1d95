//! A module's migrations, and the role that may use its schema and nothing else.

use std::error::Error;

use diesel::{
    Connection, PgConnection, RunQueryDsl, connection::SimpleConnection, sql_query, sql_types::Text,
};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness};

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
/// fails (which then changed nothing).
pub fn up(url: &str, schema: &str, migrations: EmbeddedMigrations) -> Result<Vec<String>> {
    with_lock(url, schema, |conn| {
        Ok(conn
            .run_pending_migrations(migrations)?
            .iter()
            .map(ToString::to_string)
            .collect())
    })
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

fn with_lock<T>(
    url: &str,
    schema: &str,
    work: impl FnOnce(&mut PgConnection) -> Result<T>,
) -> Result<T> {
    let mut conn = PgConnection::establish(url)?;
    // Held by the connection, so that a killed process cannot leave it locked.
    sql_query("SELECT pg_advisory_lock(hashtext('comptoir migrations'))").execute(&mut conn)?;
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
