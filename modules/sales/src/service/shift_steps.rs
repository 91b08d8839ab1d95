//! What is done to an open shift: its cash is moved, and it is closed.

use diesel::PgConnection;
use kernel::{
    answers::{Answered, Asked, once},
    audit::{self, Entry},
    call::Cx,
    idempotency::IdempotencyKey,
    money::{Currency, Minor, Money},
    outbox,
    problem::Problem,
    text::Text,
};

use super::{
    shift_reports::{amount, drawer, report},
    shifts::{movement_view, shift_view},
};
use crate::{
    Sales,
    domain::{
        drawer::{self, Miscount},
        words::ShiftStatus,
    },
    dto::{CashMovementView, CashPieces, CloseShift, MoveCash, ZReport},
    error::{Error, ShiftRefusal},
    events,
    repo::{
        cash_movements::{self, CashMovement},
        registers, shift_totals,
        shifts::{self, Ending, Shift},
    },
};

/// Kinds of coins and notes in one count at most.
const MAX_PIECES: usize = 100;

impl Sales {
    /// Puts cash into the drawer of `shift`, or takes it out, once per key.
    pub(crate) async fn move_cash(
        &self,
        cx: &Cx,
        key: &IdempotencyKey,
        shift: Shift,
        body: MoveCash,
    ) -> Result<Answered<CashMovementView>, Error> {
        let request = Asked::new(key.id_for(cx.actor), &body)?;
        if body.amount.amount.get() <= 0 {
            return Err(Error::invalid("/amount/amount", "must be more than zero"));
        }
        same_currency(&shift, "/amount", body.amount.currency)?;
        let cx = cx.clone();
        self.db
            .transaction(move |conn| {
                once(conn, &cx, &request, |conn| {
                    move_cash(conn, &cx, &shift, body)
                })
            })
            .await
    }

    /// Closes `shift`, once per key.
    pub(crate) async fn close_shift(
        &self,
        cx: &Cx,
        key: &IdempotencyKey,
        shift: Shift,
        body: CloseShift,
    ) -> Result<Answered<ZReport>, Error> {
        let request = Asked::new(key.id_for(cx.actor), &body)?;
        let counted = counted(&shift, &body)?;
        let cx = cx.clone();
        self.db
            .transaction(move |conn| {
                once(conn, &cx, &request, |conn| {
                    close(conn, &cx, &shift, counted, body)
                })
            })
            .await
    }
}

fn same_currency(shift: &Shift, pointer: &str, given: Currency) -> Result<(), Error> {
    if given == shift.currency {
        return Ok(());
    }
    Err(Error::CurrencyMismatch {
        pointer: pointer.to_owned(),
        store: shift.currency,
    })
}

fn move_cash(
    conn: &mut PgConnection,
    cx: &Cx,
    shift: &Shift,
    body: MoveCash,
) -> Result<CashMovementView, Error> {
    registers::lock(conn, shift.store_id, shift.register_id)?;
    let MoveCash {
        direction,
        amount,
        reason,
    } = body;
    let Some(n) = cash_movements::count(conn, shift.id, direction, amount.amount)? else {
        return Err(refusal(conn, shift, amount)?);
    };
    let row = CashMovement {
        store_id: shift.store_id,
        shift_id: shift.id,
        n,
        direction,
        amount_minor: amount.amount,
        reason: reason.into_string(),
        actor_id: cx.actor,
        recorded_at: kernel::time::now(),
    };
    cash_movements::insert(conn, &row)?;
    let view = movement_view(row, shift.currency);
    let entry = Entry::new(cx, "shift.cash", shift.id).at(shift.store_id);
    audit::append(conn, &[entry.change(None, Some(&view))?])?;
    Ok(view)
}

/// Why no cash was moved: the shift is closed, or there is too little.
fn refusal(conn: &mut PgConnection, shift: &Shift, asked: Money) -> Result<Error, Error> {
    let now = shifts::find(conn, shift.id, None)?.ok_or(Error::NotFound("shift"))?;
    if now.state == ShiftStatus::Closed {
        return Ok(ShiftRefusal::Closed.into());
    }
    let totals = shift_totals::of(conn, now.store_id, now.id)?;
    let expected = drawer(&now, &totals).expected();
    Ok(ShiftRefusal::NotEnoughCash { asked, expected }.into())
}

