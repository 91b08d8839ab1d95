//! The modules of one process: which run here, how the others are reached, what is mounted.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use actix_web::{Scope, middleware::from_fn, web};
use auth_api::Sessions;
use diesel_migrations::EmbeddedMigrations;
use kernel::{
    db::{Db, DbError, DbOptions},
    metrics::Metrics,
    peer::{BuildError, Peer},
    service_token::ServiceTokens,
    token::Verifier,
    worker::Worker,
};
use secrecy::SecretString;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{events::Events, operator::Operator, wiring};

/// A domain module.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Module {
    /// Logins, users, roles.
    Auth,
    /// Stores and their stock.
    Store,
    /// The catalogue.
    Inventory,
    /// Sales and returns.
    Sales,
}

impl Module {
    /// Every module there is.
    pub const ALL: [Self; 4] = [Self::Auth, Self::Store, Self::Inventory, Self::Sales];

    /// The modules in this binary.
    pub fn compiled() -> Vec<Self> {
        Self::ALL
            .into_iter()
            .filter(|module| module.migrations().is_some())
            .collect()
    }

    /// The module of this name, if it is in this binary.
    pub(crate) fn compiled_named(name: &str) -> Result<Self, String> {
        let compiled = Self::compiled();
        let found = compiled.iter().find(|module| module.name() == name);
        let names = || compiled.iter().map(|m| m.name()).collect::<Vec<_>>();
        found
            .copied()
            .ok_or_else(|| format!("this binary has {}", names().join(", ")))
    }

    /// Its name, which is also its schema's.
    pub fn name(self) -> &'static str {
        match self {
            Self::Auth => "auth",
            Self::Store => "store",
            Self::Inventory => "inventory",
            Self::Sales => "sales",
        }
    }

    /// Its port when it runs alone.
    pub fn port(self) -> u16 {
        match self {
            Self::Auth => 3031,
            Self::Store => 3032,
            Self::Inventory => 3033,
            Self::Sales => 3034,
        }
    }

    /// The path prefixes that belong to it.
    pub fn prefixes(self) -> &'static [&'static str] {
        match self {
            Self::Auth => &["/api/auth", "/api/users"],
            Self::Store => &["/api/stores", "/api/stocks"],
            Self::Inventory => &["/api/inventory"],
            Self::Sales => &["/api/sales", "/api/returns"],
        }
    }

    /// Its migrations; `None` where it is not in this binary.
    pub fn migrations(self) -> Option<EmbeddedMigrations> {
        wiring::migrations(self)
    }
}

impl fmt::Display for Module {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What the auth module is told.
#[derive(Debug, Clone)]
pub struct AuthSetup {
    /// `kid` and PEM of each signing key; the first signs.
    pub signing_keys: Vec<(String, SecretString)>,
    /// Mixed into every password.
    pub pepper: SecretString,
    /// Cost of a password hash.
    pub bcrypt_cost: u32,
    /// Tests may use a cost below 10.
    pub allow_weak_bcrypt: bool,
    /// Life of an access token.
    pub access_ttl: Duration,
    /// Idle limit of a session.
    pub refresh_idle: Duration,
    /// Absolute limit of a session.
    pub refresh_absolute: Duration,
}

/// What the store module is told.
#[derive(Debug, Clone, Copy)]
pub struct StoreSetup {
    /// Age at which a hold is looked into.
    pub hold_ttl: Duration,
    /// How often old holds are looked for.
    pub sweep_every: Duration,
}

/// What wiring needs to know.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The modules that run here.
    pub modules: Vec<Module>,
    /// Where each of them keeps its data.
    pub databases: BTreeMap<Module, SecretString>,
    /// Connections per module.
    pub pool_size: u32,
    /// Longest wait for one.
    pub pool_wait: Duration,
    /// Whether store and sales share one write-ahead log, so that one flush makes both durable.
    pub one_wal: bool,
    /// Internal listeners of the modules that run elsewhere.
    pub peers: BTreeMap<Module, url::Url>,
    /// Longest wait for a peer.
    pub peer_timeout: Duration,
    /// Lets peers in, and us in to them.
    pub tokens: ServiceTokens,
    /// How events reach modules that run elsewhere.
    pub events: Events,
    /// For auth.
    pub auth: AuthSetup,
    /// For store.
    pub store: StoreSetup,
    /// Count statements, for tests.
    pub count_statements: bool,
}

impl Plan {
    pub(crate) fn runs(&self, module: Module) -> bool {
        self.modules.contains(&module)
    }

    pub(crate) fn db(&self, module: Module, metrics: &Metrics) -> Result<Db, WireError> {
        let url = self
            .databases
            .get(&module)
            .ok_or(WireError::NoDatabase(module))?;
        Ok(Db::connect(&DbOptions {
            url: url.clone(),
            schema: module.name(),
            pool_size: self.pool_size,
            wait: self.pool_wait,
            count_statements: self.count_statements,
            metrics: metrics.clone(),
        })?)
    }

