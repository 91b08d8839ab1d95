//! One module's database: a pool bound to that module's role and schema.

mod beside;
mod error;
mod session;

use std::{
    any::type_name,
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use diesel::{
    Connection, PgConnection, QueryResult, RunQueryDsl,
    connection::{AnsiTransactionManager, TransactionManager},
    r2d2::{ConnectionManager, Pool, PooledConnection},
};
use secrecy::{ExposeSecret, SecretString};
use tokio::{sync::Semaphore, time::timeout};

use crate::{
    metrics::{Busy, DbMeter, Metrics, since},
    trace::{self, Here},
};

use beside::Beside;
pub use error::DbError;
use session::Session;

/// Where a module's data is and how many connections it may use.
#[derive(Debug, Clone)]
pub struct DbOptions {
    /// `postgres://…`. Never logged.
    pub url: SecretString,
    /// The module's schema, also the stem of its role.
    pub schema: &'static str,
    /// Connections at most, one beside the pool apart (see [`Db::run_beside`]).
    pub pool_size: u32,
    /// How long a request waits for a connection before it is a 503.
    pub wait: Duration,
    /// Count statements (see [`Db::statements`]): for tests, as it costs time.
    pub count_statements: bool,
    /// Where it is told how long everything took.
    pub metrics: Metrics,
}

/// An error of work on a connection.
pub trait Failure: From<DbError> {
    /// What the database has to do with it; nothing where the work itself refused.
    fn of_database(&self) -> Option<&DbError>;
}

impl Failure for DbError {
    fn of_database(&self) -> Option<&DbError> {
        Some(self)
    }
}

/// Runs blocking diesel work off the async threads.
#[derive(Clone)]
pub struct Db {
    pool: Pool<ConnectionManager<PgConnection>>,
    beside: Beside,
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
            .connection_customizer(Box::new(session.clone()))
            .build_unchecked(ConnectionManager::new(options.url.expose_secret()));
        let permits = usize::try_from(options.pool_size).unwrap_or(1);
        meter.limit.set(f64::from(options.pool_size));
        let (of, watched) = (meter.clone(), pool.clone());
        options.metrics.before_scrape(move || {
            let state = watched.state();
            of.connections(state.connections, state.idle_connections);
        });
        Ok(Self {
            beside: Beside::new(options.url.clone(), session),
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
        E: Failure + Send + 'static,
    {
        self.run_as(type_name::<F>(), work).await
    }

    async fn run_as<T, E, F>(&self, place: &'static str, work: F) -> Result<T, E>
    where
        F: FnOnce(&mut PgConnection) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: Failure + Send + 'static,
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
            let busy = DbError::Busy(self.wait);
            self.meter.not_done(&busy);
            return Err(busy.into());
        };
        let (db, here) = (self.clone(), Here::now());
        tokio::task::spawn_blocking(move || {
            let _permit = permit;
            here.enter(|| db.work(place, asked, waiting, work))
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
        E: Failure + From<diesel::result::Error> + Send + 'static,
    {
        self.transaction_then(work, |_| ()).await
    }

    /// As [`transaction`](Self::transaction); `then` is told what was committed, also where whoever
    /// asked no longer waits for it.
    ///
    /// # Errors
    ///
    /// As [`transaction`](Self::transaction).
    pub async fn transaction_then<T, E, F, G>(&self, work: F, then: G) -> Result<T, E>
    where
        F: FnOnce(&mut PgConnection) -> Result<T, E> + Send + 'static,
        G: FnOnce(&T) + Send + 'static,
        T: Send + 'static,
        E: Failure + From<diesel::result::Error> + Send + 'static,
    {
        let work = move |conn: &mut PgConnection| conn.transaction(work).inspect(then);
        self.run_as(type_name::<F>(), work).await
    }

    /// As [`run`](Self::run), on a thread that may block; `operation` is its name in the metrics.
    ///
    /// # Errors
    ///
    /// As [`run`](Self::run).
    pub fn run_blocking<T, E, F>(&self, operation: &'static str, work: F) -> Result<T, E>
    where
        F: FnOnce(&mut PgConnection) -> Result<T, E>,
        E: Failure,
    {
        let waiting = Busy::new(&self.meter.waiting);
        self.work(operation, Instant::now(), waiting, work)
    }

    fn work<T, E, F>(
        &self,
        place: &'static str,
        asked: Instant,
        waiting: Busy,
        work: F,
    ) -> Result<T, E>
    where
        F: FnOnce(&mut PgConnection) -> Result<T, E>,
        E: Failure,
    {
        let connection = self.healthy_connection();
        drop(waiting);
        since(&self.meter.wait, asked);
        let mut conn = connection.inspect_err(|error| self.meter.not_done(error))?;
        self.on(&mut conn, place, work)
    }

    /// Times `work`, and counts once what the database did not do of it.
    fn on<T, E, F>(&self, conn: &mut PgConnection, place: &'static str, work: F) -> Result<T, E>
    where
        F: FnOnce(&mut PgConnection) -> Result<T, E>,
        E: Failure,
    {
        let operation = self.meter.operation(place);
        let span = trace::operation(self.schema, &operation.name);
        let started = Instant::now();
        let result = self.meter.unless_it_panics(|| span.in_scope(|| work(conn)));
        since(&operation.time, started);
        let Err(error) = result else { return result };
        match is_open(conn) {
            Ok(true) => error.of_database().map_or((), |e| self.meter.not_done(e)),
            Ok(false) => {
                self.meter.not_done(&DbError::Closed);
                return Err(DbError::Closed.into());
            }
            Err(_) => {
                self.suspect.store(true, Ordering::Relaxed);
                if error.of_database().is_some() {
                    self.meter.lost();
                }
            }
        }
        Err(error)
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

    /// The pool only knows that the time is over: with as many connections as there may be, others
    /// had them; with less, none could be opened.
    fn pooled(&self) -> Result<Pooled, DbError> {
        self.pool.get().map_err(|error| {
            if self.pool.state().connections >= self.pool.max_size() {
                DbError::Busy(self.wait)
            } else {
                error.into()
            }
        })
    }

    /// A round trip per checkout would cost a third of the reads, so connections are only asked
    /// for a sign of life after one of them was found dead.
    fn healthy_connection(&self) -> Result<Pooled, DbError> {
        let mut conn = self.pooled()?;
        while self.suspect.load(Ordering::Relaxed) {
            if diesel::sql_query("SELECT 1").execute(&mut conn).is_ok() {
                let (_, idle) = self.connections();
                if idle == 0 {
                    self.suspect.store(false, Ordering::Relaxed);
                }
                break;
            }
            mark_broken(&mut conn);
            conn = self.pooled()?;
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
