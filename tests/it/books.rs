//! The books of a product whose modules keep them in different databases, looked at side by side.

use std::time::Duration;

use comptoir::process::Module;
use diesel::{RunQueryDsl, sql_query, sql_types::Text};
use testkit::TestDb;

use crate::{
    app::{TestApp, prepare},
    invariants::ACROSS_MODULES,
};

/// No sale is left half-made, no event undelivered, and the modules' books agree.
pub async fn assert_books_agree(app: &TestApp) {
    app.eventually("every hold is resolved (I5)", async || {
        app.db(Module::Store)
            .number("SELECT count(*) FROM store.holds WHERE state = 'held'")
            == 0
    })
    .await;
    for module in [Module::Sales, Module::Store, Module::Inventory] {
        app.eventually("every event is delivered", async || {
            app.db(module).number(&format!(
                "SELECT count(*) FROM {module}.outbox WHERE published_at IS NULL"
            )) == 0
        })
        .await;
    }
    app.assert_invariants().await;
    let books = side_by_side(app);
    for (name, sql) in ACROSS_MODULES {
        assert_eq!(books.number(sql), 0, "{name} in {:?}", app.topology);
    }
}

/// A database with what the stores and the sales say, as if they were one product on it.
fn side_by_side(app: &TestApp) -> TestDb {
    let books = TestDb::from_template(prepare);
    let mut conn = books.connect();
    let mut run = |sql: &str, json: &str| {
        let query = sql_query(sql).bind::<Text, _>(json);
        query
            .execute(&mut conn)
            .unwrap_or_else(|e| panic!("{sql}: {e}"));
    };
    // Rows that refer to one another arrive table by table.
    run(
        "SELECT set_config('session_replication_role', $1, false)",
        "replica",
    );
    for module in [Module::Store, Module::Sales] {
        let tables = app.db(module).text(&format!(
            "SELECT string_agg(tablename, ' ') FROM pg_tables WHERE schemaname = '{module}'"
        ));
        assert!(tables.len() > 20, "the tables of {module}: {tables}");
        for table in tables.split(' ').map(|table| format!("{module}.{table}")) {
            let rows = app.db(module).text(&format!(
                "SELECT coalesce(json_agg(t), '[]') FROM {table} t"
            ));
            run(&format!("DELETE FROM {table} WHERE $1 <> ''"), "all");
            run(
                &format!(
                    "INSERT INTO {table} SELECT * FROM json_populate_recordset(NULL::{table}, $1::json)"
                ),
                &rows,
            );
        }
    }
    books
}

/// Waits for what a running load brings about. Fails after 60 s.
pub async fn soon(what: &str, mut done: impl FnMut() -> bool) {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(60);
    while !done() {
        assert!(tokio::time::Instant::now() < deadline, "{what}");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}
