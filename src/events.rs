//! How events reach a module in another process: over HTTP, or through JetStream.

use std::sync::Arc;

use jetstream::{Broker, Listener};
use kernel::{
    call::Local,
    metrics::Metrics,
    peer::Peer,
    relay::{Subscriber, SubscriberClient},
};

use crate::process::{Module, Process};

/// The way of events between processes. By default they go over HTTP.
#[derive(Debug, Clone, Default)]
pub struct Events {
    /// Where events are published to and taken from; `None` is HTTP.
    pub broker: Option<Broker>,
    /// Publish over HTTP all the same, and only take what the broker still has.
    pub drain: bool,
}

impl Events {
    /// Reaches the consumer of this name at `peer`.
    pub(crate) fn to(
        &self,
        consumer: &'static str,
        peer: Peer,
        metrics: &Metrics,
    ) -> Arc<dyn Subscriber> {
        match &self.broker {
            Some(broker) if !self.drain => {
                Arc::new(Local::new(consumer, broker.publisher(consumer), metrics).by("nats"))
            }
            _ => Arc::new(SubscriberClient::new(consumer, peer)),
        }
    }

    /// Takes what was published for the consumer of this name, which runs here. Wherever there is
    /// a broker, also where all who publish run here: they did not before a module was moved.
    pub fn listen(
        &self,
        module: Module,
        consumer: &'static str,
        subscriber: &Arc<dyn Subscriber>,
        process: &mut Process,
    ) {
        if let Some(broker) = &self.broker {
            let listener = Listener {
                module: module.name(),
                name: consumer,
                subscriber: subscriber.clone(),
            };
            let worker = broker.worker(listener, &process.metrics);
            process.workers_mut().push(worker);
        }
    }
}
