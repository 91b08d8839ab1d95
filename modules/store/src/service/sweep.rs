//! Settles holds whose sales were not heard of: asks the sales module what became of them, and
//! gives back the goods of those that will never be recorded.

use std::collections::BTreeSet;

use diesel::{PgConnection, result::Error as Query};
use kernel::{
    call::{Cx, SYSTEM},
    db::DbError,
    ids::SaleId,
};
use sales_api::{Attempt, Outcome, SaleOutcomes};

use crate::{
    Store,
    domain::{
        ledger::{Cause, Change, Key},
        reason::{HoldState, MovementReason},
    },
    error::Error,
    repo::{discrepancies, holds, ledger, movements},
};

/// Holds in one question to the sales module at most.
const QUESTION: usize = 1_000;
/// Holds in one transaction that gives goods back at most: it locks their levels.
const RELEASE: usize = 100;

impl Store {
    /// One pass over the holds that have waited longer than they should; answers how many were
    /// settled. Safe to run in several replicas at once.
    ///
    /// # Errors
    ///
    /// When the database cannot be used. No answer from the sales module is no error: the goods
    /// stay held, and the next pass asks again.
    pub async fn sweep(&self, outcomes: &dyn SaleOutcomes) -> Result<usize, Error> {
        let ttl = self.options.hold_ttl.as_secs_f64();
        let limit = i64::try_from(QUESTION).unwrap_or(i64::MAX);
        let (mut settled, mut after) = (0, (chrono::DateTime::UNIX_EPOCH, SaleId(SYSTEM.0)));
        loop {
            let due = self
                .db
                .run(move |conn| holds::due(conn, ttl, after, limit).map_err(DbError::from))
                .await?;
            let Some(last) = due.last() else {
                return Ok(settled);
            };
            after = (last.created_at, last.hold_id);
            let attempts = due
                .iter()
                .map(|hold| Attempt {
                    sale_id: hold.hold_id,
                    store_id: hold.store_id,
                })
                .collect();
            let resolved = match outcomes.resolve(&Cx::system(), attempts).await {
                Ok(resolved) => resolved,
                Err(error) => {
                    tracing::warn!(%error, holds = due.len(), "goods stay held");
                    return Ok(settled);
                }
            };
            let asked: BTreeSet<SaleId> = due.iter().map(|hold| hold.hold_id).collect();
            let of = |outcome| -> Vec<SaleId> {
                let known = resolved
                    .iter()
                    .filter(|r| r.outcome == outcome && asked.contains(&r.sale_id));
                known.map(|r| r.sale_id).collect()
            };
            settled += self.consume(of(Outcome::Recorded)).await?;
            for chunk in of(Outcome::Aborted).chunks(RELEASE) {
                settled += self.release(chunk.to_vec()).await?;
            }
            if due.len() < QUESTION {
                return Ok(settled);
            }
        }
    }

    async fn consume(&self, ids: Vec<SaleId>) -> Result<usize, Error> {
        if ids.is_empty() {
            return Ok(0);
        }
        let settled = self
            .db
            .transaction(move |conn| {
                Ok::<_, Error>(holds::resolve(conn, &ids, HoldState::Consumed)?.len())
            })
            .await?;
        self.settled.settled(HoldState::Consumed, settled);
        Ok(settled)
    }

    async fn release(&self, ids: Vec<SaleId>) -> Result<usize, Error> {
        let settled = self
            .db
            .transaction(move |conn| Ok::<_, Error>(release(conn, &ids)?))
            .await?;
        self.settled.settled(HoldState::Released, settled);
        Ok(settled)
    }
}

/// Gives back what those of `ids` that are still held have taken.
fn release(conn: &mut PgConnection, ids: &[SaleId]) -> Result<usize, Query> {
    ledger::prepare(conn, false)?;
    // From here on these are ours: nobody else finds them held.
    let ours = holds::resolve(conn, ids, HoldState::Released)?;
    let taken = movements::taken_by(conn, &ours)?;
    let keys: BTreeSet<Key> = taken.iter().map(|t| (t.store_id, t.product_id)).collect();
    let mut ledger = ledger::lock(conn, &keys)?;
    let now = kernel::time::now();
    for row in taken {
        let cause = Cause {
            reason: MovementReason::SaleAborted,
            document_id: row.hold_id.0,
            actor: SYSTEM,
            occurred_at: now,
            note: None,
        };
        let change = Change {
            on_hand: row.quantity,
            damaged: 0,
        };
        ledger
            .post((row.store_id, row.product_id), change, &cause)
            .map_err(|_| Query::RollbackTransaction)?;
    }
    ledger::write(conn, &ledger)?;
    discrepancies::abort(conn, &ours)?;
    Ok(ours.len())
}
