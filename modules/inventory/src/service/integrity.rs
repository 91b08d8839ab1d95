//! The invariants of the module's own documents, checked on what is stored.

use crate::{
    Inventory,
    error::Error,
    repo::integrity::{self, CHECKS},
};

/// An invariant and whether it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// What must hold.
    pub title: &'static str,
    /// How often it does not.
    pub violations: i64,
}

impl Inventory {
    /// Checks every invariant over everything stored: for `comptoir check` and tests.
    ///
    /// # Errors
    ///
    /// When the database does not answer.
    pub async fn integrity(&self) -> Result<Vec<Check>, Error> {
        self.db
            .transaction(|conn| {
                integrity::allow_time(conn)?;
                let run = |check: &integrity::Check| {
                    let violations = integrity::run(conn, *check)?;
                    Ok(Check {
                        title: check.title,
                        violations,
                    })
                };
                CHECKS.iter().map(run).collect()
            })
            .await
    }
}
