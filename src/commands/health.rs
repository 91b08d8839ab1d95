//! `comptoir health`: for a container's health check, where there is no other program to ask with.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    process::ExitCode,
    time::Duration,
};

use crate::{
    config::{Http, Settings},
    operator::Failure,
};

/// A process that takes longer to say that it is there is not well.
const WAIT: Duration = Duration::from_secs(2);

/// Asks the server on this machine whether it is there; says nothing about its database, because
/// a restart would not bring that back.
pub(super) async fn run(settings: &Settings) -> Result<ExitCode, Failure> {
    let url = format!("http://{}/health/live", address(&settings.http));
    let http = reqwest::Client::builder()
        .no_proxy()
        .timeout(WAIT)
        .build()?;
    http.get(url).send().await?.error_for_status()?;
    Ok(ExitCode::SUCCESS)
}

/// Where a caller on the same machine finds the server.
fn address(http: &Http) -> SocketAddr {
    let ip = match http.bind {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, http.port)
}
