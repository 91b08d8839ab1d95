//! [`Sessions`] over HTTP. Both halves sit in one file so that they cannot drift apart.

use std::sync::Arc;

use actix_web::Scope;
use async_trait::async_trait;
use kernel::{
    call::{Cx, Local, NoAnswer, Serve},
    metrics::Metrics,
    peer::{Peer, Remote},
    token::Trust,
};

use crate::Sessions;

const PORT: &str = "sessions";

/// Reaches [`Sessions`] in another process.
#[derive(Debug)]
pub struct SessionsClient(Remote);

impl SessionsClient {
    /// Asks `peer`.
    pub fn new(peer: Peer) -> Self {
        Self(Remote::new(PORT, peer))
    }
}

#[async_trait]
impl Sessions for SessionsClient {
    async fn trust(&self, cx: &Cx) -> Result<Trust, NoAnswer> {
        self.0.ask("trust", cx, &()).await
    }
}

#[async_trait]
impl Sessions for Local<dyn Sessions> {
    async fn trust(&self, cx: &Cx) -> Result<Trust, NoAnswer> {
        self.ask("trust", self.port().trust(cx)).await
    }
}

/// [`Sessions`] of this process, with its calls counted.
pub fn local(sessions: Arc<dyn Sessions>, metrics: &Metrics) -> Arc<dyn Sessions> {
    Arc::new(Local::new(PORT, sessions, metrics))
}

/// Offers `sessions` to other processes. Mounted on the internal listener only.
pub fn serve(sessions: Arc<dyn Sessions>) -> Scope {
    Serve::new(PORT, sessions)
        .ask("trust", |sessions, cx, ()| async move {
            sessions.trust(&cx).await
        })
        .into_scope()
}
