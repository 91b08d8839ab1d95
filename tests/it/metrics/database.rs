//! What a database is asked, who waits for it, and why it did not do it.

use std::{sync::mpsc, time::Duration};

use diesel::{Connection, connection::SimpleConnection, result::Error as Query};
use kernel::db::{Db, DbError, DbOptions, Failure};
use testkit::TestDb;
use tokio::{sync::oneshot, task::JoinHandle};

use super::Scrape;
use crate::{app::prepare, books::soon};

const FAILURES: &str = "comptoir_db_failures_total";

pub fn connect(url: String, pool_size: u32, wait: Duration) -> Db {
    Db::connect(&DbOptions {
        url: url.into(),
        schema: "sales",
        pool_size,
        wait,
        count_statements: false,
        metrics: Default::default(),
    })
    .unwrap()
}

/// Has a connection until it is told to give it back, or dropped.
pub async fn taken(db: &Db) -> (mpsc::Sender<()>, JoinHandle<Result<(), DbError>>) {
    let (give_back, told) = mpsc::channel();
    let (say, had) = oneshot::channel();
    let db = db.clone();
    let running = tokio::spawn(async move {
        db.run(move |_| {
            say.send(()).unwrap();
            let _ = told.recv();
            Ok(())
        })
        .await
    });
    had.await.unwrap();
    (give_back, running)
}

fn value(db: &Db, name: &str, labels: &[(&str, &str)]) -> f64 {
    Scrape::alone(db.metrics()).value(name, labels)
}

fn connections(db: &Db) -> [f64; 2] {
    ["in_use", "idle"].map(|state| value(db, "comptoir_db_connections", &[("state", state)]))
}

#[actix_web::test]
async fn the_pool_says_who_has_a_connection_and_who_waits_for_one() {
    let data = TestDb::from_template(prepare);
    let db = connect(data.url(), 1, Duration::from_secs(60));
    assert_eq!(connections(&db), [0.0, 0.0]);
    assert_eq!(value(&db, "comptoir_db_connections_limit", &[]), 1.0);
    let (give_back, running) = taken(&db).await;
    assert_eq!(connections(&db), [1.0, 0.0]);
    let waiting = || value(&db, "comptoir_db_waiting", &[]);
    assert_eq!(waiting(), 0.0);
    let second = tokio::spawn({
        let db = db.clone();
        async move { db.run(|_| Ok::<_, DbError>(())).await }
    });
    soon("the second one waits", || waiting() == 1.0).await;
    drop(give_back);
    running.await.unwrap().unwrap();
    second.await.unwrap().unwrap();
    assert_eq!((waiting(), connections(&db)), (0.0, [0.0, 1.0]));
    let waits = "comptoir_db_wait_duration_seconds_count";
    assert_eq!(value(&db, waits, &[]), 2.0);
    assert_eq!(value(&db, FAILURES, &[]), 0.0);
    let (works, place) = (
        "comptoir_db_operation_duration_seconds_count",
        [("operation", "database.taken")],
    );
    assert_eq!(value(&db, works, &place), 1.0);
}

#[actix_web::test]
async fn statements_are_timed_by_their_kind() {
    let data = TestDb::from_template(prepare);
    let db = connect(data.url(), 1, Duration::from_secs(60));
    let kinds = || {
        let of = |kind| {
            let name = "comptoir_db_statement_duration_seconds_count";
            value(&db, name, &[("kind", kind)])
        };
        ["query", "begin", "commit", "rollback"].map(of)
    };
    assert_eq!(kinds(), [0.0; 4]);
    let ask = |sql: &'static str, answer: Result<(), DbError>| {
        db.transaction(move |conn| {
            diesel::RunQueryDsl::execute(diesel::sql_query(sql), conn)?;
            answer
        })
    };
    ask("SELECT 1", Ok(())).await.unwrap();
    assert_eq!(kinds(), [1.0, 1.0, 1.0, 0.0]);
    let refused = ask("SELECT 1", Err(Query::NotFound.into())).await;
    assert!(refused.is_err());
    // One more query: whether the connection lives.
    assert_eq!(kinds(), [3.0, 2.0, 1.0, 1.0]);
    assert_eq!(value(&db, FAILURES, &[]), 0.0, "what refuses is no failure");
}

#[derive(Debug)]
enum Refusal {
    Of,
    Db,
}

impl From<DbError> for Refusal {
    fn from(_: DbError) -> Self {
        Self::Db
    }
}

impl From<Query> for Refusal {
    fn from(_: Query) -> Self {
        Self::Db
    }
}

impl Failure for Refusal {
    fn of_database(&self) -> Option<&DbError> {
        None
    }
}

