//! The store's ports, as other modules reach them.

use std::{sync::Arc, time::Duration};

use comptoir::process::Module;
use kernel::{
    db::{Db, DbOptions},
    peer::Peer,
    service_token::ServiceTokens,
};

use crate::{app::TestApp, topology::SECRET};

/// The store's database, by a pool of its own that counts statements.
pub fn db(app: &TestApp) -> Db {
    let options = DbOptions {
        url: app.db(Module::Store).url().into(),
        schema: "store",
        pool_size: 4,
        wait: Duration::from_secs(10),
        count_statements: true,
        metrics: Default::default(),
    };
    Db::connect(&options).unwrap()
}

/// In one process.
pub fn local(db: &Db) -> Arc<store::Ports> {
    store::Ports::new(db.clone(), store::HoldCommit::Durable).unwrap()
}

/// Where the store is a service.
pub fn peer(app: &TestApp) -> Peer {
    let tokens = ServiceTokens::new(&SECRET.to_owned().into());
    let (base, wait) = (app.internal(Module::Store), Duration::from_secs(10));
    let metrics = Default::default();
    Peer::new("store", base.parse().unwrap(), wait, tokens, &metrics).unwrap()
}
