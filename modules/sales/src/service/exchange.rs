//! Exchanging goods: a sale and a return that both stand or neither does.
//!
//! The sale's goods are taken first, as for any sale; then one transaction writes both documents. See
//! `docs/adr/0021-exchanges.md`.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use diesel::PgConnection;
use inventory_api::ProductKey;
use kernel::{
    call::Cx,
    idempotency::IdempotencyKey,
    ids::SaleId,
    money::{Minor, Money},
    uuid::Uuid,
};
use store_api::Oversell;

use super::{
    Powers,
    draft::Credit,
    goods,
    identity::{Channel, Identity},
    pay_back, record,
    record_return::RecordedReturn,
    record_write::{self, NewSale, Written},
    take_back::{self, Offset, Request},
    validate, views,
};
use crate::{
    Recorded, Sales,
    domain::number,
    dto::{CreateExchange, CreateReturn, CreateSale, ExchangeView, ReturnView, SaleView},
    error::Error,
    repo::{returns::FullReturn, returns_write, sales::FullSale},
};

/// An exchange that stands.
#[derive(Debug)]
pub(crate) struct Exchanged {
    pub(crate) view: ExchangeView,
    pub(crate) replayed: bool,
}

/// An exchange that is to be recorded.
struct Plan {
    sale_id: SaleId,
    return_id: Uuid,
    request_hash: Vec<u8>,
    sale: CreateSale,
    products: Vec<ProductKey>,
    back: CreateReturn,
    now: DateTime<Utc>,
    may: Powers,
}

impl Sales {
    /// Records an exchange, once per key: a repeat gives the stored one. The caller answers for who
    /// may sell and take back at the store, and for `may`.
    pub(crate) async fn exchange(
        &self,
        cx: &Cx,
        key: &IdempotencyKey,
        body: &CreateExchange,
        may: Powers,
    ) -> Result<Exchanged, Error> {
        let result = self.exchange_as_asked(cx, key, body, may).await;
        self.meter
            .answered(result.as_ref().map(|done| done.replayed));
        result
    }

    async fn exchange_as_asked(
        &self,
        cx: &Cx,
        key: &IdempotencyKey,
        body: &CreateExchange,
        may: Powers,
    ) -> Result<Exchanged, Error> {
        let (sale, back, now) = (body.sale(), body.goods_back(), kernel::time::now());
        let products = validate::sale(&sale, now).map_err(|e| e.under("/sold"))?;
        validate::goods_back(&back, now).map_err(|e| e.under("/returned"))?;
        if !may.override_price {
            goods::refuse_overrides(&sale).map_err(|e| e.under("/sold"))?;
        }
        let (sale_id, return_id) = (key.id_for(cx.actor), key.part("return").id_for(cx.actor));
        let plan = Plan {
            sale_id: SaleId(sale_id),
            return_id,
            request_hash: record::hash_of(body)?,
            sale,
            products,
            back,
            now,
            may,
        };
        match self.exchange_once(cx, &plan).await {
            // A database that just failed is not asked again: the client will.
            done @ (Ok(_) | Err(Error::Db(_))) => done,
            // It may stand all the same: then what came back is what is refused now.
            Err(refusal) => match self.stored_exchange(&plan).await? {
                Some(exchanged) => Ok(exchanged),
                None => Err(refusal),
            },
        }
    }

