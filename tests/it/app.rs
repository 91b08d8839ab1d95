//! Starts the product on databases of its own, in one process or as four that talk HTTP.

use std::{collections::BTreeMap, net::TcpListener, sync::Arc, time::Duration};

use comptoir::{
    operator::Accounts,
    process::{AuthSetup, Module, Plan, StoreSetup},
    server::{self, Listeners, Running},
    wiring::{new_signing_key, wire},
};
use kernel::{
    auth::{Grant, Role},
    ids::StoreId,
    service_token::ServiceTokens,
};
use reqwest::Method;
use serde_json::{Value, json};
use testkit::TestDb;
use uuid::Uuid;

pub use crate::reply::{Reply, id};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Topology {
    /// Four modules in one process, on one database.
    Whole,
    /// A process per module (each with a database of its own) that talk HTTP.
    Split,
}
pub const TOPOLOGIES: [Topology; 2] = [Topology::Whole, Topology::Split];

pub const PASSWORD: &str = "shelf-candle-42-river";
pub const ADMIN: &str = "admin@test.example";

/// A running product.
pub struct TestApp {
    pub topology: Topology,
    pub http: reqwest::Client,
    /// The administrator's token.
    pub admin: String,
    accounts: Arc<dyn Accounts>,
    bases: BTreeMap<Module, String>,
    internals: BTreeMap<Module, String>,
    databases: BTreeMap<Module, usize>,
    running: Vec<Running>,
    dbs: Vec<TestDb>,
}

pub struct Options {
    pub hold_ttl: Duration,
    pub sweep_every: Duration,
    pub count_statements: bool,
    /// Sweeper, relays and the like; off where only requests are to be watched.
    pub background: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            hold_ttl: Duration::from_secs(60),
            sweep_every: Duration::from_millis(200),
            count_statements: false,
            background: true,
        }
    }
}

/// Migrates the template; every test's database is a copy of it.
pub fn prepare(url: &str) {
    for module in Module::ALL {
        kernel::migrate::up(url, module.name(), module.migrations().unwrap()).unwrap();
    }
}

fn listener() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").unwrap()
}

fn base(listener: &TcpListener) -> String {
    format!("http://{}", listener.local_addr().unwrap())
}

impl TestApp {
    pub async fn start(topology: Topology) -> Self {
        Self::start_with(topology, Options::default()).await
    }

