//! Figures about a module's database, gathered in the background so that a scrape waits for none.
//!
//! Every replica gathers them, and all say the same, by a connection of its own: they are to be seen
//! while the pool is exhausted. While the database gives no answer the figures are taken away: an old
//! one would look like a good one.

use std::{pin::pin, time::Duration};

use diesel::{QueryableByName, RunQueryDsl, sql_types};
use tokio::time::timeout;

use crate::{
    db::{Db, DbError},
    metrics::{Family, Gauge, Metrics, number},
    statement,
    worker::Worker,
};

/// How often they are gathered.
pub const EVERY: Duration = Duration::from_secs(5);
/// Nothing is counted further than this: counting must not become work itself.
pub const COUNTED: i64 = 100_000;

#[derive(QueryableByName)]
struct Waiting {
    #[diesel(sql_type = sql_types::BigInt)]
    waiting: i64,
    #[diesel(sql_type = sql_types::Double)]
    oldest_seconds: f64,
    #[diesel(sql_type = sql_types::BigInt)]
    parked_events: i64,
    #[diesel(sql_type = sql_types::BigInt)]
    parked_aggregates: i64,
}

statement! {
    struct Read { most: i64 => sql_types::BigInt }
    "WITH waiting AS ( \
         SELECT recorded_at FROM outbox WHERE published_at IS NULL AND parked_at IS NULL \
         ORDER BY recorded_at, aggregate_id, seq LIMIT {}), \
     parked AS (SELECT aggregate_id FROM outbox WHERE parked_at IS NOT NULL LIMIT $1) \
     SELECT (SELECT count(*) FROM waiting) AS waiting, \
         greatest(0, coalesce(extract(epoch FROM now() - (SELECT min(recorded_at) FROM waiting)), 0)) \
             ::float8 AS oldest_seconds, \
         (SELECT count(*) FROM parked) AS parked_events, \
         (SELECT count(DISTINCT aggregate_id) FROM parked) AS parked_aggregates"
}

/// Awaits what was asked of a database. Where it takes longer than figures may be old, `missing` is
/// called meanwhile: a connection that lost its other end says nothing for a quarter of an hour.
pub async fn awaited<T>(read: impl Future<Output = T>, missing: impl FnOnce()) -> T {
    within(EVERY, read, missing).await
}

async fn within<T>(time: Duration, read: impl Future<Output = T>, missing: impl FnOnce()) -> T {
    let mut read = pin!(read);
    match timeout(time, read.as_mut()).await {
        Ok(found) => found,
        Err(_late) => {
            missing();
            read.await
        }
    }
}

/// What is shown of one module's database.
#[derive(Clone)]
struct Shown {
    module: &'static str,
    up: Gauge,
    outbox: [Family<Gauge, 1>; 4],
}

impl Shown {
    fn new(metrics: &Metrics, module: &'static str) -> Self {
        let gauge = |name, help| metrics.gauge(name, help, ["module"]);
        let up = gauge(
            "comptoir_database_up",
            "Whether the database gives its figures within 5 s",
        );
        let outbox = [
            gauge(
                "comptoir_outbox_waiting",
                "Events that are still to be delivered, parked ones apart; counted up to 100,000",
            ),
            gauge(
                "comptoir_outbox_oldest_age_seconds",
                "Age of the oldest of them; 0 when there is none",
            ),
            gauge(
                "comptoir_outbox_parked_events",
                "Events that were refused 20 times and wait for a person",
            ),
            gauge(
                "comptoir_outbox_parked_aggregates",
                "Things whose later events cannot be delivered because of them",
            ),
        ];
        let up = up.with([module]);
        Self { module, up, outbox }
    }

    fn set(&self, found: Option<&Waiting>) {
        self.up.set(if found.is_some() { 1.0 } else { 0.0 });
        let figures = found.map(|found| {
            [
                number(found.waiting),
                found.oldest_seconds,
                number(found.parked_events),
                number(found.parked_aggregates),
            ]
        });
        for (n, gauge) in self.outbox.iter().enumerate() {
            gauge.set([self.module], figures.and_then(|f| f.get(n).copied()));
        }
    }
}

/// Gathers the figures of every module's database: its outbox, and whether it answers at all.
pub fn worker(db: &Db) -> Worker {
    let (db, module) = (db.clone(), db.module());
    let shown = Shown::new(db.metrics(), module);
    Worker::new(module, "figures", EVERY, move || {
        let (db, shown) = (db.clone(), shown.clone());
        async move {
            let read = db.run_beside(|conn| {
                Read { most: COUNTED }
                    .get_result(conn)
                    .map_err(DbError::from)
            });
            let found: Result<Waiting, DbError> = awaited(read, || shown.set(None)).await;
            shown.set(found.as_ref().ok());
            found.map(|_| false)
        }
    })
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test]
    async fn what_takes_too_long_is_missing_until_it_comes() {
        let at_once = awaited(async { 1 }, || panic!("it is there")).await;
        assert_eq!(at_once, 1);
        // It comes only after it was found missing.
        let (say, said) = oneshot::channel();
        let late = within(Duration::from_millis(1), said, || say.send(2).unwrap());
        assert_eq!(late.await, Ok(2));
    }
}
