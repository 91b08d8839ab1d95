//! A module moves to another database whole, leaves a place that takes no write any more, and is
//! refused wherever that cannot be promised.

use std::time::{Duration, Instant};

use comptoir::{process::Module, relocate::Move};
use diesel::{
    Connection, PgConnection, QueryableByName, RunQueryDsl, connection::SimpleConnection,
    sql_query, sql_types::BigInt,
};
use kernel::{fence::Closed, migrate};
use serde_json::json;
use testkit::TestDb;

use crate::{
    app::{TestApp, Topology, prepare},
    migrations::dump,
    sales::sale,
};

/// What the connections of a move are called.
pub const MOVE: &str = "comptoir move %";

/// A product with something in every module: users, a store, stock, a sale and a return.
async fn given_business() -> (TestApp, serde_json::Value) {
    let app = TestApp::start(Topology::Whole).await;
    let (store, product) = (app.given_store().await, app.given_product(100).await);
    app.given_stock(store, product, 50).await;
    let body = sale(store, &[(product, 2)], 200);
    let sold = app.post("/api/sales", &body).await.expect(201);
    let back = json!({
        "sale_id": sold["id"], "reason": "unwanted",
        "lines": [{"line": 1, "quantity": 1, "disposition": "restock"}],
    });
    app.post("/api/returns", &back).await.expect(201);
    app.eventually("the goods are back", async || {
        app.on_hand(store, product).await == 49
    })
    .await;
    (app, body)
}

fn order(module: Module, from: &TestDb, to: &TestDb) -> Move {
    Move {
        module,
        source: from.url().into(),
        target: to.url().into(),
    }
}

async fn moved(order: &Move) -> Result<String, String> {
    let mut said = Vec::new();
    match order.run(&mut said).await {
        Ok(()) => Ok(String::from_utf8(said).unwrap()),
        Err(error) => Err(error.to_string()),
    }
}

/// Every row of every table of a module, as text.
pub fn content(db: &TestDb, module: Module) -> String {
    let tables = db.text(&format!(
        "SELECT string_agg(format('SELECT %L || t::text AS row FROM %s.%I t', relname || ' ', '{module}', relname), ' UNION ALL ') \
         FROM pg_class WHERE relnamespace = '{module}'::regnamespace AND relkind = 'r' \
         AND relname <> '__diesel_schema_migrations'"
    ));
    db.text(&format!(
        "SELECT string_agg(row, E'\\n' ORDER BY row) FROM ({tables}) x"
    ))
}

/// What the module's own role is told when it writes.
fn write_as(module: Module, db: &TestDb) -> Result<(), String> {
    let mut conn = PgConnection::establish(&db.url()).unwrap();
    let role = migrate::role_of(module.name());
    conn.batch_execute(&format!(
        "SET ROLE {role}; INSERT INTO {module}.inbox VALUES (gen_random_uuid(), 1)"
    ))
    .map_err(|e| e.to_string())
}

fn up(module: Module, db: &TestDb) -> Result<Vec<String>, String> {
    migrate::up(&db.url(), module.name(), module.migrations().unwrap()).map_err(|e| {
        assert!(e.downcast_ref::<Closed>().is_some(), "{e}");
        e.to_string()
    })
}

/// The app goes on running with open pools: a process that nobody thought of.
#[actix_web::test]
async fn every_module_is_moved_row_by_row_and_back_again() {
    let (app, _) = given_business().await;
    let home = app.db(Module::Sales);
    for module in Module::ALL {
        app.eventually("all events are out", async || {
            home.number(&format!(
                "SELECT count(*) FROM {module}.outbox WHERE published_at IS NULL"
            )) == 0
        })
        .await;
    }
    for module in Module::ALL {
        let away = TestDb::empty();
        let (shape, rows) = (dump(home, module), content(home, module));
        assert!(rows.lines().count() > 2, "{module}: {rows}");

        moved(&order(module, home, &away)).await.unwrap();
        assert_eq!(dump(&away, module), shape);
        assert_eq!(content(&away, module), rows);
        assert_eq!(up(module, &away).unwrap(), Vec::<String>::new());
        write_as(module, &away).unwrap();

        let refused = up(module, home).unwrap_err();
        assert!(
            refused.contains("moved from this database to "),
            "{refused}"
        );
        let refused = write_as(module, home).unwrap_err();
        assert!(refused.contains("permission denied"), "{refused}");
        let refused = moved(&order(module, home, &away)).await.unwrap_err();
        assert!(
            refused.contains("moved from this database to "),
            "{refused}"
        );

        let rows = content(&away, module);
        moved(&order(module, &away, home)).await.unwrap();
        assert_eq!(dump(home, module), shape);
        assert_eq!(content(home, module), rows);
        write_as(module, home).unwrap();
        write_as(module, &away).unwrap_err();
    }
}

