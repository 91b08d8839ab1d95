//! Background loops (sweeper, relay, refresh) that start and stop with the process.

use std::{
    fmt::Display,
    future::Future,
    pin::Pin,
    time::{Duration, Instant},
};

use tokio::{sync::watch, task::JoinHandle, time};

use crate::metrics::{Metrics, WorkMeter};

type Work = Box<dyn FnMut() -> Pin<Box<dyn Future<Output = Turn> + Send>> + Send>;

/// What one pass of a loop came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// There is nothing more to do for now.
    Idle,
    /// There is more to do right away.
    More,
    /// It did not work: try again after the pause.
    Failed,
    /// It did not work, and made a pause of its own: try again right away.
    Retry,
}

impl From<bool> for Turn {
    /// Whether there is more to do right away.
    fn from(more: bool) -> Self {
        if more { Self::More } else { Self::Idle }
    }
}

/// One loop: `work` is called every `period`, and at once again while there is more to do.
pub struct Worker {
    module: &'static str,
    name: &'static str,
    period: Duration,
    work: Work,
}

impl Worker {
    /// A loop of `module` (`none` where it is nobody's). A failure of `work` is logged here.
    pub fn new<F, Fut, T, E>(
        module: &'static str,
        name: &'static str,
        period: Duration,
        mut work: F,
    ) -> Self
    where
        F: FnMut() -> Fut + Send + 'static,
        Fut: Future<Output = Result<T, E>> + Send + 'static,
        T: Into<Turn>,
        E: Display,
    {
        Self {
            module,
            name,
            period,
            work: Box::new(move || {
                let turn = work();
                Box::pin(async move {
                    match turn.await {
                        Ok(turn) => turn.into(),
                        Err(error) => {
                            tracing::warn!(module, worker = name, %error, "a pass failed");
                            Turn::Failed
                        }
                    }
                })
            }),
        }
    }

    /// Its name, for logs.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Runs the loop until `stop` turns true; what is running then is finished first.
    pub fn spawn(mut self, mut stop: watch::Receiver<bool>, metrics: &Metrics) -> JoinHandle<()> {
        let meter = WorkMeter::new(metrics, self.module, self.name);
        tokio::spawn(async move {
            tracing::debug!(module = self.module, worker = self.name, "started");
            while !*stop.borrow() {
                let started = Instant::now();
                let turn = (self.work)().await;
                meter.ran(started, turn);
                if matches!(turn, Turn::More | Turn::Retry) {
                    continue;
                }
                tokio::select! {
                    () = time::sleep(self.period) => {}
                    changed = stop.changed() => if changed.is_err() { break },
                }
            }
            tracing::debug!(module = self.module, worker = self.name, "stopped");
        })
    }
}

impl std::fmt::Debug for Worker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Worker")
            .field("module", &self.module)
            .field("name", &self.name)
            .field("period", &self.period)
            .finish_non_exhaustive()
    }
}