/// What the request says was in the drawer.
fn counted(shift: &Shift, body: &CloseShift) -> Result<Minor, Error> {
    let CloseShift {
        total,
        pieces,
        note: _,
    } = body;
    if let Some(Money { amount, currency }) = *total {
        same_currency(shift, "/total", currency)?;
        if amount.get() < 0 {
            return Err(Error::invalid("/total/amount", "must not be below zero"));
        }
    }
    let pieces = pieces.as_ref().map(|all| {
        let pairs = all
            .iter()
            .map(|CashPieces { value, count }| (*value, *count));
        pairs.collect::<Vec<_>>()
    });
    let named = pieces.iter().flatten();
    if named.clone().count() > MAX_PIECES {
        let detail = format!("must have at most {MAX_PIECES} items");
        return Err(Error::invalid("/pieces", detail));
    }
    for (i, (value, _)) in named.enumerate() {
        same_currency(shift, &format!("/pieces/{i}/value"), value.currency)?;
        if value.amount.get() <= 0 {
            let pointer = format!("/pieces/{i}/value/amount");
            return Err(Error::invalid(pointer, "must be more than zero"));
        }
    }
    let named = total.map(|money| money.amount);
    drawer::counted(named, pieces.as_deref()).map_err(|miscount| match miscount {
        Miscount::Nothing => Error::invalid("", "must name total, pieces or both"),
        Miscount::TooMuch => {
            let detail = format!("come to more than {} minor units", Minor::MAX);
            Error::invalid("/pieces", detail)
        }
        Miscount::Differs(worth) => {
            let detail = format!("differs from the pieces, which come to {worth} minor units");
            Error::invalid("/total", detail)
        }
    })
}

/// Under the register's lock: what is being sold there comes before and is in the report, or after
/// and finds no shift. Reads the totals, and none of what they are sums of.
fn close(
    conn: &mut PgConnection,
    cx: &Cx,
    shift: &Shift,
    counted: Minor,
    body: CloseShift,
) -> Result<ZReport, Error> {
    registers::lock(conn, shift.store_id, shift.register_id)?;
    let before = shifts::find(conn, shift.id, None)?.ok_or(Error::NotFound("shift"))?;
    let closed = registers::close(conn, shift.store_id, shift.register_id, shift.id)?
        .ok_or(ShiftRefusal::Closed)?;
    let totals = shift_totals::of(conn, shift.store_id, shift.id)?;
    let report = report(&before, &totals, closed.last_receipt);
    let CloseShift {
        total: _,
        pieces,
        note,
    } = body;
    let (currency, expected) = (shift.currency, report.drawer.expected.amount);
    let z = ZReport {
        z_number: closed.last_z,
        closed_at: kernel::time::now(),
        closed_by: cx.actor,
        counted: Money {
            amount: counted,
            currency,
        },
        variance: amount(counted.get().saturating_sub(expected), currency),
        pieces,
        note: note.map(Text::into_string),
        report,
    };
    let kept = serde_json::to_value(&z).map_err(|e| Problem::internal(&e))?;
    let ending = Ending {
        at: z.closed_at,
        by: cx.actor,
        last_receipt: closed.last_receipt,
        z_number: closed.last_z,
        expected_minor: expected,
        counted_minor: counted,
        report: kept.clone(),
    };
    if !shifts::close(conn, shift, ending)? {
        return Err(ShiftRefusal::Closed.into());
    }
    let event = events::shift_closed(shift, closed.last_z, cx.actor)?;
    outbox::publish(conn, &[event])?;
    let before = serde_json::to_value(shift_view(before)).ok();
    let entry = Entry::new(cx, "shift.close", shift.id).at(shift.store_id);
    audit::append(conn, &[entry.change(before.as_ref(), Some(&kept))?])?;
    Ok(z)
}
