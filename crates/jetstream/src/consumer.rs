//! Takes events out of the stream and hands them to the module that listens.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_nats::jetstream::{
    AckKind, Message,
    consumer::{Consumer as Handle, pull},
};
use futures::{FutureExt, StreamExt, future::join_all};
use kernel::{
    call::Cx,
    metrics::Metrics,
    outbox::Envelope,
    relay::{Delivery, MAX_TRIES, Subscriber},
    trace,
    worker::{Turn, Worker},
};
use tokio::sync::Mutex;
use tracing::Instrument;

use crate::{
    backlog::Backlog,
    broker::{Away, Broker, in_time},
    topology::{self, STREAM},
};

/// Events in one delivery at most, as in the relay.
const BATCH: usize = 500;
/// And their bytes: every event is smaller, as NATS takes none above 1 MiB.
const BATCH_BYTES: usize = 8 << 20;
/// How long the server is asked to wait for a first event; a stop waits as long.
const WAIT: Duration = Duration::from_secs(1);
/// How long an unreachable server is left alone.
const PERIOD: Duration = Duration::from_millis(500);
/// How much longer an event waits after each try.
const STEP: Duration = Duration::from_millis(100);
/// The longest time until an event that could not be applied is tried again.
const MAX_PAUSE: Duration = Duration::from_secs(10);

/// Who applies events, and under which name they are published for it.
pub struct Listener {
    /// The module.
    pub module: &'static str,
    /// Its name as a consumer, for example `store_events`.
    pub name: &'static str,
    /// What applies them.
    pub subscriber: Arc<dyn Subscriber>,
}

impl std::fmt::Debug for Listener {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Listener").field(&self.name).finish()
    }
}

pub(crate) fn worker(broker: Broker, listener: Listener, metrics: &Metrics) -> Worker {
    let Listener {
        module,
        name,
        subscriber,
    } = listener;
    let consumer = Arc::new(Consumer {
        broker,
        name,
        subscriber,
        handle: Mutex::new(None),
        failing: AtomicBool::new(false),
        backlog: Backlog::new(metrics, module),
    });
    Worker::new(module, "nats", PERIOD, move || {
        let consumer = consumer.clone();
        async move {
            match consumer.turn().await {
                Ok(turn) => {
                    consumer.failing.store(false, Ordering::Relaxed);
                    Ok::<_, Away>(turn)
                }
                Err(error) => {
                    consumer.failed(&error).await;
                    Ok(Turn::Failed)
                }
            }
        }
    })
}

struct Consumer {
    broker: Broker,
    name: &'static str,
    subscriber: Arc<dyn Subscriber>,
    /// The durable, once it was seen; forgotten after a failure.
    handle: Mutex<Option<Handle<pull::Config>>>,
    /// Said once, not at every turn.
    failing: AtomicBool,
    backlog: Backlog,
}

impl Consumer {
    /// Applies what is there, or the first event that comes within [`WAIT`]. Nothing is fetched
    /// ahead, so that a replica that stops keeps nothing from the others.
    async fn turn(&self) -> Result<Turn, Away> {
        let handle = self.handle().await?;
        self.backlog.look(&handle).await?;
        let there = handle.fetch().max_messages(BATCH).max_bytes(BATCH_BYTES);
        let mut messages = taken(there.messages()).await?;
        if messages.is_empty() {
            let first = handle.batch().max_messages(1).expires(WAIT);
            messages = taken(first.messages()).await?;
        }
        if messages.is_empty() {
            return Ok(Turn::More);
        }
        self.apply(messages).await
    }

    async fn failed(&self, error: &Away) {
        self.broker.doubt();
        *self.handle.lock().await = None;
        self.backlog.forget();
        if !self.failing.swap(true, Ordering::Relaxed) {
            tracing::warn!(%error, consumer = self.name, "no events can be taken");
        }
    }

