//! When to repeat a request that may pass a moment later, and when to give up.

use std::time::Duration;

use super::error::ClientError;

/// Repeats of one request at most.
const REPEATS: u32 = 10;
const FIRST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(5);
/// A server that asks for more patience than this is not waited for.
const LONGEST_ASKED: Duration = Duration::from_secs(60);

/// The pauses between the tries of one request.
#[derive(Debug, Default)]
pub(super) struct Pauses {
    repeats: u32,
}

impl Pauses {
    /// How long to wait before the next try; `None` to give up.
    pub(super) fn before_next(&mut self, error: &ClientError) -> Option<Duration> {
        if !error.may_pass() || self.repeats == REPEATS {
            return None;
        }
        let own = FIRST
            .saturating_mul(2_u32.saturating_pow(self.repeats))
            .min(LONGEST);
        self.repeats += 1;
        match error.refusal().and_then(|refusal| refusal.retry_after) {
            Some(asked) if asked > LONGEST_ASKED => None,
            Some(asked) => Some(asked.max(own)),
            None => Some(own),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::error::{ApiError, Problem};

    fn error(status: u16, retry_after: Option<u64>) -> ClientError {
        let after = retry_after.map(Duration::from_secs);
        ApiError::new("/", status, Problem::default(), after).into()
    }

    #[test]
    fn pauses_grow_and_end() {
        let mut pauses = Pauses::default();
        let all: Vec<_> = std::iter::from_fn(|| pauses.before_next(&error(503, None))).collect();
        assert_eq!(all.len(), 10);
        assert_eq!(
            all[..2],
            [Duration::from_millis(100), Duration::from_millis(200)]
        );
        assert_eq!(all[9], LONGEST);
    }

    #[test]
    fn the_server_is_given_the_time_it_asks_for() {
        assert_eq!(
            Pauses::default().before_next(&error(429, Some(7))),
            Some(Duration::from_secs(7))
        );
        assert_eq!(Pauses::default().before_next(&error(429, Some(3600))), None);
    }

    #[test]
    fn a_definite_no_is_not_repeated() {
        assert_eq!(Pauses::default().before_next(&error(409, None)), None);
    }
}
