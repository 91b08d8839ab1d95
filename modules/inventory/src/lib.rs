//! Inventory: the catalogue of the chain, its categories, lookup for the tills, stock over all
//! stores, what stores should order, and CSV import and export.

mod domain;
mod dto;
mod error;
mod events;
mod permissions;
mod port;
mod repo;
mod routes;
mod schema;
mod service;

use std::{sync::Arc, time::Duration};

use actix_web::web;
use diesel_migrations::{EmbeddedMigrations, embed_migrations};
use kernel::{
    db::Db,
    figures,
    relay::{Relay, Subscriber},
    worker::Worker,
};
use sales_api::Demand;
use store_api::{Levels, Stores, Transfers};
use tokio::sync::Semaphore;
use utoipa_actix_web::service_config::ServiceConfig;

pub use domain::import::RowProblem;
pub use error::{Error, PricingError};
pub use port::Ports;
pub use service::{
    imports::{ImportOptions, ImportReport},
    integrity::Check,
};

/// The schema that holds the module's tables.
pub const SCHEMA: &str = "inventory";
/// What brings that schema up to date.
pub const MIGRATIONS: EmbeddedMigrations = embed_migrations!("../../migrations/inventory");

/// Imports at once in one process: each holds a connection for most of its time.
const IMPORTS_AT_ONCE: usize = 2;
const RELAY_PERIOD: Duration = Duration::from_millis(500);
/// How often transfers are looked for that were approved and not made.
const PLANNED_PERIOD: Duration = Duration::from_secs(2);

/// What inventory needs from other modules.
#[derive(Clone)]
pub struct Needs {
    /// Knows what stores have.
    pub levels: Arc<dyn Levels>,
    /// Knows the stores.
    pub stores: Arc<dyn Stores>,
    /// Makes transfers of what is approved.
    pub transfers: Arc<dyn Transfers>,
    /// Knows what sells.
    pub demand: Arc<dyn Demand>,
}

/// The module: its database and the ports it needs. Cheap to clone.
#[derive(Clone)]
pub struct Inventory {
    db: Db,
    needs: Needs,
    imports: Arc<Semaphore>,
}

impl Inventory {
    /// `db` is bound to [`SCHEMA`].
    pub fn new(db: Db, needs: Needs) -> Self {
        Self {
            db,
            needs,
            imports: Arc::new(Semaphore::new(IMPORTS_AT_ONCE)),
        }
    }

    /// Adds the public routes, and their documentation, to `cfg`.
    pub fn mount(&self, cfg: &mut ServiceConfig<'_>) {
        cfg.app_data(web::Data::new(self.clone()));
        routes::mount(cfg);
    }

    /// The background work: delivery of the outbox to `subscribers`, transfers that were approved
    /// while the store module was away, and figures.
    pub fn workers(&self, subscribers: Vec<Arc<dyn Subscriber>>) -> Vec<Worker> {
        let inventory = self.clone();
        let make = move || {
            let inventory = inventory.clone();
            async move { inventory.make_planned().await.map(|made| made > 0) }
        };
        vec![
            Relay::new(self.db.clone(), subscribers).worker(RELAY_PERIOD),
            Worker::new(SCHEMA, "transfers", PLANNED_PERIOD, make),
            figures::worker(&self.db),
        ]
    }
}

impl std::fmt::Debug for Needs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Needs").finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Inventory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Inventory")
            .field("db", &self.db)
            .finish_non_exhaustive()
    }
}
