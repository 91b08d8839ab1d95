//! Who of those that ask together gets the goods.

use std::collections::BTreeMap;

use kernel::ids::{ProductId, SaleId, StoreId, UserId};
use store_api::{Hold, HoldRefused, HoldRequest, Oversell, ShortLine};

use super::{
    ledger::{Cause, Ledger},
    reason::{HoldState, MovementReason},
};

/// One request to take goods.
#[derive(Debug, Clone)]
pub(crate) struct Job {
    pub(crate) actor: UserId,
    pub(crate) request: HoldRequest,
}

/// What the caller is told.
pub(crate) type Answer = Result<Hold, HoldRefused>;

/// What is known of a hold's id before, and while, a batch is decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Standing {
    /// New, and ours.
    Fresh,
    /// Made earlier.
    Known { hash: Vec<u8>, state: HoldState },
    /// Decided by an earlier request of this batch.
    Decided { hash: Vec<u8>, answer: Answer },
    /// There is no such store, or it is archived.
    Closed,
}

/// Decides every job in order of arrival, each whole: one that is short changes nothing, and
/// takes nothing from its neighbours. `None` when a job's id is missing from `standings`.
pub(crate) fn decide(
    ledger: &mut Ledger,
    standings: &mut BTreeMap<SaleId, Standing>,
    jobs: &[Job],
) -> Option<Vec<Answer>> {
    jobs.iter()
        .map(|job| {
            let standing = standings.get_mut(&job.request.hold_id)?;
            let hash = &job.request.request_hash;
            Some(match standing {
                Standing::Closed => Err(HoldRefused::UnknownStore),
                Standing::Known { hash: known, .. } | Standing::Decided { hash: known, .. }
                    if known != hash =>
                {
                    Err(HoldRefused::KeyReused)
                }
                Standing::Known { state, .. } => match state {
                    HoldState::Held | HoldState::Consumed => Ok(Hold { replayed: true }),
                    HoldState::Released => Err(HoldRefused::Released),
                },
                Standing::Decided { answer: Ok(_), .. } => Ok(Hold { replayed: true }),
                // One that was refused left nothing behind: the next one is as good as the first.
                Standing::Fresh | Standing::Decided { answer: Err(_), .. } => {
                    let answer = take(ledger, job);
                    *standing = Standing::Decided {
                        hash: hash.clone(),
                        answer: answer.clone(),
                    };
                    answer
                }
            })
        })
        .collect()
}

/// Takes every line of a request or none; every line that is short is named, unless what happened
/// is to be recorded.
fn take(ledger: &mut Ledger, job: &Job) -> Answer {
    let request = &job.request;
    let mut wanted: BTreeMap<ProductId, i64> = BTreeMap::new();
    for line in &request.lines {
        // The contract asks for one line per product; two are one all the same.
        let sum = wanted.entry(line.product_id).or_default();
        *sum = sum.saturating_add(line.quantity.get());
    }
    if request.oversell == Oversell::Refuse {
        let lines = short(ledger, request.store_id, &wanted);
        if !lines.is_empty() {
            return Err(HoldRefused::Short { lines });
        }
    }
    let cause = Cause {
        reason: MovementReason::Sale,
        document_id: request.hold_id.0,
        actor: job.actor,
        occurred_at: kernel::time::micros(request.occurred_at),
        note: None,
    };
    for (product_id, quantity) in wanted {
        let key = (request.store_id, product_id);
        if let Err(short) = ledger.record(key, quantity, &cause) {
            // Not reached: what is not recorded whatever the books say was checked above, and
            // no two lines are of one product; for the rest, every level has a row by now.
            return Err(HoldRefused::Short {
                lines: vec![ShortLine {
                    product_id,
                    requested: quantity,
                    available: short.available,
                }],
            });
        }
    }
    Ok(Hold { replayed: false })
}

fn short(ledger: &Ledger, store: StoreId, wanted: &BTreeMap<ProductId, i64>) -> Vec<ShortLine> {
    wanted
        .iter()
        .filter_map(|(product_id, requested)| {
            let short = ledger.can_take((store, *product_id), *requested).err()?;
            Some(ShortLine {
                product_id: *product_id,
                requested: *requested,
                available: short.available,
            })
        })
        .collect()
}

#[cfg(test)]
mod tests;
