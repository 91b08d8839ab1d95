//! Where the modules of a test's product run, and what each of its processes is told.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::LazyLock,
    time::Duration,
};

use comptoir::{
    events::Events,
    process::{AuthSetup, Module, Plan, Process, StoreSetup},
    wiring::{new_signing_key, wire},
};
use kernel::service_token::ServiceTokens;
use testkit::TestDb;

use crate::services::Service;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Topology {
    /// Four modules in the test's own process, on one database.
    Whole,
    /// Four modules in one process that is started as an operator does.
    Single,
    /// Four services of one module each (with a database of its own) that talk HTTP.
    Split,
    /// Two services of two modules each.
    Pairs,
    /// As split, and every service twice; the second ones speak to the second ones.
    Replicas,
}
/// What every scenario runs in.
pub const TOPOLOGIES: [Topology; 2] = [Topology::Whole, Topology::Split];
/// What races run in as well: requests are spread over the replicas.
pub const WITH_REPLICAS: [Topology; 3] = [Topology::Whole, Topology::Split, Topology::Replicas];
pub const EVERY_TOPOLOGY: [Topology; 4] = [
    Topology::Whole,
    Topology::Split,
    Topology::Pairs,
    Topology::Replicas,
];

#[derive(Clone)]
pub struct Options {
    pub hold_ttl: Duration,
    pub sweep_every: Duration,
    /// Longest wait for a peer: more than the product's own, because this machine is busy.
    pub peer_timeout: Duration,
    /// Only of the whole, which can be looked into.
    pub count_statements: bool,
    /// Sweeper, relays and the like; off where only requests are to be watched, in the whole.
    pub background: bool,
    /// Events between processes go through the NATS there.
    pub nats_url: Option<String>,
    /// What real services log.
    pub log_filter: &'static str,
    /// Where real services send their spans.
    pub otlp_url: String,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            hold_ttl: Duration::from_secs(60),
            sweep_every: Duration::from_millis(200),
            peer_timeout: Duration::from_secs(10),
            count_statements: false,
            background: true,
            nats_url: None,
            log_filter: "warn",
            otlp_url: String::new(),
        }
    }
}

/// What the modules trust each other by.
pub const SECRET: &str = "service-secret-for-tests-only-0123456789";
const PEPPER: &str = "a-pepper-for-tests-only-0123456789";

/// Signs the tokens of every product of this test run; the file's stem is the key's id.
static SIGNING_KEY: LazyLock<PathBuf> = LazyLock::new(|| {
    let path = testkit::scratch("keys").join("test.pem");
    fs::write(&path, new_signing_key().unwrap()).unwrap();
    path
});

/// Migrates the template; every test's database is a copy of it.
pub fn prepare(url: &str) {
    for module in Module::ALL {
        kernel::migrate::up(url, module.name(), module.migrations().unwrap()).unwrap();
    }
}

/// The ports of one process.
#[derive(Clone, Copy)]
struct Ports {
    public: u16,
    internal: u16,
}

impl Ports {
    fn free() -> Self {
        Self {
            public: testkit::free_port(),
            internal: testkit::free_port(),
        }
    }
}

/// Modules that run together, once or in several replicas, on one database.
struct Group {
    modules: Vec<Module>,
    db: TestDb,
    replicas: Vec<Ports>,
}

/// The processes of a product and their databases.
pub struct Site {
    options: Options,
    groups: Vec<Group>,
}

impl Site {
    pub fn new(topology: Topology, options: Options) -> Self {
        let (groups, replicas) = match topology {
            Topology::Whole => (vec![Module::ALL.to_vec()], 0),
            Topology::Single => (vec![Module::ALL.to_vec()], 1),
            Topology::Split => (Module::ALL.map(|module| vec![module]).to_vec(), 1),
            Topology::Replicas => (Module::ALL.map(|module| vec![module]).to_vec(), 2),
            Topology::Pairs => {
                let pairs = [
                    [Module::Auth, Module::Sales],
                    [Module::Store, Module::Inventory],
                ];
                (pairs.map(Vec::from).to_vec(), 1)
            }
        };
        let whole = topology == Topology::Whole;
        assert!(
            whole || (options.background && !options.count_statements),
            "a real service has its loops, and counts nothing"
        );
        assert!(
            !whole || options.nats_url.is_none(),
            "one process has nobody to send events to"
        );
        // The server copies the template for all of them at once.
        let copies: Vec<_> = groups
            .iter()
            .map(|_| std::thread::spawn(|| TestDb::from_template(prepare)))
            .collect();
        let group = |(modules, copy): (Vec<Module>, std::thread::JoinHandle<TestDb>)| Group {
            modules,
            db: copy.join().unwrap(),
            replicas: (0..replicas).map(|_| Ports::free()).collect(),
        };
        Self {
            options,
            groups: groups.into_iter().zip(copies).map(group).collect(),
        }
    }

    pub fn db(&self, module: Module) -> &TestDb {
        &self.group(module).db
    }

    /// The internal listener of a module's first process.
    pub fn internal(&self, module: Module) -> String {
        format!(
            "http://127.0.0.1:{}",
            self.group(module).replicas[0].internal
        )
    }

