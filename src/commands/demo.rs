//! `comptoir demo`: the demo chain, here or in a server elsewhere.

use std::process::ExitCode;

use super::import::with_target;
use crate::{cli::Target, config::Settings, demo, operator::Failure, progress::Progress};

/// Loads the demo chain; loading it twice changes nothing.
pub(super) async fn run(settings: &Settings, target: Target) -> Result<ExitCode, Failure> {
    with_target(settings, target, async |api| {
        demo::load(&api, chrono::Utc::now().date_naive(), &Progress::start()).await?;
        Ok(ExitCode::SUCCESS)
    })
    .await
}
