//! Delivers a module's outbox to the modules that listen, at least once, in order per aggregate.
//!
//! A batch is leased, delivered outside any transaction, and marked. Several replicas may run a
//! relay: `SKIP LOCKED` keeps their leases apart, and a consumer puts what overtook back in order
//! by `seq` (see [`inbox`](crate::inbox)).

use std::{sync::Arc, time::Duration};

use actix_web::Scope;
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use diesel::{PgConnection, QueryResult, QueryableByName, RunQueryDsl, sql_types};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tracing::Instrument;
use uuid::Uuid;

use crate::{
    call::{Cx, Local, NoAnswer, Serve},
    db::{Db, DbError},
    ids::UserId,
    metrics::{Counter, RelayMeter},
    outbox::Envelope,
    peer::{Peer, Remote},
    statement, trace,
    worker::Worker,
};

/// Events in one delivery at most.
const BATCH: i64 = 500;
/// A delivery that got no answer is tried again after this long.
const LEASE_SECONDS: f64 = 10.0;
/// After so many refusals the event is parked: it waits for a person, and a metric says so. A
/// consumer that gave no answer refused nothing, however long it is away.
pub const MAX_TRIES: i32 = 20;

/// What a consumer did with one event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Delivery {
    /// Its effect is committed, now or at an earlier delivery, or it is of no interest.
    Done,
    /// An earlier event of the aggregate is missing: deliver again later.
    TooEarly,
}

/// A module that listens to another one's events.
#[async_trait]
pub trait Subscriber: Send + Sync {
    /// Applies `events`, each at most once, and says for each what became of it.
    async fn deliver(&self, cx: &Cx, events: Vec<Envelope>) -> Result<Vec<Delivery>, NoAnswer>;
}

/// Reaches a [`Subscriber`] in another process.
#[derive(Debug)]
pub struct SubscriberClient(Remote);

impl SubscriberClient {
    /// `port` names the consumer, for example `store_events`.
    pub fn new(port: &'static str, peer: Peer) -> Self {
        Self(Remote::new(port, peer))
    }
}

#[async_trait]
impl Subscriber for SubscriberClient {
    async fn deliver(&self, cx: &Cx, events: Vec<Envelope>) -> Result<Vec<Delivery>, NoAnswer> {
        self.0.ask("deliver", cx, &events).await
    }
}

#[async_trait]
impl Subscriber for Local<dyn Subscriber> {
    async fn deliver(&self, cx: &Cx, events: Vec<Envelope>) -> Result<Vec<Delivery>, NoAnswer> {
        self.ask("deliver", self.port().deliver(cx, events)).await
    }
}

/// Offers `subscriber` to other processes. Mounted on the internal listener only.
pub fn serve(port: &'static str, subscriber: Arc<dyn Subscriber>) -> Scope {
    Serve::new(port, subscriber)
        .ask("deliver", |subscriber, cx, events| async move {
            subscriber.deliver(&cx, events).await
        })
        .into_scope()
}

/// A module's outbox and who listens to it.
#[derive(Clone)]
pub struct Relay {
    db: Db,
    subscribers: Vec<Arc<dyn Subscriber>>,
    meter: RelayMeter,
}

impl Relay {
    /// A relay of the outbox in `db`'s schema.
    pub fn new(db: Db, subscribers: Vec<Arc<dyn Subscriber>>) -> Self {
        Self {
            meter: RelayMeter::new(db.metrics(), db.module()),
            db,
            subscribers,
        }
    }

    /// The loop that delivers; `period`: how often the outbox is looked at while it is empty.
    pub fn worker(self, period: Duration) -> Worker {
        Worker::new(self.db.module(), "relay", period, move || {
            let relay = self.clone();
            async move { relay.run_once().await.map(|delivered| delivered > 0) }
        })
    }

    /// Delivers what is waiting; answers how many events were delivered to everyone.
    ///
    /// # Errors
    ///
    /// When the outbox itself cannot be read or marked.
    pub async fn run_once(&self) -> Result<usize, DbError> {
        let events: Vec<Envelope> = self
            .db
            .transaction(|conn| Ok::<_, DbError>(lease(conn)?))
            .await?
            .into_iter()
            .map(Envelope::from)
            .collect();
        if events.is_empty() {
            return Ok(0);
        }
        let span = trace::delivery(&format!("relay of {}", self.db.module()), &events);
        let mut done = vec![true; events.len()];
        let mut refused = vec![false; events.len()];
        for subscriber in &self.subscribers {
            let mut cx = Cx::system();
            cx.deadline = tokio::time::Instant::now() + Duration::from_secs(5);
            let delivery = subscriber.deliver(&cx, events.clone());
            match delivery.instrument(span.clone()).await {
                Ok(outcomes) if outcomes.len() == events.len() => {
                    for ((done, refused), outcome) in
                        done.iter_mut().zip(&mut refused).zip(outcomes)
                    {
                        *done &= outcome == Delivery::Done;
                        *refused |= outcome == Delivery::TooEarly;
                    }
                }
                Ok(_) => done.fill(false),
                Err(error) => {
                    tracing::warn!(%error, events = events.len(), "events were not delivered");
                    done.fill(false);
                }
            }
        }
        let where_set = |flags: &[bool]| -> Vec<Uuid> {
            let marked = events.iter().zip(flags).filter(|(_, set)| **set);
            marked.map(|(event, _)| event.event_id).collect()
        };
        let (delivered, refused) = (where_set(&done), where_set(&refused));
        let count = delivered.len();
        self.count(events.len(), count, refused.len());
        self.db
            .run(move |conn| mark(conn, &delivered, &refused).map_err(DbError::from))
            .await?;
        Ok(count)
    }

