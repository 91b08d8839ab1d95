//! Puts events into the stream; they are done once the server says that it has them.

use async_nats::jetstream::{Context, message::PublishMessage};
use async_trait::async_trait;
use futures::future::join_all;
use kernel::{
    call::{Cx, NoAnswer},
    outbox::Envelope,
    relay::{Delivery, Subscriber},
};
use tokio::time::timeout_at;

use crate::{broker::Broker, topology::subject};

#[derive(Debug)]
pub(crate) struct Publisher {
    broker: Broker,
    consumer: &'static str,
}

impl Publisher {
    pub(crate) fn new(broker: Broker, consumer: &'static str) -> Self {
        Self { broker, consumer }
    }

    /// `None` where the server did not say that it has the event.
    async fn publish(&self, context: &Context, event: &Envelope) -> Option<()> {
        let payload = serde_json::to_vec(event).ok()?;
        let message = PublishMessage::build()
            // The same event for another consumer is another message.
            .message_id(format!("{}:{}", event.event_id, self.consumer))
            .payload(payload.into());
        let subject = subject(self.consumer, &event.aggregate_type);
        let stored = async { context.send_publish(subject, message).await?.await };
        match stored.await {
            Ok(_) => Some(()),
            Err(error) => {
                tracing::warn!(%error, event_id = %event.event_id, "NATS did not take an event");
                None
            }
        }
    }
}

#[async_trait]
impl Subscriber for Publisher {
    /// All at once: the server acknowledges each by itself.
    async fn deliver(&self, cx: &Cx, events: Vec<Envelope>) -> Result<Vec<Delivery>, NoAnswer> {
        let no_answer = |reason: String| NoAnswer::new(self.consumer, "publish", reason);
        let context = self.broker.ready().await;
        let context = context.map_err(|e| no_answer(e.to_string()))?;
        let publish = |event| timeout_at(cx.deadline, self.publish(context, event));
        let stored = join_all(events.iter().map(publish)).await;
        let outcomes: Vec<Delivery> = stored
            .into_iter()
            .map(|stored| match stored {
                Ok(Some(())) => Delivery::Done,
                Ok(None) | Err(_) => Delivery::TooEarly,
            })
            .collect();
        if outcomes.contains(&Delivery::TooEarly) {
            self.broker.doubt();
        }
        if outcomes.contains(&Delivery::Done) {
            return Ok(outcomes);
        }
        Err(no_answer(
            "NATS has acknowledged none of the events".to_owned(),
        ))
    }
}
