//! `comptoir migrate up|down|status`.

use std::{io::Write, process::ExitCode};

use kernel::migrate;
use secrecy::ExposeSecret;

use crate::{cli::MigrateAction, config::Settings, database, operator::Failure};

/// Changes or shows the schemas of the modules in this binary.
pub(super) fn run(settings: &Settings, action: &MigrateAction) -> Result<ExitCode, Failure> {
    let databases = database::open(settings)?;
    let mut out = std::io::stdout();
    for (module, url) in &databases.urls {
        let Some(migrations) = module.migrations() else {
            continue;
        };
        let (url, schema) = (url.expose_secret(), module.name());
        let explained = |failure| database::explained(*module, failure);
        match action {
            MigrateAction::Up => {
                for name in migrate::up(url, schema, migrations).map_err(explained)? {
                    writeln!(out, "{module}: ran {name}")?;
                }
            }
            MigrateAction::Down { all } => {
                let names = migrate::down(url, schema, migrations, *all).map_err(explained)?;
                for name in names {
                    writeln!(out, "{module}: reverted {name}")?;
                }
            }
            MigrateAction::Status => {
                for status in migrate::status(url, schema, &migrations).map_err(explained)? {
                    let state = if status.applied { "applied" } else { "pending" };
                    writeln!(out, "{module}: {state} {}", status.name)?;
                }
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}
