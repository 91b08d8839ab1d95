//! Listens: the public routes, Swagger UI and health on one port; metrics, and ports for peers, on
//! another.

use std::{
    net::TcpListener,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use actix_web::{
    App, HttpRequest, HttpResponse, HttpServer,
    dev::{Server, ServerHandle},
    http::header,
    middleware::{Compress, from_fn},
    web,
};
use kernel::{
    address::TrustedProxies,
    frame::{Limits, frame},
    health::Peers,
    metrics::{self, CLASSIC, CacheMeter, Calls, HttpMeter, OPEN_METRICS},
    problem::Problem,
    route_table::{RouteTable, fallback},
    service_token::ServiceTokens,
    telemetry,
};
use tokio::{sync::watch, task::JoinHandle};
use utoipa_actix_web::AppExt;

use crate::{
    openapi,
    process::{Module, Process},
};

/// Whom a service token of the operator's is made out to.
pub(crate) const OPERATOR: &str = "operator";

/// How long requests that run may go on after a stop was asked for, in seconds.
const SHUTDOWN_SECONDS: u64 = 10;

/// What a server needs besides its modules.
#[derive(Debug)]
pub struct Listeners {
    /// For everyone.
    pub public: TcpListener,
    /// For metrics, and for peers where one is in another process.
    pub internal: Option<(TcpListener, ServiceTokens)>,
    /// HTTP threads of the public listener.
    pub workers: usize,
    /// Requests at once.
    pub in_flight: usize,
    /// Longest time for one.
    pub time_limit: Duration,
    /// Gateways that say where a request comes from.
    pub trusted_proxies: TrustedProxies,
}

/// A running process.
#[derive(Debug)]
pub struct Running {
    handles: Vec<ServerHandle>,
    loops: Vec<JoinHandle<()>>,
    stop: watch::Sender<bool>,
    ready: Arc<AtomicBool>,
    limits: Limits,
    process: Arc<Process>,
}

/// Starts answering. Call within the actix system.
///
/// # Errors
///
/// When a listener cannot be used.
pub fn start(process: Process, listeners: Listeners) -> std::io::Result<Running> {
    let (stop, stopped) = watch::channel(false);
    let workers = process.take_workers();
    let process = Arc::new(process);
    let ready = Arc::new(AtomicBool::new(true));
    watch(&process, &ready);
    let meter = HttpMeter::new(&process.metrics, prefixes());
    let routes = route_table(&process);
    let (in_flight, time) = (listeners.in_flight, listeners.time_limit);
    let limits = Limits::new(in_flight, time, meter, routes.clone());
    let mut handles = vec![run(public(&process, &listeners, &limits, routes, &ready)?)];
    if let Some((listener, tokens)) = listeners.internal {
        handles.push(run(internal(&process, listener, tokens, &ready)?));
    }
    let loops = workers
        .into_iter()
        .map(|worker| worker.spawn(stopped.clone(), &process.metrics))
        .collect();
    Ok(Running {
        handles,
        loops,
        stop,
        ready,
        limits,
        process,
    })
}

impl Running {
    /// The modules that are served.
    pub fn process(&self) -> &Process {
        &self.process
    }

    /// Says that it is not ready, and goes on answering for `time`: a gateway that has looked
    /// elsewhere by then sends nothing more on connections that are about to be closed.
    pub async fn drain(&self, time: Duration) {
        self.ready.store(false, Ordering::Relaxed);
        tokio::time::sleep(time).await;
    }

    /// Stops in order: no new requests, the running ones finished, then the background loops.
    pub async fn stop(self) {
        self.ready.store(false, Ordering::Relaxed);
        for handle in &self.handles {
            handle.pause().await;
        }
        // Not actix's own graceful stop: it waits for idle connections, too.
        let late = Instant::now() + Duration::from_secs(SHUTDOWN_SECONDS);
        while self.limits.running() > 0 && Instant::now() < late {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        for handle in &self.handles {
            handle.stop(false).await;
        }
        // The receivers may be gone already, when a loop has ended by itself.
        let _ = self.stop.send(true);
        for running in self.loops {
            let _ = tokio::time::timeout(Duration::from_secs(SHUTDOWN_SECONDS), running).await;
        }
    }
}

fn run(server: Server) -> ServerHandle {
    let handle = server.handle();
    actix_web::rt::spawn(server);
    handle
}

fn public(
    process: &Arc<Process>,
    listeners: &Listeners,
    limits: &Limits,
    routes: RouteTable,
    ready: &Arc<AtomicBool>,
) -> std::io::Result<Server> {
    let limits = web::Data::new(limits.clone());
    let routes = web::Data::new(routes);
    let proxies = web::Data::new(listeners.trusted_proxies.clone());
    let verifier = web::Data::from(process.verifier.clone());
    let peers = web::Data::new(Peers(process.peers()));
    let (process, ready) = (process.clone(), web::Data::from(ready.clone()));
    let server = HttpServer::new(move || {
        let process = process.clone();
        App::new()
            .app_data(limits.clone())
            .app_data(proxies.clone())
            .app_data(routes.clone())
            .app_data(verifier.clone())
            .app_data(peers.clone())
            .app_data(ready.clone())
            .app_data(web::Data::from(process.clone()))
            .wrap(Compress::default())
            .wrap(from_fn(frame))
            .configure(openapi::mount)
            .route("/health/live", web::get().to(live))
            .route("/health/ready", web::get().to(is_ready))
            .into_utoipa_app()
            .configure(|cfg| process.mount_public(cfg, None))
            .into_app()
            .default_service(web::to(fallback))
    });
    Ok(server
        .workers(listeners.workers)
        .client_request_timeout(Duration::from_secs(5))
        .keep_alive(Duration::from_secs(75))
        .disable_signals()
        .listen(listeners.public.try_clone()?)?
        .run())
}

fn internal(
    process: &Arc<Process>,
    listener: TcpListener,
    tokens: ServiceTokens,
    ready: &Arc<AtomicBool>,
) -> std::io::Result<Server> {
    let calls = web::Data::new(Calls::new(&process.metrics));
    let (process, ready) = (process.clone(), web::Data::from(ready.clone()));
    let server = HttpServer::new(move || {
        let process = process.clone();
        let app = App::new()
            .app_data(web::Data::new(tokens.clone()))
            .app_data(web::PayloadConfig::new(1_024))
            .app_data(calls.clone())
            .app_data(ready.clone())
            .app_data(web::Data::from(process.clone()))
            .route("/health/live", web::get().to(live))
            .route("/health/ready", web::get().to(is_ready))
            .route("/internal/log-filter", web::put().to(set_log_filter))
            .service(
                web::resource("/metrics")
                    .wrap(Compress::default())
                    .get(scrape),
            );
        app.configure(|cfg| {
            // Where all modules are here, nobody has anything to ask.
            if process.has_remote_peers() {
                process.mount_internal(cfg, &tokens);
            }
        })
    });
    Ok(server
        .workers(1)
        .keep_alive(Duration::from_secs(75))
        .disable_signals()
        .listen(listener)?
        .run())
}

/// The process is there; says nothing about the database.
async fn live() -> HttpResponse {
    HttpResponse::Ok().json(serde_json::json!({"status": "up"}))
}

/// Whether requests should be sent here: the databases answer, auth has said whom to believe, and
/// no stop was asked for.
async fn is_ready(
    process: web::Data<Process>,
    ready: web::Data<AtomicBool>,
) -> Result<HttpResponse, Problem> {
    if !ready.load(Ordering::Relaxed) {
        return Err(Problem::unavailable(&Stopping));
    }
    if process.verifier.age().is_none() {
        return Err(Problem::unavailable(&Trustless));
    }
    for (_, db) in process.databases() {
        db.ping().await.map_err(|e| Problem::from(&e))?;
    }
    Ok(HttpResponse::Ok().json(serde_json::json!({"status": "ready"})))
}

/// Every metric, in the format that the reader prefers.
async fn scrape(process: web::Data<Process>, request: HttpRequest) -> HttpResponse {
    let accepted = request.headers().get_all(header::ACCEPT);
    let open = accepted
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(accepts_open_metrics);
    let format = if open { OPEN_METRICS } else { CLASSIC };
    let metrics = process.metrics.clone();
    // Not on the thread that answers peers.
    match web::block(move || metrics.text(format)).await {
        Ok(text) => HttpResponse::Ok()
            .insert_header((header::CONTENT_TYPE, format))
            .body(text),
        Err(_) => HttpResponse::ServiceUnavailable().finish(),
    }
}

/// Whether one of the formats that a reader names is OpenMetrics, and not ruled out by `q=0`.
fn accepts_open_metrics(format: &str) -> bool {
    let mut parts = format.split(';').map(str::trim);
    let named = parts.next() == Some("application/openmetrics-text");
    let quality = parts.find_map(|part| part.strip_prefix("q="));
    named && quality.is_none_or(|quality| quality.parse().is_ok_and(|q: f32| q > 0.0))
}

/// Changes what is logged, for whoever has `internal.secret`.
async fn set_log_filter(
    request: HttpRequest,
    tokens: web::Data<ServiceTokens>,
    filter: String,
) -> HttpResponse {
    if !kernel::call::is_service_call(&request, &tokens, OPERATOR) {
        tracing::warn!(path = request.path(), "a service token was refused");
        return HttpResponse::Unauthorized().finish();
    }
    match telemetry::set_filter(filter.trim()) {
        Ok(()) => {
            tracing::warn!(filter = filter.trim(), "what is logged was changed");
            HttpResponse::NoContent().finish()
        }
        Err(why) => HttpResponse::BadRequest().body(why),
    }
}

/// Gauges of the process as a whole.
fn watch(process: &Arc<Process>, ready: &Arc<AtomicBool>) {
    telemetry::describe(&process.metrics);
    let names: Vec<_> = process.modules().into_iter().map(Module::name).collect();
    metrics::describe(&process.metrics, env!("CARGO_PKG_VERSION"), names.join(","));
    let is_ready = process.metrics.gauge(
        "comptoir_ready",
        "1 while `/health/ready` would say so as far as the process itself knows: trust was learned, no stop was asked for",
        [],
    );
    let trust = process.metrics.gauge(
        "comptoir_trust_age_seconds",
        "Time since auth last said whom to believe; absent until it has",
        [],
    );
    let tokens = CacheMeter::new(&process.metrics, "tokens");
    let (verifier, ready) = (process.verifier.clone(), ready.clone());
    process.metrics.before_scrape(move || {
        let age = verifier.age();
        let willing = ready.load(Ordering::Relaxed) && age.is_some();
        is_ready.one().set(if willing { 1.0 } else { 0.0 });
        trust.set([], age.map(|age| age.as_secs_f64()));
        tokens.holds(verifier.remembered());
    });
}

fn prefixes() -> Vec<(&'static str, &'static str)> {
    let of = |module: Module| {
        let prefixes = module.prefixes().iter();
        prefixes.map(move |prefix| (*prefix, module.name()))
    };
    Module::ALL.into_iter().flat_map(of).collect()
}

#[derive(Debug, thiserror::Error)]
#[error("the process is stopping")]
struct Stopping;

#[derive(Debug, thiserror::Error)]
#[error("auth has not said yet whom to believe")]
struct Trustless;

/// The paths of the modules that run here, out of the committed document.
fn route_table(process: &Process) -> RouteTable {
    let prefixes: Vec<_> = process
        .modules()
        .into_iter()
        .flat_map(Module::prefixes)
        .collect();
    let text = openapi::DOCUMENTS.first().map_or("{}", |(.., text)| *text);
    let document: serde_json::Value = serde_json::from_str(text).unwrap_or_default();
    let mut table = Vec::new();
    for (path, item) in document
        .get("paths")
        .and_then(|p| p.as_object())
        .into_iter()
        .flatten()
    {
        if !prefixes.iter().any(|prefix| path.starts_with(**prefix)) {
            continue;
        }
        let methods = item.as_object().into_iter().flat_map(|item| item.keys());
        table.push((
            path.clone(),
            methods.map(|method| method.to_ascii_uppercase()).collect(),
        ));
    }
    RouteTable::new(table)
}
