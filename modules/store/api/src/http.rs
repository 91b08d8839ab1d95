//! The store's ports over HTTP. Client and server of a port stand together, so that they cannot
//! drift apart.

use std::sync::Arc;

use actix_web::Scope as Routes;
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use kernel::{
    auth::Scope,
    call::{CallError, Cx, Local, NoAnswer, Serve},
    ids::{ProductId, StoreId},
    metrics::Metrics,
    peer::{Peer, Remote},
};

use crate::{
    Hold, HoldRefused, HoldRequest, Levels, NewTransfer, PastLevel, Stock, StoreLevel,
    StoreProfile, Stores, TransferRef, TransferRefused, Transfers,
};

/// Reaches [`Stock`] in another process.
#[derive(Debug)]
pub struct StockClient(Remote);

impl StockClient {
    /// Asks `peer`.
    pub fn new(peer: Peer) -> Self {
        Self(Remote::new("stock", peer))
    }
}

#[async_trait]
impl Stock for StockClient {
    async fn hold(&self, cx: &Cx, request: HoldRequest) -> Result<Hold, CallError<HoldRefused>> {
        self.0.call("hold", cx, &request).await
    }
}

#[async_trait]
impl Stock for Local<dyn Stock> {
    async fn hold(&self, cx: &Cx, request: HoldRequest) -> Result<Hold, CallError<HoldRefused>> {
        self.call("hold", self.port().hold(cx, request)).await
    }
}

/// [`Stock`] of this process, with its calls counted.
pub fn local_stock(stock: Arc<dyn Stock>, metrics: &Metrics) -> Arc<dyn Stock> {
    Arc::new(Local::new("stock", stock, metrics))
}

/// Offers `stock` to other processes. Mounted on the internal listener only.
pub fn serve_stock(stock: Arc<dyn Stock>) -> Routes {
    Serve::new("stock", stock)
        .call("hold", |stock, cx, request| async move {
            stock.hold(&cx, request).await
        })
        .into_scope()
}

/// Reaches [`Stores`] in another process.
#[derive(Debug)]
pub struct StoresClient(Remote);

impl StoresClient {
    /// Asks `peer`.
    pub fn new(peer: Peer) -> Self {
        Self(Remote::new("stores", peer))
    }
}

#[async_trait]
impl Stores for StoresClient {
    async fn profiles(&self, cx: &Cx, ids: Vec<StoreId>) -> Result<Vec<StoreProfile>, NoAnswer> {
        self.0.ask("profiles", cx, &ids).await
    }
}

#[async_trait]
impl Stores for Local<dyn Stores> {
    async fn profiles(&self, cx: &Cx, ids: Vec<StoreId>) -> Result<Vec<StoreProfile>, NoAnswer> {
        self.ask("profiles", self.port().profiles(cx, ids)).await
    }
}

/// [`Stores`] of this process, with its calls counted.
pub fn local_stores(stores: Arc<dyn Stores>, metrics: &Metrics) -> Arc<dyn Stores> {
    Arc::new(Local::new("stores", stores, metrics))
}

/// Offers `stores` to other processes. Mounted on the internal listener only.
pub fn serve_stores(stores: Arc<dyn Stores>) -> Routes {
    Serve::new("stores", stores)
        .ask("profiles", |stores, cx, ids| async move {
            stores.profiles(&cx, ids).await
        })
        .into_scope()
}

/// Reaches [`Levels`] in another process.
#[derive(Debug)]
pub struct LevelsClient(Remote);

impl LevelsClient {
    /// Asks `peer`.
    pub fn new(peer: Peer) -> Self {
        Self(Remote::new("levels", peer))
    }
}

#[async_trait]
impl Levels for LevelsClient {
    async fn levels(
        &self,
        cx: &Cx,
        scope: Scope,
        products: Vec<ProductId>,
    ) -> Result<Vec<StoreLevel>, NoAnswer> {
        self.0.ask("levels", cx, &(scope, products)).await
    }

