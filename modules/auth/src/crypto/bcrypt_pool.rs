//! Where bcrypt runs: on half of the cores, behind a queue with an end, so that a flood of logins
//! does not slow a sale.

use std::{
    hash::{BuildHasher, RandomState},
    sync::Arc,
    thread::available_parallelism,
};

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
}

/// A place in the queue.
#[derive(Debug)]
pub(crate) struct Place(OwnedSemaphorePermit);

impl BcryptPool {
    pub(crate) fn new(hasher: Hasher) -> Self {
        let cores = available_parallelism().map_or(1, usize::from);
        let workers = (cores / 2).max(1);
        Self {
            hasher,
            places: Arc::new(Semaphore::new(QUEUE + workers)),
            workers: Arc::new(Semaphore::new(workers)),
            turns: std::iter::repeat_with(Mutex::default).take(TURNS).collect(),
            spread: RandomState::new(),
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
        self.places.clone().try_acquire_owned().ok().map(Place)
    }

    /// Runs `job` when its turn comes.
    pub(crate) async fn run<T, F>(&self, place: Place, job: F) -> Result<T, JoinError>
    where
        F: FnOnce(&Hasher) -> T + Send + 'static,
        T: Send + 'static,
    {
        let worker = self.workers.clone().acquire_owned().await;
        let hasher = self.hasher.clone();
        spawn_blocking(move || {
            // Both are given back when the work is done, also when nobody waits for it any more.
            let _held = (worker, place.0);
            job(&hasher)
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_full_queue_says_so_and_a_finished_job_makes_room() {
        let hasher = Hasher::new(&"pepper".to_owned().into(), 4).unwrap();
        let pool = BcryptPool::new(hasher);
        let mut places: Vec<_> = std::iter::from_fn(|| pool.queue()).collect();
        assert!(places.len() > QUEUE);
        pool.run(places.pop().unwrap(), |_| ()).await.unwrap();
        assert!(pool.queue().is_some());
    }
}
