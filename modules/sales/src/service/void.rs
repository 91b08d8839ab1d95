//! Voiding a sale: the same day, before anything came back.

use diesel::PgConnection;
use kernel::{
    audit::{self, Entry},
    auth::Scope,
    call::Cx,
    idempotency::{IdempotencyKey, request_hash},
    ids::SaleId,
    outbox,
    problem::Problem,
    uuid::Uuid,
};
use sales_api::Goods;

use super::{Powers, views};
use crate::{
    Sales,
    domain::words::SaleStatus,
    dto::{SaleDetail, VoidSale},
    error::{Conflict, Error},
    events,
    repo::{
        receipts, registers, returns_write,
        sales::{self, Sale},
        voids::{self, NewVoid},
    },
};

/// A sale that is voided.
#[derive(Debug)]
pub(crate) struct Voided {
    pub(crate) sale: SaleDetail,
    pub(crate) replayed: bool,
}

impl Sales {
    /// The sale, if it is in `scope`: what its store is decides what the caller may do with it.
    pub(crate) async fn sale_in(&self, id: SaleId, scope: &Scope) -> Result<Sale, Error> {
        let stores = scope.as_filter();
        self.db
            .run(move |conn| sales::head(conn, id, stores).map_err(Error::from))
            .await?
            .ok_or(Error::NotFound("sale"))
    }

    /// Voids `sale`, once per key; its goods go back on the shelf when the store hears of it.
    pub(crate) async fn void(
        &self,
        cx: &Cx,
        key: &IdempotencyKey,
        sale: Sale,
        body: VoidSale,
        may: Powers,
    ) -> Result<Voided, Error> {
        let new = NewVoid {
            id: key.id_for(cx.actor),
            hash: request_hash(&body).map_err(|e| Problem::internal(&e))?,
            sale_id: sale.id,
            at: kernel::time::now(),
            by: cx.actor,
            reason: body.reason.into_string(),
            shift_id: None,
        };
        let replayed = match standing(&sale, &new)? {
            Some(()) => true,
            None => {
                self.check_own_and_today(cx, &sale, may).await?;
                let (meter, currency, total) =
                    (self.meter.clone(), sale.currency, sale.total_minor);
                let (cx, sale) = (cx.clone(), sale.clone());
                let work = move |conn: &mut PgConnection| apply(conn, &cx, &sale, new);
                self.db
                    .transaction_then(work, move |replayed| {
                        if !replayed {
                            meter.void(currency, total);
                        }
                    })
                    .await?
            }
        };
        let id = sale.id;
        let found = self
            .db
            .run(move |conn| sales::find(conn, id, None).map_err(Error::from))
            .await?;
        let full = found.ok_or(Error::NotFound("sale"))?;
        Ok(Voided {
            sale: views::detail(full),
            replayed,
        })
    }

    async fn check_own_and_today(&self, cx: &Cx, sale: &Sale, may: Powers) -> Result<(), Error> {
        if may.supervise {
            return Ok(());
        }
        if sale.cashier_id != cx.actor {
            return Err(Error::NotOwnSale);
        }
        let store = self.directory.fresh_profile(cx, sale.store_id).await?;
        if store.business_date(kernel::time::now()) != sale.business_date {
            return Err(Error::VoidTooLate);
        }
        Ok(())
    }
}

/// `Some` when this very request voided the sale already.
fn standing(sale: &Sale, new: &NewVoid) -> Result<Option<()>, Error> {
    match (sale.state, sale.void_id) {
        (SaleStatus::Recorded, _) => Ok(None),
        (SaleStatus::Voided, Some(id)) if id == new.id => {
            if sale.void_hash.as_deref() == Some(new.hash.as_slice()) {
                Ok(Some(()))
            } else {
                Err(Error::KeyReused)
            }
        }
        (SaleStatus::Voided, _) => Err(Error::AlreadyVoided),
    }
}

/// The shift that is open at the register of the sale: its drawer gives the money back, whichever
/// shift had taken it. Locks the sale, then the register.
fn paying_shift(conn: &mut PgConnection, sale: &Sale) -> Result<Option<Uuid>, Error> {
    let Some(register) = sale.register_id else {
        return Ok(None);
    };
    returns_write::lock_sale(conn, sale.id)?;
    let register = registers::lock(conn, sale.store_id, register)?;
    Ok(register.and_then(|register| register.shift_in(sale.currency)))
}

/// Answers whether a concurrent try of the same request was faster.
fn apply(conn: &mut PgConnection, cx: &Cx, sale: &Sale, new: NewVoid) -> Result<bool, Error> {
    let new = &NewVoid {
        shift_id: paying_shift(conn, sale)?,
        ..new
    };
    let Some(seq) = voids::void(conn, new)? else {
        let sale = sales::head(conn, new.sale_id, None)?.ok_or(Error::NotFound("sale"))?;
        return match standing(&sale, new)? {
            Some(()) => Ok(true),
            None if voids::is_exchange(conn, new.sale_id)? => Err(Conflict::PartOfExchange.into()),
            None => Err(Error::HasReturns),
        };
    };
    if let Some(shift) = new.shift_id {
        receipts::count_void(conn, shift, sale.id)?;
    }
    let goods = voids::goods(conn, new.sale_id)?;
    let goods = goods.into_iter().map(|row| Goods {
        product_id: row.product_id,
        quantity: row.quantity,
    });
    let event = events::voided(sale.id, sale.store_id, seq, new.by, goods.collect())?;
    outbox::publish(conn, &[event])?;
    let before = serde_json::json!({"status": SaleStatus::Recorded});
    let after = serde_json::json!({"status": SaleStatus::Voided, "reason": new.reason});
    let entry = Entry::new(cx, "sale.void", sale.id).at(sale.store_id);
    audit::append(conn, &[entry.change(Some(&before), Some(&after))?])?;
    Ok(false)
}
