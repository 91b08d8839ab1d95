//! Stores, what is in them, and the books about it: stock is taken, given back and counted here.

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
mod workers;

use std::{sync::Arc, time::Duration};

use diesel_migrations::{EmbeddedMigrations, embed_migrations};
use inventory_api::Catalog;
use kernel::db::Db;
use utoipa_actix_web::service_config::ServiceConfig;

use service::meter::{OpenMeter, SettledMeter};

pub use domain::{
    reason::AdjustmentReason,
    settings::{CashRounding, Cutoff},
};
pub use dto::{
    AdjustmentItem, AdjustmentMode, AdjustmentResult, AdjustmentStatus, AdjustmentView, Bucket,
    CreateAdjustment, CreateRegister, CreateStore, IntegrityCheck, IntegrityReport, LevelView,
    StockCount, UpdateStoreSettings,
};
pub use error::{CountRefused, Error, RefusedItem, TransferRefused};
pub use port::{HoldCommit, Ports};
pub use service::adjust::Adjusted;

/// The module's schema, and the stem of its role.
pub const SCHEMA: &str = "store";

/// The module's tables.
pub const MIGRATIONS: EmbeddedMigrations = embed_migrations!("../../migrations/store");

/// How the module works in the background.
#[derive(Debug, Clone, Copy)]
pub struct StoreOptions {
    /// How long a hold may wait for its sale before the sales module is asked about it.
    pub hold_ttl: Duration,
    /// How often such holds are looked for.
    pub sweep_every: Duration,
}

impl Default for StoreOptions {
    fn default() -> Self {
        Self {
            hold_ttl: Duration::from_secs(60),
            sweep_every: Duration::from_secs(5),
        }
    }
}

/// The module: its use cases and its routes. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    db: Db,
    catalog: Arc<dyn Catalog>,
    options: StoreOptions,
    open: OpenMeter,
    settled: SettledMeter,
}

impl Store {
    /// `catalog` knows which products exist.
    pub fn new(db: Db, catalog: Arc<dyn Catalog>, options: StoreOptions) -> Self {
        Self {
            open: OpenMeter::new(db.metrics()),
            settled: SettledMeter::new(db.metrics(), "sweeper"),
            db,
            catalog,
            options,
        }
    }

    /// Adds the public routes, and their documentation, to `cfg`.
    pub fn mount(&self, cfg: &mut ServiceConfig<'_>) {
        cfg.app_data(actix_web::web::Data::new(self.clone()));
        routes::mount(cfg);
    }
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store")
            .field("db", &self.db)
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}
