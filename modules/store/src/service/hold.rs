//! T1 of a sale: takes the goods of every request that waits, in one transaction. Locks are taken
//! in one order everywhere: holds by id, then levels by store and product.

use std::collections::{BTreeMap, BTreeSet};

use diesel::{PgConnection, QueryResult, result::Error};
use kernel::ids::{SaleId, StoreId};
use store_api::Oversell;

use crate::{
    domain::{
        hold::{Answer, Job, Standing, decide},
        ledger::Key,
    },
    repo::{holds, ledger},
};

/// Answers every job, in order. `deferred`: see [`HoldCommit`](crate::HoldCommit).
///
/// # Errors
///
/// As any statement; nothing is taken then.
pub(crate) fn write(
    conn: &mut PgConnection,
    deferred: bool,
    jobs: &[Job],
) -> QueryResult<Vec<Answer>> {
    ledger::prepare(conn, deferred)?;
    let (mut standings, allowing) = standings(conn, jobs)?;
    let fresh: Vec<&Job> = jobs
        .iter()
        .filter(|job| standings.get(&job.request.hold_id) == Some(&Standing::Fresh))
        .collect();
    let keys = keys(fresh.iter().copied());
    // What may go below zero need not have a row before.
    let may_be_missing = fresh.iter().copied().filter(|job| {
        job.request.oversell == Oversell::Record || allowing.contains(&job.request.store_id)
    });
    ledger::ensure(conn, &self::keys(may_be_missing))?;
    let mut ledger = ledger::lock(conn, &keys)?;
    let answers = decide(&mut ledger, &mut standings, jobs).ok_or(Error::RollbackTransaction)?;
    let refused: Vec<SaleId> = standings
        .iter()
        .filter(|(_, s)| matches!(s, Standing::Decided { answer: Err(_), .. }))
        .map(|(id, _)| *id)
        .collect();
    if !refused.is_empty() {
        holds::forget(conn, &refused)?;
    }
    ledger::write(conn, &ledger)?;
    Ok(answers)
}

fn keys<'a>(jobs: impl Iterator<Item = &'a Job>) -> BTreeSet<Key> {
    jobs.flat_map(|job| {
        let store = job.request.store_id;
        job.request.lines.iter().map(move |l| (store, l.product_id))
    })
    .collect()
}

/// Makes the missing hold rows; answers what stands under each id, and the stores that sell below
/// zero.
fn standings(
    conn: &mut PgConnection,
    jobs: &[Job],
) -> QueryResult<(BTreeMap<SaleId, Standing>, BTreeSet<StoreId>)> {
    // Of requests under one id the first decides; the others are compared with it.
    let mut first: BTreeMap<SaleId, &Job> = BTreeMap::new();
    for job in jobs {
        first.entry(job.request.hold_id).or_insert(job);
    }
    let asked: Vec<(SaleId, StoreId, &[u8])> = first
        .iter()
        .map(|(id, job)| {
            (
                *id,
                job.request.store_id,
                job.request.request_hash.as_slice(),
            )
        })
        .collect();
    let (mut standings, mut allowing, mut unseen) = (BTreeMap::new(), BTreeSet::new(), Vec::new());
    for row in holds::take(conn, &asked)? {
        let standing = match (row.fresh, row.state, row.request_hash) {
            (true, _, _) => Standing::Fresh,
            (false, Some(state), Some(hash)) => Standing::Known {
                hash,
                state: state.0,
            },
            (false, _, _) if row.open => {
                // Made by a transaction that ended after our statement began.
                unseen.push(row.hold_id);
                continue;
            }
            (false, _, _) => Standing::Closed,
        };
        if let (true, Some(job)) = (row.allows_negative, first.get(&row.hold_id)) {
            allowing.insert(job.request.store_id);
        }
        standings.insert(row.hold_id, standing);
    }
    if !unseen.is_empty() {
        for row in holds::read(conn, &unseen)? {
            let known = Standing::Known {
                hash: row.request_hash,
                state: row.state.0,
            };
            standings.insert(row.hold_id, known);
        }
    }
    Ok((standings, allowing))
}
