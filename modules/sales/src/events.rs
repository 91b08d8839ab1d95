//! What happened, as other modules are told.

use diesel::QueryResult;
use kernel::{
    ids::{SaleId, StoreId, UserId},
    outbox::Envelope,
};
use sales_api::{
    Goods, ReturnRecorded, ReturnedGoods, SaleRecorded, SaleVoided, ShiftClosed, ShiftOpened,
};

use crate::repo::shifts::Shift;

use crate::repo::returns::Return;

/// A sale was recorded: the first thing that happens to it.
pub(crate) fn recorded(
    sale_id: SaleId,
    store_id: StoreId,
    cashier: UserId,
) -> QueryResult<Envelope> {
    Envelope::new(sale_id.0, 1, cashier, &SaleRecorded { sale_id, store_id })
}

/// A sale was voided. `seq` was given under the sale's row lock.
pub(crate) fn voided(
    sale_id: SaleId,
    store_id: StoreId,
    seq: i64,
    actor: UserId,
    goods: Vec<Goods>,
) -> QueryResult<Envelope> {
    let event = SaleVoided {
        sale_id,
        store_id,
        goods,
    };
    Envelope::new(sale_id.0, seq, actor, &event)
}

/// Goods came back: the only thing that ever happens to a return.
pub(crate) fn returned(head: &Return, goods: Vec<ReturnedGoods>) -> QueryResult<Envelope> {
    let event = ReturnRecorded {
        return_id: head.id,
        sale_id: head.sale_id,
        store_id: head.store_id,
        goods,
    };
    Envelope::new(head.id, 1, head.cashier_id, &event)
}

/// A shift was opened: the first of two things that happen to it.
pub(crate) fn shift_opened(shift: &Shift, actor: UserId) -> QueryResult<Envelope> {
    let event = ShiftOpened {
        shift_id: shift.id,
        store_id: shift.store_id,
        register_id: shift.register_id,
    };
    Envelope::new(shift.id, 1, actor, &event)
}

/// A shift was closed: the last.
pub(crate) fn shift_closed(shift: &Shift, z_number: i64, actor: UserId) -> QueryResult<Envelope> {
    let event = ShiftClosed {
        shift_id: shift.id,
        store_id: shift.store_id,
        register_id: shift.register_id,
        z_number,
    };
    Envelope::new(shift.id, 2, actor, &event)
}
