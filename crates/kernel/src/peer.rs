//! The client half of a port: reaches another module's internal listener, in bounded time.
//!
//! A call ends when its caller's deadline or the peer's time-out comes, whichever is first, tries
//! and pauses included. What is tried again is what cannot do harm: a method that only reads or is
//! idempotent ([`Remote::ask`]), and any call that never left because no connection came about.
//! A circuit breaker per peer answers at once while the peer is not there, instead of keeping
//! every request waiting for its time-out.

use std::{sync::Arc, time::Duration};

use backon::{ExponentialBuilder, Retryable};
use recloser::{AsyncRecloser, Recloser};
use reqwest::Response;
use serde::{Serialize, de::DeserializeOwned};
use tokio::{sync::Mutex, time::Instant};
use url::Url;

use crate::{
    call::{CallError, Cx, NoAnswer, WireCx},
    metrics::{Calls, Metrics, Outcome, PeerMeter},
    service_token::ServiceTokens,
    trace,
};

pub use reqwest::Error as BuildError;

/// Up to two more tries, after 25 to 50 and 50 to 100 ms: replicas that start together must not
/// ask together.
const PAUSES: ExponentialBuilder = ExponentialBuilder::new()
    .with_min_delay(Duration::from_millis(25))
    .with_max_times(2)
    .with_jitter();
/// The circuit opens when half of this many calls in a row got no answer,
const OPENS_AFTER: usize = 20;
/// stays open for so long,
const STAYS_OPEN: Duration = Duration::from_secs(1);
/// and closes again when so many calls then go better.
const CLOSES_AFTER: usize = 3;
/// How long it is remembered whether a peer answers, and waited for its sign of life.
const FRESH: Duration = Duration::from_secs(1);

/// Another module's internal listener. Clones share its connections and its circuit breaker.
#[derive(Clone, Debug)]
pub struct Peer {
    module: &'static str,
    base: Url,
    timeout: Duration,
    tokens: ServiceTokens,
    http: reqwest::Client,
    circuit: AsyncRecloser,
    calls: Calls,
    meter: PeerMeter,
    /// When it was asked last whether it is there, and what came of it.
    seen: Arc<Mutex<Option<(Instant, bool)>>>,
}

impl Peer {
    /// `module` at `base` (for example `http://store:4032`) is the audience of the service tokens;
    /// no answer is waited for longer than `timeout`.
    ///
    /// # Errors
    ///
    /// When the HTTP client cannot be built.
    pub fn new(
        module: &'static str,
        base: Url,
        timeout: Duration,
        tokens: ServiceTokens,
        metrics: &Metrics,
    ) -> Result<Self, BuildError> {
        let http = reqwest::Client::builder()
            .connect_timeout(Duration::from_secs(1))
            .pool_idle_timeout(Duration::from_secs(30))
            .tcp_nodelay(true)
            .no_proxy()
            .build()?;
        let circuit = Recloser::custom()
            .error_rate(0.5)
            .closed_len(OPENS_AFTER)
            .half_open_len(CLOSES_AFTER)
            .open_wait(STAYS_OPEN)
            .build();
        Ok(Self {
            seen: Arc::default(),
            calls: Calls::new(metrics),
            meter: PeerMeter::new(metrics, module),
            module,
            base,
            timeout,
            tokens,
            http,
            circuit: circuit.into(),
        })
    }
}

impl Peer {
    /// Its module.
    pub fn module(&self) -> &'static str {
        self.module
    }

    /// Whether anything answers there, as it was at most [`FRESH`] ago: everybody may ask for
    /// health, and must not thereby keep others busy.
    pub async fn answers(&self) -> bool {
        let mut seen = self.seen.lock().await;
        if let Some((_, answered)) = seen.filter(|(when, _)| when.elapsed() < FRESH) {
            return answered;
        }
        let answered = match self.base.join("/health/live") {
            Ok(url) => self.http.get(url).timeout(FRESH).send().await.is_ok(),
            Err(_) => false,
        };
        *seen = Some((Instant::now(), answered));
        answered
    }
}

/// The methods of one port of a [`Peer`]: one POST each.
#[derive(Clone, Debug)]
pub struct Remote {
    port: &'static str,
    peer: Peer,
}

/// Why a try got no answer.
enum Failure {
    /// It never left: the peer knows nothing of it.
    Unsent(String),
    /// It may have arrived, and may have had its effect.
    Lost(String),
    /// The circuit is open.
    Open,
}

impl Failure {
    fn name(&self) -> &'static str {
        match self {
            Self::Unsent(_) => "unsent",
            Self::Lost(_) => "lost",
            Self::Open => "open",
        }
    }

    fn of(error: &reqwest::Error) -> Self {
        let reason = match std::error::Error::source(error) {
            Some(cause) => format!("{error}: {cause}"),
            None => error.to_string(),
        };
        if error.is_connect() {
            Self::Unsent(reason)
        } else {
            Self::Lost(reason)
        }
    }
}