    pub(crate) fn peer(&self, module: Module, metrics: &Metrics) -> Result<Peer, WireError> {
        let base = self.peers.get(&module).ok_or(WireError::NoPeer(module))?;
        let (timeout, tokens) = (self.peer_timeout, self.tokens.clone());
        let (name, base) = (module.name(), base.clone());
        Ok(Peer::new(name, base, timeout, tokens, metrics)?)
    }
}

/// Why the modules could not be put together.
#[derive(Debug, thiserror::Error)]
pub enum WireError {
    /// A local module has no database.
    #[error("{0} has no database")]
    NoDatabase(Module),
    /// A remote module has no address.
    #[error("{0} runs elsewhere, and peers.{0} does not say where")]
    NoPeer(Module),
    /// A pool could not be built.
    #[error(transparent)]
    Db(#[from] DbError),
    /// An HTTP client could not be built.
    #[error(transparent)]
    Client(#[from] BuildError),
    /// A thread could not be started.
    #[error(transparent)]
    Thread(#[from] std::io::Error),
    /// A module refused its settings.
    #[error("{0}: {1}")]
    Setup(Module, String),
}

type Public = Arc<dyn Fn(&mut ServiceConfig<'_>) + Send + Sync>;
type Internal = Arc<dyn Fn() -> Scope + Send + Sync>;

/// The modules of one process, put together.
pub struct Process {
    pub(crate) public: Vec<(Module, Public)>,
    pub(crate) internal: Vec<(Module, Internal)>,
    pub(crate) databases: Vec<(Module, Db)>,
    pub(crate) peers: Vec<(Module, Peer)>,
    workers: Mutex<Vec<Worker>>,
    /// Decides whether an access token is good.
    pub verifier: Arc<Verifier>,
    /// What the process counts and times.
    pub metrics: Metrics,
    /// Whom to believe.
    pub(crate) sessions: Option<Arc<dyn Sessions>>,
    /// Local modules that do more than answer requests.
    pub operator: Operator,
}

impl fmt::Debug for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Process")
            .field("modules", &self.modules())
            .finish_non_exhaustive()
    }
}

impl Process {
    pub(crate) fn new() -> Self {
        let metrics = Metrics::default();
        Self {
            public: Vec::new(),
            internal: Vec::new(),
            databases: Vec::new(),
            peers: Vec::new(),
            workers: Mutex::default(),
            verifier: Arc::new(Verifier::new(&metrics)),
            metrics,
            sessions: None,
            operator: Operator::default(),
        }
    }

    /// The modules that run here.
    pub fn modules(&self) -> Vec<Module> {
        self.public.iter().map(|(module, _)| *module).collect()
    }

    /// Adds the public routes, and their documentation, of every module, or of one.
    pub fn mount_public(&self, cfg: &mut ServiceConfig<'_>, only: Option<Module>) {
        for (module, mount) in &self.public {
            if only.is_none_or(|wanted| wanted == *module) {
                mount(cfg);
            }
        }
    }

    /// Adds the routes for other modules, each behind a service token for its module.
    pub fn mount_internal(&self, cfg: &mut web::ServiceConfig, tokens: &ServiceTokens) {
        for (module, scope) in &self.internal {
            let (tokens, audience) = (tokens.clone(), module.name());
            let guard = from_fn(
                move |req: actix_web::dev::ServiceRequest,
                      next: actix_web::middleware::Next<actix_web::body::BoxBody>| {
                    let let_in = kernel::call::is_service_call(req.request(), &tokens, audience);
                    async move {
                        if let_in {
                            next.call(req).await
                        } else {
                            let route = req.match_pattern();
                            tracing::warn!(module = audience, route, "a service token was refused");
                            let refusal = actix_web::HttpResponse::Unauthorized().finish();
                            Ok(req.into_response(refusal))
                        }
                    }
                },
            );
            cfg.service(scope().wrap(guard));
        }
    }

    /// Whether this process serves ports to others: it does when a peer runs elsewhere.
    pub fn has_remote_peers(&self) -> bool {
        self.public.len() < Module::ALL.len()
    }

    /// Takes the background loops, to be spawned once.
    pub fn take_workers(&self) -> Vec<Worker> {
        std::mem::take(&mut *self.workers.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn workers_mut(&mut self) -> &mut Vec<Worker> {
        self.workers
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// The modules that run elsewhere.
    pub fn peers(&self) -> Vec<Peer> {
        self.peers.iter().map(|(_, peer)| peer.clone()).collect()
    }

    /// The databases of the local modules.
    pub fn databases(&self) -> &[(Module, Db)] {
        &self.databases
    }

    /// Asks auth whom to believe, once, before the first request is answered.
    ///
    /// # Errors
    ///
    /// When auth gives no answer.
    pub async fn refresh_trust(&self) -> Result<(), kernel::call::NoAnswer> {
        if let Some(sessions) = &self.sessions {
            let trust = sessions.trust(&kernel::call::Cx::system()).await?;
            self.verifier.refresh(&trust);
        }
        Ok(())
    }
}
