//! Figures about a module's database, gathered in the background so that a scrape waits for none.
//!
//! Every replica gathers them, and all say the same. While the database gives no answer the figures
//! are taken away: an old one would look like a good one.

use std::time::Duration;

use diesel::{QueryableByName, RunQueryDsl, sql_types};

use crate::{
    db::{Db, DbError},
    metrics::{Family, Gauge},
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

/// Gathers the figures of every module's database: its outbox, and whether it answers at all.
pub fn worker(db: &Db) -> Worker {
    let (db, module) = (db.clone(), db.module());
    let gauge = |name, help| db.metrics().gauge(name, help, ["module"]);
    let up = gauge(
        "comptoir_database_up",
        "Whether the last gathering of figures got its answer",
    )
    .with([module]);
    let waiting = gauge(
        "comptoir_outbox_waiting",
        "Events that are still to be delivered, parked ones apart; counted up to 100,000",
    );
    let oldest = gauge(
        "comptoir_outbox_oldest_age_seconds",
        "Age of the oldest of them; 0 when there is none",
    );
    let events = gauge(
        "comptoir_outbox_parked_events",
        "Events that were refused 20 times and wait for a person",
    );
    let aggregates = gauge(
        "comptoir_outbox_parked_aggregates",
        "Things whose later events cannot be delivered because of them",
    );
    Worker::new(module, "figures", EVERY, move || {
        let (db, up) = (db.clone(), up.clone());
        let gauges = [&waiting, &oldest, &events, &aggregates].map(Clone::clone);
        async move {
            let read = db.run(|conn| {
                Read { most: COUNTED }
                    .get_result(conn)
                    .map_err(DbError::from)
            });
            let found: Result<Waiting, DbError> = read.await;
            up.set(if found.is_ok() { 1.0 } else { 0.0 });
            let figures = found.as_ref().ok().map(|found| {
                [
                    number(found.waiting),
                    found.oldest_seconds,
                    number(found.parked_events),
                    number(found.parked_aggregates),
                ]
            });
            for (n, gauge) in gauges.iter().enumerate() {
                set(gauge, [module], figures.and_then(|f| f.get(n).copied()));
            }
            found.map(|_| false)
        }
    })
}

/// Sets a gauge, or takes it away where there is no figure.
pub fn set<const N: usize>(
    gauge: &Family<Gauge, N>,
    labels: [&'static str; N],
    figure: Option<f64>,
) {
    match figure {
        Some(figure) => {
            gauge.with(labels).set(figure);
        }
        None => gauge.without(labels),
    }
}

/// A count as a gauge has it.
pub fn number(count: i64) -> f64 {
    let high = i32::try_from(count >> 32).map_or(0.0, f64::from);
    let low = u32::try_from(count & 0xffff_ffff).map_or(0.0, f64::from);
    high * 4_294_967_296.0 + low
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_count_is_a_number() {
        for count in [0, 1, 4_294_967_295, 4_294_967_296, 1_000_000_000_000, -1] {
            assert_eq!(format!("{:.0}", number(count)), count.to_string());
        }
    }
}
