//! Follows the transfers that approvals made, as the store module reports them, until all of a
//! request are over.

use diesel::PgConnection;
use kernel::{call::Cx, outbox::Envelope, relay::Delivery};
use store_api::TransferState;
use uuid::Uuid;

use super::{planned::SOURCE_KIND, replenishment::change};
use crate::{
    domain::replenishment::{RequestStatus, SupplyStatus, outcome},
    error::Error,
    repo::{columns::Status, replenishment, replenishment_transfers},
};

/// Takes over what is new in `events`, in one transaction. Each carries the whole transfer and its
/// version, so that an older one is known by that and no inbox is needed; the module also hears of
/// transfers that are older than itself.
///
/// # Errors
///
/// As any statement; nothing is taken over then, and the events are to be delivered again.
pub(crate) fn apply(conn: &mut PgConnection, events: &[Envelope]) -> Result<Vec<Delivery>, Error> {
    let mut answers = Vec::with_capacity(events.len());
    let mut news = Vec::new();
    for event in events {
        answers.push(match read(event) {
            Ok(state) => {
                news.extend(state);
                Delivery::Done
            }
            // It stays undelivered until it is parked, where it is seen.
            Err(error) => {
                tracing::error!(event_id = %event.event_id, event_type = event.event_type, %error,
                    "an event's payload does not fit its type");
                Delivery::TooEarly
            }
        });
    }
    // Requests are locked in the order of their ids.
    news.sort_by_key(|n: &News| (n.request, n.state.transfer_id, n.seq));
    for request in news.chunk_by(|a, b| a.request == b.request) {
        follow(conn, request)?;
    }
    Ok(answers)
}

/// What is heard of a transfer that a request has made.
struct News {
    request: Uuid,
    state: TransferState,
    seq: i64,
    cx: Cx,
}

/// `None` for what is none of ours.
fn read(event: &Envelope) -> Result<Option<News>, serde_json::Error> {
    if event.aggregate_type != "transfer" {
        return Ok(None);
    }
    // Every event of a transfer has the same payload.
    let state: TransferState = serde_json::from_value(event.payload.clone())?;
    let source = state.source.as_ref().filter(|s| s.kind == SOURCE_KIND);
    Ok(source.map(|source| News {
        request: source.id,
        seq: event.seq,
        cx: Cx::new(event.actor_id),
        state: state.clone(),
    }))
}

fn follow(conn: &mut PgConnection, news: &[News]) -> Result<(), Error> {
    let Some(last) = news.last() else {
        return Ok(());
    };
    if replenishment::lock(conn, last.request)?.is_none() {
        return Ok(());
    }
    for News { state, seq, .. } in news {
        replenishment_transfers::follow(conn, last.request, state, *seq)?;
    }
    settle(conn, &last.cx, last.request)
}

/// Ends a request whose transfers are all over. It must be locked.
pub(crate) fn settle(conn: &mut PgConnection, cx: &Cx, id: Uuid) -> Result<(), Error> {
    let before = replenishment::find(conn, id, &kernel::auth::Scope::All)?;
    let before = before.ok_or(Error::NotFound("request"))?;
    if before.row.status.0 != RequestStatus::Approved {
        return Ok(());
    }
    let transfers: Vec<SupplyStatus> = before.transfers.iter().map(|t| t.status).collect();
    let lines = before.transfers.iter().flat_map(|t| &t.lines);
    let arrived = lines.map(|line| line.received + line.damaged).sum();
    let Some(status) = outcome(&transfers, arrived) else {
        return Ok(());
    };
    let mut row = before.row.clone();
    row.status = Status(status);
    row.ended_at = Some(kernel::time::now());
    change(conn, cx, "replenishment.end", before, row).map(drop)
}
