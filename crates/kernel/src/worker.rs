//! Background loops (sweeper, relay, refresh) that start and stop with the process.

use std::{future::Future, pin::Pin, time::Duration};

use tokio::{sync::watch, task::JoinHandle, time};

type Work = Box<dyn FnMut() -> Pin<Box<dyn Future<Output = bool> + Send>> + Send>;

/// One loop: `work` is called every `period`, and at once again while it answers `true`.
pub struct Worker {
    name: &'static str,
    period: Duration,
    work: Work,
}

impl Worker {
    /// `work` answers whether there is more to do right away.
    pub fn new<F, Fut>(name: &'static str, period: Duration, mut work: F) -> Self
    where
        F: FnMut() -> Fut + Send + 'static,
        Fut: Future<Output = bool> + Send + 'static,
    {
        Self {
            name,
            period,
            work: Box::new(move || Box::pin(work())),
        }
    }

    /// Its name, for logs.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Runs the loop until `stop` turns true; what is running then is finished first.
    pub fn spawn(mut self, mut stop: watch::Receiver<bool>) -> JoinHandle<()> {
        tokio::spawn(async move {
            tracing::debug!(worker = self.name, "started");
            while !*stop.borrow() {
                let more = (self.work)().await;
                if more {
                    continue;
                }
                tokio::select! {
                    () = time::sleep(self.period) => {}
                    changed = stop.changed() => if changed.is_err() { break },
                }
            }
            tracing::debug!(worker = self.name, "stopped");
        })
    }
}

impl std::fmt::Debug for Worker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Worker")
            .field("name", &self.name)
            .field("period", &self.period)
            .finish_non_exhaustive()
    }
}
