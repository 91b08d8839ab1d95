//! Group commit: requests of one kind that arrive together are written as one transaction.
//!
//! Nobody waits for a timer: a batch is what arrived while the last one was being written. Each
//! request gets its own answer. An unexpected error falls back to one by one, which is safe
//! because everything written this way is idempotent on its id.

use std::sync::{Arc, Mutex, PoisonError};

use diesel::{Connection, PgConnection};
use tokio::sync::{mpsc, oneshot};

use crate::{
    db::{Db, DbError},
    metrics::{BatchMeter, Busy},
    trace::{self, Here},
};

/// Requests that wait for a writer at most; more are turned away at once.
const QUEUE: usize = 4_096;

struct Job<T, R> {
    request: T,
    reply: oneshot::Sender<Result<R, DbError>>,
    here: Here,
    /// Until a writer takes it: who asked may have left long before.
    waiting: Busy,
}

/// Hands requests to a few writer threads.
pub struct Writer<T, R> {
    queue: mpsc::Sender<Job<T, R>>,
    meter: BatchMeter,
}

impl<T, R> Clone for Writer<T, R> {
    fn clone(&self) -> Self {
        Self {
            queue: self.queue.clone(),
            meter: self.meter.clone(),
        }
    }
}

impl<T, R> std::fmt::Debug for Writer<T, R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Writer")
            .field("free", &self.queue.capacity())
            .finish()
    }
}

/// How a writer works.
#[derive(Debug, Clone, Copy)]
pub struct WriterOptions {
    /// Names the threads, and the writer in the metrics.
    pub name: &'static str,
    /// Each uses a connection of the pool while it writes. Two are enough.
    pub threads: usize,
    /// Requests in one transaction at most.
    pub max_batch: usize,
}

impl<T, R> Writer<T, R>
where
    T: Clone + Send + 'static,
    R: Send + 'static,
{
    /// Starts the threads; they end when the last clone of the writer is gone.
    ///
    /// `write` answers one result per request, in the same order, inside a transaction. `then` is
    /// told each of them once it is committed, also where whoever asked no longer waits for it.
    ///
    /// # Errors
    ///
    /// When a thread cannot be started.
    pub fn start<F, G>(options: WriterOptions, db: &Db, write: F, then: G) -> std::io::Result<Self>
    where
        F: Fn(&mut PgConnection, &[T]) -> Result<Vec<R>, diesel::result::Error>
            + Clone
            + Send
            + 'static,
        G: Fn(&T, &R) + Clone + Send + 'static,
    {
        let (queue, jobs) = mpsc::channel(QUEUE);
        let jobs = Arc::new(Mutex::new(jobs));
        let meter = BatchMeter::new(db.metrics(), db.module(), options.name, QUEUE);
        for _ in 0..options.threads {
            let jobs = jobs.clone();
            let desk = Desk {
                name: options.name,
                max_batch: options.max_batch,
                db: db.clone(),
                meter: meter.clone(),
                write: write.clone(),
                then: then.clone(),
            };
            std::thread::Builder::new()
                .name(options.name.to_owned())
                .spawn(move || while desk.serve(&jobs) {})?;
        }
        Ok(Self { queue, meter })
    }

    /// Writes `request` and waits for its own answer.
    ///
    /// # Errors
    ///
    /// [`DbError::Full`] when too many wait; any other one when the outcome is unknown.
    pub async fn submit(&self, request: T) -> Result<R, DbError> {
        let (reply, answer) = oneshot::channel();
        let job = Job {
            request,
            reply,
            here: Here::now(),
            waiting: Busy::new(&self.meter.waiting),
        };
        if self.queue.try_send(job).is_err() {
            self.meter.refused.inc();
            return Err(DbError::Full);
        }
        answer.await.map_err(|_| DbError::Panicked)?
    }
}

/// What one writer thread works with.
struct Desk<F, G> {
    name: &'static str,
    max_batch: usize,
    db: Db,
    meter: BatchMeter,
    write: F,
    then: G,
}

impl<F, G> Desk<F, G> {
    /// Takes what is waiting and writes it. `false` when nobody can send any more.
    fn serve<T, R>(&self, jobs: &Mutex<mpsc::Receiver<Job<T, R>>>) -> bool
    where
        F: Fn(&mut PgConnection, &[T]) -> Result<Vec<R>, diesel::result::Error>,
        G: Fn(&T, &R),
    {
        let Some(batch) = self.take(jobs) else {
            return false;
        };
        let (mut requests, mut replies, mut places) = (Vec::new(), Vec::new(), Vec::new());
        for job in batch {
            requests.push(job.request);
            replies.push(job.reply);
            places.push(job.here);
            drop(job.waiting);
        }
        let _entered = trace::batch(self.name, &places).entered();
        let size = u32::try_from(requests.len()).unwrap_or(u32::MAX);
        self.meter.size.observe(f64::from(size));
        match self.commit(&requests) {
            Ok(results) => answer(replies, results.into_iter().map(Ok)),
            Err(error) if requests.len() == 1 => answer(replies, std::iter::once(Err(error))),
            Err(error) => {
                tracing::debug!(%error, size, "batch failed, going one by one");
                answer(replies, requests.iter().map(|request| self.one(request)));
            }
        }
        true
    }

    /// Waits for a first request, and takes what came with it.
    fn take<T, R>(&self, jobs: &Mutex<mpsc::Receiver<Job<T, R>>>) -> Option<Vec<Job<T, R>>> {
        let mut jobs = jobs.lock().unwrap_or_else(PoisonError::into_inner);
        let mut batch = vec![jobs.blocking_recv()?];
        while batch.len() < self.max_batch {
            match jobs.try_recv() {
                Ok(job) => batch.push(job),
                Err(_) => break,
            }
        }
        Some(batch)
    }

    fn one<T, R>(&self, request: &T) -> Result<R, DbError>
    where
        F: Fn(&mut PgConnection, &[T]) -> Result<Vec<R>, diesel::result::Error>,
        G: Fn(&T, &R),
    {
        self.commit(std::slice::from_ref(request))?
            .pop()
            .ok_or(DbError::Panicked)
    }

    fn commit<T, R>(&self, requests: &[T]) -> Result<Vec<R>, DbError>
    where
        F: Fn(&mut PgConnection, &[T]) -> Result<Vec<R>, diesel::result::Error>,
        G: Fn(&T, &R),
    {
        // A panic in one batch must not take the thread, and with it every later sale, along.
        let attempt = std::panic::AssertUnwindSafe(|| {
            self.db.run_blocking(self.name, |conn| {
                conn.transaction(|conn| (self.write)(conn, requests))
                    .map_err(DbError::from)
            })
        });
        let results = std::panic::catch_unwind(attempt).unwrap_or(Err(DbError::Panicked))?;
        if results.len() != requests.len() {
            return Err(DbError::Panicked);
        }
        for (request, result) in requests.iter().zip(&results) {
            (self.then)(request, result);
        }
        Ok(results)
    }
}

fn answer<R>(
    replies: Vec<oneshot::Sender<Result<R, DbError>>>,
    results: impl Iterator<Item = Result<R, DbError>>,
) {
    for (reply, result) in replies.into_iter().zip(results) {
        // The client may have gone away; what was written stays written.
        let _ = reply.send(result);
    }
}
