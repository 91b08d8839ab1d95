//! What the module publishes, and what of the sales it hears is of use to it.

use std::collections::BTreeSet;

use diesel::{PgConnection, QueryResult};
use kernel::{
    ids::{ProductId, SaleId, StoreId, UserId},
    outbox::{self, Envelope, Event},
};
use sales_api::{Disposition, ReturnRecorded, SaleRecorded, SaleVoided};
use store_api::{
    CountCancelled, CountOpened, CountPosted, CountState, CountStatus, StoreChanged,
    TransferApproved, TransferCancelled, TransferClosed, TransferDispatched, TransferDrafted,
    TransferLineState, TransferReceived, TransferRejected, TransferRequested, TransferState,
    TransferStatus,
};
use uuid::Uuid;

use crate::{
    domain::{
        ledger::{Change, Key},
        reason::MovementReason,
    },
    dto::source,
    repo::{counts::Count, transfers::Transfer},
};

/// Says that a store changed; `version` is the one it has now, under its row lock.
pub(crate) fn store_changed(
    conn: &mut PgConnection,
    store_id: StoreId,
    version: i64,
    actor: UserId,
) -> QueryResult<()> {
    let event = Envelope::new(store_id.0, version, actor, &StoreChanged { store_id })?;
    outbox::publish(conn, &[event])
}

/// Says what became of a transfer; its version is the one it has now, under its row lock.
pub(crate) fn transfer_changed(
    conn: &mut PgConnection,
    transfer: &Transfer,
    actor: UserId,
) -> QueryResult<()> {
    let (id, seq) = (transfer.row.id.0, transfer.row.version);
    let state = state(transfer);
    let event = match state.status {
        TransferStatus::Draft => Envelope::new(id, seq, actor, &TransferDrafted(state)),
        TransferStatus::Requested => Envelope::new(id, seq, actor, &TransferRequested(state)),
        TransferStatus::Approved => Envelope::new(id, seq, actor, &TransferApproved(state)),
        TransferStatus::InTransit => Envelope::new(id, seq, actor, &TransferDispatched(state)),
        TransferStatus::PartiallyReceived | TransferStatus::Received => {
            Envelope::new(id, seq, actor, &TransferReceived(state))
        }
        TransferStatus::Closed => Envelope::new(id, seq, actor, &TransferClosed(state)),
        TransferStatus::Cancelled => Envelope::new(id, seq, actor, &TransferCancelled(state)),
        TransferStatus::Rejected => Envelope::new(id, seq, actor, &TransferRejected(state)),
    }?;
    outbox::publish(conn, &[event])
}

/// Says that a count began or ended, which are its events one and two; nothing in between.
pub(crate) fn count_changed(
    conn: &mut PgConnection,
    count: &Count,
    actor: UserId,
) -> QueryResult<()> {
    let Count { head: row, summary } = count;
    let id = row.id.0;
    let moved = |units| match row.status.0 {
        CountStatus::Posted => units,
        _ => 0,
    };
    let state = CountState {
        count_id: row.id,
        number: row.number,
        store_id: row.store_id,
        kind: row.kind.0,
        status: row.status.0,
        lines: summary.lines,
        counted: summary.counted,
        units_up: moved(summary.units_up),
        units_down: moved(summary.units_down),
    };
    let event = match state.status {
        CountStatus::Open => Envelope::new(id, 1, actor, &CountOpened(state)),
        CountStatus::Posted => Envelope::new(id, 2, actor, &CountPosted(state)),
        CountStatus::Cancelled => Envelope::new(id, 2, actor, &CountCancelled(state)),
        CountStatus::Counting | CountStatus::Recounting => return Ok(()),
    }?;
    outbox::publish(conn, &[event])
}

fn state(transfer: &Transfer) -> TransferState {
    let row = &transfer.row;
    let lines = transfer.lines.iter().map(|line| TransferLineState {
        product_id: line.product_id,
        requested: line.requested,
        approved: line.approved,
        sent: line.sent,
        received: line.received,
        damaged: line.damaged,
        lost: line.lost,
    });
    TransferState {
        transfer_id: row.id,
        number: row.number,
        from_store_id: row.from_store_id,
        to_store_id: row.to_store_id,
        status: row.status.0,
        source: source(row.source_type.clone(), row.source_id),
        return_of: row.return_of,
        lines: lines.collect(),
    }
}

