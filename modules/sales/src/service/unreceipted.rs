//! Recording a return without a receipt: priced by the catalogue of the day, because there is no
//! sale that says what was paid.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use inventory_api::ProductSnapshot;
use kernel::{
    call::Cx,
    idempotency::{IdempotencyKey, request_hash},
    problem::{FieldError, Problem},
    uuid::Uuid,
};
use store_api::StoreProfile;

use super::{
    Powers, announce, goods, record_return::RecordedReturn, shifts::registered, take_back,
    validate, views,
};
use crate::{
    Sales,
    domain::{
        number,
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
    products: &'a [Arc<ProductSnapshot>],
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
        let products = goods::known(self.directory.products(cx, &keys).await?)?;
        let full = draft(
            &Ingredients {
                id,
                request_hash: &hash,
                now,
                body,
                store: &store,
                products: &products,
            },
            cx,
        )?;
        let limit = store.return_limit.filter(|_| !may.supervise);
        take_back::check_limit(limit, full.head.refund_minor, store.currency)?;
        let written = {
            let (cx, mut full) = (cx.clone(), full.clone());
            self.db
                .transaction(move |conn| {
                    if !returns_write::insert(conn, &full)? {
                        return Ok(None);
                    }
                    announce::returned(conn, &cx, &full)?;
                    full.receipt = take_back::receipt(conn, &full.head)?;
                    Ok::<_, Error>(Some(full))
                })
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

fn draft(from: &Ingredients<'_>, cx: &Cx) -> Result<FullReturn, Error> {
    let Ingredients {
        id,
        request_hash,
        now,
        body,
        store,
        products: _,
    } = from;
    let lines = lines(from)?;
    let total = take_back::total(lines.iter().map(|line| line.refund_minor))?;
    let refunds = take_back::settle(&body.refunds, total, store.currency)?;
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
    };
    Ok(FullReturn {
        refunds: take_back::refund_rows(&head, refunds),
        head,
        lines,
        receipt: None,
    })
}

/// The lines, priced as a sale of today would be.
fn lines(from: &Ingredients<'_>) -> Result<Vec<ReturnLine>, Error> {
    let asked: Vec<_> = from.body.lines.iter().zip(from.products).collect();
    check_prices(&asked, from.store)?;
    let items: Vec<Item> = asked
        .iter()
        .map(|(line, product)| Item {
            unit_price: line.unit_refund.amount,
            price_per: product.price_per,
            quantity: line.quantity,
            tax_rate: product.tax_rate,
            discount: None,
        })
        .collect();
    let priced =
        pricing::price(from.store.tax_mode, &items, None).map_err(super::draft::refused)?;
    Ok((1..)
        .zip(asked.iter().zip(&priced.lines))
        .map(|(n, ((line, product), priced))| ReturnLine {
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
            tax_rate: product.tax_rate,
            tax_minor: priced.tax,
            cost_minor: super::draft::cost(product, line.quantity),
        })
        .collect())
}

/// No more than the price at which the goods could be bought a moment before.
fn check_prices(
    asked: &[(&CreateUnreceiptedLine, &Arc<ProductSnapshot>)],
    store: &StoreProfile,
) -> Result<(), Error> {
    let mut above = Vec::new();
    for (i, (line, product)) in asked.iter().enumerate() {
        let named = [
            (format!("/lines/{i}/unit_refund"), line.unit_refund.currency),
            (format!("/lines/{i}"), product.price.currency),
        ];
        if let Some((pointer, _)) = named.into_iter().find(|(_, c)| *c != store.currency) {
            let store = store.currency;
            return Err(Error::CurrencyMismatch { pointer, store });
        }
        if line.unit_refund.amount > product.price.amount {
            let detail = format!("{} costs {} now", product.sku, product.price.amount);
            let field = FieldError::new(
                format!("/lines/{i}/unit_refund"),
                "refund-above-price",
                detail,
            );
            above.push(field.with("price", serde_json::json!(product.price)));
        }
    }
    if above.is_empty() {
        Ok(())
    } else {
        Err(Error::RefundAbovePrice(above))
    }
}
