//! [`Catalog`] over HTTP. Both halves sit in one file so that they cannot drift apart.

use std::sync::Arc;

use actix_web::Scope;
use async_trait::async_trait;
use kernel::{
    call::{Cx, Local, NoAnswer, Serve},
    metrics::Metrics,
    peer::{Peer, Remote},
};

use crate::{Catalog, CategoryPage, Offered, OffersRequest, ProductKey, ProductRef, Resolved};

const PORT: &str = "catalog";

/// Reaches [`Catalog`] in another process.
#[derive(Debug)]
pub struct CatalogClient(Remote);

impl CatalogClient {
    /// Asks `peer`.
    pub fn new(peer: Peer) -> Self {
        Self(Remote::new(PORT, peer))
    }
}

#[async_trait]
impl Catalog for CatalogClient {
    async fn resolve(&self, cx: &Cx, keys: Vec<ProductKey>) -> Result<Vec<Resolved>, NoAnswer> {
        self.0.ask("resolve", cx, &keys).await
    }

    async fn in_category(
        &self,
        cx: &Cx,
        page: CategoryPage,
    ) -> Result<Option<Vec<ProductRef>>, NoAnswer> {
        self.0.ask("in_category", cx, &page).await
    }

    async fn offers(&self, cx: &Cx, request: OffersRequest) -> Result<Vec<Offered>, NoAnswer> {
        self.0.ask("offers", cx, &request).await
    }
}

#[async_trait]
impl Catalog for Local<dyn Catalog> {
    async fn resolve(&self, cx: &Cx, keys: Vec<ProductKey>) -> Result<Vec<Resolved>, NoAnswer> {
        self.ask("resolve", self.port().resolve(cx, keys)).await
    }

    async fn in_category(
        &self,
        cx: &Cx,
        page: CategoryPage,
    ) -> Result<Option<Vec<ProductRef>>, NoAnswer> {
        self.ask("in_category", self.port().in_category(cx, page))
            .await
    }

    async fn offers(&self, cx: &Cx, request: OffersRequest) -> Result<Vec<Offered>, NoAnswer> {
        self.ask("offers", self.port().offers(cx, request)).await
    }
}

/// [`Catalog`] of this process, with its calls counted.
pub fn local(catalog: Arc<dyn Catalog>, metrics: &Metrics) -> Arc<dyn Catalog> {
    Arc::new(Local::new(PORT, catalog, metrics))
}

/// Offers `catalog` to other processes. Mounted on the internal listener only.
pub fn serve(catalog: Arc<dyn Catalog>) -> Scope {
    Serve::new(PORT, catalog)
        .ask("resolve", |catalog, cx, keys| async move {
            catalog.resolve(&cx, keys).await
        })
        .ask("in_category", |catalog, cx, page| async move {
            catalog.in_category(&cx, page).await
        })
        .ask("offers", |catalog, cx, request| async move {
            catalog.offers(&cx, request).await
        })
        .into_scope()
}
