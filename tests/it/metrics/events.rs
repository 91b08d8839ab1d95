//! What becomes of events on their way, and of the passes of a loop.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use kernel::{
    call::{Cx, NoAnswer},
    db::{Db, DbError},
    figures,
    outbox::{self, Envelope},
    relay::{Delivery, Relay, Subscriber},
    worker::Worker,
};
use testkit::TestDb;
use tokio::sync::watch;

use super::Scrape;
use crate::{
    app::prepare,
    books::soon,
    relay::{db_of, recorded},
};

/// Says the same of every event, or nothing.
struct Says(Option<Delivery>);

#[async_trait]
impl Subscriber for Says {
    async fn deliver(&self, _: &Cx, events: Vec<Envelope>) -> Result<Vec<Delivery>, NoAnswer> {
        let away = NoAnswer::new("events", "deliver", "away");
        self.0.map(|said| vec![said; events.len()]).ok_or(away)
    }
}

async fn publish(db: &Db, events: Vec<Envelope>) {
    let publish = db.transaction(move |conn| outbox::publish(conn, &events).map_err(DbError::from));
    publish.await.unwrap();
}

#[actix_web::test]
async fn every_event_that_is_handed_over_has_its_outcome() {
    let data = TestDb::from_template(prepare);
    let db = db_of(&data, "sales");
    publish(&db, vec![recorded(), recorded()]).await;
    let outcomes = || {
        let scrape = Scrape::alone(db.metrics());
        let of = |outcome| scrape.value("comptoir_relay_events_total", &[("outcome", outcome)]);
        ["delivered", "refused", "unanswered"].map(of)
    };
    for (said, expected) in [
        (None, [0.0, 0.0, 2.0]),
        (Some(Delivery::TooEarly), [0.0, 2.0, 2.0]),
        (Some(Delivery::Done), [2.0, 2.0, 2.0]),
    ] {
        let relay = Relay::new(db.clone(), vec![Arc::new(Says(said))]);
        relay.run_once().await.unwrap();
        assert_eq!(outcomes(), expected, "{said:?}");
        // As if the time until the next try had passed.
        data.execute("UPDATE sales.outbox SET next_try_at = now()");
    }
}

#[actix_web::test]
async fn what_waits_and_what_is_parked_is_counted_apart() {
    let data = TestDb::from_template(prepare);
    let db = db_of(&data, "sales");
    let (first, other) = (recorded(), recorded());
    let second = Envelope {
        event_id: uuid::Uuid::now_v7(),
        seq: 2,
        ..first.clone()
    };
    let parked = first.aggregate_id;
    publish(&db, vec![first, second, other]).await;
    data.execute(&format!(
        "UPDATE sales.outbox SET parked_at = now() WHERE aggregate_id = '{parked}'; \
         UPDATE sales.outbox SET recorded_at = now() - interval '1 hour'"
    ));
    let (_stop, stopped) = watch::channel(false);
    let _running = figures::worker(&db).spawn(stopped, db.metrics());
    let figure =
        |name: &str| Scrape::alone(db.metrics()).get(&format!("comptoir_outbox_{name}"), &[]);
    soon("they are gathered", || {
        figure("parked_aggregates").is_some()
    })
    .await;
    assert_eq!(figure("waiting"), Some(1.0));
    assert_eq!(figure("parked_events"), Some(2.0));
    assert_eq!(figure("parked_aggregates"), Some(1.0));
    let oldest = figure("oldest_age_seconds").unwrap();
    assert!((3_600.0..7_200.0).contains(&oldest), "{oldest}");
}

#[actix_web::test]
async fn a_pass_that_failed_is_not_the_last_one() {
    let metrics = kernel::metrics::Metrics::default();
    let (stop, stopped) = watch::channel(false);
    let mut failed = false;
    // One pass fails, and every later one does not.
    let work = move || {
        let result = if failed { Ok(false) } else { Err("on purpose") };
        failed = true;
        std::future::ready(result)
    };
    let worker = Worker::new("sales", "flaky", Duration::from_millis(1), work);
    let running = worker.spawn(stopped, &metrics);
    let value = |name: &str, labels: &[(&str, &str)]| {
        Scrape::alone(&metrics).value(&format!("comptoir_worker_{name}"), labels)
    };
    let runs = |outcome| value("runs_total", &[("worker", "flaky"), ("outcome", outcome)]);
    let last = || value("last_run_timestamp_seconds", &[]);
    assert_eq!((runs("failed"), last()), (0.0, 0.0));
    soon("it fails once", || runs("failed") == 1.0).await;
    soon("then it runs", || runs("ok") >= 1.0 && last() > 1.6e9).await;
    stop.send(true).unwrap();
    running.await.unwrap();
    assert_eq!(runs("failed"), 1.0);
    assert_eq!(value("run_duration_seconds_count", &[]), runs("ok") + 1.0);
}
