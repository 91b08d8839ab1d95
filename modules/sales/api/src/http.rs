//! [`SaleOutcomes`] over HTTP. Both halves sit in one file so that they cannot drift apart.

use std::sync::Arc;

use actix_web::Scope;
use async_trait::async_trait;
use kernel::{
    call::{Cx, NoAnswer, Serve},
    peer::{Peer, Remote},
};

use crate::{Attempt, Resolution, SaleOutcomes};

const PORT: &str = "sale_outcomes";

/// Reaches [`SaleOutcomes`] in another process.
#[derive(Debug)]
pub struct SaleOutcomesClient(Remote);

impl SaleOutcomesClient {
    /// Asks `peer`.
    pub fn new(peer: Peer) -> Self {
        Self(Remote::new(PORT, peer))
    }
}

#[async_trait]
impl SaleOutcomes for SaleOutcomesClient {
    async fn resolve(&self, cx: &Cx, sales: Vec<Attempt>) -> Result<Vec<Resolution>, NoAnswer> {
        self.0.ask("resolve", cx, &sales).await
    }
}

/// Offers `outcomes` to other processes. Mounted on the internal listener only.
pub fn serve(outcomes: Arc<dyn SaleOutcomes>) -> Scope {
    Serve::new(PORT, outcomes)
        .ask("resolve", |outcomes, cx, sales| async move {
            outcomes.resolve(&cx, sales).await
        })
        .into_scope()
}
