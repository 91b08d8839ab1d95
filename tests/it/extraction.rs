//! The drill: sales moves out of a running single binary with its data and back in, by the commands
//! of `docs/extracting-a-module.md`, while tills sell; nothing acknowledged is lost or doubled.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use comptoir::process::Module;
use embedded_postgres::{Options, Postgres};
use futures::future::join_all;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    app::PASSWORD,
    crash::signal,
    invariants::ACROSS_MODULES,
    relocate::{execute, in_force, number},
    sales::sale,
    services::binary,
};

const PAGE: &str = include_str!("../../docs/extracting-a-module.md");
const ADMIN: &str = "admin@drill.example";
const TILLS: usize = 6;

/// The commands of the page under this name.
fn commands(name: &str) -> String {
    let (_, rest) = PAGE
        .split_once(&format!("```sh {name}\n"))
        .unwrap_or_else(|| panic!("the page has no {name}"));
    rest.split_once("\n```").unwrap().0.to_owned()
}

/// Puts `comptoir` into a folder. It notes its process number, so that it can be stopped.
fn install(folder: &Path, program: &Path) {
    let tied = testkit::tied_command(program);
    let words = std::iter::once(tied.get_program()).chain(tied.get_args());
    let words: Vec<_> = words.map(|word| word.to_str().unwrap()).collect();
    let script = format!(
        "#!/bin/sh\necho $$ > \"$PID_FILE\"\nexec {} \"$@\"\n",
        words.join(" ")
    );
    let path = folder.join("comptoir");
    fs::create_dir_all(folder).unwrap();
    fs::write(&path, script).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
}

/// A machine that a person types the page's commands into.
#[derive(Clone)]
struct Machine {
    folder: PathBuf,
    setup: String,
    /// Public and internal port of the single binary, and of the sales service.
    one: (u16, u16),
    sales: (u16, u16),
}

/// A `comptoir` that serves until it is told to stop.
struct Serving {
    shell: Child,
    pid: PathBuf,
}

impl Machine {
    fn new(folder: &Path, new: &str) -> Self {
        let ports = || (testkit::free_port(), testkit::free_port());
        let (one, sales) = (ports(), ports());
        // What the page asks the reader to fill in.
        let values = [
            (
                "export COMPTOIR__INTERNAL__SECRET",
                "a-secret-of-the-drill-0123456789-abcdef".into(),
            ),
            ("ONE", format!("http://127.0.0.1:{}", one.1)),
            ("SALES", format!("http://127.0.0.1:{}", sales.1)),
            ("OLD", "embedded".into()),
            ("NEW", new.to_owned()),
        ];
        let names = commands("setup");
        let asked: Vec<_> = names.lines().filter_map(|l| l.split('=').next()).collect();
        assert_eq!(asked, values.each_ref().map(|(name, _)| *name));
        let setup = values
            .map(|(name, value)| format!("{name}='{value}'\n"))
            .concat();
        install(
            &folder.join("whole"),
            Path::new(env!("CARGO_BIN_EXE_comptoir")),
        );
        install(&folder.join("alone"), &binary(&[Module::Sales]));
        Self {
            folder: folder.to_owned(),
            setup,
            one,
            sales,
        }
    }

    /// The same with another answer to what `OLD` is.
    fn with_old(&self, url: &str) -> Self {
        let setup = self
            .setup
            .replace("OLD='embedded'", &format!("OLD='{url}'"));
        Self {
            setup,
            ..self.clone()
        }
    }