#[actix_web::test]
async fn a_process_that_was_forgotten_answers_503_and_writes_nothing() {
    let (app, body) = given_business().await;
    let (home, away) = (app.db(Module::Sales), TestDb::empty());
    let order = order(Module::Sales, home, &away);
    let refused = order.refuse_company().await.unwrap_err().to_string();
    assert!(refused.starts_with("sales still works on "), "{refused}");
    let health = format!("{}/health/ready", app.base(Module::Sales));
    let ready = async || {
        app.http
            .get(&health)
            .send()
            .await
            .unwrap()
            .status()
            .as_u16()
    };
    assert_eq!(ready().await, 200);

    moved(&order).await.unwrap();
    let rows = content(home, Module::Sales);
    let reply = app.post("/api/sales", &body).await;
    reply.expect_problem(503, "unavailable");
    assert_eq!(ready().await, 503);
    assert_eq!(content(home, Module::Sales), rows);
}

/// Holds a lock until it is dropped.
pub struct Held(#[expect(dead_code, reason = "it is held")] PgConnection);

impl Held {
    pub fn new(url: &str, lock: &str) -> Self {
        let mut conn = PgConnection::establish(url).unwrap();
        conn.batch_execute(&format!("BEGIN; {lock}")).unwrap();
        Self(conn)
    }

    pub fn migrations(url: &str) -> Self {
        Self::new(
            url,
            &format!("SELECT pg_advisory_xact_lock({})", migrate::LOCK),
        )
    }
}

/// Runs SQL as the database's owner.
pub fn execute(url: &str, sql: &str) -> Result<(), String> {
    let mut conn = PgConnection::establish(url).unwrap();
    conn.batch_execute(sql).map_err(|e| e.to_string())
}

/// Whether the sales module of a process on this database could record anything.
pub fn in_force(url: &str) -> bool {
    let role = migrate::role_of("sales");
    execute(
        url,
        &format!("SET ROLE {role}; BEGIN; INSERT INTO sales.inbox VALUES (gen_random_uuid(), 1); ROLLBACK"),
    )
    .is_ok()
}

/// The one number that `sql` selects.
pub fn number(url: &str, sql: &str) -> i64 {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = BigInt)]
        n: i64,
    }
    let mut conn = PgConnection::establish(url).unwrap();
    let row: Row = sql_query(format!("SELECT ({sql})::bigint AS n"))
        .get_result(&mut conn)
        .unwrap();
    row.n
}

/// Waits until a connection to this database waits for a lock.
pub async fn until_waiting(url: &str, name: &str) {
    let waiting = format!(
        "SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid) \
         WHERE NOT granted AND datname = current_database() AND application_name LIKE '{name}'"
    );
    until(url, &waiting).await;
}

/// Waits until a connection to this database asks for the lock on migrations, which it does again
/// and again.
pub async fn until_asking(url: &str) {
    let asking = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
        AND query LIKE 'SELECT WHERE pg_try_advisory_lock%'";
    until(url, asking).await;
}

