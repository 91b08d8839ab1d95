//! The server's clock, in the precision that PostgreSQL keeps.

use chrono::{DateTime, SubsecRound, Utc};

/// Now, in whole microseconds: what is answered equals what is stored.
pub fn now() -> DateTime<Utc> {
    Utc::now().trunc_subsecs(6)
}

/// `at` in whole microseconds.
pub fn micros(at: DateTime<Utc>) -> DateTime<Utc> {
    at.trunc_subsecs(6)
}
