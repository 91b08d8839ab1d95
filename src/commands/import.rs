//! `comptoir import`: a chain's real catalogue and sales, through the API.

use std::{io::Write, net::TcpListener, process::ExitCode, time::Duration};

use super::{Boot, boot, first_admin};
use crate::{
    cli::Target,
    client::Api,
    config::Settings,
    import::{self, ImportOptions},
    operator::Failure,
    progress::Progress,
    server::{self, Listeners},
    wiring::wire,
};

/// Imports and prints the reconciliation; 1 when more than the reported rows differs.
pub(super) async fn run(
    settings: &Settings,
    target: Target,
    options: ImportOptions,
) -> Result<ExitCode, Failure> {
    with_target(settings, target, async |api| {
        let report = import::run(&api, &options, &Progress::start()).await?;
        Ok(if report.agrees() {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        })
    })
    .await
}

/// Calls `work` with a server elsewhere, or with one that is started for the purpose.
pub(super) async fn with_target(
    settings: &Settings,
    target: Target,
    work: impl AsyncFnOnce(Api) -> Result<ExitCode, Failure>,
) -> Result<ExitCode, Failure> {
    if let Some(url) = target.url {
        let api = Api::login(url, &target.email, &target.password).await?;
        return work(api).await;
    }
    let Boot { databases, plan } = boot(settings)?;
    let process = wire(&plan)?;
    let accounts = process
        .operator
        .accounts
        .clone()
        .ok_or("auth does not run here: give --url")?;
    if let Some(password) = first_admin(settings, &process).await? {
        let email = &settings.auth.admin_email;
        writeln!(
            std::io::stdout(),
            "First administrator: {email}, password {password}"
        )?;
    }
    process.refresh_trust().await?;
    let listeners = Listeners {
        public: TcpListener::bind(("127.0.0.1", 0))?,
        internal: None,
        workers: settings.http.workers,
        in_flight: settings.http.in_flight,
        time_limit: Duration::from_secs(60),
        trusted_proxies: settings.http.trusted_proxies.clone(),
    };
    let base = format!("http://{}", listeners.public.local_addr()?);
    let running = server::start(process, listeners)?;
    let api = Api::for_operator(base.parse()?, accounts, settings.auth.admin_email.clone())?;
    let done = work(api).await;
    running.stop().await;
    drop(databases);
    done
}
