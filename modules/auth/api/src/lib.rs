//! What other modules may know about auth: whom to believe, and since when no more.

mod http;

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use kernel::{
    call::{Cx, NoAnswer},
    token::{Trust, Verifier},
    worker::{Turn, Worker},
};

pub use http::{SessionsClient, local, serve};

/// How often the list of ended sessions is asked for. A token is refused everywhere at most this
/// long, and one call, after its session ended.
pub const REFRESH: Duration = Duration::from_secs(2);

/// How soon auth is asked again by a process that has had no answer since it started.
const FIRST: Duration = Duration::from_millis(100);

/// Which keys sign access tokens, and which sessions have ended.
///
/// A read: repeatable, and answered from memory by callers while auth is away, for at most the
/// life of an access token (10 minutes).
#[async_trait]
pub trait Sessions: Send + Sync {
    /// The public keys, and the sessions that ended while a token of theirs may still be current.
    async fn trust(&self, cx: &Cx) -> Result<Trust, NoAnswer>;
}

/// Keeps `verifier` at most [`REFRESH`] behind what auth knows. Until auth answers for the first
/// time no token is good here, so it is asked more often then.
pub fn keep_current(verifier: Arc<Verifier>, sessions: Arc<dyn Sessions>) -> Worker {
    Worker::new("none", "trust", REFRESH, move || {
        let (verifier, sessions) = (verifier.clone(), sessions.clone());
        async move {
            match sessions.trust(&Cx::system()).await {
                Ok(trust) => verifier.refresh(&trust),
                Err(error) if verifier.age().is_none() => {
                    tracing::debug!(%error, "auth has not answered yet");
                    tokio::time::sleep(FIRST).await;
                    return Ok(Turn::Retry);
                }
                Err(error) => return Err(error),
            }
            Ok(Turn::Idle)
        }
    })
}
