//! A module's change feed: its events in one order that never changes, for whoever copies them.
//!
//! The place of an event is given by the relay's first lease (see [`relay`](crate::relay)), one
//! lease at a time and after the event was committed. So when a reader has seen place n, no smaller
//! one can appear any more: going on from the last place that was read misses nothing.

use chrono::{DateTime, Utc};
use diesel::{QueryableByName, RunQueryDsl, sql_types};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::{
    db::{Db, DbError},
    ids::UserId,
    page::Limit,
    problem::Problem,
    statement,
};

/// Where to go on reading.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ReadFeed {
    /// Only what stands behind this place: `last` of the answer before, 0 to begin with.
    #[serde(default, deserialize_with = "place")]
    #[param(default = 0, minimum = 0)]
    after: i64,
    /// How many events at most.
    #[param(inline)]
    limit: Option<Limit>,
}

fn place<'de, D: Deserializer<'de>>(d: D) -> Result<i64, D::Error> {
    match i64::deserialize(d)? {
        n @ 0.. => Ok(n),
        _ => Err(serde::de::Error::custom("must be 0 or greater")),
    }
}

/// A part of the feed.
#[derive(Debug, Serialize, ToSchema)]
pub struct Feed {
    /// The events, in the order of their places.
    items: Vec<FeedEvent>,
    /// Pass it as `after` to go on; `after` itself where there is nothing new.
    last: i64,
}

/// A fact that the module publishes.
#[derive(Debug, Serialize, QueryableByName, ToSchema)]
pub struct FeedEvent {
    /// Its place in the feed; later events have greater ones, with gaps.
    #[diesel(sql_type = sql_types::BigInt)]
    position: i64,
    /// Unique, and the same wherever the event is seen.
    #[diesel(sql_type = sql_types::Uuid)]
    event_id: Uuid,
    /// What happened, with its version.
    #[diesel(sql_type = sql_types::Text)]
    #[schema(example = "sale.recorded.v1")]
    event_type: String,
    /// The kind of thing that it happened to.
    #[diesel(sql_type = sql_types::Text)]
    #[schema(example = "sale")]
    aggregate_type: String,
    /// To which of them.
    #[diesel(sql_type = sql_types::Uuid)]
    aggregate_id: Uuid,
    /// 1, 2, 3 … per thing, without gaps.
    #[diesel(sql_type = sql_types::BigInt)]
    seq: i64,
    /// Who caused it.
    #[diesel(sql_type = sql_types::Uuid)]
    actor_id: UserId,
    /// When it was written.
    #[diesel(sql_type = sql_types::Timestamptz)]
    recorded_at: DateTime<Utc>,
    /// The event itself.
    #[diesel(sql_type = sql_types::Jsonb)]
    #[schema(value_type = Object)]
    payload: Value,
}

statement! {
    struct Read { after: i64 => sql_types::BigInt, limit: i64 => sql_types::BigInt }
    "SELECT * FROM outbox WHERE position > {} ORDER BY position LIMIT {}"
}

/// The events behind a place.
///
/// # Errors
///
/// 503 when the database cannot be used.
pub async fn read(db: &Db, query: ReadFeed) -> Result<Feed, Problem> {
    let ReadFeed { after, limit } = query;
    let limit = limit.unwrap_or_default().get();
    let items: Vec<FeedEvent> = db
        .run(move |conn| {
            Read { after, limit }
                .get_results(conn)
                .map_err(DbError::from)
        })
        .await
        .map_err(|e| Problem::from(&e))?;
    let last = items.last().map_or(after, |event| event.position);
    Ok(Feed { items, last })
}
