//! What showing a refresh token that cannot be rotated means: a lost answer, a theft, or nothing.

use chrono::{DateTime, TimeDelta, Utc};

/// So long a spent token still gives its successor, as long as nobody has used that one: the
/// answer may have been lost on the way.
pub(crate) const GRACE: TimeDelta = TimeDelta::seconds(10);

/// A refresh token of a session, as the database knows it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Link {
    /// When it was rotated; `None` for the newest of its session.
    pub(crate) used_at: Option<DateTime<Utc>>,
    /// Whether the token that replaced it was rotated as well.
    pub(crate) successor_used: bool,
    /// Whether its session has neither ended nor expired.
    pub(crate) session_live: bool,
}

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Give the same successor again.
    Repeat,
    /// Somebody holds a copy: end the session.
    Reused,
    /// The session is over already.
    Dead,
}

/// Judges a token that was not rotated just now.
pub(crate) fn judge(link: Link, now: DateTime<Utc>) -> Verdict {
    match link {
        Link {
            session_live: false,
            ..
        }
        | Link { used_at: None, .. } => Verdict::Dead,
        Link {
            used_at: Some(at),
            successor_used: false,
            ..
        } if now - at <= GRACE => Verdict::Repeat,
        Link { .. } => Verdict::Reused,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spent_token_is_forgiven_only_at_once_and_only_while_its_successor_is_unused() {
        let now = kernel::time::now();
        let link = |seconds: i64, successor_used| Link {
            used_at: Some(now - TimeDelta::seconds(seconds)),
            successor_used,
            session_live: true,
        };
        assert_eq!(judge(link(0, false), now), Verdict::Repeat);
        assert_eq!(judge(link(10, false), now), Verdict::Repeat);
        assert_eq!(judge(link(11, false), now), Verdict::Reused);
        assert_eq!(judge(link(0, true), now), Verdict::Reused);
    }

    #[test]
    fn an_ended_session_stays_ended() {
        let now = kernel::time::now();
        let link = Link {
            used_at: Some(now),
            successor_used: false,
            session_live: false,
        };
        assert_eq!(judge(link, now), Verdict::Dead);
    }
}
