//! The real binary, killed with -9 under load, twenty times over.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use diesel::{
    Connection, PgConnection, QueryableByName, RunQueryDsl, sql_query, sql_types::BigInt,
};
use embedded_postgres::{Options, Postgres};
use futures::future::join_all;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{app::PASSWORD, sales::sale};

const ADMIN: &str = "admin@crash.example";
const ROUNDS: usize = 20;
const TILLS: usize = 8;

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

    fn kill(mut self) {
        self.child.kill().unwrap(); // SIGKILL
        self.child.wait().unwrap();
    }

    async fn login(&self, http: &reqwest::Client) -> String {
        let reply = http
            .post(format!("{}/api/auth/login", self.base))
            .json(&json!({"email": ADMIN, "password": PASSWORD}))
            .send()
            .await
            .unwrap();
        let body: Value = reply.json().await.unwrap();
        body["access_token"].as_str().expect("a token").to_owned()
    }

    async fn post(
        &self,
        http: &reqwest::Client,
        token: &str,
        path: &str,
        key: &str,
        body: &Value,
    ) -> Result<(u16, Value), reqwest::Error> {
        let request = http
            .post(format!("{}{path}", self.base))
            .bearer_auth(token)
            .header("Idempotency-Key", key);
        let reply = request
            .json(body)
            .timeout(Duration::from_secs(20))
            .send()
            .await?;
        Ok((reply.status().as_u16(), reply.json().await?))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Already reaped when the test killed it.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What the tills know: every key they sent, and what was acknowledged for it.
#[derive(Default)]
struct Tills {
    sent: Mutex<BTreeMap<String, Value>>,
    acknowledged: Mutex<BTreeMap<String, Value>>,
}

#[actix_web::test]
async fn twenty_kills_under_load_lose_double_and_oversell_nothing() {
    let data = testkit::scratch("crash");
    let http = reqwest::Client::new();
    let tills = Arc::new(Tills::default());
    let server = Server::start(&data).await;
    let (store, products) = given_shop(&server, &http).await;
    let mut server = Some(server);
    for round in 0..ROUNDS {
        let running = match server.take() {
            Some(server) => server,
            None => Server::start(&data).await,
        };
        sell_until_killed(running, &http, &tills, store, &products, round, &data).await;
    }
    let server = Server::start(&data).await;
    let token = server.login(&http).await;
    repeat_what_got_no_answer(&server, &http, &token, &tills).await;
    assert_acknowledged_once(&server, &http, &token, &tills).await;
    assert_books_agree(&data, &tills).await;
    drop(server);
    // Not kept on failure either: the next run removes what this one leaves.
    let _ = std::fs::remove_dir_all(&data);
}

async fn given_shop(server: &Server, http: &reqwest::Client) -> (Uuid, Vec<Uuid>) {
    let token = server.login(http).await;
    let created = async |path: &str, body: Value| -> Uuid {
        let (status, body) = server
            .post(http, &token, path, &Uuid::now_v7().to_string(), &body)
            .await
            .unwrap();
        assert_eq!(status, 201, "{body}");
        body["id"].as_str().unwrap().parse().unwrap()
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
    (store, products)
}

async fn sell_until_killed(
    server: Server,
    http: &reqwest::Client,
    tills: &Arc<Tills>,
    store: Uuid,
    products: &[Uuid],
    round: usize,
    data: &Path,
) {
    let token = server.login(http).await;
    let (done, count) = (AtomicBool::new(false), AtomicUsize::new(0));
    let target = 15 + round * 7 % 40;
    let selling = join_all((0..TILLS).map(async |till| {
        let mut turn = till;
        while !done.load(Ordering::Relaxed) {
            turn += 1;
            let (a, b) = (
                products[turn % products.len()],
                products[(turn + 1) % products.len()],
            );
            let (key, body) = (
                Uuid::now_v7().to_string(),
                sale(store, &[(a, 1), (b, 2)], 300),
            );
            tills.sent.lock().unwrap().insert(key.clone(), body.clone());
            if let Ok((201, answer)) = server.post(http, &token, "/api/sales", &key, &body).await {
                tills.acknowledged.lock().unwrap().insert(key, answer);
                count.fetch_add(1, Ordering::Relaxed);
            }
        }
    }));
    let killing = async {
        let deadline = Instant::now() + Duration::from_secs(60);
        while count.load(Ordering::Relaxed) < target {
            assert!(
                Instant::now() < deadline,
                "only {} sales in round {round}",
                count.load(Ordering::Relaxed)
            );
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        if round % 2 == 1 {
            kill_postgres(data);
        }
        signal(server.child.id(), "-KILL");
        done.store(true, Ordering::Relaxed);
    };
    futures::join!(selling, killing);
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

async fn repeat_what_got_no_answer(
    server: &Server,
    http: &reqwest::Client,
    token: &str,
    tills: &Tills,
) {
    let sent = tills.sent.lock().unwrap().clone();
    for (key, body) in sent {
        if tills.acknowledged.lock().unwrap().contains_key(&key) {
            continue;
        }
        let (status, answer) = server
            .post(http, token, "/api/sales", &key, &body)
            .await
            .unwrap();
        match (status, answer["code"].as_str()) {
            (201, _) => {
                tills.acknowledged.lock().unwrap().insert(key, answer);
            }
            (409, Some("insufficient-stock" | "sale-aborted")) => {}
            _ => panic!("{status} {answer}"),
        }
    }
}

async fn assert_acknowledged_once(
    server: &Server,
    http: &reqwest::Client,
    token: &str,
    tills: &Tills,
) {
    let acknowledged = tills.acknowledged.lock().unwrap().clone();
    assert!(
        acknowledged.len() >= ROUNDS * 15,
        "{} sales",
        acknowledged.len()
    );
    for (key, answer) in &acknowledged {
        let url = format!(
            "{}/api/sales/{}",
            server.base,
            answer["id"].as_str().unwrap()
        );
        let found: Value = http
            .get(url)
            .bearer_auth(token)
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap();
        assert_eq!(
            (&found["lines"], &found["total"]),
            (&answer["lines"], &answer["total"]),
            "{key}"
        );
    }
}

async fn assert_books_agree(data: &Path, tills: &Tills) {
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
    let acknowledged = i64::try_from(tills.acknowledged.lock().unwrap().len()).unwrap();
    assert_eq!(
        number("SELECT count(*) FROM sales.sales WHERE state = 'recorded'"),
        acknowledged,
        "I3, I6, I7"
    );
    for (name, sql) in crate::invariants::ACROSS_MODULES {
        assert_eq!(number(sql), 0, "{name}");
    }
}
