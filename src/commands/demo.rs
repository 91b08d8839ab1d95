//! `comptoir demo`: the demo chain, here or in a server elsewhere.

use std::process::ExitCode;

use super::import::with_target;
use crate::{
    cli::Target,
    config::{Mode, Settings},
    demo,
    operator::Failure,
    progress::Progress,
};

/// Loads the demo chain; loading it twice changes nothing.
pub(super) async fn run(settings: &Settings, target: Target) -> Result<ExitCode, Failure> {
    if settings.mode == Mode::Production && target.url.is_none() {
        return Err(
            "the demo chain has users with a known password: production mode refuses it".into(),
        );
    }
    with_target(settings, target, async |api| {
        demo::load(&api, chrono::Utc::now().date_naive(), &Progress::start()).await?;
        Ok(ExitCode::SUCCESS)
    })
    .await
}
