//! Events leave a module in the same transaction as the change they report.

use chrono::{DateTime, Utc};
use diesel::{PgConnection, QueryResult, RunQueryDsl, sql_types};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;
use uuid::Uuid;

use crate::{
    ids::UserId,
    statement,
    trace::{self, Traceparent},
};

/// A fact that one module publishes. The name is versioned: `sale.recorded.v1`.
pub trait Event: Serialize + DeserializeOwned {
    /// Its name.
    const TYPE: &'static str;
    /// What it happened to, for example `sale`.
    const AGGREGATE: &'static str;
}

/// An event as it travels.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Envelope {
    /// Unique; the same at every delivery.
    pub event_id: Uuid,
    /// For example `sale`.
    pub aggregate_type: String,
    /// Which one.
    pub aggregate_id: Uuid,
    /// 1, 2, 3 … per aggregate, without gaps.
    pub seq: i64,
    /// For example `sale.recorded.v1`.
    pub event_type: String,
    /// The event itself.
    pub payload: Value,
    /// Who caused it.
    pub actor_id: UserId,
    /// When it was written.
    pub recorded_at: DateTime<Utc>,
    /// The trace of the request that caused it (W3C `traceparent`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
}

impl Envelope {
    /// An event about one aggregate. `seq` is given under that aggregate's row lock.
    ///
    /// # Errors
    ///
    /// When the event cannot be serialised, which none of ours can bring about.
    pub fn new<E: Event>(
        aggregate_id: Uuid,
        seq: i64,
        actor_id: UserId,
        event: &E,
    ) -> QueryResult<Self> {
        let payload = serde_json::to_value(event)
            .map_err(|e| diesel::result::Error::SerializationError(Box::new(e)))?;
        Ok(Self {
            event_id: Uuid::now_v7(),
            aggregate_type: E::AGGREGATE.to_owned(),
            aggregate_id,
            seq,
            event_type: E::TYPE.to_owned(),
            payload,
            actor_id,
            recorded_at: crate::time::now(),
            traceparent: trace::current().map(|trace| trace.to_string()),
        })
    }

    /// Caused by a request that this moment is not part of, because it was waiting in a queue.
    #[must_use]
    pub fn caused_by(mut self, trace: Option<Traceparent>) -> Self {
        self.traceparent = trace.map(|trace| trace.to_string());
        self
    }

    /// The event, if it is an `E`. `None` for another type, or a payload that does not fit.
    pub fn decode<E: Event>(&self) -> Option<E> {
        (self.event_type == E::TYPE)
            .then(|| serde_json::from_value(self.payload.clone()).ok())
            .flatten()
    }
}

statement! {
    struct Insert<'a> {
        event_ids: Vec<Uuid> => sql_types::Array<sql_types::Uuid>,
        aggregate_types: Vec<&'a str> => sql_types::Array<sql_types::Text>,
        aggregate_ids: Vec<Uuid> => sql_types::Array<sql_types::Uuid>,
        seqs: Vec<i64> => sql_types::Array<sql_types::BigInt>,
        types: Vec<&'a str> => sql_types::Array<sql_types::Text>,
        payloads: Vec<&'a Value> => sql_types::Array<sql_types::Jsonb>,
        actors: Vec<UserId> => sql_types::Array<sql_types::Uuid>,
        times: Vec<DateTime<Utc>> => sql_types::Array<sql_types::Timestamptz>,
        traces: Vec<Option<&'a str>> => sql_types::Array<sql_types::Nullable<sql_types::Text>>,
    }
    "INSERT INTO outbox (event_id, aggregate_type, aggregate_id, seq, event_type, payload, actor_id, recorded_at, traceparent) \
     SELECT * FROM unnest({}, {}, {}, {}, {}, {}, {}, {}, {})"
}

/// Stores `events` for delivery after the caller's transaction commits, at least once.
///
/// # Errors
///
/// As any insert; an aggregate's `seq` used twice is a unique violation.
pub fn publish(conn: &mut PgConnection, events: &[Envelope]) -> QueryResult<()> {
    if events.is_empty() {
        return Ok(());
    }
    Insert {
        event_ids: events.iter().map(|e| e.event_id).collect(),
        aggregate_types: events.iter().map(|e| e.aggregate_type.as_str()).collect(),
        aggregate_ids: events.iter().map(|e| e.aggregate_id).collect(),
        seqs: events.iter().map(|e| e.seq).collect(),
        types: events.iter().map(|e| e.event_type.as_str()).collect(),
        payloads: events.iter().map(|e| &e.payload).collect(),
        actors: events.iter().map(|e| e.actor_id).collect(),
        times: events.iter().map(|e| e.recorded_at).collect(),
        traces: events.iter().map(|e| e.traceparent.as_deref()).collect(),
    }
    .execute(conn)
    .map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn older_versions_send_and_take_events_without_a_trace() {
        let old = serde_json::json!({"event_id": Uuid::nil(), "aggregate_type": "sale",
            "aggregate_id": Uuid::nil(), "seq": 1, "event_type": "sale.recorded.v1",
            "payload": {}, "actor_id": Uuid::nil(), "recorded_at": "2026-01-01T00:00:00Z"});
        let read: Envelope = serde_json::from_value(old.clone()).unwrap();
        assert_eq!(read.traceparent, None);
        assert_eq!(serde_json::to_value(&read).unwrap(), old);
    }
}
