//! The real binary, killed with -9 under load, twenty times over.

use std::{
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use diesel::{
    Connection, PgConnection, QueryableByName, RunQueryDsl, sql_query, sql_types::BigInt,
};
use embedded_postgres::{Options, Postgres};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    app::PASSWORD,
    tills::{Desk, Shop, Tills},
};

const ADMIN: &str = "admin@crash.example";
const ROUNDS: usize = 20;

/// The product as an operator runs it, on an embedded durable PostgreSQL.
pub struct Server {
    pub child: Child,
    pub base: String,
}

impl Server {
    pub async fn start(data: &Path) -> Self {
        Self::start_with(data, false).await
    }

    /// With `demo` it answers while the demo chain is still being loaded.
    pub async fn start_with(data: &Path, demo: bool) -> Self {
        let port = testkit::free_port();
        let log = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(data.join("server.out"))
            .unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_comptoir"))
            .current_dir(data)
            .env("COMPTOIR__EMBEDDED__DATA_DIR", data)
            .env("COMPTOIR__HTTP__PORT", port.to_string())
            .env("COMPTOIR__DEMO__LOAD", demo.to_string())
            .env("COMPTOIR__AUTH__BCRYPT_COST", "10")
            .env("COMPTOIR__AUTH__ADMIN_EMAIL", ADMIN)
            .env("COMPTOIR__AUTH__ADMIN_PASSWORD", PASSWORD)
            .env("COMPTOIR__STORE__HOLD_SECONDS", "1")
            .env("COMPTOIR__STORE__SWEEP_MS", "200")
            .env("COMPTOIR__LOG__FILTER", "warn")
            .env_remove("DATABASE_URL")
            .stdout(Stdio::from(log.try_clone().unwrap()))
            .stderr(Stdio::from(log))
            .spawn()
            .unwrap();
        let mut server = Self {
            child,
            base: format!("http://127.0.0.1:{port}"),
        };
        let (http, deadline) = (
            reqwest::Client::new(),
            Instant::now() + Duration::from_secs(60),
        );
        while !http
            .get(format!("{}/health/ready", server.base))
            .send()
            .await
            .is_ok_and(|r| r.status().is_success())
        {
            let said = std::fs::read_to_string(data.join("server.out")).unwrap_or_default();
            assert!(
                server.child.try_wait().unwrap().is_none(),
                "the server ended: {said}"
            );
            assert!(Instant::now() < deadline, "the server is not ready: {said}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        server
    }

    pub fn kill(mut self) {
        self.child.kill().unwrap(); // SIGKILL
        self.child.wait().unwrap();
    }

    pub async fn desk(&self, http: &reqwest::Client) -> Desk {
        let reply = http
            .post(format!("{}/api/auth/login", self.base))
            .json(&json!({"email": ADMIN, "password": PASSWORD}))
            .send()
            .await
            .unwrap();
        let body: Value = reply.json().await.unwrap();
        Desk {
            http: http.clone(),
            base: self.base.clone(),
            token: body["access_token"].as_str().expect("a token").to_owned(),
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Already reaped when the test killed it.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[actix_web::test]
async fn twenty_kills_under_load_lose_double_and_oversell_nothing() {
    let data = testkit::scratch("crash");
    let http = reqwest::Client::new();
    let tills = Tills::default();
    let server = Server::start(&data).await;
    let shop = given_shop(&server.desk(&http).await).await;
    let mut server = Some(server);
    for round in 0..ROUNDS {
        let running = match server.take() {
            Some(server) => server,
            None => Server::start(&data).await,
        };
        sell_until_killed(running, &http, &tills, &shop, round, &data).await;
    }
    let server = Server::start(&data).await;
    let desk = server.desk(&http).await;
    tills.repeat_what_got_no_answer(&desk).await;
    assert!(tills.sold() >= ROUNDS * 15, "{} sales", tills.sold());
    tills.assert_acknowledged_are_kept(&desk).await;
    assert_books_agree(&data, tills.sold()).await;
    drop(server);
    assert_invariants(&data);
    // Not kept on failure either: the next run removes what this one leaves.
    let _ = std::fs::remove_dir_all(&data);
}

pub async fn given_shop(desk: &Desk) -> Shop {
    let created = async |path: &str, body: Value| -> Uuid {
        let key = Uuid::now_v7().to_string();
        crate::reply::id(&desk.post(path, &key, &body).await.unwrap())
    };
    let store = created("/api/stores", json!({
        "code": "CRASH", "name": "Crash", "kind": "sales",
        "settings": {"timezone": "UTC", "day_cutoff": "00:00", "currency": "EUR", "tax_mode": "included"},
    }))
    .await;
    let mut products = Vec::new();
    for n in 0..5 {
        let product = created(
            "/api/inventory/products",
            json!({
                "sku": format!("C{n}"), "name": format!("Crash {n}"), "unit": "each",
                "price": {"amount": 100, "currency": "EUR"}, "tax_rate": 0,
            }),
        )
        .await;
        // The first runs out on the way, so that refusals are killed as well.
        let stock = if n == 0 { 300 } else { 1_000_000 };
        created("/api/stocks/adjustments", json!({"items": [
            {"type": "adjust", "store_id": store, "product_id": product, "delta": stock, "reason": "opening"},
        ]}))
        .await;
        products.push(product);
    }
    // Two tills with a shift that stays open all the time.
    let mut registers = Vec::new();
    for n in 1..=2 {
        let path = format!("/api/stores/{store}/registers");
        let register = created(&path, json!({"code": format!("T{n}"), "name": "Till"})).await;
        created(
            crate::shifts::ALL,
            crate::shifts::opening(store, register, 10_000),
        )
        .await;
        registers.push(register);
    }
    Shop {
        store,
        products,
        registers,
    }
}

async fn sell_until_killed(
    server: Server,
    http: &reqwest::Client,
    tills: &Tills,
    shop: &Shop,
    round: usize,
    data: &Path,
) {
    let (desk, done) = (server.desk(http).await, AtomicBool::new(false));
    let killing = async {
        tills.sell_more(15 + round * 7 % 40).await;
        if round % 2 == 1 {
            kill_postgres(data);
        }
        signal(server.child.id(), "-KILL");
        done.store(true, Ordering::Relaxed);
    };
    futures::join!(tills.sell(&desk, shop, &done), killing);
    server.kill();
}

/// Every other time the database dies without a shutdown, too.
fn kill_postgres(data: &Path) {
    let file: PathBuf = data.join("cluster/postmaster.pid");
    let pid = std::fs::read_to_string(file)
        .unwrap()
        .lines()
        .next()
        .unwrap()
        .trim()
        .parse()
        .unwrap();
    signal(pid, "-KILL");
}

pub fn signal(pid: u32, name: &str) {
    // The shell's own `kill`: a slim machine has no program of this name.
    let kill = format!("kill {name} {pid}");
    assert!(
        Command::new("sh")
            .args(["-c", &kill])
            .status()
            .unwrap()
            .success()
    );
}

/// What the modules say of themselves: receipts without gaps and shifts that add up, among others.
pub fn assert_invariants(data: &Path) {
    let checked = Command::new(env!("CARGO_BIN_EXE_comptoir"))
        .arg("check")
        .current_dir(data)
        .env("COMPTOIR__EMBEDDED__DATA_DIR", data)
        .env("COMPTOIR__LOG__FILTER", "warn")
        .env_remove("DATABASE_URL")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&checked.stdout);
    assert!(checked.status.success() && said.contains("I13"), "{said}");
}

/// Every acknowledged sale is there, no other is, and the modules' books agree.
pub async fn assert_books_agree(data: &Path, acknowledged: usize) {
    let postgres = Postgres::start(&Options::new(data)).unwrap();
    assert!(postgres.attached(), "the server's own cluster is looked at");
    let mut conn = PgConnection::establish(&postgres.url("comptoir")).unwrap();
    let mut number = |sql: &str| -> i64 {
        #[derive(QueryableByName)]
        struct Row {
            #[diesel(sql_type = BigInt)]
            n: i64,
        }
        sql_query(format!("SELECT ({sql})::bigint AS n"))
            .get_result::<Row>(&mut conn)
            .unwrap()
            .n
    };
    let deadline = Instant::now() + Duration::from_secs(20);
    while number("SELECT count(*) FROM store.holds WHERE state = 'held'") > 0 {
        assert!(Instant::now() < deadline, "I5: a hold stays held");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let acknowledged = i64::try_from(acknowledged).unwrap();
    assert_eq!(
        number("SELECT count(*) FROM sales.sales WHERE state = 'recorded'"),
        acknowledged,
        "I3, I6, I7"
    );
    for (name, sql) in crate::invariants::ACROSS_MODULES {
        assert_eq!(number(sql), 0, "{name}");
    }
}
