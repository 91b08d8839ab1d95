//! Waiting for a condition of another process, which nothing announces.

use std::thread;
use std::time::{Duration, Instant};

/// Looks again and again until there is something to see; `None` when there was nothing in time.
pub(crate) fn poll<T, E>(
    limit: Duration,
    mut look: impl FnMut() -> Result<Option<T>, E>,
) -> Result<Option<T>, E> {
    let since = Instant::now();
    loop {
        if let Some(seen) = look()? {
            return Ok(Some(seen));
        }
        if since.elapsed() >= limit {
            return Ok(None);
        }
        thread::sleep(Duration::from_millis(5));
    }
}
