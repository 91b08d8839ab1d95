//! Inventory: the catalogue of the chain, its categories, lookup for the tills, stock over all
//! stores, and CSV import and export.

mod domain;
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
    relay::{Relay, Subscriber},
    worker::Worker,
};
use store_api::Levels;
use tokio::sync::Semaphore;
use utoipa_actix_web::service_config::ServiceConfig;

pub use domain::import::RowProblem;
pub use error::Error;
pub use port::Ports;
pub use service::imports::{ImportOptions, ImportReport};

/// The schema that holds the module's tables.
pub const SCHEMA: &str = "inventory";
/// What brings that schema up to date.
pub const MIGRATIONS: EmbeddedMigrations = embed_migrations!("../../migrations/inventory");

/// Imports at once in one process: each holds a connection for most of its time.
const IMPORTS_AT_ONCE: usize = 2;
const RELAY_PERIOD: Duration = Duration::from_millis(500);

/// The module: its database and the port it needs. Cheap to clone.
#[derive(Clone)]
pub struct Inventory {
    db: Db,
    levels: Arc<dyn Levels>,
    imports: Arc<Semaphore>,
}

impl Inventory {
    /// `db` is bound to [`SCHEMA`]; `levels` is the store module's.
    pub fn new(db: Db, levels: Arc<dyn Levels>) -> Self {
        Self {
            db,
            levels,
            imports: Arc::new(Semaphore::new(IMPORTS_AT_ONCE)),
        }
    }

    /// Adds the public routes, and their documentation, to `cfg`.
    pub fn mount(&self, cfg: &mut ServiceConfig<'_>) {
        cfg.app_data(web::Data::new(self.clone()));
        routes::mount(cfg);
    }

    /// The background work: delivery of the outbox to `subscribers`.
    pub fn workers(&self, subscribers: Vec<Arc<dyn Subscriber>>) -> Vec<Worker> {
        let relay = Relay::new(self.db.clone(), subscribers);
        let work = move || {
            let relay = relay.clone();
            async move {
                match relay.run_once().await {
                    Ok(delivered) => delivered > 0,
                    Err(error) => {
                        tracing::warn!(%error, "the outbox of inventory could not be read");
                        false
                    }
                }
            }
        };
        vec![Worker::new("inventory relay", RELAY_PERIOD, work)]
    }
}

impl std::fmt::Debug for Inventory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Inventory")
            .field("db", &self.db)
            .finish_non_exhaustive()
    }
}
