//! `comptoir serve`: start everything, answer until a signal, stop everything.

use std::{net::TcpListener, process::ExitCode};

use tokio::signal::unix::{SignalKind, signal};

use super::{Boot, DEMO_PASSWORD, boot, first_admin};
use crate::{
    client::Api,
    config::Settings,
    demo,
    operator::Failure,
    process::{Module, Process},
    progress::Progress,
    server::{self, Listeners, Running},
    wiring::wire,
};

/// Serves until Ctrl-C or SIGTERM.
pub(super) async fn run(settings: &Settings) -> Result<ExitCode, Failure> {
    let (mut interrupt, mut terminate) = (
        signal(SignalKind::interrupt())?,
        signal(SignalKind::terminate())?,
    );
    let stopped = async {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    };
    let Boot { databases, plan } = boot(settings)?;
    let process = wire(&plan)?;
    let first_password = first_admin(settings, &process).await?;
    learn_trust(&process).await;
    let listeners = listen(settings, &process, &plan.tokens)?;
    let address = listeners.public.local_addr()?;
    let running = server::start(process, listeners)?;
    let base = format!("http://{address}");
    let serving = async {
        if settings.load_demo && running.process().modules().len() == Module::ALL.len() {
            load_demo(&base, settings, &running).await?;
        }
        announce(settings, &base, &running, first_password.as_deref());
        std::future::pending::<Result<(), Failure>>().await
    };
    // Whichever comes first, a signal while the demo chain is loading included.
    let ended = tokio::select! {
        failed = serving => failed,
        () = stopped => Ok(()),
    };
    tracing::info!("stopping");
    running.drain(settings.http.drain).await;
    running.stop().await;
    // Not on this thread: it waits for the collector.
    let _ = tokio::task::spawn_blocking(kernel::telemetry::flush).await;
    drop(databases);
    ended.map(|()| ExitCode::SUCCESS)
}

fn listen(
    settings: &Settings,
    process: &Process,
    tokens: &kernel::service_token::ServiceTokens,
) -> Result<Listeners, Failure> {
    let bind = |address, port, name| {
        TcpListener::bind((address, port)).map_err(|e| {
            format!("cannot listen on {address}:{port}: {e}; set {name} to a free port")
        })
    };
    let http = &settings.http;
    let internal = &settings.internal;
    let internal = match bind(internal.bind, internal.port, "internal.port") {
        Ok(listener) => Some((listener, tokens.clone())),
        Err(why) if process.has_remote_peers() => return Err(why.into()),
        // Tills go on selling without metrics; whoever scrapes notices that there are none.
        Err(why) => {
            tracing::warn!("no metrics: {why}");
            None
        }
    };
    Ok(Listeners {
        public: bind(http.bind, http.port, "http.port")?,
        internal,
        workers: http.workers,
        in_flight: http.in_flight,
        time_limit: http.time_limit,
        trusted_proxies: http.trusted_proxies.clone(),
    })
}

/// Auth may start after us; until it answers, every token is refused.
async fn learn_trust(process: &Process) {
    if let Err(error) = process.refresh_trust().await {
        tracing::warn!(%error, "auth does not answer yet: no token is accepted until it does");
    }
}

async fn load_demo(base: &str, settings: &Settings, running: &Running) -> Result<(), Failure> {
    let Some(accounts) = running.process().operator.accounts.clone() else {
        return Ok(());
    };
    let email = settings.auth.admin_email.clone();
    let api = Api::for_operator(base.parse()?, accounts, email)?;
    if demo::is_wanted(&api).await? {
        demo::load(&api, chrono::Utc::now().date_naive(), &Progress::start()).await?;
    }
    Ok(())
}

fn announce(settings: &Settings, base: &str, running: &Running, first_password: Option<&str>) {
    let modules: Vec<_> = running
        .process()
        .modules()
        .into_iter()
        .map(Module::name)
        .collect();
    let apart: Vec<_> = Module::ALL
        .into_iter()
        .filter(|m| !running.process().modules().contains(m))
        .filter_map(|m| {
            settings
                .internal
                .peers
                .get(&m)
                .map(|url| format!("{m} at {url}"))
        })
        .collect();
    let mut lines = vec![
        String::new(),
        format!("  Comptoir listens on   {base}"),
        format!("  Swagger UI            {base}/swagger-ui/"),
        format!("  Modules here          {}", modules.join(", ")),
    ];
    if !apart.is_empty() {
        lines.push(format!("  Modules elsewhere     {}", apart.join(", ")));
    }
    if settings.load_demo && modules.contains(&"auth") {
        let password = match settings.auth.admin_password {
            None => DEMO_PASSWORD,
            Some(_) => "of auth.admin_password",
        };
        lines.push(format!(
            "  Log in as             {} with the password {password}",
            settings.auth.admin_email
        ));
    }
    if let Some(password) = first_password {
        lines.push(format!(
            "  First administrator   {}, password {password} (shown only now: change it)",
            settings.auth.admin_email
        ));
    }
    lines.push("  Stop with Ctrl-C".into());
    // Not a log line: it is for the person who started the program.
    use std::io::Write;
    let _ = writeln!(std::io::stdout(), "{}\n", lines.join("\n"));
}