impl From<recloser::Error<Failure>> for Failure {
    fn from(error: recloser::Error<Self>) -> Self {
        match error {
            recloser::Error::Inner(failure) => failure,
            recloser::Error::Rejected => Self::Open,
        }
    }
}

impl Remote {
    /// The port named `port` of `peer`.
    pub fn new(port: &'static str, peer: Peer) -> Self {
        Self { port, peer }
    }

    /// Calls a method that may refuse. It is sent once at most: where no answer comes, the caller
    /// knows what to repeat and under which id.
    ///
    /// # Errors
    ///
    /// [`CallError::Refused`] only where the other module said so; everything else (no
    /// connection, a time-out, a status that is not ours) is [`CallError::NoAnswer`].
    pub async fn call<Req, Res, E>(
        &self,
        method: &'static str,
        cx: &Cx,
        req: &Req,
    ) -> Result<Res, CallError<E>>
    where
        Req: Serialize + Sync,
        Res: DeserializeOwned,
        E: DeserializeOwned + std::error::Error + 'static,
    {
        let again = |failure: &Failure| matches!(failure, Failure::Unsent(_));
        let call = async {
            let answer = self.within_time(method, cx, req, again).await?;
            answer.map_err(CallError::Refused)
        };
        self.measured(method, call).await
    }

    /// Calls a method that never refuses and may be repeated: it reads, or does the same thing
    /// twice only once.
    ///
    /// # Errors
    ///
    /// When no try got an answer.
    pub async fn ask<Req, Res>(
        &self,
        method: &'static str,
        cx: &Cx,
        req: &Req,
    ) -> Result<Res, NoAnswer>
    where
        Req: Serialize + Sync,
        Res: DeserializeOwned,
    {
        let again = |failure: &Failure| !matches!(failure, Failure::Open);
        let call = async {
            let answer = self.within_time(method, cx, req, again).await?;
            answer.map_err(|_: serde_json::Value| NoAnswer::new(self.port, method, "refused"))
        };
        self.measured(method, call).await
    }

    async fn measured<T, E: Outcome>(
        &self,
        method: &'static str,
        call: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        let about = [self.port, method, "http"];
        self.peer.calls.made(about, call).await
    }

    async fn within_time<Req: Serialize, Res: DeserializeOwned, E: DeserializeOwned>(
        &self,
        method: &'static str,
        cx: &Cx,
        req: &Req,
        again: impl Fn(&Failure) -> bool,
    ) -> Result<Result<Res, E>, NoAnswer> {
        let until = cx.deadline.min(Instant::now() + self.peer.timeout);
        let once = async || {
            let sent = self.once(method, cx, req, until);
            let answer = self.peer.circuit.call(sent).await.map_err(Failure::from);
            let outcome = answer.as_ref().map_or_else(Failure::name, |_| "answered");
            self.peer.meter.tried(outcome);
            answer
        };
        let answer = once
            .retry(PAUSES)
            .when(|failure| again(failure) && Instant::now() < until)
            .await;
        answer.map_err(|failure| {
            let reason = match failure {
                Failure::Unsent(reason) | Failure::Lost(reason) => reason,
                Failure::Open => format!("{} has not answered lately", self.peer.module),
            };
            NoAnswer::new(self.port, method, reason)
        })
    }

    /// One try; a refusal is an answer.
    async fn once<Req: Serialize, Res: DeserializeOwned, E: DeserializeOwned>(
        &self,
        method: &str,
        cx: &Cx,
        req: &Req,
        until: Instant,
    ) -> Result<Result<Res, E>, Failure> {
        let unsent = |reason: &dyn std::fmt::Display| Failure::Unsent(reason.to_string());
        let path = format!("/internal/{}/{method}", self.port);
        let url = self.peer.base.join(&path).map_err(|e| unsent(&e))?;
        let token = self.peer.tokens.issue(self.peer.module);
        let mut request = self.peer.http.post(url);
        if let Some(trace) = trace::current() {
            request = request.header(trace::HEADER, trace.to_string());
        }
        let sent = request
            .bearer_auth(token.map_err(|e| unsent(&e))?)
            .timeout(until.saturating_duration_since(Instant::now()))
            .json(&(WireCx::from(cx), req))
            .send()
            .await;
        let reply: Response = sent.map_err(|e| Failure::of(&e))?;
        match reply.status().as_u16() {
            200 => Ok(Ok(reply.json().await.map_err(|e| Failure::of(&e))?)),
            409 => Ok(Err(reply.json().await.map_err(|e| Failure::of(&e))?)),
            status => Err(Failure::Lost(format!("status {status}"))),
        }
    }
}

#[cfg(test)]
mod tests;
