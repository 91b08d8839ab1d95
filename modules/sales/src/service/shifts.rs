//! Opens shifts and reads them.

use diesel::PgConnection;
use kernel::{
    answers::{Answered, Asked, once, replay},
    audit::{self, Entry},
    call::Cx,
    idempotency::IdempotencyKey,
    money::Money,
    outbox,
    page::{self, Page},
    uuid::Uuid,
};
use store_api::RegisterRef;

use super::{read::after, shift_reports::amount, validate};
use crate::{
    Sales,
    domain::words::ShiftStatus,
    dto::{CashMovementView, CashMovementsQuery, OpenShift, ShiftView, ShiftsQuery},
    error::{Error, ShiftRefusal},
    events,
    repo::{
        Newest,
        cash_movements::{self, CashMovement},
        registers,
        sales::Sight,
        shifts::{self, Shift},
    },
};

impl Sales {
    /// Opens a shift at a register, once per key.
    pub(crate) async fn open_shift(
        &self,
        cx: &Cx,
        key: &IdempotencyKey,
        body: OpenShift,
    ) -> Result<Answered<ShiftView>, Error> {
        let request = Asked::new(key.id_for(cx.actor), &body)?;
        let (request, stored) = self
            .db
            .run(move |conn| {
                let stored = replay::<_, Error>(conn, &request)?;
                Ok::<_, Error>((request, stored))
            })
            .await?;
        if let Some(answered) = stored {
            return Ok(answered);
        }
        let new = self.new_shift(cx, request.id, &body).await?;
        let cx = cx.clone();
        self.db
            .transaction(move |conn| once(conn, &cx, &request, |conn| open(conn, &cx, new)))
            .await
    }

    async fn new_shift(&self, cx: &Cx, id: Uuid, body: &OpenShift) -> Result<Shift, Error> {
        if body.opening_float.amount.get() < 0 {
            let detail = "must not be below zero";
            return Err(Error::invalid("/opening_float/amount", detail));
        }
        let store = self.directory.fresh_profile(cx, body.store_id).await?;
        if store.archived {
            return Err(Error::StoreArchived);
        }
        let register = registered(&store.registers, body.register_id)?;
        if body.opening_float.currency != store.currency {
            return Err(Error::CurrencyMismatch {
                pointer: "/opening_float".into(),
                store: store.currency,
            });
        }
        let opened_at = kernel::time::now();
        Ok(Shift {
            id,
            store_id: body.store_id,
            register_id: register.id,
            register_code: register.code.clone(),
            cashier_id: cx.actor,
            state: ShiftStatus::Open,
            currency: store.currency,
            business_date: store.business_date(opened_at),
            opened_at,
            float_minor: body.opening_float.amount,
            // Known under the register's lock.
            first_receipt: 1,
            cash_in_minor: 0,
            cash_out_minor: 0,
            cash_count: 0,
            closed_at: None,
            closed_by: None,
            last_receipt: None,
            z_number: None,
            expected_minor: None,
            counted_minor: None,
        })
    }

    /// One shift, if it is in sight.
    pub(crate) async fn shift(&self, id: Uuid, sight: Sight) -> Result<Shift, Error> {
        self.db
            .run(move |conn| shifts::find(conn, id, Some(sight)).map_err(Error::from))
            .await?
            .ok_or(Error::NotFound("shift"))
    }

    /// Shifts, the last opened first.
    pub(crate) async fn shifts(
        &self,
        sight: Sight,
        query: ShiftsQuery,
    ) -> Result<Page<ShiftView>, Error> {
        let ShiftsQuery {
            store_id,
            register_id,
            cashier_id,
            status,
            from,
            to,
            limit,
            cursor,
        } = query;
        validate::dates(from, to)?;
        let after = after(cursor.as_ref())?;
        let limit = limit.unwrap_or_default();
        let filter = shifts::Filter {
            store_id,
            register_id,
            cashier_id,
            status,
            from,
            to,
        };
        let rows = self
            .db
            .run(move |conn| {
                shifts::list(conn, sight, &filter, after, limit.plus_one()).map_err(Error::from)
            })
            .await?;
        let key = |row: &Shift| Newest {
            occurred_at: row.opened_at,
            id: row.id,
        };
        Ok(Page::build(rows, limit, key, shift_view))
    }

