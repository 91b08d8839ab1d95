//! One module's database: a pool bound to that module's role and schema.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use diesel::{
    Connection, PgConnection, QueryResult, RunQueryDsl,
    connection::{
        AnsiTransactionManager, InstrumentationEvent, SimpleConnection, TransactionManager,
    },
    r2d2::{ConnectionManager, CustomizeConnection, Pool, PooledConnection},
    result::DatabaseErrorKind,
};
use secrecy::{ExposeSecret, SecretString};
use tokio::{sync::Semaphore, time::timeout};

use crate::{migrate::role_of, problem::Problem};

/// The database could not do the work. What it did before failing was rolled back, unless the
/// COMMIT itself got no answer: then the outcome is unknown.
#[derive(Debug, thiserror::Error)]
pub enum DbError {
    /// Every connection was busy for as long as a request may wait.
    #[error("no free connection within {0:?}")]
    Busy(Duration),
    /// The server could not be reached.
    #[error("could not connect")]
    Pool(#[from] diesel::r2d2::PoolError),
    /// A statement failed.
    #[error("query failed")]
    Query(#[from] diesel::result::Error),
    /// The module may not use its schema here: it moved to another database.
    #[error("the schema is closed to its module, or is not there")]
    Closed,
    /// The closure panicked.
    #[error("database task panicked")]
    Panicked,
}

impl From<&DbError> for Problem {
    fn from(error: &DbError) -> Self {
        use diesel::result::Error as Query;
        match error {
            DbError::Busy(_) | DbError::Pool(_) | DbError::Closed => Self::unavailable(error),
            // A failed COMMIT, a lost connection, a deadlock and a statement time-out all mean
            // "ask again with the same key"; none of them is known to have changed anything.
            DbError::Query(
                Query::DatabaseError(
                    DatabaseErrorKind::ClosedConnection
                    | DatabaseErrorKind::UnableToSendCommand
                    | DatabaseErrorKind::SerializationFailure
                    | DatabaseErrorKind::ReadOnlyTransaction,
                    _,
                )
                | Query::BrokenTransactionManager
                | Query::RollbackErrorOnCommit { .. },
            ) => Self::unavailable(error),
            DbError::Query(Query::DatabaseError(_, info)) if is_transient(info.message()) => {
                Self::unavailable(error)
            }
            DbError::Query(_) | DbError::Panicked => Self::internal(error),
        }
    }
}

fn is_transient(message: &str) -> bool {
    [
        "deadlock detected",
        "canceling statement",
        "terminating connection",
        "server closed",
        "shutting down",
        "starting up",
        "recovery mode",
    ]
    .iter()
    .any(|text| message.contains(text))
}

/// Where a module's data is and how many connections it may use.
#[derive(Debug, Clone)]
pub struct DbOptions {
    /// `postgres://…`. Never logged.
    pub url: SecretString,
    /// The module's schema, also the stem of its role.
    pub schema: &'static str,
    /// Connections at most.
    pub pool_size: u32,
    /// How long a request waits for a connection before it is a 503.
    pub wait: Duration,
    /// Count statements (see [`Db::statements`]): for tests, as it costs time.
    pub count_statements: bool,
}

#[derive(Debug)]
struct Session {
    schema: &'static str,
    statements: Option<Arc<AtomicU64>>,
}

impl CustomizeConnection<PgConnection, diesel::r2d2::Error> for Session {
    fn on_acquire(&self, conn: &mut PgConnection) -> Result<(), diesel::r2d2::Error> {
        let (schema, role) = (self.schema, role_of(self.schema));
        conn.batch_execute(&format!(
            "SET search_path = {schema}; SET ROLE {role}; SET timezone = 'UTC'; \
             SET statement_timeout = '15s'; SET idle_in_transaction_session_timeout = '30s'; \
             SET application_name = 'comptoir/{schema}'"
        ))
        .map_err(diesel::r2d2::Error::QueryError)?;
        if let Some(statements) = self.statements.clone() {
            conn.set_instrumentation(move |event: InstrumentationEvent<'_>| {
                if let InstrumentationEvent::StartQuery { query, .. } = event {
                    let text = query.to_string();
                    let control = ["BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE", "SET"];
                    if !control.iter().any(|word| text.starts_with(word)) {
                        statements.fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
        }
        Ok(())
    }
}

/// Runs blocking diesel work off the async threads.
#[derive(Clone)]
pub struct Db {
    pool: Pool<ConnectionManager<PgConnection>>,
    permits: Arc<Semaphore>,
    wait: Duration,
    /// Set when a connection died: until one answers again, each is asked before it is used.
    suspect: Arc<AtomicBool>,
    statements: Arc<AtomicU64>,
}

type Pooled = PooledConnection<ConnectionManager<PgConnection>>;

impl Db {
    /// Opens the pool lazily: no connection is made yet.
    ///
    /// # Errors
    ///
    /// [`DbError::Pool`] when the options make no pool.
    pub fn connect(options: &DbOptions) -> Result<Self, DbError> {
        let statements = Arc::new(AtomicU64::new(0));
        let session = Session {
            schema: options.schema,
            statements: options.count_statements.then(|| statements.clone()),
        };
        let pool = Pool::builder()
            .max_size(options.pool_size)
            .min_idle(Some(0))
            .test_on_check_out(false)
            .connection_timeout(options.wait)
            .connection_customizer(Box::new(session))
            .build_unchecked(ConnectionManager::new(options.url.expose_secret()));
        let permits = usize::try_from(options.pool_size).unwrap_or(1);
        Ok(Self {
            pool,
            permits: Arc::new(Semaphore::new(permits)),
            wait: options.wait,
            suspect: Arc::new(AtomicBool::new(false)),
            statements,
        })
    }

    /// Runs `work` on one connection, without a transaction.
    ///
    /// # Errors
    ///
    /// [`DbError::Busy`] when no connection frees up in time, and what `work` answers.
    pub async fn run<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: FnOnce(&mut PgConnection) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<DbError> + Send + 'static,
    {
        // Waiting here, not in r2d2, keeps blocked requests off the blocking threads.
        let permit = timeout(self.wait, self.permits.clone().acquire_owned())
            .await
            .ok()
            .and_then(Result::ok)
            .ok_or(DbError::Busy(self.wait))?;
        let db = self.clone();
        tokio::task::spawn_blocking(move || {
            let _permit = permit;
            db.run_blocking(work)
        })
        .await
        .map_err(|_| DbError::Panicked)?
    }

    /// Runs `work` in one transaction: commits on `Ok`, rolls back on `Err`.
    ///
    /// # Errors
    ///
    /// As [`run`](Self::run). An error on COMMIT means that the outcome is unknown.
    pub async fn transaction<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: FnOnce(&mut PgConnection) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<DbError> + From<diesel::result::Error> + Send + 'static,
    {
        self.run(move |conn| conn.transaction(work)).await
    }

    /// As [`run`](Self::run), on a thread that may block.
    ///
    /// # Errors
    ///
    /// As [`run`](Self::run).
    pub fn run_blocking<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: FnOnce(&mut PgConnection) -> Result<T, E>,
        E: From<DbError>,
    {
        let mut conn = self.healthy_connection()?;
        let result = work(&mut conn);
        if result.is_err() {
            match is_open(&mut conn) {
                Ok(true) => {}
                Ok(false) => return Err(DbError::Closed.into()),
                Err(_) => self.suspect.store(true, Ordering::Relaxed),
            }
        }
        result
    }

    /// How many statements ran; only counted with [`DbOptions::count_statements`].
    pub fn statements(&self) -> u64 {
        self.statements.load(Ordering::Relaxed)
    }

    /// Connections open now, and of these the idle ones.
    pub fn connections(&self) -> (u32, u32) {
        let state = self.pool.state();
        (state.connections, state.idle_connections)
    }

    /// Asks the server for an answer.
    ///
    /// # Errors
    ///
    /// When there is none, or the module may not use its schema there.
    pub async fn ping(&self) -> Result<(), DbError> {
        self.run(|conn| match is_open(conn)? {
            true => Ok(()),
            false => Err(DbError::Closed),
        })
        .await
    }

    /// A round trip per checkout would cost a third of the reads, so connections are only asked
    /// for a sign of life after one of them was found dead.
    fn healthy_connection(&self) -> Result<Pooled, DbError> {
        let mut conn = self.pool.get().map_err(DbError::from)?;
        while self.suspect.load(Ordering::Relaxed) {
            if diesel::sql_query("SELECT 1").execute(&mut conn).is_ok() {
                let (_, idle) = self.connections();
                if idle == 0 {
                    self.suspect.store(false, Ordering::Relaxed);
                }
                break;
            }
            mark_broken(&mut conn);
            conn = self.pool.get().map_err(DbError::from)?;
        }
        Ok(conn)
    }
}

impl std::fmt::Debug for Db {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Db")
            .field("state", &self.pool.state())
            .finish_non_exhaustive()
    }
}

/// Whether the module may use its schema. No answer: the connection is gone, and r2d2 is told to
/// throw it away. An error is rare enough for a round trip to find out.
fn is_open(conn: &mut PgConnection) -> QueryResult<bool> {
    // Only a schema that the role may use counts as the current one.
    let answer = diesel::sql_query("SELECT WHERE current_schema() IS NOT NULL").execute(conn);
    if answer.is_err() {
        mark_broken(conn);
    }
    answer.map(|rows| rows > 0)
}

/// r2d2 drops a connection whose transaction manager is in error when it comes back.
fn mark_broken(conn: &mut PgConnection) {
    AnsiTransactionManager::transaction_manager_status_mut(conn).set_in_error();
}
