//! Recording a return without a receipt: priced by the catalogue of the day, because there is no
//! sale that says what was paid.

use chrono::{DateTime, Utc};
use diesel::PgConnection;
use inventory_api::Price;
use kernel::{
    call::Cx,
    idempotency::{IdempotencyKey, request_hash},
    problem::{FieldError, Problem},
    uuid::Uuid,
};
use store_api::StoreProfile;

use super::{
    Powers, announce,
    directory::Offer,
    goods,
    pay_back::{self, PaidBack},
    record_return::RecordedReturn,
    shifts::registered,
    take_back, validate, views,
};
use crate::{
    Sales,
    domain::{
        number, payment,
        pricing::{self, Item},
    },
    dto::{CreateUnreceiptedLine, CreateUnreceiptedReturn},
    error::Error,
    repo::{
        returns::{FullReturn, Return, ReturnLine},
        returns_write,
    },
};

/// What a return without receipt is made from.
struct Ingredients<'a> {
    id: Uuid,
    request_hash: &'a [u8],
    now: DateTime<Utc>,
    body: &'a CreateUnreceiptedReturn,
    store: &'a StoreProfile,
    /// One per line.
    offers: &'a [Offer],
}

impl Sales {
    /// Records a return without receipt, once per key: a repeat gives the stored return. The
    /// caller answers for who may, and for `may`.
    pub(crate) async fn record_unreceipted(
        &self,
        cx: &Cx,
        key: &IdempotencyKey,
        body: &CreateUnreceiptedReturn,
        may: Powers,
    ) -> Result<RecordedReturn, Error> {
        let now = kernel::time::now();
        let keys = validate::unreceipted(body, now)?;
        let id = key.id_for(cx.actor);
        let hash = request_hash(body).map_err(|e| Problem::internal(&e))?;
        if let Some(stored) = self.stored_return(id, &hash).await? {
            return Ok(stored);
        }
        // Asked anew: a limit that was lowered a moment ago counts.
        let store = self.directory.fresh_profile(cx, body.store_id).await?;
        if store.archived {
            return Err(Error::StoreArchived);
        }
        if let Some(register) = body.register_id {
            registered(&store.registers, register)?;
        }
        let found = self.directory.offers(cx, &store, now.date_naive(), &keys);
        let offers = goods::known(found.await?)?;
        let full = draft(
            &Ingredients {
                id,
                request_hash: &hash,
                now,
                body,
                store: &store,
                offers: &offers,
            },
            cx,
        )?;
        let limit = store.return_limit.filter(|_| !may.supervise);
        pay_back::check_limit(limit, full.head.refund_minor, store.currency)?;
        let written = {
            let (cx, meter) = (cx.clone(), self.meter.clone());
            self.db
                .transaction_then(
                    move |conn| write(conn, &cx, full),
                    move |written| written.iter().for_each(|full| meter.back(full)),
                )
                .await?
        };
        if let Some(full) = written {
            return Ok(RecordedReturn {
                returned: views::returned(full),
                replayed: false,
            });
        }
        // Another try of this request was faster; rows are never deleted.
        self.stored_return(id, &hash)
            .await?
            .ok_or(Error::NotFound("return"))
    }
}

/// `None` when the id is taken.
fn write(
    conn: &mut PgConnection,
    cx: &Cx,
    mut full: FullReturn,
) -> Result<Option<FullReturn>, Error> {
    if !returns_write::insert(conn, &full)? {
        return Ok(None);
    }
    announce::returned(conn, cx, &full)?;
    full.receipt = take_back::receipt(conn, &full.head)?;
    Ok(Some(full))
}

