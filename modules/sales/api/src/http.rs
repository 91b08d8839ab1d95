//! The ports of sales over HTTP. Both halves of each sit in one file so that they cannot drift apart.

use std::sync::Arc;

use actix_web::Scope;
use async_trait::async_trait;
use kernel::{
    call::{Cx, Local, NoAnswer, Serve},
    metrics::Metrics,
    peer::{Peer, Remote},
};

use crate::{Attempt, Demand, LastSold, LastSoldQuery, Resolution, SaleOutcomes, Sold, SoldQuery};

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

#[async_trait]
impl SaleOutcomes for Local<dyn SaleOutcomes> {
    async fn resolve(&self, cx: &Cx, sales: Vec<Attempt>) -> Result<Vec<Resolution>, NoAnswer> {
        self.ask("resolve", self.port().resolve(cx, sales)).await
    }
}

/// [`SaleOutcomes`] of this process, with its calls counted.
pub fn local(outcomes: Arc<dyn SaleOutcomes>, metrics: &Metrics) -> Arc<dyn SaleOutcomes> {
    Arc::new(Local::new(PORT, outcomes, metrics))
}

/// Offers `outcomes` to other processes. Mounted on the internal listener only.
pub fn serve(outcomes: Arc<dyn SaleOutcomes>) -> Scope {
    Serve::new(PORT, outcomes)
        .ask("resolve", |outcomes, cx, sales| async move {
            outcomes.resolve(&cx, sales).await
        })
        .into_scope()
}

const DEMAND: &str = "demand";

/// Reaches [`Demand`] in another process.
#[derive(Debug)]
pub struct DemandClient(Remote);

impl DemandClient {
    /// Asks `peer`.
    pub fn new(peer: Peer) -> Self {
        Self(Remote::new(DEMAND, peer))
    }
}

#[async_trait]
impl Demand for DemandClient {
    async fn sold(&self, cx: &Cx, query: SoldQuery) -> Result<Vec<Sold>, NoAnswer> {
        self.0.ask("sold", cx, &query).await
    }

    async fn last_sold(&self, cx: &Cx, query: LastSoldQuery) -> Result<Vec<LastSold>, NoAnswer> {
        self.0.ask("last_sold", cx, &query).await
    }
}

#[async_trait]
impl Demand for Local<dyn Demand> {
    async fn sold(&self, cx: &Cx, query: SoldQuery) -> Result<Vec<Sold>, NoAnswer> {
        self.ask("sold", self.port().sold(cx, query)).await
    }

    async fn last_sold(&self, cx: &Cx, query: LastSoldQuery) -> Result<Vec<LastSold>, NoAnswer> {
        self.ask("last_sold", self.port().last_sold(cx, query))
            .await
    }
}

/// [`Demand`] of this process, with its calls counted.
pub fn local_demand(demand: Arc<dyn Demand>, metrics: &Metrics) -> Arc<dyn Demand> {
    Arc::new(Local::new(DEMAND, demand, metrics))
}

/// Offers `demand` to other processes. Mounted on the internal listener only.
pub fn serve_demand(demand: Arc<dyn Demand>) -> Scope {
    Serve::new(DEMAND, demand)
        .ask("sold", |demand, cx, query| async move {
            demand.sold(&cx, query).await
        })
        .ask("last_sold", |demand, cx, query| async move {
            demand.last_sold(&cx, query).await
        })
        .into_scope()
}
