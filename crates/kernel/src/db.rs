//! One module's database: a pool bound to that module's role and schema.

mod error;

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use diesel::{
    Connection, PgConnection, QueryResult, RunQueryDsl,
    connection::{
        AnsiTransactionManager, InstrumentationEvent, SimpleConnection, TransactionManager,
    },
    r2d2::{ConnectionManager, CustomizeConnection, Pool, PooledConnection},
};
use secrecy::{ExposeSecret, SecretString};
use tokio::{sync::Semaphore, time::timeout};

use crate::{
    metrics::{Busy, DbMeter, Metrics, operation, since},
    migrate::role_of,
    trace::{self, Here},
};

pub use error::DbError;

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
    /// Where it is told how long everything took.
    pub metrics: Metrics,
}

struct Session {
    schema: &'static str,
    statements: Option<Arc<AtomicU64>>,
    meter: Arc<DbMeter>,
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("schema", &self.schema)
            .finish_non_exhaustive()
    }
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
        let (counter, mut timed) = (self.statements.clone(), self.meter.statements());
        conn.set_instrumentation(move |event: InstrumentationEvent<'_>| {
            timed.saw(&event);
            if let Some(counter) = &counter {
                count(counter, &event);
            }
        });
        Ok(())
    }
}

fn count(counter: &AtomicU64, event: &InstrumentationEvent<'_>) {
    if let InstrumentationEvent::StartQuery { query, .. } = event {
        let text = query.to_string();
        let control = ["BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE", "SET"];
        if !control.iter().any(|word| text.starts_with(word)) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
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
    schema: &'static str,
    metrics: Metrics,
    meter: Arc<DbMeter>,
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
        let meter = Arc::new(DbMeter::new(&options.metrics, options.schema));
        let session = Session {
            schema: options.schema,
            statements: options.count_statements.then(|| statements.clone()),
            meter: meter.clone(),
        };
        let pool = Pool::builder()
            .max_size(options.pool_size)
            .min_idle(Some(0))
            .test_on_check_out(false)
            .connection_timeout(options.wait)
            .connection_customizer(Box::new(session))
            .build_unchecked(ConnectionManager::new(options.url.expose_secret()));
        let permits = usize::try_from(options.pool_size).unwrap_or(1);
        meter.limit.set(f64::from(options.pool_size));
        let (of, watched) = (meter.clone(), pool.clone());
        options.metrics.before_scrape(move || {
            let state = watched.state();
            of.connections(state.connections, state.idle_connections);
        });
        Ok(Self {
            pool,
            permits: Arc::new(Semaphore::new(permits)),
            wait: options.wait,
            suspect: Arc::new(AtomicBool::new(false)),
            statements,
            schema: options.schema,
            metrics: options.metrics.clone(),
            meter,
        })
    }

    /// The module whose database it is: its schema's name.
    pub fn module(&self) -> &'static str {
        self.schema
    }

    /// What the module of this database tells about itself.
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
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
        self.run_as(operation::<F>(), work).await
    }

    async fn run_as<T, E, F>(&self, operation: String, work: F) -> Result<T, E>
    where
        F: FnOnce(&mut PgConnection) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<DbError> + Send + 'static,
    {
        let asked = Instant::now();
        let waiting = Busy::new(&self.meter.waiting);
        // Waiting here, not in r2d2, keeps blocked requests off the blocking threads.
        let permit = timeout(self.wait, self.permits.clone().acquire_owned())
            .await
            .ok()
            .and_then(Result::ok);
        let Some(permit) = permit else {
            since(&self.meter.wait, asked);
            self.meter.failed("busy");
            return Err(DbError::Busy(self.wait).into());
        };
        let (db, here) = (self.clone(), Here::now());
        tokio::task::spawn_blocking(move || {
            let _permit = permit;
            here.enter(|| db.work(operation, asked, waiting, work))
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
        self.run_as(operation::<F>(), move |conn| conn.transaction(work))
            .await
    }

    /// As [`run`](Self::run), on a thread that may block; `operation` is its name in the metrics.
    ///
    /// # Errors
    ///
    /// As [`run`](Self::run).
    pub fn run_blocking<T, E, F>(&self, operation: &'static str, work: F) -> Result<T, E>
    where
        F: FnOnce(&mut PgConnection) -> Result<T, E>,
        E: From<DbError>,
    {
        let waiting = Busy::new(&self.meter.waiting);
        self.work(operation.to_owned(), Instant::now(), waiting, work)
    }

    fn work<T, E, F>(
        &self,
        operation: String,
        asked: Instant,
        waiting: Busy,
        work: F,
    ) -> Result<T, E>
    where
        F: FnOnce(&mut PgConnection) -> Result<T, E>,
        E: From<DbError>,
    {
        let connection = self.healthy_connection();
        drop(waiting);
        since(&self.meter.wait, asked);
        let mut conn = connection.inspect_err(|_| self.meter.failed("connect"))?;
        let (started, span) = (Instant::now(), trace::operation(self.schema, &operation));
        let result = span.in_scope(|| work(&mut conn));
        self.meter.worked(operation, started);
        if result.is_err() {
            match is_open(&mut conn) {
                Ok(true) => {}
                Ok(false) => {
                    self.meter.failed("closed");
                    return Err(DbError::Closed.into());
                }
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

impl fmt::Debug for Db {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
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