    fn count(&self, all: usize, delivered: usize, refused: usize) {
        let add = |counter: &Counter, n: usize| counter.inc_by(u64::try_from(n).unwrap_or(0));
        add(&self.meter.delivered, delivered);
        add(&self.meter.refused, refused);
        let rest = all.saturating_sub(delivered).saturating_sub(refused);
        add(&self.meter.unanswered, rest);
    }
}

impl std::fmt::Debug for Relay {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Relay")
            .field("subscribers", &self.subscribers.len())
            .finish_non_exhaustive()
    }
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = sql_types::Uuid)]
    event_id: Uuid,
    #[diesel(sql_type = sql_types::Text)]
    aggregate_type: String,
    #[diesel(sql_type = sql_types::Uuid)]
    aggregate_id: Uuid,
    #[diesel(sql_type = sql_types::BigInt)]
    seq: i64,
    #[diesel(sql_type = sql_types::Text)]
    event_type: String,
    #[diesel(sql_type = sql_types::Jsonb)]
    payload: Value,
    #[diesel(sql_type = sql_types::Uuid)]
    actor_id: UserId,
    #[diesel(sql_type = sql_types::Timestamptz)]
    recorded_at: DateTime<Utc>,
    #[diesel(sql_type = sql_types::Nullable<sql_types::Text>)]
    traceparent: Option<String>,
}

impl From<Row> for Envelope {
    fn from(row: Row) -> Self {
        let Row {
            event_id,
            aggregate_type,
            aggregate_id,
            seq,
            event_type,
            payload,
            actor_id,
            recorded_at,
            traceparent,
        } = row;
        Self {
            event_id,
            aggregate_type,
            aggregate_id,
            seq,
            event_type,
            payload,
            actor_id,
            recorded_at,
            traceparent,
        }
    }
}

statement! {
    struct Lease {
        limit: i64 => sql_types::BigInt,
        lease_seconds: f64 => sql_types::Double,
    }
    // By row address, so that a plan made while the outbox was empty cannot turn into a join over
    // all that was ever published. An event's first lease gives it its place in the change feed.
    "WITH due AS MATERIALIZED (SELECT ARRAY( \
             SELECT ctid FROM outbox \
             WHERE published_at IS NULL AND parked_at IS NULL AND next_try_at <= now() \
             ORDER BY recorded_at, aggregate_id, seq LIMIT {} FOR UPDATE SKIP LOCKED) AS rows, \
             (SELECT coalesce(max(position), 0) FROM outbox) AS last), \
         leased AS ( \
         UPDATE outbox SET next_try_at = now() + make_interval(secs => {}), \
             position = coalesce(position, (SELECT last FROM due) \
                 + array_position((SELECT rows FROM due), outbox.ctid)) \
         WHERE ctid = ANY((SELECT rows FROM due)::tid[]) \
         RETURNING *) \
     SELECT * FROM leased ORDER BY recorded_at, aggregate_id, seq"
}

statement! {
    struct OneAtATime {}
    "SELECT pg_advisory_xact_lock(hashtext(current_schema() || '.outbox'))"
}

/// One lease at a time, each seeing the one before: so no event comes to stand before another one
/// that a reader of the feed has had already.
fn lease(conn: &mut PgConnection) -> QueryResult<Vec<Row>> {
    OneAtATime {}.execute(conn)?;
    Lease {
        limit: BATCH,
        lease_seconds: LEASE_SECONDS,
    }
    .get_results(conn)
}

statement! {
    struct Mark<'a> {
        delivered: &'a [Uuid] => sql_types::Array<sql_types::Uuid>,
        max_tries: i32 => sql_types::Integer,
        refused: &'a [Uuid] => sql_types::Array<sql_types::Uuid>,
    }
    "WITH published AS ( \
         UPDATE outbox SET published_at = now() WHERE event_id = ANY({}) RETURNING 1) \
     UPDATE outbox SET tries = tries + 1, \
         parked_at = CASE WHEN tries + 1 >= {} THEN now() END \
     WHERE event_id = ANY({}) AND published_at IS NULL AND parked_at IS NULL"
}

fn mark(conn: &mut PgConnection, delivered: &[Uuid], refused: &[Uuid]) -> QueryResult<()> {
    Mark {
        delivered,
        max_tries: MAX_TRIES,
        refused,
    }
    .execute(conn)
    .map(drop)
}
