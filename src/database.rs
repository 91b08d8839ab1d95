//! Where each module's data is: the embedded `PostgreSQL`, or a server of one's own; and whether
//! that server keeps its promises.

use std::{collections::BTreeMap, path::PathBuf};

use diesel::{
    Connection, PgConnection, QueryableByName, RunQueryDsl, connection::SimpleConnection,
    sql_query, sql_types::Text,
};
use embedded_postgres::{Options, Postgres};
use kernel::{
    fence::{Closed, Mark},
    migrate,
};
use secrecy::{ExposeSecret, SecretString};

use crate::{config::Settings, operator::Failure, process::Module};

/// The name of the embedded database.
const NAME: &str = "comptoir";

/// The databases of the local modules.
pub struct Databases {
    /// By module.
    pub urls: BTreeMap<Module, SecretString>,
    /// Lives as long as this value.
    pub embedded: Option<Postgres>,
}

impl std::fmt::Debug for Databases {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Databases")
            .field("embedded", &self.embedded.is_some())
            .finish_non_exhaustive()
    }
}

/// The folder for the embedded database and for keys that were made up.
///
/// # Errors
///
/// When the user has no home to put it in.
pub fn data_dir(settings: &Settings) -> Result<PathBuf, Failure> {
    match &settings.data_dir {
        Some(dir) => Ok(dir.clone()),
        None => Ok(embedded_postgres::default_data_dir()?),
    }
}

/// Finds or starts the databases.
///
/// # Errors
///
/// When the embedded server cannot be had, in one sentence that says what to install.
pub fn open(settings: &Settings) -> Result<Databases, Failure> {
    let given = |module: &Module| {
        settings
            .database
            .urls
            .get(module)
            .or(settings.database.url.as_ref())
            .cloned()
    };
    let mut urls = BTreeMap::new();
    for module in &settings.modules {
        if let Some(url) = given(module) {
            urls.insert(*module, url);
        }
    }
    if urls.len() == settings.modules.len() {
        return Ok(Databases {
            urls,
            embedded: None,
        });
    }
    let (postgres, url) = embedded(settings)?;
    for module in &settings.modules {
        urls.entry(*module).or_insert_with(|| url.clone());
    }
    Ok(Databases {
        urls,
        embedded: Some(postgres),
    })
}

/// Starts the embedded server, or attaches to the one that another process of ours has started.
/// It stops with the process that started it.
///
/// # Errors
///
/// As [`open`].
pub fn embedded(settings: &Settings) -> Result<(Postgres, SecretString), Failure> {
    let postgres = Postgres::start(&options(settings)?)?;
    create_database(&postgres.url("postgres"))?;
    let url = postgres.url(NAME).into();
    Ok((postgres, url))
}

fn options(settings: &Settings) -> Result<Options, Failure> {
    let mut options = Options::new(data_dir(settings)?);
    let set = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    options.settings = vec![
        set("max_connections", "100"),
        set("shared_buffers", "256MB"),
        set("max_wal_size", "2GB"),
        set("checkpoint_timeout", "15min"),
        set("wal_compression", "on"),
        set("jit", "off"),
    ];
    Ok(options)
}

fn create_database(admin_url: &str) -> Result<(), Failure> {
    let mut conn = PgConnection::establish(admin_url)?;
    if is_there(&mut conn)? {
        return Ok(());
    }
    let made = conn.batch_execute(&format!("CREATE DATABASE {NAME}"));
    // Another process on the same folder may have been faster.
    if made.is_err() && is_there(&mut conn)? {
        return Ok(());
    }
    Ok(made?)
}

fn is_there(conn: &mut PgConnection) -> Result<bool, Failure> {
    let found = sql_query("SELECT 1 FROM pg_database WHERE datname = $1")
        .bind::<Text, _>(NAME)
        .execute(conn)?;
    Ok(found > 0)
}

/// Runs what is pending in every local module's schema. Answers what was run.
///
/// # Errors
///
/// When a migration fails; it then changed nothing.
pub fn migrate(databases: &Databases) -> Result<Vec<String>, Failure> {
    let mut applied = Vec::new();
    for (module, url) in &databases.urls {
        if let Some(migrations) = module.migrations() {
            let names = migrate::up(url.expose_secret(), module.name(), migrations)
                .map_err(|e| explained(*module, e))?;
            applied.extend(names.into_iter().map(|name| format!("{module}: {name}")));
        }
    }
    Ok(applied)
}

/// Says what to do about a schema that is closed, because its module moved.
pub(crate) fn explained(module: Module, failure: Failure) -> Failure {
    let Some(Closed { mark, .. }) = failure.downcast_ref() else {
        return failure;
    };
    let variable = format!("{}_DATABASE_URL", module.name().to_ascii_uppercase());
    match mark {
        Mark::Moved { .. } => format!(
            "{failure}: set {variable} (database.{module}_url) to that database, or leave {module} \
             out of `modules`"
        ),
        Mark::Arriving { .. } => format!(
            "{failure}: run `comptoir move {module} --to …` again where {module} is in force"
        ),
    }
    .into()
}

#[derive(QueryableByName)]
struct Server {
    #[diesel(sql_type = Text)]
    fsync: String,
    #[diesel(sql_type = Text)]
    full_page_writes: String,
    #[diesel(sql_type = Text)]
    synchronous_commit: String,
    #[diesel(sql_type = Text)]
    wal: String,
}

fn server(url: &SecretString) -> Result<Server, Failure> {
    let mut conn = PgConnection::establish(url.expose_secret())?;
    // A standby's WAL is not its own, so it never counts as shared.
    Ok(sql_query(
        "SELECT current_setting('fsync') AS fsync, \
                current_setting('full_page_writes') AS full_page_writes, \
                current_setting('synchronous_commit') AS synchronous_commit, \
                CASE WHEN pg_is_in_recovery() THEN gen_random_uuid()::text \
                     ELSE system_identifier::text END AS wal \
         FROM pg_control_system()",
    )
    .get_result(&mut conn)?)
}

/// Refuses a server that may forget what it acknowledged; answers whether store and sales share
/// one write-ahead log.
///
/// # Errors
///
/// Which setting of which module's server must be changed.
pub fn check_promises(databases: &Databases, durable: bool) -> Result<bool, Failure> {
    let mut logs = BTreeMap::new();
    for (module, url) in &databases.urls {
        let server = server(url)?;
        for (name, value) in [
            ("fsync", &server.fsync),
            ("full_page_writes", &server.full_page_writes),
            ("synchronous_commit", &server.synchronous_commit),
        ] {
            if durable && value == "off" {
                return Err(format!("the PostgreSQL of {module} runs with {name} = off and could lose acknowledged sales: set it to on").into());
            }
        }
        logs.insert(*module, server.wal);
    }
    let (store, sales) = (logs.get(&Module::Store), logs.get(&Module::Sales));
    Ok(store.is_some() && store == sales)
}