    async fn levels_at(
        &self,
        cx: &Cx,
        store: StoreId,
        before: DateTime<Utc>,
        after: Option<ProductId>,
        limit: i64,
    ) -> Result<Vec<PastLevel>, NoAnswer> {
        let asked = (store, before, after, limit);
        self.0.ask("levels_at", cx, &asked).await
    }

    async fn levels_of_store(
        &self,
        cx: &Cx,
        store: StoreId,
        after: Option<ProductId>,
        limit: i64,
    ) -> Result<Vec<StoreLevel>, NoAnswer> {
        let asked = (store, after, limit);
        self.0.ask("levels_of_store", cx, &asked).await
    }
}

#[async_trait]
impl Levels for Local<dyn Levels> {
    async fn levels(
        &self,
        cx: &Cx,
        scope: Scope,
        products: Vec<ProductId>,
    ) -> Result<Vec<StoreLevel>, NoAnswer> {
        self.ask("levels", self.port().levels(cx, scope, products))
            .await
    }

    async fn levels_of_store(
        &self,
        cx: &Cx,
        store: StoreId,
        after: Option<ProductId>,
        limit: i64,
    ) -> Result<Vec<StoreLevel>, NoAnswer> {
        let call = self.port().levels_of_store(cx, store, after, limit);
        self.ask("levels_of_store", call).await
    }

    async fn levels_at(
        &self,
        cx: &Cx,
        store: StoreId,
        before: DateTime<Utc>,
        after: Option<ProductId>,
        limit: i64,
    ) -> Result<Vec<PastLevel>, NoAnswer> {
        let call = self.port().levels_at(cx, store, before, after, limit);
        self.ask("levels_at", call).await
    }
}

/// [`Levels`] of this process, with its calls counted.
pub fn local_levels(levels: Arc<dyn Levels>, metrics: &Metrics) -> Arc<dyn Levels> {
    Arc::new(Local::new("levels", levels, metrics))
}

/// Offers `levels` to other processes. Mounted on the internal listener only.
pub fn serve_levels(levels: Arc<dyn Levels>) -> Routes {
    Serve::new("levels", levels)
        .ask("levels", |levels, cx, (scope, products)| async move {
            levels.levels(&cx, scope, products).await
        })
        .ask(
            "levels_at",
            |levels, cx, (store, before, after, limit)| async move {
                levels.levels_at(&cx, store, before, after, limit).await
            },
        )
        .ask(
            "levels_of_store",
            |levels, cx, (store, after, limit)| async move {
                levels.levels_of_store(&cx, store, after, limit).await
            },
        )
        .into_scope()
}

/// Reaches [`Transfers`] in another process.
#[derive(Debug)]
pub struct TransfersClient(Remote);

impl TransfersClient {
    /// Asks `peer`.
    pub fn new(peer: Peer) -> Self {
        Self(Remote::new("transfers", peer))
    }
}

#[async_trait]
impl Transfers for TransfersClient {
    async fn create(
        &self,
        cx: &Cx,
        transfer: NewTransfer,
    ) -> Result<TransferRef, CallError<TransferRefused>> {
        self.0.call("create", cx, &transfer).await
    }
}

#[async_trait]
impl Transfers for Local<dyn Transfers> {
    async fn create(
        &self,
        cx: &Cx,
        transfer: NewTransfer,
    ) -> Result<TransferRef, CallError<TransferRefused>> {
        self.call("create", self.port().create(cx, transfer)).await
    }
}

/// [`Transfers`] of this process, with its calls counted.
pub fn local_transfers(transfers: Arc<dyn Transfers>, metrics: &Metrics) -> Arc<dyn Transfers> {
    Arc::new(Local::new("transfers", transfers, metrics))
}

/// Offers `transfers` to other processes. Mounted on the internal listener only.
pub fn serve_transfers(transfers: Arc<dyn Transfers>) -> Routes {
    Serve::new("transfers", transfers)
        .call("create", |transfers, cx, transfer| async move {
            transfers.create(&cx, transfer).await
        })
        .into_scope()
}