    async fn exchange_once(&self, cx: &Cx, plan: &Plan) -> Result<Exchanged, Error> {
        let store = self.store_of_return(cx, &plan.back).await?;
        let body = plan.back.clone();
        let assessed = self
            .db
            .run(move |conn| take_back::assess(conn, &body))
            .await
            .map_err(|e| e.under("/returned"))?;
        let credit = Credit {
            amount: assessed.total,
            reference: number::of(plan.return_id),
        };
        let identity = Identity {
            id: plan.sale_id,
            hash: plan.request_hash.clone(),
            channel: Channel::Till,
        };
        let keys = plan.products.clone();
        let draft = self
            .draft(cx, &identity, &plan.sale, keys, Some(&credit))
            .await
            .map_err(|e| e.under("/sold"))?;
        let request = Request {
            id: plan.return_id,
            request_hash: plan.request_hash.clone(),
            body: plan.back.clone(),
            cashier: cx.actor,
            cx: cx.clone(),
            now: plan.now,
            limit: store.return_limit.filter(|_| !plan.may.supervise),
            store,
            exchange: Some(Offset {
                sale_id: plan.sale_id,
                amount: draft.offset(),
                refund: assessed.total,
            }),
        };
        // What is wrong with the return is said before any goods are taken for the sale.
        pay_back::refunds(&request, &assessed)?;
        let taken = self.take(cx, &draft, Oversell::Refuse).await;
        // An earlier attempt got this far at least: it may have got further.
        if taken.map_err(|e| e.under("/sold"))?
            && let Some(exchanged) = self.stored_exchange(plan).await?
        {
            return Ok(exchanged);
        }
        let new = Arc::new(NewSale::new(cx, draft)?);
        let written = self.write_both(new.clone(), request).await;
        match written.map_err(|e| e.under("/returned"))? {
            Some((written, returned)) => Ok(Exchanged {
                view: view(new.as_recorded(written), views::returned(returned)),
                replayed: false,
            }),
            // Rows are never deleted, so what was in the way is still there.
            None => self.stored_exchange(plan).await?.ok_or(Error::SaleAborted),
        }
    }

    /// T2; `None` when the sale's id is taken.
    async fn write_both(
        &self,
        new: Arc<NewSale>,
        request: Request,
    ) -> Result<Option<(Written, FullReturn)>, Error> {
        let (sold, meter) = (new.clone(), self.meter.clone());
        let work = move |conn: &mut PgConnection| write(conn, &new, &request);
        self.db
            .transaction_then(work, move |written| {
                if let Some((_, returned)) = written {
                    meter.sold(&sold);
                    meter.back(returned);
                }
            })
            .await
    }

    /// `None` when nothing stands.
    async fn stored_exchange(&self, plan: &Plan) -> Result<Option<Exchanged>, Error> {
        let hash = &plan.request_hash;
        let is_it = |full: &FullSale| full.sale.request_hash == *hash;
        let Some(Recorded { sale, .. }) = self.stored(plan.sale_id, is_it).await? else {
            return Ok(None);
        };
        let stored = self.stored_return(plan.return_id, hash).await?;
        let RecordedReturn { returned, .. } = stored.ok_or(Error::NotFound("return"))?;
        Ok(Some(Exchanged {
            view: view(sale, returned),
            replayed: true,
        }))
    }
}

/// T2 of an exchange; `None` when the sale's id is taken. The row of the sale that goods come back
/// of is locked first: a return locks it before its register, and T2 ends with the register.
fn write(
    conn: &mut PgConnection,
    new: &Arc<NewSale>,
    request: &Request,
) -> Result<Option<(Written, FullReturn)>, Error> {
    returns_write::lock_sale(conn, request.body.sale_id)?;
    let written = record_write::write(conn, std::slice::from_ref(new))?;
    let Some(written) = written.into_iter().next().flatten() else {
        return Ok(None);
    };
    // The id of the return is of the same key: it is free where the sale's was.
    let returned = take_back::apply(conn, request)?;
    let returned = returned.ok_or(Error::KeyReused)?;
    Ok(Some((written, returned)))
}

fn view(sale: SaleView, returned: ReturnView) -> ExchangeView {
    let net = sale.total.amount.get() - returned.refund.amount.get();
    ExchangeView {
        net: Money {
            // Both are amounts, and neither is below zero.
            amount: Minor::new(net).unwrap_or(sale.total.amount),
            currency: sale.currency,
        },
        sale,
        returned,
    }
}