    async fn handle(&self) -> Result<Handle<pull::Config>, Away> {
        let context = self.broker.ready().await?;
        let mut known = self.handle.lock().await;
        if let Some(handle) = &*known {
            return Ok(handle.clone());
        }
        let stream = in_time(context.get_stream(STREAM)).await?;
        let config = topology::consumer(self.name);
        let handle = in_time(stream.get_or_create_consumer(self.name, config)).await?;
        Ok(known.insert(handle).clone())
    }

    /// Every message is answered: what is not done comes again after a pause, here or elsewhere.
    async fn apply(&self, messages: Vec<Message>) -> Result<Turn, Away> {
        let (mut events, mut readable) = (Vec::new(), Vec::new());
        let mut answers = Vec::with_capacity(messages.len());
        for message in messages {
            match serde_json::from_slice::<Envelope>(&message.payload) {
                Ok(event) => {
                    events.push(event);
                    readable.push(message);
                }
                Err(error) => {
                    tracing::error!(%error, subject = %message.subject, "not an event");
                    answers.push((message, Delivery::TooEarly));
                }
            }
        }
        let (outcomes, turn) = self.deliver(events).await;
        answers.extend(readable.into_iter().zip(outcomes));
        let answered = answers
            .iter()
            .map(|(message, outcome)| message.ack_with(self.answer(message, *outcome)));
        for sent in join_all(answered).await {
            sent?;
        }
        Ok(turn)
    }

    /// One outcome per event, and whether the module gave an answer at all. If not there is no
    /// pause: each event makes its own.
    async fn deliver(&self, events: Vec<Envelope>) -> (Vec<Delivery>, Turn) {
        let count = events.len();
        if count == 0 {
            return (Vec::new(), Turn::More);
        }
        let span = trace::delivery(self.name, &events);
        let cx = Cx::system();
        let delivery = self.subscriber.deliver(&cx, events);
        match delivery.instrument(span).await {
            Ok(outcomes) if outcomes.len() == count => (outcomes, Turn::More),
            Ok(_) => (vec![Delivery::TooEarly; count], Turn::Retry),
            Err(error) => {
                tracing::warn!(%error, events = count, "events were not applied");
                (vec![Delivery::TooEarly; count], Turn::Retry)
            }
        }
    }

    fn answer(&self, message: &Message, outcome: Delivery) -> AckKind {
        if outcome == Delivery::Done {
            return AckKind::Ack;
        }
        let tries = message.info().map_or(1, |info| info.delivered);
        if tries % i64::from(MAX_TRIES) == 0 {
            let sequence = message.info().map_or(0, |info| info.stream_sequence);
            tracing::error!(
                consumer = self.name,
                tries,
                sequence,
                "an event cannot be applied; it stays in the stream and is tried again"
            );
        }
        AckKind::Nak(Some(pause(tries)))
    }
}

/// The messages that the server has for one request. What has arrived before a failure counts:
/// the server takes it for handed out.
async fn taken<E: Into<async_nats::Error>>(
    request: impl Future<Output = Result<pull::Batch, E>>,
) -> Result<Vec<Message>, Away> {
    let mut batch = in_time(request).await?;
    let mut messages = Vec::new();
    loop {
        match in_time(batch.next().map(Option::transpose)).await {
            Ok(Some(message)) => messages.push(message),
            Err(error) if messages.is_empty() => return Err(error),
            Ok(None) | Err(_) => return Ok(messages),
        }
    }
}

/// 100 ms, 200 ms, 300 ms and so on: an early event soon finds its predecessor applied, and one
/// that nothing can apply is no burden.
fn pause(tries: i64) -> Duration {
    let tries = u32::try_from(tries.clamp(1, 1_000)).unwrap_or(1);
    STEP.saturating_mul(tries).min(MAX_PAUSE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_end() {
        let pauses: Vec<_> = [0, 1, 2, 100, 101, i64::MAX]
            .map(|n| pause(n).as_millis())
            .into();
        assert_eq!(pauses, [100, 100, 200, 10_000, 10_000, 10_000]);
    }
}
