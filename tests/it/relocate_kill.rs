//! The real `comptoir move`, killed with -9 between any two of its commits, and run again.

use std::{
    path::Path,
    process::{Child, Command, Output, Stdio},
};

use embedded_postgres::{Options, Postgres};

use crate::{
    app::prepare,
    relocate::{Held, MOVE, execute, in_force, number, until_asking, until_waiting},
};

const SALES: i64 = 3_000;

/// Where it is when it is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Moment {
    /// The target is made anew; the source's tables are not locked yet.
    BeforeTheCopy,
    /// Some tables are copied, and one is not.
    InTheCopy,
    /// The copy is committed, and the source is not closed yet.
    BeforeTheFence,
    /// The source is closed, and the target is not open yet.
    BeforeTheOpening,
}

const MOMENTS: [Moment; 4] = [
    Moment::BeforeTheCopy,
    Moment::InTheCopy,
    Moment::BeforeTheFence,
    Moment::BeforeTheOpening,
];

fn comptoir(source: &str, arguments: &[&str], folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_comptoir"));
    command
        .args(arguments)
        .current_dir(folder)
        .env("DATABASE_URL", source)
        .env("COMPTOIR__LOG__FILTER", "warn")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

fn run(source: &str, arguments: &[&str], folder: &Path) -> (bool, String) {
    let Output {
        status,
        stdout,
        stderr,
    } = comptoir(source, arguments, folder).output().unwrap();
    let said = [stdout, stderr].concat();
    (status.success(), String::from_utf8(said).unwrap())
}

/// Lets a move run into locks of ours, so that it stands exactly where it is to be killed.
async fn kill_at(moment: Moment, old: &str, new: &str, folder: &Path) {
    let tables = Held::new(old, "LOCK TABLE sales.payments");
    let mut child: Child = comptoir(old, &["move", "sales", "--to", new], folder)
        .spawn()
        .unwrap();
    until_waiting(old, MOVE).await;
    let mut held = Vec::new();
    match moment {
        Moment::BeforeTheCopy => held.push(tables),
        Moment::InTheCopy => {
            held.push(Held::new(new, "LOCK TABLE sales.sales IN SHARE MODE"));
            drop(tables);
            until_waiting(new, MOVE).await;
        }
        Moment::BeforeTheFence => {
            held.push(Held::migrations(old));
            drop(tables);
            until_waiting(old, MOVE).await;
            assert_eq!(number(new, "SELECT count(*) FROM sales.sales"), SALES);
        }
        Moment::BeforeTheOpening => {
            let turn = Held::migrations(old);
            drop(tables);
            until_waiting(old, MOVE).await;
            held.push(Held::migrations(new));
            drop(turn);
            until_asking(new).await;
        }
    }
    child.kill().unwrap(); // SIGKILL
    child.wait().unwrap();
}

/// Every row of the sales and their payments, in one number.
fn content(url: &str) -> i64 {
    number(
        url,
        "SELECT sum(hashtextextended(row, 0) % 1000000007) FROM ( \
             SELECT s::text AS row FROM sales.sales s UNION ALL SELECT p::text FROM sales.payments p) x(row)",
    )
}

#[actix_web::test]
async fn a_move_killed_at_any_moment_leaves_at_most_one_copy_in_force_and_is_run_again() {
    let folder = testkit::scratch("relocate");
    let postgres = Postgres::start(&Options::new(&folder)).unwrap();
    for name in ["old", "new"] {
        execute(
            &postgres.url("postgres"),
            &format!("CREATE DATABASE {name}"),
        )
        .unwrap();
    }
    let (old, new) = (postgres.url("old"), postgres.url("new"));
    prepare(&old);
    execute(&old, &format!(
        "INSERT INTO sales.sales (id, store_id, state, recorded_at) \
             SELECT gen_random_uuid(), gen_random_uuid(), 'aborted', now() FROM generate_series(1, {SALES}); \
         INSERT INTO sales.payments SELECT id, 1, store_id, 'cash', 100, NULL FROM sales.sales"
    ))
    .unwrap();
    let rows = content(&old);
    for moment in MOMENTS {
        kill_at(moment, &old, &new, &folder).await;
        let fenced = moment == Moment::BeforeTheOpening;
        assert_eq!(
            (in_force(&old), in_force(&new)),
            (!fenced, false),
            "{moment:?}"
        );
        let (ok, said) = run(&new, &["migrate", "status"], &folder);
        assert!(
            !ok && said.contains("that did not end: run `comptoir move sales --to"),
            "{said}"
        );

        let (ok, said) = run(&old, &["move", "sales", "--to", &new], &folder);
        assert!(ok, "{moment:?}: {said}");
        assert_eq!(
            (in_force(&old), in_force(&new)),
            (false, true),
            "{moment:?}"
        );
        assert_eq!(content(&new), rows, "{moment:?}");

        let (ok, said) = run(&new, &["move", "sales", "--to", &old], &folder);
        assert!(ok, "{moment:?}: {said}");
        assert_eq!(
            (in_force(&old), in_force(&new)),
            (true, false),
            "{moment:?}"
        );
        assert_eq!(content(&old), rows, "{moment:?}");
    }
    for arguments in [
        &["check"][..],
        &["serve"],
        &["migrate", "up"],
        &["migrate", "down"],
    ] {
        let (ok, said) = run(&new, arguments, &folder);
        assert!(
            !ok && said.contains("set SALES_DATABASE_URL (database.sales_url)"),
            "{said}"
        );
    }
    assert!(
        number(&new, "SELECT count(*) FROM sales.sales") == SALES,
        "nothing was reverted"
    );
    drop(postgres);
    let _ = std::fs::remove_dir_all(&folder);
}
