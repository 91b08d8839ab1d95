//! Auth: who someone is, what they may do where, and how they prove it.

mod crypto;
mod domain;
mod error;
mod events;
mod options;
mod permissions;
mod port;
mod repo;
mod routes;
mod schema;
mod service;

use std::{sync::Arc, time::Duration};

use actix_web::web::Data;
use auth_api::Sessions;
use diesel_migrations::{EmbeddedMigrations, embed_migrations};
use kernel::{
    db::Db,
    figures,
    relay::{Relay, Subscriber},
    worker::Worker,
};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::options::Tools;
pub use crate::{
    error::{Error as AuthError, Weakness},
    options::{AuthOptions, AuthSetupError, SigningKey, generate_signing_key},
    service::NewUserSpec,
};

/// The module's schema in the database.
pub const SCHEMA: &str = "auth";
/// The module's migrations.
pub const MIGRATIONS: EmbeddedMigrations = embed_migrations!("../../migrations/auth");

/// How often the outbox is looked at when it was empty.
const RELAY_PERIOD: Duration = Duration::from_secs(1);
/// How often what has expired is taken away.
const CLEAN_UP_PERIOD: Duration = Duration::from_secs(600);

/// The module. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Auth {
    db: Db,
    tools: Arc<Tools>,
}

impl Auth {
    /// A module on its own pool.
    ///
    /// # Errors
    ///
    /// When an option is missing, malformed or weaker than allowed.
    pub fn new(db: Db, options: AuthOptions) -> Result<Self, AuthSetupError> {
        let tools = Tools::new(options, db.metrics())?;
        Ok(Self {
            db,
            tools: Arc::new(tools),
        })
    }

    /// Adds the public routes, and their documentation, to `cfg`.
    pub fn mount(&self, cfg: &mut ServiceConfig<'_>) {
        cfg.app_data(Data::new(self.clone()));
        routes::mount(cfg);
    }

    /// What the other modules ask of this one.
    pub fn sessions(&self) -> Arc<dyn Sessions> {
        Arc::new(self.clone())
    }

    /// The loops to run in the background: the relay of events, the figures, and the clean-up.
    pub fn workers(&self, subscribers: Vec<Arc<dyn Subscriber>>) -> Vec<Worker> {
        let auth = self.clone();
        let clean_up = move || {
            let auth = auth.clone();
            async move { auth.clean_up().await }
        };
        vec![
            Relay::new(self.db.clone(), subscribers).worker(RELAY_PERIOD),
            figures::worker(&self.db),
            Worker::new(SCHEMA, "clean-up", CLEAN_UP_PERIOD, clean_up),
        ]
    }
}
