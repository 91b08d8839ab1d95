//! What runs in the background: the sweeper of holds, the relay of events, and figures.

use std::{sync::Arc, time::Duration};

use kernel::{
    figures,
    relay::{Relay, Subscriber},
    worker::Worker,
};
use sales_api::SaleOutcomes;

use crate::{SCHEMA, Store, error::Error};

/// How often the outbox is looked at while it is empty.
const RELAY_EVERY: Duration = Duration::from_millis(500);

impl Store {
    /// The loops that this module needs: one settles holds through `outcomes`, one delivers what
    /// the module publishes to `subscribers`, two gather figures.
    pub fn workers(
        &self,
        outcomes: Arc<dyn SaleOutcomes>,
        subscribers: Vec<Arc<dyn Subscriber>>,
    ) -> Vec<Worker> {
        let store = self.clone();
        let sweeper = Worker::new(SCHEMA, "sweeper", self.options.sweep_every, move || {
            let (store, outcomes) = (store.clone(), outcomes.clone());
            async move {
                let settled = store.sweep(outcomes.as_ref()).await?;
                if settled > 0 {
                    tracing::info!(settled, "holds were settled");
                }
                Ok::<_, Error>(false)
            }
        });
        let store = self.clone();
        let stock = Worker::new(SCHEMA, "stock-figures", figures::EVERY, move || {
            let store = store.clone();
            async move { store.gather().await.map(|()| false) }
        });
        vec![
            sweeper,
            Relay::new(self.db.clone(), subscribers).worker(RELAY_EVERY),
            figures::worker(&self.db),
            stock,
        ]
    }
}
