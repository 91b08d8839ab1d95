//! Checks the books against themselves.

use crate::{
    Store,
    dto::{IntegrityCheck, IntegrityReport},
    error::Error,
    repo::integrity::{self, CHECKS, Found},
};

impl Store {
    /// Runs every check: I1, I2, I5, I9 and I10 of the sale protocol, and I12 of counts. Each reads
    /// its tables whole.
    ///
    /// # Errors
    ///
    /// When the database cannot be used, or a check takes longer than two minutes.
    pub async fn integrity(&self) -> Result<IntegrityReport, Error> {
        // Two sweeps after its time a hold is settled, give or take what a sweep itself takes.
        let stuck = self.options.hold_ttl + 2 * self.options.sweep_every;
        let stuck_seconds = stuck.as_secs().saturating_add(5);
        self.db
            .transaction(move |conn| {
                integrity::allow_time(conn)?;
                let mut checks = Vec::new();
                for check in CHECKS {
                    let Found {
                        violations,
                        examples,
                    } = integrity::run(conn, check, stuck_seconds)?;
                    checks.push(IntegrityCheck {
                        id: check.id,
                        title: check.title,
                        violations,
                        examples,
                    });
                }
                Ok(IntegrityReport {
                    ok: checks.iter().all(|check| check.violations == 0),
                    checks,
                })
            })
            .await
    }
}