/// What there is of each cause that there is anything of.
fn failures(db: &Db) -> Vec<(&'static str, f64)> {
    let causes = [
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
    let of = |cause| (cause, value(db, FAILURES, &[("cause", cause)]));
    causes
        .map(of)
        .into_iter()
        .filter(|(_, n)| *n > 0.0)
        .collect()
}

#[actix_web::test]
async fn work_that_failed_is_counted_once_by_what_it_ended_with() {
    const TIMEOUT: &str = "SET LOCAL statement_timeout = 1; SELECT pg_sleep(60)";
    const DEADLOCK: &str =
        "DO $$ BEGIN RAISE EXCEPTION 'deadlock detected' USING ERRCODE = '40P01'; END $$";
    for (cause, sql) in [
        (
            "conflict",
            "DO $$ BEGIN RAISE serialization_failure; END $$",
        ),
        ("conflict", DEADLOCK),
        ("timeout", TIMEOUT),
        ("constraint", "DO $$ BEGIN RAISE unique_violation; END $$"),
        ("closed", "SELECT count(*) FROM outbox"),
        ("lost", "SELECT 1"),
        ("other", "SELECT nonsense"),
    ] {
        let data = TestDb::from_template(prepare);
        let db = connect(data.url(), 1, Duration::from_secs(60));
        db.ping().await.unwrap();
        match cause {
            "closed" => data.execute("ALTER SCHEMA sales RENAME TO elsewhere"),
            "lost" => data.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                 WHERE datname = current_database() AND pid <> pg_backend_pid()",
            ),
            _ => {}
        }
        let failed = db
            .transaction(move |conn| conn.batch_execute(sql).map_err(DbError::from))
            .await;
        assert!(failed.is_err(), "{sql}");
        assert_eq!(failures(&db), [(cause, 1.0)], "{sql}: {failed:?}");
    }
    let data = TestDb::from_template(prepare);
    let db = connect(data.url(), 1, Duration::from_secs(60));
    let panicked = db.run(|_| -> Result<(), DbError> { panic!("on purpose") });
    assert!(matches!(panicked.await, Err(DbError::Panicked)));
    let refused = db.transaction(|_| Err::<(), _>(Refusal::Of)).await;
    assert!(matches!(refused, Err(Refusal::Of)));
    let made_good = db.transaction(|conn| {
        let tried = conn.transaction(|conn| conn.batch_execute("SELECT nonsense"));
        assert!(tried.is_err());
        conn.batch_execute("SELECT 1").map_err(DbError::from)
    });
    made_good.await.unwrap();
    assert_eq!(failures(&db), [("panic", 1.0)]);
}

#[actix_web::test]
async fn where_others_have_all_connections_it_is_busy_and_where_none_can_be_had_it_is_not() {
    let data = TestDb::from_template(prepare);
    let db = connect(data.url(), 1, Duration::from_secs(5));
    let (give_back, running) = taken(&db).await;
    // Requests wait for a turn, the writers of group commits for the pool itself.
    let asked = db.run(|_| Ok::<_, DbError>(()));
    let writes = tokio::task::spawn_blocking({
        let db = db.clone();
        move || db.run_blocking("writer", |_| Ok::<_, DbError>(()))
    });
    let (asked, written) = futures::join!(asked, writes);
    assert!(matches!(asked, Err(DbError::Busy(_))), "{asked:?}");
    let written = written.unwrap();
    assert!(matches!(written, Err(DbError::Busy(_))), "{written:?}");
    // What must be seen meanwhile is: one connection is not the pool's.
    db.run_beside(|conn| conn.batch_execute("SELECT 1").map_err(DbError::from))
        .await
        .unwrap();
    drop(give_back);
    running.await.unwrap().unwrap();
    assert_eq!(failures(&db), [("busy", 2.0)]);

    let nobody = format!("postgres://nobody@127.0.0.1:{}/x", testkit::free_port());
    let db = connect(nobody, 1, Duration::from_millis(200));
    assert!(db.ping().await.is_err());
    let beside = db.run_beside(|_| Ok::<_, DbError>(())).await;
    assert!(matches!(beside, Err(DbError::Connect(_))), "{beside:?}");
    assert_eq!(failures(&db), [("connect", 2.0)]);
}

#[actix_web::test]
async fn what_was_committed_is_told_although_nobody_waits_for_it() {
    let data = TestDb::from_template(prepare);
    let db = connect(data.url(), 1, Duration::from_secs(60));
    let (go_on, told) = mpsc::channel::<()>();
    let (say, began) = oneshot::channel();
    let (tell, committed) = oneshot::channel();
    let asked = tokio::spawn(async move {
        let work = move |_: &mut diesel::PgConnection| {
            say.send(()).unwrap();
            let _ = told.recv();
            Ok::<_, DbError>(7)
        };
        db.transaction_then(work, move |n| tell.send(*n).unwrap())
            .await
    });
    began.await.unwrap();
    asked.abort();
    assert!(asked.await.unwrap_err().is_cancelled());
    drop(go_on);
    assert_eq!(committed.await, Ok(7));
}
