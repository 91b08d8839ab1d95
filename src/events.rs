//! How events reach a module in another process: over HTTP, or through JetStream.

use std::sync::Arc;

use jetstream::Broker;
use kernel::{
    peer::Peer,
    relay::{Subscriber, SubscriberClient},
    worker::Worker,
};

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
    pub fn to(&self, consumer: &'static str, peer: Peer) -> Arc<dyn Subscriber> {
        match &self.broker {
            Some(broker) if !self.drain => broker.publisher(consumer),
            _ => Arc::new(SubscriberClient::new(consumer, peer)),
        }
    }

    /// Takes what was published for the consumer of this name, which runs here. Wherever there is
    /// a broker, also where all who publish run here: they did not before a module was moved.
    pub fn worker(
        &self,
        consumer: &'static str,
        subscriber: &Arc<dyn Subscriber>,
    ) -> Option<Worker> {
        let broker = self.broker.as_ref()?;
        Some(broker.worker(consumer, subscriber.clone()))
    }
}
