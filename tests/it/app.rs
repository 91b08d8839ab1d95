//! Starts the product on databases of its own, in one process or as services that talk HTTP.

use std::{
    collections::BTreeMap,
    net::TcpListener,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use comptoir::{
    operator::{Accounts, Operator},
    process::{Module, Process},
    server::{self, Listeners, Running},
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

pub use crate::{
    reply::{Reply, id},
    topology::{EVERY_TOPOLOGY, Options, TOPOLOGIES, Topology, WITH_REPLICAS, prepare},
};
use crate::{
    services::Service,
    topology::{SECRET, Site},
};

pub const PASSWORD: &str = "shelf-candle-42-river";
pub const ADMIN: &str = "admin@test.example";

/// A running product.
pub struct TestApp {
    pub topology: Topology,
    pub http: reqwest::Client,
    /// The administrator's token.
    pub admin: String,
    /// The processes, where there are several.
    pub services: Vec<Service>,
    /// The process, where there is one.
    whole: Option<Running>,
    accounts: Arc<dyn Accounts>,
    operators: Vec<Operator>,
    /// By module, one per replica.
    bases: BTreeMap<Module, Vec<String>>,
    /// The internal listeners of all processes.
    pub inside: Vec<String>,
    turn: AtomicUsize,
    // Last, because the databases go with it.
    site: Site,
}

/// Serves the modules of the whole in this process.
async fn serve(process: Process, options: &Options) -> (Running, String, String) {
    if !options.background {
        drop(process.take_workers());
    }
    process.refresh_trust().await.unwrap();
    let public = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}", public.local_addr().unwrap());
    let internal = TcpListener::bind("127.0.0.1:0").unwrap();
    let inside = format!("http://{}", internal.local_addr().unwrap());
    let listeners = Listeners {
        public,
        internal: Some((internal, ServiceTokens::new(&SECRET.to_owned().into()))),
        workers: 1,
        in_flight: 2_000,
        time_limit: Duration::from_secs(30),
        trusted_proxies: Default::default(),
    };
    (server::start(process, listeners).unwrap(), base, inside)
}

impl TestApp {
    pub async fn start(topology: Topology) -> Self {
        Self::start_with(topology, Options::default()).await
    }

    pub async fn start_with(topology: Topology, options: Options) -> Self {
        let http = reqwest::Client::builder()
            .pool_max_idle_per_host(512)
            .build()
            .unwrap();
        let site = Site::new(topology, options.clone());
        let mut processes = site.processes();
        let operators: Vec<Operator> = processes.iter().map(|p| p.operator.clone()).collect();
        let accounts = operators.iter().find_map(|o| o.accounts.clone()).unwrap();
        accounts
            .ensure_admin(ADMIN, Some(PASSWORD.to_owned().into()))
            .await
            .unwrap();
        let admin = accounts.token_for(ADMIN).await.unwrap();
        let (mut services, mut whole, mut inside) = (Vec::new(), None, Vec::new());
        let mut bases: BTreeMap<Module, Vec<String>> = BTreeMap::new();
        if topology == Topology::Whole {
            let (running, base, internal) = serve(processes.remove(0), &options).await;
            inside.push(internal);
            bases.extend(Module::ALL.map(|module| (module, vec![base.clone()])));
            whole = Some(running);
        } else {
            services = site.services(&http).await;
            inside = site.all_internal();
            for service in &services {
                for module in &service.modules {
                    let bases = bases.entry(*module).or_default();
                    bases.push(service.base.clone());
                }
            }
        }
        Self {
            topology,
            http,
            admin,
            services,
            whole,
            accounts,
            operators,
            bases,
            inside,
            turn: AtomicUsize::new(0),
            site,
        }
    }

    /// The database of a module.
    pub fn db(&self, module: Module) -> &TestDb {
        self.site.db(module)
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
        self.whole.as_ref().and_then(of).unwrap()
    }

    /// The URL of a path, at the process it belongs to; its replicas take turns.
    pub fn url(&self, path: &str) -> String {
        self.url_at(self.turn.fetch_add(1, Ordering::Relaxed), path)
    }

    /// The URL of a path, at one replica of the process it belongs to.
    pub fn url_at(&self, replica: usize, path: &str) -> String {
        let owner = Module::ALL
            .into_iter()
            .find(|m| m.prefixes().iter().any(|p| path.starts_with(p)));
        let bases = &self.bases[&owner.unwrap_or(Module::Auth)];
        format!("{}{path}", bases[replica % bases.len()])
    }

    /// The internal listener of a module's process.
    pub fn internal(&self, module: Module) -> String {
        self.site.internal(module)
    }

    pub fn base(&self, module: Module) -> &str {
        &self.bases[&module][0]
    }

    /// The one process that runs this module.
    pub fn service(&mut self, module: Module) -> &mut Service {
        let mut services = self.services.iter_mut();
        services.find(|s| s.modules.contains(&module)).unwrap()
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
        let url = self.url(path);
        self.try_send(method, &url, token, key, body).await.unwrap()
    }

    /// As [`send`](Self::send), to a URL where perhaps nobody answers.
    pub async fn try_send(
        &self,
        method: Method,
        url: &str,
        token: &str,
        key: Option<&str>,
        body: Option<&Value>,
    ) -> Result<Reply, reqwest::Error> {
        let mut request = self.http.request(method, url);
        if !token.is_empty() {
            request = request.bearer_auth(token);
        }
        if let Some(key) = key {
            request = request.header("Idempotency-Key", key);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        Reply::read(request.send().await?).await
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
        for checks in self.operators.iter().flat_map(|o| &o.checks) {
            let ran = checks.run().await.unwrap();
            found = found.or(ran.into_iter().find(|check| check.title == title));
        }
        found.expect("a check of this title").violations
    }

    /// Every invariant of every module holds.
    pub async fn assert_invariants(&self) {
        for checks in self.operators.iter().flat_map(|o| &o.checks) {
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