    /// The internal listener of every process.
    pub fn all_internal(&self) -> Vec<String> {
        let replicas = self.groups.iter().flat_map(|group| &group.replicas);
        replicas
            .map(|ports| format!("http://127.0.0.1:{}", ports.internal))
            .collect()
    }

    fn group(&self, module: Module) -> &Group {
        let mut groups = self.groups.iter();
        groups.find(|g| g.modules.contains(&module)).unwrap()
    }

    /// The modules on their databases, wired in this process: the whole product, or what the
    /// operator's commands work with beside running services.
    pub fn processes(&self) -> Vec<Process> {
        let wired = |group: &Group| wire(&self.plan(group)).unwrap();
        self.groups.iter().map(wired).collect()
    }

    fn plan(&self, group: &Group) -> Plan {
        let nowhere = || "http://127.0.0.1:1".parse().unwrap();
        Plan {
            modules: group.modules.clone(),
            databases: group
                .modules
                .iter()
                .map(|m| (*m, group.db.url().into()))
                .collect(),
            pool_size: 6,
            pool_wait: Duration::from_secs(10),
            one_wal: group.modules.len() == Module::ALL.len(),
            peers: Module::ALL.map(|module| (module, nowhere())).into(),
            peer_timeout: self.options.peer_timeout,
            tokens: ServiceTokens::new(&SECRET.to_owned().into()),
            events: Events::default(),
            auth: AuthSetup {
                signing_keys: vec![(
                    "test".into(),
                    fs::read_to_string(&*SIGNING_KEY).unwrap().into(),
                )],
                pepper: PEPPER.to_owned().into(),
                bcrypt_cost: 4,
                allow_weak_bcrypt: true,
                access_ttl: Duration::from_secs(600),
                refresh_idle: Duration::from_secs(3_600),
                refresh_absolute: Duration::from_secs(7_200),
            },
            store: StoreSetup {
                hold_ttl: self.options.hold_ttl,
                sweep_every: self.options.sweep_every,
            },
            count_statements: self.options.count_statements,
        }
    }

    /// Starts every service, all at once, and waits until each is ready.
    pub async fn services(&self, http: &reqwest::Client) -> Vec<Service> {
        let mut services = Vec::new();
        for group in &self.groups {
            services.extend((0..group.replicas.len()).map(|n| self.start(group, n)));
        }
        for service in &mut services {
            service.ready(http).await;
        }
        services
    }

    /// Starts the first process with this module, which may not be ready for long.
    pub fn service(&self, module: Module) -> Service {
        self.start(self.group(module), 0)
    }

    fn start(&self, group: &Group, replica: usize) -> Service {
        let base = format!("http://127.0.0.1:{}", group.replicas[replica].public);
        Service::start(&group.modules, self.environment(group, replica), base)
    }

    fn environment(&self, group: &Group, replica: usize) -> Vec<(String, String)> {
        let (own, options) = (group.replicas[replica], &self.options);
        let mut environment: BTreeMap<String, String> = [
            ("HTTP__PORT", own.public.to_string()),
            ("HTTP__WORKERS", "1".into()),
            ("INTERNAL__PORT", own.internal.to_string()),
            ("INTERNAL__SECRET", SECRET.into()),
            (
                "INTERNAL__TIMEOUT_MS",
                options.peer_timeout.as_millis().to_string(),
            ),
            (
                "EVENTS__NATS_URL",
                options.nats_url.clone().unwrap_or_default(),
            ),
            // As the tests' cluster, see testkit.
            ("DATABASE__DURABLE", "false".into()),
            ("DATABASE__POOL_SIZE", "6".into()),
            ("DATABASE__WAIT_MS", "10000".into()),
            ("AUTH__SIGNING_KEYS", path(&SIGNING_KEY)),
            ("AUTH__PEPPER", PEPPER.into()),
            ("AUTH__BCRYPT_COST", "10".into()),
            (
                "STORE__HOLD_SECONDS",
                options.hold_ttl.as_secs().to_string(),
            ),
            (
                "STORE__SWEEP_MS",
                options.sweep_every.as_millis().to_string(),
            ),
            ("DEMO__LOAD", "false".into()),
            ("LOG__FILTER", options.log_filter.into()),
            ("LOG__JSON", "true".into()),
            ("TRACES__OTLP_URL", options.otlp_url.clone()),
        ]
        .map(|(name, value)| (format!("COMPTOIR__{name}"), value))
        .into();
        for module in Module::ALL {
            let name = module.name().to_ascii_uppercase();
            let there = self.group(module).replicas[replica].internal;
            environment.insert(
                format!("COMPTOIR__PEERS__{name}"),
                format!("http://127.0.0.1:{there}"),
            );
            if group.modules.contains(&module) {
                environment.insert(format!("{name}_DATABASE_URL"), group.db.url());
            }
        }
        // Spans are sent without the pause that saves requests.
        environment.insert("OTEL_BSP_SCHEDULE_DELAY".into(), "50".into());
        environment.into_iter().collect()
    }
}

fn path(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}
