//! A module's database, as its process sees it.

use std::{
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    sync::Arc,
    time::Instant,
};

use diesel::{
    connection::InstrumentationEvent,
    result::{DatabaseErrorKind, Error},
};

use tracing::Span;

use super::{
    Counter, Family, Gauge, Histogram, Metrics,
    operation::{Operation, Operations},
    since,
};
use crate::{db::DbError, trace};

/// Counts and times what one module asks of its database.
pub(crate) struct DbMeter {
    module: &'static str,
    connections: Family<Gauge, 2>,
    pub(crate) limit: Gauge,
    pub(crate) waiting: Gauge,
    pub(crate) wait: Histogram,
    operations: Operations,
    statements: [Histogram; 4],
    failures: Family<Counter, 2>,
}

const CAUSES: [&str; 9] = [
    "busy",
    "connect",
    "lost",
    "conflict",
    "timeout",
    "constraint",
    "closed",
    "panic",
    "other",
];
const KINDS: [&str; 4] = ["query", "begin", "commit", "rollback"];

impl DbMeter {
    pub(crate) fn new(metrics: &Metrics, module: &'static str) -> Self {
        let failures = metrics.counter(
            "comptoir_db_failures_total",
            "Work that the database did not do: `busy` (no connection in time), `connect`, `lost` (the connection died), `conflict` (serialization, deadlock), `timeout`, `constraint`, `closed` (the schema has moved), `panic`, `other`",
            ["module", "cause"],
        );
        for cause in CAUSES {
            failures.with([module, cause]);
        }
        let statements = metrics.durations(
            "comptoir_db_statement_duration_seconds",
            "Time until the server answered one statement: `query`, `begin`, `commit`, `rollback`",
            ["module", "kind"],
        );
        Self {
            module,
            connections: metrics.gauge(
                "comptoir_db_connections",
                "Open connections of the pool: `in_use`, `idle`",
                ["module", "state"],
            ),
            limit: metrics
                .gauge(
                    "comptoir_db_connections_limit",
                    "How many there may be (`database.pool_size`)",
                    ["module"],
                )
                .with([module]),
            waiting: metrics
                .gauge(
                    "comptoir_db_waiting",
                    "Pieces of work that wait for a connection now",
                    ["module"],
                )
                .with([module]),
            wait: metrics
                .durations(
                    "comptoir_db_wait_duration_seconds",
                    "Time until a connection was had, the failures included",
                    ["module"],
                )
                .with([module]),
            operations: Operations::new(metrics, module),
            statements: KINDS.map(|kind| statements.with([module, kind])),
            failures,
        }
    }

    pub(crate) fn connections(&self, open: u32, idle: u32) {
        let set = |state, n: u32| {
            self.connections
                .with([self.module, state])
                .set(f64::from(n))
        };
        set("in_use", open.saturating_sub(idle));
        set("idle", idle);
    }

    /// Counts work that ended with this.
    pub(crate) fn not_done(&self, error: &DbError) {
        if let Some(cause) = cause(error) {
            self.failed(cause);
        }
    }

    /// Counts work whose connection died, whatever its last statement was told.
    pub(crate) fn lost(&self) {
        self.failed("lost");
    }

    /// Counts `work` if it panics.
    pub(crate) fn unless_it_panics<T>(&self, work: impl FnOnce() -> T) -> T {
        catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
            self.failed("panic");
            resume_unwind(panic)
        })
    }

    fn failed(&self, cause: &'static str) {
        self.failures.with([self.module, cause]).inc();
    }

    /// The work whose closure has the type of this name.
    pub(crate) fn operation(&self, path: &'static str) -> Arc<Operation> {
        self.operations.at(path)
    }

    /// Times the statements of one connection.
    pub(crate) fn statements(&self) -> Statements {
        let [query, begin, commit, rollback] = self.statements.clone();
        Statements {
            query,
            begin,
            commit,
            rollback,
            next: None,
            running: None,
        }
    }
}

/// The statements of one connection: one runs at a time.
pub(crate) struct Statements {
    query: Histogram,
    begin: Histogram,
    commit: Histogram,
    rollback: Histogram,
    /// Said before the statement that does it.
    next: Option<Histogram>,
    running: Option<(Histogram, Instant, Span)>,
}

impl Statements {
    pub(crate) fn saw(&mut self, event: &InstrumentationEvent<'_>) {
        match event {
            InstrumentationEvent::BeginTransaction { .. } => self.next = Some(self.begin.clone()),
            InstrumentationEvent::CommitTransaction { .. } => self.next = Some(self.commit.clone()),
            InstrumentationEvent::RollbackTransaction { .. } => {
                self.next = Some(self.rollback.clone());
            }
            InstrumentationEvent::StartQuery { query, .. } => {
                let kind = self.next.take().unwrap_or_else(|| self.query.clone());
                self.running = Some((kind, Instant::now(), trace::statement(query)));
            }
            InstrumentationEvent::FinishQuery { error, .. } => {
                if let Some((histogram, started, span)) = self.running.take() {
                    since(&histogram, started);
                    if error.is_some() {
                        trace::failed(&span);
                    }
                }
            }
            _ => {}
        }
    }
}

/// What kind of failure it is; `None` for what is none of the database's.
fn cause(error: &DbError) -> Option<&'static str> {
    match error {
        DbError::Busy(_) => Some("busy"),
        DbError::Pool(_) | DbError::Connect(_) => Some("connect"),
        DbError::Query(error) => of_query(error),
        DbError::Closed => Some("closed"),
        // One was counted when it panicked, the other never came to a connection.
        DbError::Panicked | DbError::Full => None,
    }
}

fn of_query(error: &Error) -> Option<&'static str> {
    let Error::DatabaseError(kind, info) = error else {
        return match error {
            Error::NotFound | Error::RollbackTransaction => None,
            Error::RollbackErrorOnCommit { commit_error, .. } => of_query(commit_error),
            Error::BrokenTransactionManager => Some("lost"),
            _ => Some("other"),
        };
    };
    Some(match kind {
        DatabaseErrorKind::ClosedConnection | DatabaseErrorKind::UnableToSendCommand => "lost",
        DatabaseErrorKind::SerializationFailure => "conflict",
        DatabaseErrorKind::UniqueViolation
        | DatabaseErrorKind::ForeignKeyViolation
        | DatabaseErrorKind::NotNullViolation
        | DatabaseErrorKind::CheckViolation
        | DatabaseErrorKind::RestrictViolation
        | DatabaseErrorKind::ExclusionViolation => "constraint",
        _ => {
            let message = info.message();
            let about = |words: &[&str]| words.iter().any(|word| message.contains(word));
            if about(&["deadlock detected"]) {
                "conflict"
            } else if about(&["canceling statement"]) {
                "timeout"
            } else if about(&["server closed", "terminating connection", "shutting down"]) {
                "lost"
            } else {
                "other"
            }
        }
    })
}
