//! A module's database, as its process sees it.

use std::{any::type_name, borrow::Cow, sync::Arc, time::Instant};

use diesel::{
    connection::InstrumentationEvent,
    result::{DatabaseErrorKind, Error},
};

use tracing::Span;

use super::{Counter, Family, Gauge, Histogram, Metrics, since};
use crate::trace;

/// Counts and times what one module asks of its database.
pub(crate) struct DbMeter {
    module: &'static str,
    connections: Family<Gauge, 2>,
    pub(crate) limit: Gauge,
    pub(crate) waiting: Gauge,
    pub(crate) wait: Histogram,
    operations: Family<Histogram, 2>,
    statements: Family<Histogram, 2>,
    failures: Family<Counter, 2>,
}

const CAUSES: [&str; 8] = [
    "busy",
    "connect",
    "lost",
    "conflict",
    "timeout",
    "constraint",
    "closed",
    "other",
];

impl DbMeter {
    pub(crate) fn new(metrics: &Metrics, module: &'static str) -> Self {
        let failures = metrics.counter(
            "comptoir_db_failures_total",
            "Work that the database did not do: `busy` (no connection in time), `connect`, `lost` (the connection died), `conflict` (serialization, deadlock), `timeout`, `constraint`, `closed` (the schema has moved), `other`",
            ["module", "cause"],
        );
        for cause in CAUSES {
            failures.with([module, cause]);
        }
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
            operations: metrics.durations(
                "comptoir_db_operation_duration_seconds",
                "Time that one piece of work had its connection: a transaction with all its statements. `operation` is its place in the code, such as `transfers.list`",
                ["module", "operation"],
            ),
            statements: metrics.durations(
                "comptoir_db_statement_duration_seconds",
                "Time until the server answered one statement: `query`, `begin`, `commit`, `rollback`",
                ["module", "kind"],
            ),
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

    pub(crate) fn failed(&self, cause: &'static str) {
        self.failures.with([self.module, cause]).inc();
    }

    pub(crate) fn worked(&self, operation: String, started: Instant) {
        let labels: [Cow<'static, str>; 2] = [self.module.into(), operation.into()];
        since(&self.operations.with(labels), started);
    }

    /// Times the statements of one connection.
    pub(crate) fn statements(self: &Arc<Self>) -> Statements {
        let of = |kind| self.statements.with([self.module, kind]);
        Statements {
            meter: self.clone(),
            query: of("query"),
            begin: of("begin"),
            commit: of("commit"),
            rollback: of("rollback"),
            next: None,
            running: None,
        }
    }
}

/// The statements of one connection: one runs at a time.
pub(crate) struct Statements {
    meter: Arc<DbMeter>,
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
                if let Some(cause) = error.and_then(cause) {
                    self.meter.failed(cause);
                }
            }
            _ => {}
        }
    }
}

/// What kind of failure it is; `None` for what is none.
fn cause(error: &Error) -> Option<&'static str> {
    let Error::DatabaseError(kind, info) = error else {
        return match error {
            Error::NotFound | Error::RollbackTransaction => None,
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

/// Where in the code `F` stands: the last two names of its path, closures apart.
pub(crate) fn operation<F>() -> String {
    short(type_name::<F>())
}

/// `sales::service::record::<impl sales::Sales>::stored::{{closure}}` is `record.stored`.
/// `<store::port::Ports as store_api::Stock>::hold` is `Stock.hold`.
fn short(path: &str) -> String {
    let of_trait = path
        .strip_prefix('<')
        .and_then(|rest| rest.split_once(" as "));
    let of_trait = of_trait.map(|(_, path)| path.replacen('>', "", 1));
    let path = of_trait.as_deref().unwrap_or(path);
    let (mut flat, mut depth, mut before) = (String::new(), 0_u32, ' ');
    for letter in path.chars() {
        match letter {
            '<' => depth += 1,
            '>' if before != '-' => depth = depth.saturating_sub(1),
            _ if depth == 0 => flat.push(letter),
            _ => {}
        }
        before = letter;
    }
    let names = flat.rsplit("::");
    let mut names = names.filter(|name| !name.is_empty() && !name.contains('{'));
    let last = names.next().unwrap_or("unknown");
    match names.next() {
        Some(place) => format!("{place}.{last}"),
        None => last.to_owned(),
    }
}

/// Group commits of one kind.
#[derive(Debug, Clone)]
pub(crate) struct BatchMeter {
    pub(crate) waiting: Gauge,
    pub(crate) refused: Counter,
    pub(crate) size: Histogram,
}

impl BatchMeter {
    pub(crate) fn new(
        metrics: &Metrics,
        module: &'static str,
        writer: &'static str,
        limit: usize,
    ) -> Self {
        let labels = [module, writer];
        let most = metrics.gauge(
            "comptoir_batch_limit",
            "How many may wait; more are turned away",
            ["module", "writer"],
        );
        most.with(labels)
            .set(u32::try_from(limit).map_or(f64::INFINITY, f64::from));
        Self {
            waiting: metrics
                .gauge(
                    "comptoir_batch_waiting",
                    "Requests that wait for a group commit",
                    ["module", "writer"],
                )
                .with(labels),
            refused: metrics
                .counter(
                    "comptoir_batch_refused_total",
                    "Requests that were turned away because as many waited as may",
                    ["module", "writer"],
                )
                .with(labels),
            size: metrics
                .sizes(
                    "comptoir_batch_size",
                    "Requests in one group commit (buckets 1, 2, 4, 8, 16, 32, 64)",
                    ["module", "writer"],
                )
                .with(labels),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operation_is_named_after_its_place_in_the_code() {
        for (path, name) in [
            (
                "sales::service::record::<impl sales::Sales>::stored::{{closure}}::{{closure}}",
                "record.stored",
            ),
            (
                "kernel::relay::Relay::run_once::{{closure}}",
                "Relay.run_once",
            ),
            (
                "<store::port::Ports as store_api::Stock>::hold::{{closure}}",
                "Stock.hold",
            ),
            ("a::b::each<fn(u8) -> u8>::{{closure}}", "b.each"),
            ("a::repo::holds::due", "holds.due"),
        ] {
            assert_eq!(short(path), name);
        }
    }

    #[test]
    fn a_closure_knows_where_it_stands() {
        fn of<F: Fn()>(_: &F) -> String {
            operation::<F>()
        }
        let name = of(&|| ());
        assert_eq!(name, "tests.a_closure_knows_where_it_stands");
    }
}