    fn shell(&self, name: &str, ports: (u16, u16)) -> Command {
        // The sales service is the binary that holds nothing else.
        let alone = ports == self.sales;
        let programs = self.folder.join(if alone { "alone" } else { "whole" });
        let path = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap());
        let mut shell = testkit::tied_command(Path::new("bash"));
        shell
            .args(["-euc", &format!("{}{}", self.setup, commands(name))])
            .current_dir(&self.folder)
            .env("PATH", path)
            .env("PID_FILE", self.folder.join(format!("{name}.pid")))
            .env("COMPTOIR__HTTP__PORT", ports.0.to_string())
            .env("COMPTOIR__INTERNAL__PORT", ports.1.to_string())
            .env("COMPTOIR__EMBEDDED__DATA_DIR", self.folder.join("one"))
            .env("COMPTOIR__DEMO__LOAD", "false")
            .env("COMPTOIR__AUTH__BCRYPT_COST", "10")
            .env("COMPTOIR__AUTH__ADMIN_EMAIL", ADMIN)
            .env("COMPTOIR__AUTH__ADMIN_PASSWORD", PASSWORD)
            .env("COMPTOIR__STORE__HOLD_SECONDS", "1")
            .env("COMPTOIR__STORE__SWEEP_MS", "200")
            .env("COMPTOIR__LOG__FILTER", "warn")
            .env_remove("DATABASE_URL");
        shell
    }

    /// Runs the page's commands of this name to their end, without holding up the tills.
    async fn run(&self, name: &str) -> (bool, String) {
        let mut shell = self.shell(name, self.one);
        let output = actix_web::rt::task::spawn_blocking(move || shell.output());
        let Output {
            status,
            stdout,
            stderr,
        } = output.await.unwrap().unwrap();
        let said = String::from_utf8([stdout, stderr].concat()).unwrap();
        (status.success(), said)
    }

    /// Starts what the page's commands of this name start, and waits until it is ready.
    async fn start(&self, name: &str, ports: (u16, u16)) -> Serving {
        let log = self.folder.join(format!("{name}.out"));
        let out = fs::File::create(&log).unwrap();
        let shell = self
            .shell(name, ports)
            .stdout(Stdio::from(out.try_clone().unwrap()))
            .stderr(Stdio::from(out))
            .spawn()
            .unwrap();
        let pid = self.folder.join(format!("{name}.pid"));
        let mut serving = Serving { shell, pid };
        let health = format!("http://127.0.0.1:{}/health/ready", ports.0);
        let (http, deadline) = (
            reqwest::Client::new(),
            Instant::now() + Duration::from_secs(60),
        );
        let ready =
            async || (http.get(&health).send().await).is_ok_and(|r| r.status().is_success());
        while !ready().await {
            let said = fs::read_to_string(&log).unwrap();
            assert!(
                serving.shell.try_wait().unwrap().is_none(),
                "{name} ended: {said}"
            );
            assert!(Instant::now() < deadline, "{name} is not ready: {said}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        serving
    }
}

impl Serving {
    /// As Ctrl-C does.
    async fn stop(mut self) {
        signal(self.pid(), "-TERM");
        let deadline = Instant::now() + Duration::from_secs(30);
        while self.shell.try_wait().unwrap().is_none() {
            assert!(Instant::now() < deadline, "it does not stop");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    fn pid(&self) -> u32 {
        fs::read_to_string(&self.pid)
            .unwrap()
            .trim()
            .parse()
            .unwrap()
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // A test that has failed already: the process may never have come as far as its number.
        if matches!(self.shell.try_wait(), Ok(None))
            && let Ok(pid) = fs::read_to_string(&self.pid)
        {
            let kill = format!("kill -TERM {pid}");
            let _ = Command::new("sh").args(["-c", &kill]).status();
            let _ = self.shell.wait();
        }
    }
}

/// The gateway and the tills behind it.
struct Chain {
    http: reqwest::Client,
    one: String,
    /// Where the gateway sends `/api/sales` and `/api/returns`.
    sales: Mutex<String>,
    token: String,
    done: AtomicBool,
    sold: AtomicUsize,
    /// What was acknowledged: the sale's answer by its key, and the keys of returns.
    sales_made: Mutex<BTreeMap<String, Value>>,
    returns_made: Mutex<BTreeMap<String, Value>>,
    /// Every status that a till got, and `None` where it got no answer.
    heard: Mutex<BTreeSet<Option<u16>>>,
}

impl Chain {
    async fn post(&self, path: &str, key: &str, body: &Value) -> Option<(u16, Value)> {
        let place = if path.starts_with("/api/sales") || path.starts_with("/api/returns") {
            self.sales.lock().unwrap().clone()
        } else {
            self.one.clone()
        };
        let request = self.http.post(format!("{place}{path}")).json(body);
        let request = request
            .bearer_auth(&self.token)
            .header("Idempotency-Key", key);
        let reply = request.timeout(Duration::from_secs(20)).send().await.ok()?;
        Some((reply.status().as_u16(), reply.json().await.ok()?))
    }

    /// What a till does: the same request with the same key, until it is answered. `None` where an
    /// attempt was cut off for so long that the store gave it up: that sale is rung up anew.
    async fn until_answered(&self, path: &str, key: &str, body: &Value) -> Option<Value> {
        let deadline = Instant::now() + Duration::from_secs(120);
        loop {
            let reply = self.post(path, key, body).await;
            self.heard
                .lock()
                .unwrap()
                .insert(reply.as_ref().map(|(status, _)| *status));
            match reply {
                Some((201, answer)) => return Some(answer),
                Some((409, answer)) if answer["code"] == "sale-aborted" => return None,
                None | Some((503, _)) => {}
                Some((status, answer)) => panic!("{path}: {status} {answer}"),
            }
            assert!(Instant::now() < deadline, "{path}: no answer");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    async fn till(&self, store: Uuid, product: Uuid) {
        while !self.done.load(Ordering::Relaxed) {
            let key = Uuid::now_v7().to_string();
            let body = sale(store, &[(product, 2)], 200);
            let Some(answer) = self.until_answered("/api/sales", &key, &body).await else {
                continue;
            };
            let id = answer["id"].clone();
            self.sales_made.lock().unwrap().insert(key, answer);
            if self.sold.fetch_add(1, Ordering::Relaxed).is_multiple_of(5) {
                let key = Uuid::now_v7().to_string();
                let body = json!({"sale_id": id, "reason": "unwanted",
                    "lines": [{"line": 1, "quantity": 1, "disposition": "restock"}]});
                let answer = self.until_answered("/api/returns", &key, &body).await;
                self.returns_made
                    .lock()
                    .unwrap()
                    .insert(key, answer.unwrap());
            }
        }
    }

    /// Tills have sold so many more.
    async fn more(&self, count: usize) {
        let goal = self.sold.load(Ordering::Relaxed) + count;
        let deadline = Instant::now() + Duration::from_secs(60);
        while self.sold.load(Ordering::Relaxed) < goal {
            assert!(Instant::now() < deadline, "tills do not sell");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    fn send_sales_to(&self, port: u16) {
        *self.sales.lock().unwrap() = format!("http://127.0.0.1:{port}");
    }
}

async fn given_chain(one: u16) -> (Chain, Uuid, Uuid) {
    let (http, base) = (reqwest::Client::new(), format!("http://127.0.0.1:{one}"));
    let login = http
        .post(format!("{base}/api/auth/login"))
        .json(&json!({"email": ADMIN, "password": PASSWORD}));
    let session: Value = login.send().await.unwrap().json().await.unwrap();
    let chain = Chain {
        http,
        one: base.clone(),
        sales: Mutex::new(base),
        token: session["access_token"]
            .as_str()
            .expect("a token")
            .to_owned(),
        done: AtomicBool::new(false),
        sold: AtomicUsize::new(0),
        sales_made: Mutex::default(),
        returns_made: Mutex::default(),
        heard: Mutex::default(),
    };
    let made = async |path: &str, body: Value| -> Uuid {
        let (status, answer) = chain
            .post(path, &Uuid::now_v7().to_string(), &body)
            .await
            .unwrap();
        assert_eq!(status, 201, "{answer}");
        answer["id"].as_str().unwrap().parse().unwrap()
    };
    let store = made("/api/stores", json!({
        "code": "DRILL", "name": "Drill", "kind": "sales",
        "settings": {"timezone": "UTC", "day_cutoff": "00:00", "currency": "EUR", "tax_mode": "included"},
    }))
    .await;
    let product = made(
        "/api/inventory/products",
        json!({
            "sku": "D1", "name": "Drill", "unit": "each",
            "price": {"amount": 100, "currency": "EUR"}, "tax_rate": 0,
        }),
    )
    .await;
    made("/api/stocks/adjustments", json!({"items": [
        {"type": "adjust", "store_id": store, "product_id": product, "delta": 1_000_000, "reason": "opening"},
    ]}))
    .await;
    (chain, store, product)
}

#[actix_web::test]
async fn sales_moves_out_and_back_in_under_load_and_nothing_acknowledged_is_lost_or_doubled() {
    let folder = testkit::scratch("drill");
    let elsewhere = Postgres::start(&Options::new(folder.join("elsewhere"))).unwrap();
    execute(&elsewhere.url("postgres"), "CREATE DATABASE comptoir").unwrap();
    let new = elsewhere.url("comptoir");
    let machine = Machine::new(&folder, &new);
    let one = machine.start("back-start", machine.one).await;
    let old = Postgres::start(&Options::new(folder.join("one")))
        .unwrap()
        .url("comptoir");
    let (chain, store, product) = given_chain(machine.one.0).await;

    let drill = async {
        chain.more(100).await;
        let (ok, said) = machine.run("out-move").await;
        assert!(!ok && said.contains("sales still works on "), "{said}");

        chain.send_sales_to(machine.sales.0);
        one.stop().await;
        let one = machine.start("out-without", machine.one).await;
        // First the process alone, on the database that sales is in.
        let elder = machine.with_old(&old);
        let service = elder.start("apart-start", machine.sales).await;
        chain.more(50).await;
        assert!(in_force(&old), "nothing has moved yet");

        let since = Instant::now();
        service.stop().await;
        let (ok, said) = machine.run("out-move").await;
        assert!(ok, "{said}");
        let service = machine.start("out-start", machine.sales).await;
        chain.more(1).await;
        println!("data out: {:?} without sales", since.elapsed());
        assert!(
            in_force(&new) && !in_force(&old),
            "only the new place is in force"
        );
        chain.more(100).await;
        let (ok, said) = machine.run("out-check").await;
        assert!(ok, "{said}");
        // A process that knows nothing of the move.
        let (ok, said) = machine.run("back-check").await;
        assert!(!ok && said.contains("set SALES_DATABASE_URL"), "{said}");

        let since = Instant::now();
        service.stop().await;
        let (ok, said) = machine.run("back-move").await;
        assert!(ok, "{said}");
        one.stop().await;
        let one = machine.start("back-start", machine.one).await;
        chain.send_sales_to(machine.one.0);
        chain.more(1).await;
        println!("all back: {:?} without sales", since.elapsed());
        assert!(
            in_force(&old) && !in_force(&new),
            "only the old place is in force"
        );
        chain.more(100).await;
        chain.done.store(true, Ordering::Relaxed);
        one
    };
    let tills = join_all((0..TILLS).map(|_| chain.till(store, product)));
    let (one, _) = futures::join!(drill, tills);

    assert_everything_is_there_once(&chain, &old).await;
    let (ok, said) = machine.run("back-check").await;
    assert!(ok, "{said}");
    drop((one, elsewhere));
    let _ = fs::remove_dir_all(&folder);
}

async fn assert_everything_is_there_once(chain: &Chain, database: &str) {
    // 503 or no answer while it moved, or that the sale was given up; and nothing else.
    let heard = chain.heard.lock().unwrap().clone();
    assert!(
        heard.is_subset(&BTreeSet::from([None, Some(201), Some(409), Some(503)])),
        "{heard:?}"
    );
    assert!(
        heard.contains(&None),
        "the tills noticed nothing: was anything moved?"
    );
    let sales = chain.sales_made.lock().unwrap().clone();
    let returns = i64::try_from(chain.returns_made.lock().unwrap().len()).unwrap();
    for (key, answer) in &sales {
        let url = format!("{}/api/sales/{}", chain.one, answer["id"].as_str().unwrap());
        let reply = chain
            .http
            .get(url)
            .bearer_auth(&chain.token)
            .send()
            .await
            .unwrap();
        let found: Value = reply.json().await.unwrap();
        assert_eq!(
            (&found["lines"], &found["total"]),
            (&answer["lines"], &answer["total"]),
            "{key}"
        );
    }
    let settled = "SELECT (SELECT count(*) FROM store.holds WHERE state = 'held') \
        + (SELECT count(*) FROM sales.outbox WHERE published_at IS NULL)";
    let deadline = Instant::now() + Duration::from_secs(30);
    while number(database, settled) > 0 {
        assert!(Instant::now() < deadline, "holds or events stay open");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let recorded = number(
        database,
        "SELECT count(*) FROM sales.sales WHERE state <> 'aborted'",
    );
    assert_eq!(recorded, i64::try_from(sales.len()).unwrap(), "sales");
    assert_eq!(
        number(database, "SELECT count(*) FROM sales.returns"),
        returns,
        "returns"
    );
    for (name, sql) in ACROSS_MODULES {
        assert_eq!(number(database, sql), 0, "{name}");
    }
    let taken = number(database, "SELECT 1000000 - on_hand FROM store.levels");
    assert_eq!(taken, recorded * 2 - returns, "goods");
}