/// What the events of one delivery ask the store to do.
#[derive(Debug, Default)]
pub(crate) struct Effects {
    /// Holds whose sales are recorded.
    pub(crate) recorded: Vec<SaleId>,
    /// Goods that come back.
    pub(crate) incoming: Vec<Incoming>,
}

/// Goods that come back with one document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Incoming {
    pub(crate) document_id: Uuid,
    pub(crate) reason: MovementReason,
    pub(crate) actor: UserId,
    pub(crate) occurred_at: chrono::DateTime<chrono::Utc>,
    pub(crate) key: Key,
    pub(crate) change: Change,
}

/// Whether an event's payload fits its type; events of other types always do.
pub(crate) fn is_readable(event: &Envelope) -> bool {
    match event.event_type.as_str() {
        SaleRecorded::TYPE => event.decode::<SaleRecorded>().is_some(),
        SaleVoided::TYPE => event.decode::<SaleVoided>().is_some(),
        ReturnRecorded::TYPE => event.decode::<ReturnRecorded>().is_some(),
        _ => true,
    }
}

impl Effects {
    /// Adds what `event` asks for; events of other types ask for nothing.
    pub(crate) fn add(&mut self, event: &Envelope) {
        if let Some(sale) = event.decode::<SaleRecorded>() {
            self.recorded.push(sale.sale_id);
        }
        if let Some(sale) = event.decode::<SaleVoided>() {
            let goods = sale.goods.iter().map(|g| {
                let change = Change {
                    on_hand: g.quantity.get(),
                    damaged: 0,
                };
                (g.product_id, change)
            });
            self.bring(
                event,
                MovementReason::Void,
                sale.sale_id.0,
                sale.store_id,
                goods,
            );
        }
        if let Some(back) = event.decode::<ReturnRecorded>() {
            let goods = back.goods.iter().map(|g| {
                let quantity = g.quantity.get();
                let (on_hand, damaged) = match g.disposition {
                    Disposition::Restock => (quantity, 0),
                    Disposition::Damaged => (0, quantity),
                };
                (g.product_id, Change { on_hand, damaged })
            });
            self.bring(
                event,
                MovementReason::Return,
                back.return_id,
                back.store_id,
                goods,
            );
        }
    }

    fn bring(
        &mut self,
        event: &Envelope,
        reason: MovementReason,
        document_id: Uuid,
        store_id: StoreId,
        goods: impl Iterator<Item = (ProductId, Change)>,
    ) {
        self.incoming
            .extend(goods.map(|(product_id, change)| Incoming {
                document_id,
                reason,
                actor: event.actor_id,
                occurred_at: event.recorded_at,
                key: (store_id, product_id),
                change,
            }));
    }

    /// The levels that change.
    pub(crate) fn keys(&self) -> BTreeSet<Key> {
        self.incoming.iter().map(|i| i.key).collect()
    }
}

#[cfg(test)]
mod tests {
    use kernel::money::Quantity;
    use sales_api::ReturnedGoods;

    use super::*;

    #[test]
    fn a_return_goes_back_on_the_shelf_or_among_the_damaged() {
        let event = ReturnRecorded {
            return_id: Uuid::now_v7(),
            sale_id: None,
            store_id: StoreId::new(),
            goods: [Disposition::Restock, Disposition::Damaged]
                .map(|disposition| ReturnedGoods {
                    product_id: ProductId::new(),
                    quantity: Quantity::new(3).unwrap(),
                    disposition,
                })
                .to_vec(),
        };
        let envelope = Envelope::new(event.return_id, 1, UserId::new(), &event).unwrap();
        let mut effects = Effects::default();
        effects.add(&envelope);
        let changes: Vec<_> = effects
            .incoming
            .iter()
            .map(|i| (i.change.on_hand, i.change.damaged))
            .collect();
        assert_eq!(changes, [(3, 0), (0, 3)]);
        assert!(effects.recorded.is_empty());
    }

    #[test]
    fn a_payload_that_does_not_fit_is_noticed() {
        let event = SaleRecorded {
            sale_id: SaleId::new(),
            store_id: StoreId::new(),
        };
        let mut envelope = Envelope::new(event.sale_id.0, 1, UserId::new(), &event).unwrap();
        assert!(is_readable(&envelope));
        envelope.payload = serde_json::json!({});
        assert!(!is_readable(&envelope));
        envelope.event_type = "sale.framed.v1".to_owned();
        assert!(is_readable(&envelope));
    }
}
