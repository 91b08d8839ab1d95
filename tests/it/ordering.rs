//! Replicas of one consumer of a real NATS JetStream: each aggregate's events are applied in order,
//! in whatever order they come and to whichever replica.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use diesel::{RunQueryDsl, sql_query, sql_types};
use futures::future::join_all;
use jetstream::{Broker, Listener};
use kernel::{
    call::{Cx, NoAnswer},
    db::{Db, DbError},
    inbox,
    outbox::Envelope,
    relay::{Delivery, Subscriber},
};
use testkit::TestDb;
use tokio::sync::{Barrier, watch};
use uuid::Uuid;

use crate::{
    app::prepare,
    nats::Nats,
    relay::{db_of, recorded},
};

/// Writes down what it applies, in the transaction that applies it.
struct Recorder {
    replica: i32,
    db: Db,
    both: FirstTogether,
    early: Arc<AtomicUsize>,
}

/// Holds a replica's first delivery back until the other has one, too.
struct FirstTogether {
    barrier: Arc<Barrier>,
    passed: AtomicBool,
}

#[async_trait]
impl Subscriber for Recorder {
    async fn deliver(&self, _: &Cx, events: Vec<Envelope>) -> Result<Vec<Delivery>, NoAnswer> {
        if !self.both.passed.swap(true, Ordering::Relaxed) {
            let both = self.both.barrier.wait();
            tokio::time::timeout(Duration::from_secs(15), both)
                .await
                .expect("the other replica gets events, too");
        }
        let replica = self.replica;
        let apply = move |conn: &mut diesel::PgConnection| -> Result<_, DbError> {
            let sorted = inbox::sort(conn, &events)?;
            for event in sorted.fresh.iter().map(|index| &events[*index]) {
                sql_query("INSERT INTO applied (aggregate_id, seq, replica) VALUES ($1, $2, $3)")
                    .bind::<sql_types::Uuid, _>(event.aggregate_id)
                    .bind::<sql_types::BigInt, _>(event.seq)
                    .bind::<sql_types::Integer, _>(replica)
                    .execute(conn)?;
            }
            Ok(sorted.outcomes)
        };
        let outcomes = self.db.transaction(apply).await;
        let outcomes = outcomes.map_err(|e: DbError| NoAnswer::new("test", "deliver", e))?;
        let early = outcomes.iter().filter(|o| **o == Delivery::TooEarly);
        self.early.fetch_add(early.count(), Ordering::Relaxed);
        Ok(outcomes)
    }
}

const AGGREGATES: usize = 180;
const EACH: i64 = 8;

#[actix_web::test]
#[ignore = "needs nats-server: .ci/run installs it"]
async fn replicas_share_the_work_and_each_aggregate_stays_in_order() {
    let nats = Nats::running().await;
    let data = TestDb::from_template(prepare);
    data.execute(
        "CREATE TABLE store.applied (n bigint GENERATED ALWAYS AS IDENTITY, aggregate_id uuid, \
         seq bigint, replica integer); GRANT ALL ON store.applied TO comptoir_store",
    );
    let ids: Vec<Uuid> = (0..AGGREGATES).map(|_| Uuid::now_v7()).collect();
    let events = |seqs: Vec<i64>| -> Vec<Envelope> {
        let of = |seq| ids.iter().map(move |id| (*id, seq));
        let pairs = seqs.into_iter().flat_map(of);
        pairs
            .map(|(id, seq)| Envelope {
                aggregate_id: id,
                seq,
                ..recorded()
            })
            .collect()
    };
    // Two relays, neither in order: one has the odd events, the other the even ones, backwards.
    let odd = events((1..=EACH).filter(|n| n % 2 == 1).rev().collect());
    let even = events((1..=EACH).filter(|n| n % 2 == 0).rev().collect());
    let relays: [Broker; 2] = std::array::from_fn(|_| nats.url().parse().unwrap());
    let publishing = relays.iter().zip([odd, even]).map(|(relay, events)| {
        let publisher = relay.publisher("ordered");
        async move { publisher.deliver(&Cx::system(), events).await.unwrap() }
    });
    for outcomes in join_all(publishing).await {
        assert!(outcomes.iter().all(|o| *o == Delivery::Done));
    }
    let (barrier, early) = (Arc::new(Barrier::new(2)), Arc::new(AtomicUsize::new(0)));
    let (stop, stopped) = watch::channel(false);
    let workers: Vec<_> = (0..2)
        .map(|replica| {
            let broker: Broker = nats.url().parse().unwrap();
            let both = FirstTogether {
                barrier: barrier.clone(),
                passed: AtomicBool::new(false),
            };
            let db = db_of(&data, "store");
            let recorder = Recorder {
                replica,
                db,
                both,
                early: early.clone(),
            };
            let listener = Listener {
                module: "store",
                name: "ordered",
                subscriber: Arc::new(recorder),
            };
            broker
                .worker(listener, &Default::default())
                .spawn(stopped.clone(), &Default::default())
        })
        .collect();
    let all = AGGREGATES as i64 * EACH;
    let deadline = tokio::time::Instant::now() + Duration::from_secs(30);
    while data.number("SELECT count(*) FROM store.applied") < all || nats.waiting().await > 0 {
        assert!(tokio::time::Instant::now() < deadline, "events are missing");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    stop.send(true).unwrap();
    for worker in workers {
        tokio::time::timeout(Duration::from_secs(5), worker)
            .await
            .expect("a worker stops within its longest wait")
            .unwrap();
    }
    let wrong = "SELECT count(*) FROM (SELECT seq, row_number() OVER \
        (PARTITION BY aggregate_id ORDER BY n) AS place FROM store.applied) a WHERE seq <> place";
    assert_eq!(data.number(wrong), 0, "applied out of order");
    assert_eq!(data.number("SELECT count(*) FROM store.applied"), all);
    assert_eq!(
        data.number("SELECT count(DISTINCT replica) FROM store.applied"),
        2
    );
    // The order was made here, not found: else this test shows nothing.
    assert!(
        early.load(Ordering::Relaxed) > 0,
        "no event ever came early"
    );
}
