//! Figures of a database: there while its pool is exhausted, and missing while it gives no answer.

use std::time::Duration;

use diesel::{Connection, PgConnection, connection::SimpleConnection};
use kernel::{db::Db, figures};
use testkit::TestDb;
use tokio::{sync::watch, task::JoinHandle};

use super::{
    Scrape,
    database::{connect, taken},
};
use crate::{app::prepare, books::soon};

/// The loop that gathers them, until it is told to end.
fn gathered(db: &Db) -> (watch::Sender<bool>, JoinHandle<()>) {
    let (stop, stopped) = watch::channel(false);
    let running = figures::worker(db).spawn(stopped, db.metrics());
    (stop, running)
}

/// Whether the database is up, and how much waits in its outbox.
fn shown(db: &Db) -> (f64, Option<f64>) {
    let scrape = Scrape::alone(db.metrics());
    (
        scrape.value("comptoir_database_up", &[]),
        scrape.get("comptoir_outbox_waiting", &[]),
    )
}

#[actix_web::test]
async fn figures_are_there_without_a_free_connection_and_missing_without_a_database() {
    let data = TestDb::from_template(prepare);
    let db = connect(data.url(), 1, Duration::from_secs(60));
    let (give_back, running) = taken(&db).await;
    let _loop = gathered(&db);
    soon("they are gathered", || shown(&db) == (1.0, Some(0.0))).await;
    drop(give_back);
    running.await.unwrap().unwrap();
    // A database is not closed from within.
    let mut admin = PgConnection::establish(&testkit::cluster().url("postgres")).unwrap();
    let name = data.text("SELECT current_database()");
    let mut allow = |yes: bool| {
        let alter = format!("ALTER DATABASE {name} ALLOW_CONNECTIONS {yes}");
        admin.batch_execute(&alter).unwrap();
        let end = format!(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
        );
        admin.batch_execute(&end).unwrap();
    };
    allow(false);
    soon("they go away", || shown(&db) == (0.0, None)).await;
    allow(true);
    soon("they come back", || shown(&db) == (1.0, Some(0.0))).await;
    let labels = [("worker", "figures"), ("outcome", "failed")];
    let failed = Scrape::alone(db.metrics()).value("comptoir_worker_runs_total", &labels);
    assert!(failed >= 1.0, "a pass failed meanwhile");
}

#[actix_web::test]
async fn figures_that_take_too_long_are_missing_until_they_come() {
    let data = TestDb::from_template(prepare);
    let db = connect(data.url(), 1, Duration::from_secs(60));
    let _loop = gathered(&db);
    soon("they are gathered", || shown(&db) == (1.0, Some(0.0))).await;
    let mut admin = data.connect();
    let lock = "BEGIN; LOCK TABLE sales.outbox IN ACCESS EXCLUSIVE MODE";
    admin.batch_execute(lock).unwrap();
    soon("they go away", || shown(&db) == (0.0, None)).await;
    admin.batch_execute("ROLLBACK").unwrap();
    soon("they come back", || shown(&db) == (1.0, Some(0.0))).await;
}