    /// What was put into a shift's drawer and taken out, in that order. Only where there is nothing
    /// is it asked whether there is such a shift.
    pub(crate) async fn cash_movements(
        &self,
        id: Uuid,
        sight: Sight,
        query: CashMovementsQuery,
    ) -> Result<Page<CashMovementView>, Error> {
        let after: Option<i32> = page::after(query.cursor.as_ref())?;
        let limit = query.limit.unwrap_or_default();
        let rows = self
            .db
            .run(move |conn| {
                let rows = cash_movements::list(conn, id, sight.clone(), after, limit.plus_one())?;
                if rows.is_empty() {
                    shifts::find(conn, id, Some(sight))?.ok_or(Error::NotFound("shift"))?;
                }
                Ok::<_, Error>(rows)
            })
            .await?;
        Ok(Page::build(
            rows,
            limit,
            |(row, _)| row.n,
            |(row, currency)| movement_view(row, currency),
        ))
    }
}

/// The register of the store, if it is one that is in use.
pub(crate) fn registered(registers: &[RegisterRef], id: Uuid) -> Result<&RegisterRef, Error> {
    let found = registers.iter().find(|register| register.id == id);
    found.ok_or_else(|| Error::invalid("/register_id", "is not a register of this store"))
}

fn open(conn: &mut PgConnection, cx: &Cx, new: Shift) -> Result<ShiftView, Error> {
    let (store_id, register_id) = (new.store_id, new.register_id);
    let register = registers::open(conn, store_id, register_id, new.id, new.currency)?
        .ok_or(ShiftRefusal::Open)?;
    let shift = Shift {
        first_receipt: register.last_receipt.saturating_add(1),
        ..new
    };
    shifts::insert(conn, &shift)?;
    outbox::publish(conn, &[events::shift_opened(&shift, cx.actor)?])?;
    let view = shift_view(shift);
    let entry = Entry::new(cx, "shift.open", view.id).at(store_id);
    audit::append(conn, &[entry.change(None, Some(&view))?])?;
    Ok(view)
}

/// A shift as clients see it.
pub(crate) fn shift_view(row: Shift) -> ShiftView {
    let Shift {
        id,
        store_id,
        register_id,
        register_code,
        cashier_id,
        state,
        currency,
        business_date,
        opened_at,
        float_minor,
        first_receipt: _,
        cash_in_minor,
        cash_out_minor,
        cash_count: _,
        closed_at,
        closed_by,
        last_receipt: _,
        z_number,
        expected_minor,
        counted_minor,
    } = row;
    let variance = counted_minor
        .zip(expected_minor)
        .map(|(counted, expected)| counted.get().saturating_sub(expected));
    ShiftView {
        id,
        store_id,
        register_id,
        register_code,
        cashier_id,
        status: state,
        currency,
        business_date,
        opened_at,
        opening_float: Money {
            amount: float_minor,
            currency,
        },
        cash_in: amount(cash_in_minor, currency),
        cash_out: amount(cash_out_minor, currency),
        closed_at,
        closed_by,
        z_number,
        expected: expected_minor.map(|minor| amount(minor, currency)),
        counted: counted_minor.map(|amount| Money { amount, currency }),
        variance: variance.map(|minor| amount(minor, currency)),
    }
}

/// A movement as clients see it.
pub(crate) fn movement_view(
    row: CashMovement,
    currency: kernel::money::Currency,
) -> CashMovementView {
    let CashMovement {
        store_id: _,
        shift_id,
        n,
        direction,
        amount_minor,
        reason,
        actor_id,
        recorded_at,
    } = row;
    CashMovementView {
        shift_id,
        n,
        direction,
        amount: Money {
            amount: amount_minor,
            currency,
        },
        reason,
        actor_id,
        recorded_at,
    }
}
