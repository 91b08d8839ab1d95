//! What runs in the background: the sweeper of holds and the relay of events.

use std::{sync::Arc, time::Duration};

use kernel::{
    relay::{Relay, Subscriber},
    worker::Worker,
};
use sales_api::SaleOutcomes;

use crate::Store;

/// How often the outbox is looked at while it is empty.
const RELAY_EVERY: Duration = Duration::from_millis(500);

impl Store {
    /// The loops that this module needs: one settles holds through `outcomes`, one delivers what
    /// the module publishes to `subscribers`.
    pub fn workers(
        &self,
        outcomes: Arc<dyn SaleOutcomes>,
        subscribers: Vec<Arc<dyn Subscriber>>,
    ) -> Vec<Worker> {
        let store = self.clone();
        let sweeper = Worker::new("store sweeper", self.options.sweep_every, move || {
            let (store, outcomes) = (store.clone(), outcomes.clone());
            async move {
                match store.sweep(outcomes.as_ref()).await {
                    Ok(0) => {}
                    Ok(settled) => tracing::info!(settled, "holds were settled"),
                    Err(error) => tracing::warn!(%error, "holds could not be settled"),
                }
                false
            }
        });
        let relay = Relay::new(self.db.clone(), subscribers);
        let relay = Worker::new("store relay", RELAY_EVERY, move || {
            let relay = relay.clone();
            async move {
                match relay.run_once().await {
                    Ok(delivered) => delivered > 0,
                    Err(error) => {
                        tracing::warn!(%error, "events could not be delivered");
                        false
                    }
                }
            }
        });
        vec![sweeper, relay]
    }
}
