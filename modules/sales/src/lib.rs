//! Sales: what was sold, for how much, and what came back.

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

use diesel_migrations::{EmbeddedMigrations, embed_migrations};
use kernel::{
    batch::{Writer, WriterOptions},
    db::Db,
    figures,
    relay::{Relay, Subscriber},
    worker::Worker,
};
use utoipa_actix_web::service_config::ServiceConfig;

use service::{directory::Directory, meter::Meter, record_write};

pub use domain::words::{Disposition, ParkedState, ReturnReason, SaleStatus, Tender};
pub use dto::*;
pub use port::Ports;
pub use service::{
    Powers,
    integrity::{Check, Integrity},
    record::Recorded,
    record_return::RecordedReturn,
};

/// The module's schema, and the stem of its database role.
pub const SCHEMA: &str = "sales";

/// The module's migrations.
pub const MIGRATIONS: EmbeddedMigrations = embed_migrations!("../../migrations/sales");

/// How often the outbox is looked at when nothing was found in it.
const RELAY_PERIOD: Duration = Duration::from_millis(100);

/// How often parked baskets that expired are looked for.
const CLEAR_PERIOD: Duration = Duration::from_secs(10);

/// What sales needs from other modules.
#[derive(Clone)]
pub struct Needs {
    /// Takes the goods.
    pub stock: Arc<dyn store_api::Stock>,
    /// Knows the stores' settings.
    pub stores: Arc<dyn store_api::Stores>,
    /// Knows what stores have.
    pub levels: Arc<dyn store_api::Levels>,
    /// Knows the products.
    pub catalog: Arc<dyn inventory_api::Catalog>,
}

impl std::fmt::Debug for Needs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Needs").finish_non_exhaustive()
    }
}

/// The module. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Sales {
    db: Db,
    needs: Needs,
    directory: Directory,
    writer: Writer<Arc<record_write::NewSale>, Option<record_write::Written>>,
    meter: Arc<Meter>,
}

impl Sales {
    /// Starts the threads that write sales; each uses a connection of `db` while it writes.
    ///
    /// # Errors
    ///
    /// When a thread cannot be started.
    pub fn new(db: Db, needs: Needs) -> std::io::Result<Self> {
        let options = WriterOptions {
            name: "sales-writer",
            threads: 2,
            max_batch: 64,
        };
        let meter = Arc::new(Meter::new(db.metrics()));
        let counted = meter.clone();
        let writer = Writer::start(options, &db, record_write::write, move |new, written| {
            if written.is_some() {
                counted.sold(new);
            }
        })?;
        Ok(Self {
            directory: Directory::new(needs.stores.clone(), needs.catalog.clone(), db.metrics()),
            meter,
            db,
            needs,
            writer,
        })
    }

    /// Adds the public routes, and their documentation, to `cfg`.
    pub fn mount(&self, cfg: &mut ServiceConfig<'_>) {
        cfg.app_data(actix_web::web::Data::new(self.clone()));
        routes::mount(cfg);
    }

    /// Listens to the catalogue and the stores: drops what is remembered of what changed.
    pub fn subscriber(&self) -> Arc<dyn Subscriber> {
        Arc::new(port::Listener(self.directory.clone()))
    }

    /// The module's background work: delivering its events to `subscribers`, clearing away parked
    /// baskets that expired, and figures.
    pub fn workers(&self, subscribers: Vec<Arc<dyn Subscriber>>) -> Vec<Worker> {
        let sales = self.clone();
        let clear = move || {
            let sales = sales.clone();
            async move { sales.clear_parked().await }
        };
        vec![
            Relay::new(self.db.clone(), subscribers).worker(RELAY_PERIOD),
            Worker::new(SCHEMA, "parked", CLEAR_PERIOD, clear),
            figures::worker(&self.db),
        ]
    }
}
