//! Applies what the sales module reports: holds become final, and goods come back.

use std::collections::BTreeSet;

use diesel::{PgConnection, QueryResult, result::Error};
use kernel::{inbox, outbox::Envelope, relay::Delivery};

use crate::{
    domain::{ledger::Cause, reason::HoldState},
    events::{Effects, is_readable},
    repo::{columns::Reason, holds, ledger, movements},
};

/// What became of a delivery.
pub(crate) struct Applied {
    /// One per event.
    pub(crate) outcomes: Vec<Delivery>,
    /// Holds whose sale was heard of.
    pub(crate) consumed: usize,
}

/// Applies the new ones of `events`, in one transaction, and says for each what became of it.
///
/// # Errors
///
/// As any statement; nothing is applied then, and the events are to be delivered again.
pub(crate) fn apply(conn: &mut PgConnection, events: Vec<Envelope>) -> QueryResult<Applied> {
    ledger::prepare(conn, false)?;
    // One that cannot be read stays undelivered until it is parked, and the later ones of its
    // aggregate with it; all others go on.
    let readable: Vec<bool> = events.iter().map(is_readable).collect();
    let (good, bad): (Vec<_>, Vec<_>) = events
        .into_iter()
        .zip(&readable)
        .partition(|(_, readable)| **readable);
    for (event, _) in bad {
        tracing::error!(event_id = %event.event_id, event_type = event.event_type,
            "an event's payload does not fit its type");
    }
    let good: Vec<Envelope> = good.into_iter().map(|(event, _)| event).collect();
    let sorted = inbox::sort(conn, &good)?;
    let mut effects = Effects::default();
    for index in sorted.fresh {
        if let Some(event) = good.get(index) {
            effects.add(event);
        }
    }
    let consumed = consume(conn, &mut effects)?;
    bring_back(conn, &effects)?;
    let mut outcomes = sorted.outcomes.into_iter();
    let outcomes = readable.iter().map(|readable| match readable {
        true => outcomes.next().unwrap_or(Delivery::TooEarly),
        false => Delivery::TooEarly,
    });
    Ok(Applied {
        outcomes: outcomes.collect(),
        consumed,
    })
}

/// One statement for the whole delivery; no level is touched again.
fn consume(conn: &mut PgConnection, effects: &mut Effects) -> QueryResult<usize> {
    effects.recorded.sort_unstable();
    if effects.recorded.is_empty() {
        return Ok(0);
    }
    let settled = holds::resolve(conn, &effects.recorded, HoldState::Consumed)?;
    if settled.len() < effects.recorded.len() {
        warn_of_lost_goods(conn, effects)?;
    }
    Ok(settled.len())
}

/// The sweeper may have been faster, which is fine. A hold that is missing or was released is
/// not: the protocol excludes it, so it must not pass unseen.
fn warn_of_lost_goods(conn: &mut PgConnection, effects: &Effects) -> QueryResult<()> {
    let standing = holds::read(conn, &effects.recorded)?;
    let consumed: BTreeSet<_> = standing
        .iter()
        .filter(|hold| hold.state.0 == HoldState::Consumed)
        .map(|hold| hold.hold_id)
        .collect();
    for sale in effects.recorded.iter().filter(|id| !consumed.contains(id)) {
        tracing::error!(%sale, "a sale is recorded, but its goods were not taken");
    }
    Ok(())
}

fn bring_back(conn: &mut PgConnection, effects: &Effects) -> QueryResult<()> {
    if effects.incoming.is_empty() {
        return Ok(());
    }
    let keys = effects.keys();
    ledger::ensure(conn, &keys)?;
    let mut ledger = ledger::lock(conn, &keys)?;
    // The inbox tells repeats apart; should it be lost, the ledger itself does.
    let asked = effects
        .incoming
        .iter()
        .map(|i| (i.key.0, i.document_id, Reason(i.reason).text()))
        .collect();
    let done = movements::documents(conn, &asked)?;
    for item in &effects.incoming {
        // A void's document is the sale, whose own id never is a return's.
        if done.contains(&item.document_id) {
            continue;
        }
        let cause = Cause {
            reason: item.reason,
            document_id: item.document_id,
            actor: item.actor,
            occurred_at: item.occurred_at,
            note: None,
        };
        ledger
            .post(item.key, item.change, &cause)
            .map_err(|_| Error::RollbackTransaction)?;
    }
    ledger::write(conn, &ledger).map(drop)
}
