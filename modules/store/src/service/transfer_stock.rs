//! What a transfer does to levels: it reserves at the source, takes there, is on the way to the
//! destination and comes in. The caller has locked the transfer; levels are locked after it.

use std::collections::BTreeSet;

use diesel::PgConnection;
use kernel::{call::Cx, ids::StoreId};

use crate::{
    domain::{
        ledger::{Cause, Change, Key, Ledger, Short},
        reason::MovementReason,
        transfer::{Arrival, Excess, Line, Pick, Refusal},
    },
    error::Error,
    repo::{
        ledger,
        promises::{self, Promise},
        transfers::Transfer,
    },
};

/// The levels of the transfer's products at `stores`, locked in key order.
fn lock(conn: &mut PgConnection, transfer: &Transfer, stores: &[StoreId]) -> Result<Ledger, Error> {
    let keys: BTreeSet<Key> = stores
        .iter()
        .flat_map(|store| transfer.lines.iter().map(|line| (*store, line.product_id)))
        .collect();
    ledger::prepare(conn, false)?;
    ledger::ensure(conn, &keys)?;
    Ok(ledger::lock(conn, &keys)?)
}

/// The picks that `refuses` answers with too little.
fn check(
    picks: &[(Option<usize>, Pick)],
    refuses: impl Fn(&Pick) -> Result<(), Short>,
) -> Result<(), Refusal> {
    let short: Vec<Excess> = picks
        .iter()
        .filter_map(|(index, pick)| {
            let short = refuses(pick).err()?;
            Some(Excess {
                index: *index,
                product_id: pick.product_id,
                limit: short.available,
            })
        })
        .collect();
    if short.is_empty() {
        Ok(())
    } else {
        Err(Refusal::Short(short))
    }
}

fn promises(
    lines: &[Line],
    store: StoreId,
    of: impl Fn(&Line) -> (i64, i64),
) -> impl Iterator<Item = Promise> {
    lines.iter().filter_map(move |line| {
        let (reserved, incoming) = of(line);
        let key = (store, line.product_id);
        (reserved != 0 || incoming != 0).then_some(Promise {
            key,
            reserved,
            incoming,
        })
    })
}

/// Promises `picks`, which `transfer` counts as approved.
pub(crate) fn reserve(
    conn: &mut PgConnection,
    transfer: &Transfer,
    picks: &[(Option<usize>, Pick)],
) -> Result<(), Error> {
    let from = transfer.row.from_store_id;
    let ledger = lock(conn, transfer, &[from])?;
    check(picks, |pick| {
        ledger.can_promise((from, pick.product_id), pick.quantity)
    })?;
    let reserved: Vec<Promise> =
        promises(&transfer.lines, from, |line| (line.approved, 0)).collect();
    Ok(promises::write(conn, &reserved)?)
}

/// Takes back what was promised.
pub(crate) fn release(conn: &mut PgConnection, transfer: &Transfer) -> Result<(), Error> {
    let from = transfer.row.from_store_id;
    lock(conn, transfer, &[from])?;
    let released: Vec<Promise> =
        promises(&transfer.lines, from, |line| (-line.approved, 0)).collect();
    Ok(promises::write(conn, &released)?)
}

/// Takes `picks`, which `transfer` counts as sent, out of the source's stock, whatever was promised
/// of them to others; all that was promised to this transfer is released.
pub(crate) fn send(
    conn: &mut PgConnection,
    cx: &Cx,
    transfer: &Transfer,
    picks: &[(Option<usize>, Pick)],
) -> Result<(), Error> {
    let (from, to) = (transfer.row.from_store_id, transfer.row.to_store_id);
    let mut ledger = lock(conn, transfer, &[from, to])?;
    check(picks, |pick| {
        ledger.can_take((from, pick.product_id), pick.quantity)
    })?;
    let cause = cause(cx, transfer, MovementReason::TransferOut, None);
    for line in &transfer.lines {
        post(&mut ledger, from, line, -line.sent, 0, &cause)?;
    }
    ledger::write(conn, &ledger)?;
    let moved: Vec<Promise> = promises(&transfer.lines, from, |line| (-line.approved, 0))
        .chain(promises(&transfer.lines, to, |line| (0, line.sent)))
        .collect();
    Ok(promises::write(conn, &moved)?)
}

/// Adds what arrived to the destination's stock; what is lost is only not on the way any more.
pub(crate) fn take_in(
    conn: &mut PgConnection,
    cx: &Cx,
    transfer: &Transfer,
    arrivals: &[Arrival],
    note: Option<&str>,
) -> Result<(), Error> {
    let to = transfer.row.to_store_id;
    let mut ledger = lock(conn, transfer, &[to])?;
    let cause = cause(cx, transfer, MovementReason::TransferIn, note);
    let mut arrived = Vec::new();
    for line in &transfer.lines {
        let of_line = |arrival: &&Arrival| arrival.product_id == line.product_id;
        if let Some(arrival) = arrivals.iter().find(of_line) {
            let (received, damaged) = (arrival.received, arrival.damaged);
            post(&mut ledger, to, line, received, damaged, &cause)?;
            arrived.push(Promise {
                key: (to, line.product_id),
                reserved: 0,
                incoming: -arrival.total(),
            });
        }
    }
    ledger::write(conn, &ledger)?;
    Ok(promises::write(conn, &arrived)?)
}

fn post(
    ledger: &mut Ledger,
    store: StoreId,
    line: &Line,
    on_hand: i64,
    damaged: i64,
    cause: &Cause,
) -> Result<(), Refusal> {
    let change = Change { on_hand, damaged };
    let posted = ledger.post((store, line.product_id), change, cause);
    posted.map(drop).map_err(|short| {
        // Not reached: what leaves was checked before, and what comes in is never refused.
        Refusal::Short(vec![Excess {
            index: None,
            product_id: line.product_id,
            limit: short.available,
        }])
    })
}

fn cause(cx: &Cx, transfer: &Transfer, reason: MovementReason, note: Option<&str>) -> Cause {
    Cause {
        reason,
        document_id: transfer.row.id.0,
        actor: cx.actor,
        occurred_at: kernel::time::now(),
        note: note.map(str::to_owned),
    }
}
