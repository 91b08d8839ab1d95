//! [`Sessions`] over HTTP. Both halves sit in one file so that they cannot drift apart.

use std::sync::Arc;

use actix_web::Scope;
use async_trait::async_trait;
use kernel::{
    call::{BuildError, CallError, Cx, Never, NoAnswer, Peer, Remote, Serve},
    token::Trust,
};

use crate::Sessions;

const PORT: &str = "sessions";

/// Reaches [`Sessions`] in another process.
#[derive(Debug)]
pub struct SessionsClient(Remote);

impl SessionsClient {
    /// # Errors
    ///
    /// When the HTTP client cannot be built.
    pub fn new(peer: Peer) -> Result<Self, BuildError> {
        Remote::new(PORT, peer).map(Self)
    }
}

#[async_trait]
impl Sessions for SessionsClient {
    async fn trust(&self, cx: &Cx) -> Result<Trust, NoAnswer> {
        self.0
            .call::<_, _, Never>("trust", cx, &())
            .await
            .map_err(NoAnswer::from)
    }
}

/// Offers `sessions` to other processes. Mounted on the internal listener only.
pub fn serve(sessions: Arc<dyn Sessions>) -> Scope {
    Serve::new(PORT, sessions)
        .method("trust", |sessions, cx, ()| async move {
            sessions.trust(&cx).await.map_err(CallError::<Never>::from)
        })
        .into_scope()
}
