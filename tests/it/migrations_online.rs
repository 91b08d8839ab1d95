//! A new version migrates while the old one sells: nobody who writes is kept waiting for long.

use std::thread::{self, ScopedJoinHandle};

use comptoir::process::Module;
use diesel::{PgConnection, connection::SimpleConnection};
use kernel::migrate;
use testkit::TestDb;

const WRITE: &str = "BEGIN; LOCK TABLE sales.outbox IN ROW EXCLUSIVE MODE";
const INDEX: &str = "SELECT count(*) FROM pg_index WHERE indrelid = 'sales.outbox'::regclass \
    AND indexrelid::regclass::text = 'sales.outbox_parked' AND indisvalid =";

fn up(db: &TestDb) -> Result<Vec<String>, String> {
    let migrations = Module::Sales.migrations().unwrap();
    migrate::up(&db.url(), "sales", migrations).map_err(|error| error.to_string())
}

/// A database of sales as it was before the first of the migrations after which `is_there` counts 1.
fn before(is_there: &str) -> TestDb {
    let db = TestDb::empty();
    up(&db).unwrap();
    assert_eq!(db.number(is_there), 1);
    while db.number(is_there) == 1 {
        migrate::down(
            &db.url(),
            "sales",
            Module::Sales.migrations().unwrap(),
            false,
        )
        .unwrap();
    }
    db
}

/// Someone in the midst of a sale.
fn writer(db: &TestDb) -> PgConnection {
    let mut conn = db.connect();
    conn.batch_execute(WRITE).unwrap();
    conn
}

/// A later sale; it fails if it is kept waiting.
fn write(db: &TestDb) {
    let mut conn = db.connect();
    conn.batch_execute("SET statement_timeout = '30s'").unwrap();
    conn.batch_execute(WRITE).unwrap();
}

fn until(db: &TestDb, count: &str, migrating: &ScopedJoinHandle<'_, Result<Vec<String>, String>>) {
    while db.number(count) == 0 {
        assert!(!migrating.is_finished(), "{count}");
        thread::yield_now();
    }
}

#[test]
fn a_column_is_added_while_others_write() {
    let db = before(
        "SELECT count(*) FROM information_schema.columns WHERE table_schema = 'sales' \
         AND table_name = 'outbox' AND column_name = 'traceparent'",
    );
    thread::scope(|scope| {
        let mut first = writer(&db);
        let migrating = scope.spawn(|| up(&db));
        let waits = "SELECT count(*) FROM pg_locks WHERE relation = 'sales.outbox'::regclass \
            AND mode = 'AccessExclusiveLock' AND NOT granted";
        until(&db, waits, &migrating);
        // Behind the migration, which waits for the first.
        write(&db);
        first.batch_execute("COMMIT").unwrap();
        assert_eq!(migrating.join().unwrap().unwrap().len(), 2);
    });
}

#[test]
fn an_index_is_built_while_others_write_and_migrate() {
    let db = before("SELECT count(to_regclass('sales.outbox_parked'))");
    thread::scope(|scope| {
        let mut first = writer(&db);
        let migrating = scope.spawn(|| up(&db));
        let building = "SELECT count(*) FROM pg_stat_progress_create_index \
            WHERE relid = 'sales.outbox'::regclass";
        until(&db, building, &migrating);
        let as_well = scope.spawn(|| up(&db));
        let asks = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
            AND pid <> pg_backend_pid() AND query LIKE '%advisory_lock%'";
        until(&db, asks, &as_well);
        write(&db);
        first.batch_execute("COMMIT").unwrap();
        assert_eq!(migrating.join().unwrap().unwrap().len(), 1);
        assert_eq!(as_well.join().unwrap().unwrap().len(), 0);
    });
    assert_eq!(db.number(&format!("{INDEX} true")), 1);
}

#[test]
fn an_index_that_was_cut_short_is_built_anew() {
    let db = before("SELECT count(to_regclass('sales.outbox_parked'))");
    let mut first = writer(&db);
    let mut cut = db.connect();
    cut.batch_execute("SET statement_timeout = '100ms'")
        .unwrap();
    cut.batch_execute("CREATE INDEX CONCURRENTLY outbox_parked ON sales.outbox (parked_at)")
        .expect_err("it waits for who writes");
    first.batch_execute("COMMIT").unwrap();
    assert_eq!(db.number(&format!("{INDEX} false")), 1);
    assert_eq!(up(&db).unwrap().len(), 1);
    assert_eq!(db.number(&format!("{INDEX} true")), 1);
}
