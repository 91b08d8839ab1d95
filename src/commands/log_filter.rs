//! `comptoir log-filter`: turns the log of a running server up or down.

use std::{process::ExitCode, time::Duration};

use kernel::service_token::ServiceTokens;
use url::Url;

use crate::{
    config::{Settings, is_set},
    operator::Failure,
    server::OPERATOR,
};

/// A server that takes longer has other worries.
const WAIT: Duration = Duration::from_secs(5);

/// Sends `filter` to the internal listener at `url`, or to the one that the settings name.
pub(super) async fn run(
    settings: &Settings,
    filter: String,
    url: Option<Url>,
) -> Result<ExitCode, Failure> {
    let internal = &settings.internal;
    if !is_set(&internal.secret) {
        return Err("internal.secret is not set, and the server asks for it".into());
    }
    let base = match url {
        Some(url) => url,
        None => format!("http://{}:{}", internal.bind, internal.port).parse()?,
    };
    let answer = reqwest::Client::builder()
        .no_proxy()
        .timeout(WAIT)
        .build()?
        .put(base.join("/internal/log-filter")?)
        .bearer_auth(ServiceTokens::new(&internal.secret).issue(OPERATOR)?)
        .body(filter)
        .send()
        .await?;
    if answer.status().is_success() {
        return Ok(ExitCode::SUCCESS);
    }
    Err(format!("{}: {}", answer.status(), answer.text().await?).into())
}
