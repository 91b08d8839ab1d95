//! The invariants of sales, checked on what is stored.

use kernel::problem::Problem;
use serde::Serialize;

use crate::{
    Sales,
    error::Error,
    repo::{
        integrity::{self, Count},
        shift_integrity,
    },
};

/// An invariant and whether it holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What must hold, in words that start with its number in the protocol.
    pub invariant: String,
    /// How many rows break it; 0 when it holds.
    pub broken: i64,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Integrity {
    /// Every invariant.
    pub checks: Vec<Check>,
    /// Events that are not delivered yet: fine while the relay is at it, 0 at rest.
    pub events_waiting: i64,
}

impl Integrity {
    /// Whether every invariant holds.
    pub fn holds(&self) -> bool {
        self.checks.iter().all(|check| check.broken == 0)
    }
}

impl Sales {
    /// Checks I8 (returns), I10 (events), I11 (sums), I12 (receipts), I13 and I14 (shifts) over
    /// everything stored. Reads every row: for `comptoir check` and tests.
    ///
    /// # Errors
    ///
    /// When the database does not answer.
    pub async fn integrity(&self) -> Result<Integrity, Problem> {
        let (counts, events_waiting) = self
            .db
            .run(|conn| {
                let mut counts = integrity::broken(conn)?;
                counts.extend(shift_integrity::broken(conn)?);
                Ok::<_, Error>((counts, integrity::waiting(conn)?))
            })
            .await?;
        let checks = counts
            .into_iter()
            .map(|Count { invariant, broken }| Check { invariant, broken })
            .collect();
        Ok(Integrity {
            checks,
            events_waiting,
        })
    }
}
