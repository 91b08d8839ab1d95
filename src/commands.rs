//! What the command line does, one file per command.

mod admin;
mod check;
mod demo;
mod health;
mod import;
mod keys;
mod log_filter;
mod migrate;
mod openapi;
mod relocate;
mod serve;

pub use openapi::undriven;

use std::process::ExitCode;

use kernel::telemetry::{self, Export};

use crate::{
    cli::{Cli, Command},
    config::{Settings, Traces},
    database::{self, Databases},
    operator::Failure,
    plan::{plan, shown},
    process::{Module, Plan, Process},
};

/// The password of every demo user, and of the first admin where the demo chain is loaded.
pub const DEMO_PASSWORD: &str = "shelf-candle-42-river";

/// Runs one command.
///
/// # Errors
///
/// What is to be printed before exiting with 1.
pub async fn run(cli: Cli) -> Result<ExitCode, Failure> {
    if let Some(Command::Openapi { dir, check }) = &cli.command {
        return openapi::run(dir, *check);
    }
    if let Some(Command::Keys { folder, names }) = &cli.command {
        return keys::run(folder, names);
    }
    let settings = Settings::load(cli.config.as_deref())?;
    let serves = matches!(cli.command, None | Some(Command::Serve));
    let export = settings.traces.as_ref().filter(|_| serves);
    let export = export.map(|traces| export_of(traces, &settings.modules));
    telemetry::init(&settings.log_filter, settings.log_json, export.as_ref())?;
    match cli.command.unwrap_or(Command::Serve) {
        Command::Serve => serve::run(&settings).await,
        Command::Migrate { action } => migrate::run(&settings, &action),
        Command::Openapi { dir, check } => openapi::run(&dir, check),
        Command::Demo(target) => demo::run(&settings, target).await,
        Command::Import {
            data,
            target,
            limit,
            concurrency,
            report,
        } => {
            let options = crate::import::ImportOptions {
                limit,
                concurrency,
                report,
                ..crate::import::ImportOptions::new(data)
            };
            import::run(&settings, target, options).await
        }
        Command::Admin { action } => admin::run(&settings, action).await,
        Command::Move { module, to } => relocate::run(settings, module, to).await,
        Command::Check => check::run(&settings).await,
        Command::Health => health::run(&settings).await,
        Command::LogFilter { filter, url } => log_filter::run(&settings, filter, url).await,
        Command::Keys { folder, names } => keys::run(&folder, &names),
    }
}

/// Spans of this process are `comptoir`'s, or those of the modules that run here.
fn export_of(traces: &Traces, modules: &[Module]) -> Export {
    let mut service = "comptoir".to_owned();
    if modules.len() < Module::ALL.len() {
        for module in modules {
            service = format!("{service}-{module}");
        }
    }
    Export {
        url: traces.url.clone(),
        ratio: traces.ratio,
        service,
        version: env!("CARGO_PKG_VERSION"),
    }
}

/// Makes the first admin where there is no user at all. Their password is the configured one; the
/// demo's where the demo chain is loaded, which production mode never does; or else made up, and
/// answered to be shown once.
async fn first_admin(settings: &Settings, process: &Process) -> Result<Option<String>, Failure> {
    let Some(accounts) = &process.operator.accounts else {
        return Ok(None);
    };
    let demo = || settings.load_demo.then(|| DEMO_PASSWORD.to_owned().into());
    let password = settings.auth.admin_password.clone().or_else(demo);
    let made_up = accounts
        .ensure_admin(&settings.auth.admin_email, password)
        .await?;
    Ok(made_up.map(|password| shown(&password).to_owned()))
}

/// A migrated database and the plan to run on it.
struct Boot {
    databases: Databases,
    plan: Plan,
}

fn boot(settings: &Settings) -> Result<Boot, Failure> {
    let databases = database::open(settings)?;
    let one_wal = database::check_promises(&databases, settings.database.durable)?;
    for name in database::migrate(&databases)? {
        tracing::info!("migrated {name}");
    }
    let plan = plan(settings, &databases, one_wal)?;
    Ok(Boot { databases, plan })
}
