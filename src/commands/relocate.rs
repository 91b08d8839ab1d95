//! `comptoir move <module> --to …`: a module's data, to another database.

use std::{collections::BTreeMap, io::Write, process::ExitCode};

use secrecy::{ExposeSecret, SecretString};

use crate::{
    config::Settings,
    database::{self, Databases},
    operator::Failure,
    process::Module,
    relocate::Move,
};

/// Instead of an address: the embedded PostgreSQL.
const EMBEDDED: &str = "embedded";

/// Moves it, and prints a line per table and what is to be done next.
pub(super) async fn run(
    mut settings: Settings,
    module: Module,
    to: SecretString,
) -> Result<ExitCode, Failure> {
    // Whether or not this configuration still runs the module.
    settings.modules = vec![module];
    let source = database::open(&settings)?;
    let (embedded, url) = if to.expose_secret() == EMBEDDED {
        let (postgres, url) = database::embedded(&settings)?;
        (Some(postgres), url)
    } else {
        (None, settings.database.with_password(&to))
    };
    let target = Databases {
        urls: BTreeMap::from([(module, url.clone())]),
        embedded,
    };
    // What is left behind may be on a server that forgets; what is to be in force may not.
    database::check_promises(&target, settings.database.durable)?;
    let order = Move {
        module,
        source: source.urls.get(&module).cloned().unwrap_or_default(),
        target: url,
    };
    order.refuse_company().await?;
    let mut out = std::io::stdout();
    let moved = order.run(&mut out).await;
    moved.map_err(|failure| database::explained(module, failure))?;
    let variable = format!("{}_DATABASE_URL", module.name().to_ascii_uppercase());
    writeln!(
        out,
        "Next: start {module} with {variable} (database.{module}_url) set to the new database."
    )?;
    Ok(ExitCode::SUCCESS)
}
