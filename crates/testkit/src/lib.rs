//! A real PostgreSQL for tests: one private cluster per test run, a database per test.
//!
//! The cluster forgets nothing that a test can see, but does not survive a power cut: `fsync` is
//! off. What must survive a kill is tested with the product's own durable cluster instead.

use std::{
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{
        LazyLock, Once,
        atomic::{AtomicU16, Ordering},
    },
};

use diesel::{
    Connection, PgConnection, QueryableByName, RunQueryDsl,
    connection::SimpleConnection,
    sql_query,
    sql_types::{BigInt, Text},
};
use embedded_postgres::{Lifetime, Options, Postgres};
use uuid::Uuid;

static CLUSTER: LazyLock<Postgres> = LazyLock::new(|| {
    remove_leftovers();
    let mut options = Options::new(folder_of(std::process::id()));
    options.durable = false;
    options.lifetime = Lifetime::Owned;
    options.settings = [
        ("max_connections", "500"),
        ("shared_buffers", "128MB"),
        ("jit", "off"),
        ("autovacuum", "off"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .to_vec();
    match Postgres::start(&options) {
        Ok(postgres) => postgres,
        Err(error) => panic!("tests need PostgreSQL: {error}"),
    }
});

/// The private cluster of this test run; started when it is first asked for.
pub fn cluster() -> &'static Postgres {
    &CLUSTER
}

/// A database that is dropped with this value.
#[derive(Debug)]
pub struct TestDb {
    name: String,
}

impl TestDb {
    /// A copy of the template. `prepare` fills the template, once per test run.
    pub fn from_template(prepare: fn(url: &str)) -> Self {
        static READY: Once = Once::new();
        READY.call_once(|| {
            admin("CREATE DATABASE template_comptoir");
            prepare(&CLUSTER.url("template_comptoir"));
        });
        let name = format!("test_{}", Uuid::now_v7().simple());
        admin(&format!(
            "CREATE DATABASE {name} TEMPLATE template_comptoir STRATEGY FILE_COPY"
        ));
        Self { name }
    }

    /// An empty database.
    pub fn empty() -> Self {
        let name = format!("test_{}", Uuid::now_v7().simple());
        admin(&format!("CREATE DATABASE {name}"));
        Self { name }
    }

    /// Where it is.
    pub fn url(&self) -> String {
        CLUSTER.url(&self.name)
    }

    /// A connection as the cluster's owner.
    pub fn connect(&self) -> PgConnection {
        connect(&self.url())
    }

    /// Runs SQL as the cluster's owner.
    pub fn execute(&self, sql: &str) {
        execute(&self.url(), sql);
    }

    /// The one number that `sql` selects.
    pub fn number(&self, sql: &str) -> i64 {
        #[derive(QueryableByName)]
        struct Row {
            #[diesel(sql_type = BigInt)]
            n: i64,
        }
        let row: Result<Row, _> =
            sql_query(format!("SELECT ({sql})::bigint AS n")).get_result(&mut self.connect());
        match row {
            Ok(row) => row.n,
            Err(error) => panic!("{sql}: {error}"),
        }
    }

    /// The one text that `sql` selects.
    pub fn text(&self, sql: &str) -> String {
        #[derive(QueryableByName)]
        struct Row {
            #[diesel(sql_type = Text)]
            t: String,
        }
        let row: Result<Row, _> =
            sql_query(format!("SELECT ({sql})::text AS t")).get_result(&mut self.connect());
        match row {
            Ok(row) => row.t,
            Err(error) => panic!("{sql}: {error}"),
        }
    }
}

impl Drop for TestDb {
    fn drop(&mut self) {
        admin(&format!(
            "DROP DATABASE IF EXISTS {} WITH (FORCE)",
            self.name
        ));
    }
}

fn admin(sql: &str) {
    execute(&CLUSTER.url("postgres"), sql);
}

fn execute(url: &str, sql: &str) {
    if let Err(error) = connect(url).batch_execute(sql) {
        panic!("{sql}: {error}");
    }
}

fn connect(url: &str) -> PgConnection {
    match PgConnection::establish(url) {
        Ok(conn) => conn,
        Err(error) => panic!("{url}: {error}"),
    }
}

/// A folder for a test's own files, that the server's user may enter; removed by the next run.
pub fn scratch(name: &str) -> PathBuf {
    let folder =
        folder_of(std::process::id()).with_extension(format!("{name}-{}", Uuid::now_v7().simple()));
    if let Err(error) = fs::create_dir_all(&folder) {
        panic!("{}: {error}", folder.display());
    }
    folder
}

/// A port that is free and that the system gives to nobody else by itself: it lies below the
/// ephemeral range, so no other test's connection can take it before it is used.
pub fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let spread = u16::try_from(std::process::id() % 97).unwrap_or_default() * 100;
    loop {
        let step = NEXT.fetch_add(1, Ordering::Relaxed);
        let port = 20_000 + spread.wrapping_add(step) % 12_000;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

/// A command whose process is killed when the thread that spawns it ends, and so when the test is
/// killed. Where `setpriv` cannot do that, as on macOS, it is an ordinary command.
pub fn tied_command(program: &Path) -> Command {
    static CAN_TIE: LazyLock<bool> = LazyLock::new(|| {
        Command::new("setpriv")
            .args(["--pdeathsig", "KILL", "--", "true"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
    });
    if !*CAN_TIE {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL", "--"]).arg(program);
    command
}

const PREFIX: &str = "comptoir-test-";

fn folder_of(pid: u32) -> PathBuf {
    std::env::temp_dir().join(format!("{PREFIX}{pid}"))
}

/// A test run cannot clean up after its own end, so the next one does.
fn remove_leftovers() {
    for entry in fs::read_dir(std::env::temp_dir())
        .into_iter()
        .flatten()
        .flatten()
    {
        let name = entry.file_name().to_string_lossy().into_owned();
        let Some(rest) = name.strip_prefix(PREFIX) else {
            continue;
        };
        let pid = rest.split('.').next().unwrap_or_default();
        if !Path::new("/proc").join(pid).exists() {
            // Another user's leftovers stay where they are.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}
