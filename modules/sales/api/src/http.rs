//! [`SaleOutcomes`] over HTTP. Both halves sit in one file so that they cannot drift apart.

use std::sync::Arc;

use actix_web::Scope;
use async_trait::async_trait;
use kernel::call::{BuildError, CallError, Cx, Never, NoAnswer, Peer, Remote, Serve};

use crate::{Attempt, Resolution, SaleOutcomes};

const PORT: &str = "sale_outcomes";

/// Reaches [`SaleOutcomes`] in another process.
#[derive(Debug)]
pub struct SaleOutcomesClient(Remote);

impl SaleOutcomesClient {
    /// # Errors
    ///
    /// When the HTTP client cannot be built.
    pub fn new(peer: Peer) -> Result<Self, BuildError> {
        Remote::new(PORT, peer).map(Self)
    }
}

#[async_trait]
impl SaleOutcomes for SaleOutcomesClient {
    async fn resolve(&self, cx: &Cx, sales: Vec<Attempt>) -> Result<Vec<Resolution>, NoAnswer> {
        self.0
            .call::<_, _, Never>("resolve", cx, &sales)
            .await
            .map_err(NoAnswer::from)
    }
}

/// Offers `outcomes` to other processes. Mounted on the internal listener only.
pub fn serve(outcomes: Arc<dyn SaleOutcomes>) -> Scope {
    Serve::new(PORT, outcomes)
        .method("resolve", |outcomes, cx, sales| async move {
            outcomes
                .resolve(&cx, sales)
                .await
                .map_err(CallError::<Never>::from)
        })
        .into_scope()
}
