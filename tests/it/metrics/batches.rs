//! Group commits: who waits, who is turned away, and how many share one.

use std::{
    sync::{Arc, Mutex, mpsc},
    time::Duration,
};

use diesel::result::Error;
use futures::poll;
use kernel::{
    batch::{Writer, WriterOptions},
    db::{Db, DbError},
};
use testkit::TestDb;

use super::{Scrape, database::connect};
use crate::{app::prepare, books::soon};

/// A writer that refuses every batch with this number in it.
const BROKEN: u32 = 2;

/// What a writer told that it committed.
type Told = Arc<Mutex<Vec<u32>>>;

/// A writer of batches of four; each waits for a word from the sender, or for its end.
fn given(db: &Db) -> (Writer<u32, u32>, mpsc::Sender<()>, Told) {
    let (open, gate) = mpsc::channel();
    let (gate, told) = (Arc::new(Mutex::new(gate)), Told::default());
    let options = WriterOptions {
        name: "notes",
        threads: 1,
        max_batch: 4,
    };
    let write = move |_: &mut diesel::PgConnection, batch: &[u32]| {
        let _ = gate.lock().unwrap().recv();
        match batch.contains(&BROKEN) {
            true => Err(Error::RollbackTransaction),
            false => Ok(batch.to_vec()),
        }
    };
    let committed = told.clone();
    let then = move |_: &u32, answer: &u32| committed.lock().unwrap().push(*answer);
    let writer = Writer::start(options, db, write, then).unwrap();
    (writer, open, told)
}

fn value(db: &Db, name: &str) -> f64 {
    let labels = [("module", "sales"), ("writer", "notes")];
    Scrape::alone(db.metrics()).value(name, &labels)
}

#[actix_web::test]
async fn a_full_queue_turns_away_and_what_waits_in_it_is_written_and_counted() {
    let data = TestDb::from_template(prepare);
    let db = connect(data.url(), 2, Duration::from_secs(60));
    let (writer, open, told) = given(&db);
    let waiting = || value(&db, "comptoir_batch_waiting");
    let limit = value(&db, "comptoir_batch_limit");
    let mut first = Box::pin(writer.submit(0));
    assert!(poll!(&mut first).is_pending());
    soon("the first one is being written", || waiting() == 0.0).await;
    let mut rest = Vec::new();
    while waiting() < limit {
        rest.push(Box::pin(writer.submit(9)));
        assert!(poll!(rest.last_mut().unwrap()).is_pending());
        assert!(rest.len() <= 10_000, "there is no end to the queue");
    }
    let refused = || value(&db, "comptoir_batch_refused_total");
    assert_eq!(refused(), 0.0);
    let full = writer.submit(1).await;
    assert!(matches!(full, Err(DbError::Full)), "{full:?}");
    assert_eq!(refused(), 1.0);
    // Who asked leaves; what was asked is still in the queue, and is written.
    let all = rest.len() + 1;
    drop(rest);
    assert_eq!(waiting(), limit);
    drop(open);
    assert_eq!(first.await.unwrap(), 0);
    soon("all are written", || told.lock().unwrap().len() == all).await;
    assert_eq!(waiting(), 0.0);
    let size = |part: &str| value(&db, &format!("comptoir_batch_size_{part}"));
    assert_eq!(size("sum"), limit + 1.0);
    assert_eq!(size("count"), limit / 4.0 + 1.0);
}

#[actix_web::test]
async fn of_a_batch_that_fails_only_what_was_committed_is_told() {
    let data = TestDb::from_template(prepare);
    let db = connect(data.url(), 2, Duration::from_secs(60));
    let (writer, open, told) = given(&db);
    let mut first = Box::pin(writer.submit(0));
    assert!(poll!(&mut first).is_pending());
    let waiting = || value(&db, "comptoir_batch_waiting");
    soon("the first one is being written", || waiting() == 0.0).await;
    let batch = futures::future::join_all([1, BROKEN, 3].map(|n| writer.submit(n)));
    let mut batch = Box::pin(batch);
    assert!(poll!(&mut batch).is_pending());
    assert_eq!(waiting(), 3.0);
    drop(open);
    let answers = batch.await;
    assert!(answers[0].is_ok() && answers[1].is_err() && answers[2].is_ok());
    assert_eq!(first.await.unwrap(), 0);
    assert_eq!(*told.lock().unwrap(), [0, 1, 3]);
}
