//! `comptoir check`: is everything as it must be?

use std::{io::Write, process::ExitCode};

use super::{Boot, boot};
use crate::{config::Settings, operator::Failure, wiring::wire};

/// Prints a line per check; 1 when an invariant is violated.
pub(super) async fn run(settings: &Settings) -> Result<ExitCode, Failure> {
    let mut out = std::io::stdout();
    writeln!(out, "ok    configuration")?;
    let Boot { databases, plan } = boot(settings)?;
    let process = wire(&plan)?;
    for (module, db) in process.databases() {
        db.ping().await?;
        writeln!(out, "ok    database of {module}")?;
    }
    let mut violated = 0;
    for checks in &process.operator.checks {
        for check in checks.run().await? {
            let word = if check.violations == 0 {
                "ok   "
            } else {
                "WRONG"
            };
            writeln!(
                out,
                "{word} {}: {} violations",
                check.title, check.violations
            )?;
            violated += check.violations;
        }
    }
    drop(databases);
    Ok(if violated == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