fn draft(from: &Ingredients<'_>, cx: &Cx) -> Result<FullReturn, Error> {
    let Ingredients {
        id,
        request_hash,
        now,
        body,
        store,
        offers: _,
    } = from;
    let lines = lines(from)?;
    let total = pay_back::total(lines.iter().map(|line| line.refund_minor))?;
    let PaidBack { refunds, rounding } =
        pay_back::settle(&body.refunds, total, store.currency, store.cash_rounding)?;
    let occurred_at = kernel::time::micros(body.occurred_at.unwrap_or(*now));
    let head = Return {
        id: *id,
        sale_id: None,
        sale_store_id: None,
        store_id: store.id,
        register_id: body.register_id,
        cashier_id: cx.actor,
        number: number::of(*id),
        request_hash: request_hash.to_vec(),
        occurred_at,
        business_date: store.business_date(occurred_at),
        currency: store.currency,
        reason: body.reason,
        note: body.note.as_ref().map(|note| note.as_str().to_owned()),
        line_count: i32::try_from(lines.len()).unwrap_or(i32::MAX),
        refund_minor: total,
        exchange_sale_id: None,
        rounding_minor: rounding,
    };
    Ok(FullReturn {
        refunds: pay_back::refund_rows(&head, refunds),
        head,
        lines,
        receipt: None,
    })
}

/// The lines, priced as a sale of today would be.
fn lines(from: &Ingredients<'_>) -> Result<Vec<ReturnLine>, Error> {
    let price = |offer: &Offer| {
        offer
            .terms
            .price(&offer.product, from.store.currency, from.now)
    };
    let prices: Vec<Price> = from.offers.iter().map(price).collect();
    check_prices(from, &prices)?;
    let items: Vec<Item> = from
        .body
        .lines
        .iter()
        .zip(from.offers.iter().zip(&prices))
        .map(|(line, (offer, price))| Item {
            unit_price: line.unit_refund.amount,
            price_per: price.price_per,
            quantity: line.quantity,
            tax_rate: offer.terms.tax_rate(&offer.product, from.now),
            promotion: payment::NOTHING,
            discount: None,
        })
        .collect();
    let priced =
        pricing::price(from.store.tax_mode, &items, None).map_err(super::draft::refused)?;
    let asked = from.body.lines.iter().zip(from.offers);
    Ok((1..)
        .zip(asked.zip(items.iter().zip(&priced.lines)))
        .map(
            |(n, ((line, Offer { product, .. }), (item, priced)))| ReturnLine {
                return_id: from.id,
                n,
                sale_id: None,
                line: None,
                store_id: from.store.id,
                product_id: product.id,
                sku: product.sku.clone(),
                name: product.name.clone(),
                category_id: product.category_id,
                quantity: line.quantity,
                disposition: line.disposition,
                refund_minor: priced.total,
                tax_rate: item.tax_rate,
                tax_minor: priced.tax,
                cost_minor: super::draft::cost(product, line.quantity),
            },
        )
        .collect())
}

/// No more than what the goods could be bought for a moment before, promotions included.
fn check_prices(from: &Ingredients<'_>, prices: &[Price]) -> Result<(), Error> {
    let mut above = Vec::new();
    let asked = from.body.lines.iter().zip(from.offers);
    for (i, ((line, offer), price)) in asked.zip(prices).enumerate() {
        let named = [
            (format!("/lines/{i}/unit_refund"), line.unit_refund.currency),
            (format!("/lines/{i}"), price.price.currency),
        ];
        if let Some((pointer, _)) = named.into_iter().find(|(_, c)| *c != from.store.currency) {
            let store = from.store.currency;
            return Err(Error::CurrencyMismatch { pointer, store });
        }
        if is_above(line, offer, *price, from.now) {
            let detail = format!("{} costs {} now", offer.product.sku, price.price.amount);
            let field = FieldError::new(
                format!("/lines/{i}/unit_refund"),
                "refund-above-price",
                detail,
            );
            above.push(field.with("price", serde_json::json!(price.price)));
        }
    }
    if above.is_empty() {
        Ok(())
    } else {
        Err(Error::RefundAbovePrice(above))
    }
}

fn is_above(line: &CreateUnreceiptedLine, offer: &Offer, price: Price, now: DateTime<Utc>) -> bool {
    if line.unit_refund.amount > price.price.amount {
        return true;
    }
    let of = |amount| pricing::scale(amount, line.quantity.get(), price.price_per.get());
    // What is too large to be computed is refused when it is priced.
    let (Some(gross), Some(refund)) = (of(price.price.amount), of(line.unit_refund.amount)) else {
        return false;
    };
    let promotion = offer.terms.promotion(price, line.quantity, gross, now);
    promotion.is_some_and(|(_, off)| refund.get() > gross.get() - off.get())
}
