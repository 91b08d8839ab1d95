//! [`Catalog`] over HTTP. Both halves sit in one file so that they cannot drift apart.

use std::sync::Arc;

use actix_web::Scope;
use async_trait::async_trait;
use kernel::call::{BuildError, CallError, Cx, Never, NoAnswer, Peer, Remote, Serve};

use crate::{Catalog, ProductKey, Resolved};

const PORT: &str = "catalog";

/// Reaches [`Catalog`] in another process.
#[derive(Debug)]
pub struct CatalogClient(Remote);

impl CatalogClient {
    /// # Errors
    ///
    /// When the HTTP client cannot be built.
    pub fn new(peer: Peer) -> Result<Self, BuildError> {
        Remote::new(PORT, peer).map(Self)
    }
}

#[async_trait]
impl Catalog for CatalogClient {
    async fn resolve(&self, cx: &Cx, keys: Vec<ProductKey>) -> Result<Vec<Resolved>, NoAnswer> {
        self.0
            .call::<_, _, Never>("resolve", cx, &keys)
            .await
            .map_err(NoAnswer::from)
    }
}

/// Offers `catalog` to other processes. Mounted on the internal listener only.
pub fn serve(catalog: Arc<dyn Catalog>) -> Scope {
    Serve::new(PORT, catalog)
        .method("resolve", |catalog, cx, keys| async move {
            catalog
                .resolve(&cx, keys)
                .await
                .map_err(CallError::<Never>::from)
        })
        .into_scope()
}
