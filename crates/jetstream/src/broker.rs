//! The connection to NATS: made at first use, kept up by itself, and waited for only briefly.

use std::{
    fmt,
    str::FromStr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_nats::{
    Client, ConnectOptions, Event, ServerAddr,
    connection::State,
    jetstream::{self, Context},
};
use kernel::{metrics::Metrics, relay::Subscriber, worker::Worker};
use percent_encoding::percent_decode_str;
use tokio::{
    sync::OnceCell,
    time::{Instant, sleep, timeout},
};

use crate::{
    consumer::{self, Listener},
    publisher::Publisher,
    topology,
};

/// The longest wait for one answer of the server.
const PATIENCE: Duration = Duration::from_secs(3);
/// How soon a server is missed that no longer answers: after two of these.
const PING: Duration = Duration::from_secs(5);
/// The longest pause between two tries to connect.
const MAX_PAUSE: Duration = Duration::from_secs(2);
/// How long an event waits for the connection to come back before it goes back to the outbox,
/// which is slower to try again.
const BRIEFLY: Duration = Duration::from_secs(1);
/// How often the connection is looked at meanwhile.
const LOOK: Duration = Duration::from_millis(20);

/// Not an address of NATS servers. Says nothing of the address, which may hold a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be nats://host:port or tls://host:port, several separated by commas")]
pub struct BadAddress;

/// Why nothing can be asked of the server now.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Away {
    #[error("there is no connection to NATS")]
    NotConnected,
    #[error(transparent)]
    Failed(#[from] async_nats::Error),
    #[error("NATS gave no answer within {0:?}")]
    Late(Duration),
}

/// Where events are published to and taken from. Cheap to clone; clones share one connection.
#[derive(Clone)]
pub struct Broker(Arc<Inner>);

struct Inner {
    servers: Vec<ServerAddr>,
    /// User and password, or a token alone. The client does not take them from an address.
    login: Option<(String, Option<String>)>,
    context: OnceCell<Context>,
    /// Whether the stream was seen since the last failure.
    stream_seen: AtomicBool,
}

impl FromStr for Broker {
    type Err = BadAddress;

    /// Reads `nats://user:password@host:port` or `nats://token@host:port`, or several servers of
    /// one cluster, comma separated; all of them are given the first login among them. Does not connect: a server that is away is found out, and waited for, by what uses it.
    fn from_str(addresses: &str) -> Result<Self, BadAddress> {
        let server = |address: &str| -> Result<ServerAddr, BadAddress> {
            let server: ServerAddr = address.trim().parse().map_err(|_| BadAddress)?;
            let ours = ["nats", "tls"].contains(&server.scheme()) && !server.host().is_empty();
            ours.then_some(server).ok_or(BadAddress)
        };
        let servers: Vec<_> = addresses.split(',').map(server).collect::<Result<_, _>>()?;
        Ok(Self(Arc::new(Inner {
            login: servers.iter().find_map(login).transpose()?,
            servers,
            context: OnceCell::new(),
            stream_seen: AtomicBool::new(false),
        })))
    }
}

impl Broker {
    /// Publishes events that the module listening as `consumer`, elsewhere, shall apply. They are
    /// done once the server has them, which says nothing yet of the module.
    pub fn publisher(&self, consumer: &'static str) -> Arc<dyn Subscriber> {
        Arc::new(Publisher::new(self.clone(), consumer))
    }

    /// Applies what was published for a listener. Its replicas share the work.
    pub fn worker(&self, listener: Listener, metrics: &Metrics) -> Worker {
        consumer::worker(self.clone(), listener, metrics)
    }

    /// The server with the stream in place, or the reason why not, within a few seconds.
    pub(crate) async fn ready(&self) -> Result<&Context, Away> {
        let inner = &self.0;
        let context = inner.context.get_or_try_init(|| self.connect()).await?;
        let client = context.client();
        let late = Instant::now() + BRIEFLY;
        while client.connection_state() != State::Connected {
            if Instant::now() > late {
                return Err(Away::NotConnected);
            }
            sleep(LOOK).await;
        }
        if !inner.stream_seen.load(Ordering::Relaxed) {
            in_time(context.get_or_create_stream(topology::stream())).await?;
            inner.stream_seen.store(true, Ordering::Relaxed);
        }
        Ok(context)
    }

    /// Something failed: look for the stream again before the next use.
    pub(crate) fn doubt(&self) {
        self.0.stream_seen.store(false, Ordering::Relaxed);
    }

    /// Returns while the first connection is still being tried for; it goes on in the background.
    async fn connect(&self) -> Result<Context, Away> {
        let options = match self.0.login.clone() {
            Some((user, Some(password))) => ConnectOptions::with_user_and_password(user, password),
            Some((token, None)) => ConnectOptions::with_token(token),
            None => ConnectOptions::new(),
        };
        let options = options
            .name("comptoir")
            .retry_on_initial_connect()
            .connection_timeout(PATIENCE)
            .request_timeout(Some(PATIENCE))
            .ping_interval(PING)
            .reconnect_delay_callback(pause)
            .event_callback(|event| async move { log(&event) });
        let client: Client = in_time(options.connect(&*self.0.servers)).await?;
        let context = jetstream::ContextBuilder::new().timeout(PATIENCE);
        Ok(context.build(client))
    }
}

impl fmt::Debug for Broker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hosts = self.0.servers.iter().map(|s| (s.host(), s.port()));
        f.debug_list().entries(hosts).finish()
    }
}

fn login(server: &ServerAddr) -> Option<Result<(String, Option<String>), BadAddress>> {
    let decoded = |text: &str| match percent_decode_str(text).decode_utf8() {
        Ok(text) => Ok(text.into_owned()),
        Err(_) => Err(BadAddress),
    };
    let password = server.password().map(decoded).transpose();
    let user = decoded(server.username()?);
    Some(user.and_then(|user| Ok((user, password?))))
}

/// Waits for one answer of the server.
pub(crate) async fn in_time<T, E: Into<async_nats::Error>>(
    answer: impl Future<Output = Result<T, E>>,
) -> Result<T, Away> {
    match timeout(PATIENCE, answer).await {
        Ok(answer) => answer.map_err(|e| Away::Failed(e.into())),
        Err(_) => Err(Away::Late(PATIENCE)),
    }
}

/// 100 ms, 200 ms and so on.
fn pause(attempts: usize) -> Duration {
    let doublings = u32::try_from(attempts).unwrap_or(u32::MAX).min(8);
    Duration::from_millis(50)
        .saturating_mul(1 << doublings)
        .min(MAX_PAUSE)
}

fn log(event: &Event) {
    match event {
        // The client says so itself.
        Event::Connected => {}
        Event::Disconnected => tracing::warn!("lost the connection to NATS"),
        other => tracing::warn!(event = %other, "NATS"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_checked_and_never_shown_whole() {
        let broker: Broker = "nats://till:sec%2Fret@one:4222, nats://two"
            .parse()
            .unwrap();
        assert_eq!(format!("{broker:?}"), r#"[("one", 4222), ("two", 4222)]"#);
        let login = broker.0.login.clone().unwrap();
        assert_eq!(login, ("till".to_owned(), Some("sec/ret".to_owned())));
        for bad in ["", "http://one", "ws://one", "nats://", "nats://one,"] {
            assert_eq!(bad.parse::<Broker>().err(), Some(BadAddress), "{bad:?}");
        }
    }

    #[test]
    fn pauses_grow_and_end() {
        assert_eq!(pause(1), Duration::from_millis(100));
        assert_eq!(pause(usize::MAX), MAX_PAUSE);
    }
}