async fn until(url: &str, count: &str) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while number(url, count) == 0 {
        assert!(Instant::now() < deadline, "nobody: {count}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[actix_web::test]
async fn a_write_that_waits_for_the_move_is_refused_when_it_is_over() {
    let (home, away) = (TestDb::from_template(prepare), TestDb::empty());
    let order = order(Module::Sales, &home, &away);
    let tables = Held::new(&home.url(), "LOCK TABLE sales.payments");
    let moving = actix_web::rt::spawn(async move { moved(&order).await });
    until_waiting(&home.url(), MOVE).await;
    // Now it stops once more, with every table locked, before it closes the schema.
    let turn = Held::migrations(&home.url());
    drop(tables);
    until_waiting(&home.url(), MOVE).await;
    let url = home.url();
    let late = std::thread::spawn(move || {
        let mut conn = PgConnection::establish(&url).unwrap();
        conn.batch_execute(
            "SET application_name = 'late'; SET search_path = sales; SET ROLE comptoir_sales",
        )
        .unwrap();
        conn.batch_execute("INSERT INTO inbox VALUES (gen_random_uuid(), 1)")
    });
    until_waiting(&home.url(), "late").await;
    drop(turn);
    moving.await.unwrap().unwrap();
    late.join().unwrap().unwrap_err();
    assert_eq!(home.number("SELECT count(*) FROM sales.inbox"), 0);
}

#[actix_web::test]
async fn what_cannot_be_promised_is_refused_and_the_source_stays_in_force() {
    let home = TestDb::from_template(prepare);
    let cases: &[(&str, &str, &str)] = &[
        (
            "SELECT",
            "INSERT INTO sales.inbox VALUES (gen_random_uuid(), 1)",
            "holds data there",
        ),
        (
            "CREATE SEQUENCE sales.numbers",
            "SELECT",
            "sequence numbers",
        ),
        (
            "ALTER TABLE sales.payments ADD FOREIGN KEY (store_id) REFERENCES store.stores (id)",
            "SELECT",
            "to another schema",
        ),
        (
            "ALTER TABLE sales.payments ADD CHECK (n < 100) NOT VALID",
            "SELECT",
            "unvalidated constraint",
        ),
        (
            "ALTER TABLE sales.payments ADD extra int",
            "SELECT",
            "differ between the two databases",
        ),
        (
            "DELETE FROM sales.__diesel_schema_migrations",
            "SELECT",
            "not at the migrations of this binary",
        ),
        (
            "GRANT USAGE ON SCHEMA sales TO comptoir_other WITH GRANT OPTION; SET ROLE comptoir_other; \
             GRANT USAGE ON SCHEMA sales TO comptoir_sales",
            "SELECT",
            "keeps rights",
        ),
    ];
    home.execute("DO $$ BEGIN CREATE ROLE comptoir_other NOLOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$");
    for (here, there, expected) in cases {
        let (from, to) = (
            TestDb::from_template(prepare),
            TestDb::from_template(prepare),
        );
        from.execute(here);
        to.execute(there);
        let refused = moved(&order(Module::Sales, &from, &to)).await.unwrap_err();
        assert!(refused.contains(expected), "{refused}");
        write_as(Module::Sales, &from).unwrap();
    }
    let refused = moved(&order(Module::Sales, &home, &home))
        .await
        .unwrap_err();
    assert!(refused.contains("already"), "{refused}");
}

#[actix_web::test]
async fn a_copy_that_differs_is_noticed() {
    let (home, away) = (TestDb::from_template(prepare), TestDb::empty());
    home.execute(
        "INSERT INTO sales.inbox SELECT gen_random_uuid(), n FROM generate_series(1, 100) n",
    );
    let order = order(Module::Sales, &home, &away);
    let tables = Held::new(&home.url(), "LOCK TABLE sales.inbox");
    let moving = actix_web::rt::spawn(async move { moved(&order).await });
    until_waiting(&home.url(), MOVE).await;
    away.execute(
        "CREATE FUNCTION sales.spoil() RETURNS trigger LANGUAGE plpgsql AS \
             'BEGIN IF NEW.last_seq = 50 THEN NEW.last_seq = 51; END IF; RETURN NEW; END'; \
         CREATE TRIGGER spoil BEFORE INSERT ON sales.inbox FOR EACH ROW EXECUTE FUNCTION sales.spoil()",
    );
    drop(tables);
    let refused = moving.await.unwrap().unwrap_err();
    assert!(
        refused.contains("sales.inbox: the copy differs"),
        "{refused}"
    );
    write_as(Module::Sales, &home).unwrap();
    write_as(Module::Sales, &away).unwrap_err();
}