    pub async fn start_with(topology: Topology, options: Options) -> Self {
        let groups: Vec<Vec<Module>> = match topology {
            Topology::Whole => vec![Module::ALL.to_vec()],
            Topology::Split => Module::ALL.map(|module| vec![module]).to_vec(),
        };
        let dbs: Vec<TestDb> = groups
            .iter()
            .map(|_| TestDb::from_template(prepare))
            .collect();
        let internal: Vec<TcpListener> = groups.iter().map(|_| listener()).collect();
        let (mut peers, mut internals, mut databases) =
            (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        for (index, group) in groups.iter().enumerate() {
            for module in group {
                peers.insert(*module, base(&internal[index]).parse().unwrap());
                internals.insert(*module, base(&internal[index]));
                databases.insert(*module, index);
            }
        }
        let tokens =
            ServiceTokens::new(&"service-secret-for-tests-only-0123456789".to_owned().into());
        let (mut bases, mut running, mut accounts) = (BTreeMap::new(), Vec::new(), None);
        // Auth is first, so that it answers when the others ask whom to trust.
        for ((group, internal), db) in groups.iter().zip(internal).zip(&dbs) {
            let plan = plan(group, db, &peers, &tokens, &options);
            let process = wire(&plan).unwrap();
            if !options.background {
                drop(process.take_workers());
            }
            accounts = accounts.or_else(|| process.operator.accounts.clone());
            process.refresh_trust().await.unwrap();
            let public = listener();
            for module in group {
                bases.insert(*module, base(&public));
            }
            let listeners = Listeners {
                public,
                internal: (topology == Topology::Split).then(|| (internal, tokens.clone())),
                workers: 1,
                in_flight: 2_000,
                time_limit: Duration::from_secs(30),
                trusted_proxies: Default::default(),
            };
            running.push(server::start(process, listeners).unwrap());
        }
        let accounts = accounts.unwrap();
        accounts
            .ensure_admin(ADMIN, Some(PASSWORD.to_owned().into()))
            .await
            .unwrap();
        let admin = accounts.token_for(ADMIN).await.unwrap();
        let http = reqwest::Client::builder()
            .pool_max_idle_per_host(512)
            .build()
            .unwrap();
        Self {
            topology,
            http,
            admin,
            accounts,
            bases,
            internals,
            databases,
            running,
            dbs,
        }
    }

    /// The database of a module.
    pub fn db(&self, module: Module) -> &TestDb {
        &self.dbs[self.databases[&module]]
    }

    /// Statements that a module's process ran so far.
    pub fn statements(&self, module: Module) -> u64 {
        let of = |running: &Running| {
            running
                .process()
                .databases()
                .iter()
                .find(|(m, _)| *m == module)
                .map(|(_, db)| db.statements())
        };
        self.running.iter().find_map(of).unwrap()
    }

    /// The URL of a path, at the process it belongs to.
    pub fn url(&self, path: &str) -> String {
        let owner = Module::ALL
            .into_iter()
            .find(|m| m.prefixes().iter().any(|p| path.starts_with(p)));
        format!("{}{path}", self.bases[&owner.unwrap_or(Module::Auth)])
    }

    /// The internal listener of a module's process.
    pub fn internal(&self, module: Module) -> &str {
        &self.internals[&module]
    }

    pub fn base(&self, module: Module) -> &str {
        &self.bases[&module]
    }

    /// Signs a user in who holds `role` at `store` (or everywhere).
    pub async fn user(&self, role: Role, store: Option<Uuid>) -> String {
        let email = format!("{}-{}@test.example", role.as_str(), Uuid::now_v7().simple());
        let grants = vec![Grant {
            role,
            store_id: store.map(StoreId),
        }];
        self.accounts
            .create_user(&email, "Test Person", PASSWORD.to_owned().into(), grants)
            .await
            .unwrap();
        self.accounts.token_for(&email).await.unwrap()
    }

    /// Sends a request; `token` empty sends none.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        token: &str,
        key: Option<&str>,
        body: Option<&Value>,
    ) -> Reply {
        let mut request = self.http.request(method, self.url(path));
        if !token.is_empty() {
            request = request.bearer_auth(token);
        }
        if let Some(key) = key {
            request = request.header("Idempotency-Key", key);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        Reply::of(request.send().await.unwrap()).await
    }

    pub async fn get(&self, path: &str) -> Reply {
        self.send(Method::GET, path, &self.admin, None, None).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Reply {
        self.send(Method::POST, path, &self.admin, None, Some(body))
            .await
    }

    pub async fn post_keyed(&self, path: &str, key: &str, body: &Value) -> Reply {
        self.send(Method::POST, path, &self.admin, Some(key), Some(body))
            .await
    }

    pub async fn patch(&self, path: &str, body: &Value) -> Reply {
        self.send(Method::PATCH, path, &self.admin, None, Some(body))
            .await
    }

    /// A shop in euros, tax included, on UTC with the day turning at midnight.
    pub async fn given_store(&self) -> Uuid {
        let code = format!("S{}", Uuid::now_v7().simple());
        let body = json!({
            "code": code, "name": "Test shop", "kind": "sales",
            "settings": {"timezone": "UTC", "day_cutoff": "00:00", "currency": "EUR", "tax_mode": "included"},
        });
        id(&self.post("/api/stores", &body).await)
    }

    /// A product at `price` cents, 20 % tax included.
    pub async fn given_product(&self, price: i64) -> Uuid {
        let sku = format!("P-{}", Uuid::now_v7().simple());
        let body = json!({
            "sku": sku, "name": format!("Product {sku}"), "unit": "each",
            "price": {"amount": price, "currency": "EUR"}, "tax_rate": 2000,
        });
        id(&self.post("/api/inventory/products", &body).await)
    }

    /// Opening stock.
    pub async fn given_stock(&self, store: Uuid, product: Uuid, quantity: i64) {
        let body = json!({"items": [{
            "type": "adjust", "store_id": store, "product_id": product, "delta": quantity, "reason": "opening",
        }]});
        self.post("/api/stocks/adjustments", &body)
            .await
            .expect(201);
    }

    pub async fn on_hand(&self, store: Uuid, product: Uuid) -> i64 {
        let level = self
            .get(&format!("/api/stocks/{store}/{product}"))
            .await
            .expect(200);
        level["on_hand"].as_i64().unwrap()
    }

    /// Waits until `done` holds: an event is on its way. Fails after 20 s.
    pub async fn eventually(&self, what: &str, mut done: impl AsyncFnMut() -> bool) {
        let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
        while !done().await {
            assert!(
                tokio::time::Instant::now() < deadline,
                "{what} did not come about in {:?}",
                self.topology
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// How often the check of this title is violated.
    pub async fn violations(&self, title: &str) -> i64 {
        let mut found = None;
        for running in &self.running {
            for checks in &running.process().operator.checks {
                let ran = checks.run().await.unwrap();
                found = found.or(ran.into_iter().find(|check| check.title == title));
            }
        }
        found.expect("a check of this title").violations
    }

    /// Every invariant of every module holds.
    pub async fn assert_invariants(&self) {
        for running in &self.running {
            for checks in &running.process().operator.checks {
                for check in checks.run().await.unwrap() {
                    assert_eq!(
                        check.violations, 0,
                        "{} in {:?}",
                        check.title, self.topology
                    );
                }
            }
        }
    }
}

fn plan(
    modules: &[Module],
    db: &TestDb,
    peers: &BTreeMap<Module, url::Url>,
    tokens: &ServiceTokens,
    options: &Options,
) -> Plan {
    Plan {
        modules: modules.to_vec(),
        databases: modules.iter().map(|m| (*m, db.url().into())).collect(),
        pool_size: 6,
        pool_wait: Duration::from_secs(10),
        one_wal: modules.len() == Module::ALL.len(),
        peers: peers.clone(),
        peer_timeout: Duration::from_secs(10),
        tokens: tokens.clone(),
        auth: AuthSetup {
            signing_keys: vec![("test".into(), new_signing_key().unwrap().into())],
            pepper: "a-pepper-for-tests-only-0123456789".to_owned().into(),
            bcrypt_cost: 4,
            allow_weak_bcrypt: true,
            access_ttl: Duration::from_secs(600),
            refresh_idle: Duration::from_secs(3_600),
            refresh_absolute: Duration::from_secs(7_200),
        },
        store: StoreSetup {
            hold_ttl: options.hold_ttl,
            sweep_every: options.sweep_every,
        },
        count_statements: options.count_statements,
    }
}
