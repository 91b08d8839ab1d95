//! The one stream, its subjects and its consumers. Whoever comes first makes them; what is there
//! is left as it is, so that an operator may change limits and replicas.

use std::time::Duration;

use async_nats::jetstream::{
    consumer::{AckPolicy, DeliverPolicy, pull},
    stream::{Config, DiscardPolicy, RetentionPolicy, StorageType},
};

/// The stream that holds every event until its consumer has applied it.
pub const STREAM: &str = "COMPTOIR_EVENTS";

/// Bytes of events that may wait. Beyond that the server refuses, and events wait in the outbox.
const MAX_BYTES: i64 = 1 << 30;
/// Within this time an event that is published again is stored once.
const DUPLICATE_WINDOW: Duration = Duration::from_secs(120);
/// After this long without a word of a consumer, its events go to another replica of it. Longer
/// than any transaction that applies them may run.
const ACK_WAIT: Duration = Duration::from_secs(30);
/// Events handed out and not yet acknowledged, over all replicas of a consumer.
const MAX_ACK_PENDING: i64 = 2_000;

/// Where events about an aggregate are put that `consumer` shall apply.
pub fn subject(consumer: &str, aggregate_type: &str) -> String {
    format!("comptoir.events.{consumer}.{aggregate_type}")
}

/// A work queue: an event stays until its consumer acknowledges it, even where that consumer was
/// never seen yet, and new events are refused rather than old ones dropped.
pub(crate) fn stream() -> Config {
    Config {
        name: STREAM.to_owned(),
        description: Some("Events between modules, until they are applied".to_owned()),
        subjects: vec!["comptoir.events.>".to_owned()],
        retention: RetentionPolicy::WorkQueue,
        discard: DiscardPolicy::New,
        max_bytes: MAX_BYTES,
        storage: StorageType::File,
        duplicate_window: DUPLICATE_WINDOW,
        num_replicas: 1,
        ..Config::default()
    }
}

/// One durable per consumer, shared by its replicas. An event is tried without end: there is no
/// count after which the server would set it aside unseen.
pub(crate) fn consumer(name: &str) -> pull::Config {
    pull::Config {
        durable_name: Some(name.to_owned()),
        filter_subject: subject(name, ">"),
        deliver_policy: DeliverPolicy::All,
        ack_policy: AckPolicy::Explicit,
        ack_wait: ACK_WAIT,
        max_deliver: -1,
        max_ack_pending: MAX_ACK_PENDING,
        ..pull::Config::default()
    }
}
