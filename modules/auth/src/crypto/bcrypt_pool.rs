//! Where bcrypt runs: on half of the cores, behind a queue with an end, so that a flood of logins
//! does not slow a sale.

use std::{
    hash::{BuildHasher, RandomState},
    sync::Arc,
    thread::available_parallelism,
    time::Instant,
};

use kernel::metrics::{Busy, Counter, Gauge, Histogram, Metrics, number};
use tokio::{
    sync::{Mutex, MutexGuard, OwnedSemaphorePermit, Semaphore},
    task::{JoinError, spawn_blocking},
};

use super::hasher::Hasher;

/// Logins that may wait at most: eight seconds of work for one core at cost 12.
const QUEUE: usize = 32;

/// Accounts that can be checked side by side: some share a turn, which costs them little.
const TURNS: usize = 64;

/// The pool and its queue.
#[derive(Debug)]
pub(crate) struct BcryptPool {
    hasher: Hasher,
    places: Arc<Semaphore>,
    workers: Arc<Semaphore>,
    turns: Vec<Mutex<()>>,
    /// Keyed at random, so that nobody can choose addresses that share a turn.
    spread: RandomState,
    meter: Meter,
}

/// A place in the queue, and since when it is taken.
#[derive(Debug)]
pub(crate) struct Place(OwnedSemaphorePermit, Busy, Instant);

#[derive(Debug)]
struct Meter {
    waiting: Gauge,
    running: Gauge,
    wait: Histogram,
    work: Histogram,
    refused: Counter,
}

impl Meter {
    fn new(metrics: &Metrics) -> Self {
        let limit = metrics.gauge(
            "comptoir_bcrypt_waiting_limit",
            "How many may wait; more are turned away",
            [],
        );
        limit.one().set(number(QUEUE));
        let gauge = |name, help| metrics.gauge(name, help, []).one();
        let time = |name, help| metrics.durations(name, help, []).one();
        Self {
            waiting: gauge(
                "comptoir_bcrypt_waiting",
                "Password checks that wait: for others of their account, for its record, for a core",
            ),
            running: gauge("comptoir_bcrypt_running", "Password checks that run"),
            wait: time(
                "comptoir_bcrypt_wait_duration_seconds",
                "Time that a check waited until it had its core",
            ),
            work: time(
                "comptoir_bcrypt_duration_seconds",
                "Time of the work itself",
            ),
            refused: metrics
                .counter(
                    "comptoir_bcrypt_refused_total",
                    "Checks that were turned away because the queue was full",
                    [],
                )
                .one(),
        }
    }
}

impl BcryptPool {
    pub(crate) fn new(hasher: Hasher, metrics: &Metrics) -> Self {
        let cores = available_parallelism().map_or(1, usize::from);
        let workers = (cores / 2).max(1);
        Self {
            hasher,
            places: Arc::new(Semaphore::new(QUEUE + workers)),
            workers: Arc::new(Semaphore::new(workers)),
            turns: std::iter::repeat_with(Mutex::default).take(TURNS).collect(),
            spread: RandomState::new(),
            meter: Meter::new(metrics),
        }
    }

    /// Waits until no other attempt on this account runs here. An attempt counts as failed until
    /// it has succeeded: without turns, five right ones at once would lock the account.
    pub(crate) async fn turn(&self, account: &str) -> Option<MutexGuard<'_, ()>> {
        let hash = self.spread.hash_one(account);
        let index = usize::try_from(hash).unwrap_or(0) % TURNS;
        match self.turns.get(index) {
            Some(turn) => Some(turn.lock().await),
            None => None,
        }
    }

    /// A place, taken before anything else is done; `None` when the queue is full.
    pub(crate) fn queue(&self) -> Option<Place> {
        match self.places.clone().try_acquire_owned() {
            Ok(place) => {
                let waiting = Busy::new(&self.meter.waiting);
                Some(Place(place, waiting, Instant::now()))
            }
            Err(_) => {
                self.meter.refused.inc();
                None
            }
        }
    }

    /// Runs `job` when its turn comes.
    pub(crate) async fn run<T, F>(&self, place: Place, job: F) -> Result<T, JoinError>
    where
        F: FnOnce(&Hasher) -> T + Send + 'static,
        T: Send + 'static,
    {
        let worker = self.workers.clone().acquire_owned().await;
        let hasher = self.hasher.clone();
        let Place(place, waiting, since) = place;
        drop(waiting);
        self.meter.wait.observe(since.elapsed().as_secs_f64());
        let running = Busy::new(&self.meter.running);
        let work = self.meter.work.clone();
        spawn_blocking(move || {
            // All are given back when the work is done, also when nobody waits for it any more.
            let _held = (worker, place, running);
            let started = Instant::now();
            let done = job(&hasher);
            work.observe(started.elapsed().as_secs_f64());
            done
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use kernel::metrics::CLASSIC;

    use super::*;

    #[tokio::test]
    async fn a_full_queue_says_so_and_a_finished_job_makes_room() {
        let hasher = Hasher::new(&"pepper".to_owned().into(), 4).unwrap();
        let metrics = Metrics::default();
        let pool = BcryptPool::new(hasher, &metrics);
        let value = move |name: &str| {
            let (text, name) = (metrics.text(CLASSIC), format!("comptoir_bcrypt_{name} "));
            let line = text.lines().find_map(|line| line.strip_prefix(&name));
            line.unwrap().parse::<f64>().unwrap()
        };
        let mut places: Vec<_> = std::iter::from_fn(|| pool.queue()).collect();
        assert!(places.len() > QUEUE);
        assert_eq!(
            (value("waiting"), value("refused_total")),
            (number(places.len()), 1.0)
        );
        let running = pool.run(places.pop().unwrap(), {
            let value = value.clone();
            move |_| value("running")
        });
        assert_eq!(running.await.unwrap(), 1.0);
        assert_eq!(
            (value("waiting"), value("running")),
            (number(places.len()), 0.0)
        );
        assert_eq!(value("duration_seconds_count"), 1.0);
        assert_eq!(value("wait_duration_seconds_count"), 1.0);
        assert!(pool.queue().is_some());
    }
}
