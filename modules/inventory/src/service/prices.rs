//! Dated prices: each is made once, ended at most once, and kept as history.

use chrono::{DateTime, Utc};
use diesel::PgConnection;
use kernel::{
    answers::{Answered, Asked},
    audit::{self, Entry},
    auth::Scope,
    call::Cx,
    idempotency::IdempotencyKey,
    money::Money,
    outbox,
};
use store_api::StoreProfile;
use uuid::Uuid;

use crate::{
    Inventory,
    domain::dated::{Dates, Refusal},
    dto::prices::{CreatePrice, EndPrice, PriceView},
    error::{Error, PricingError},
    events,
    repo::{
        prices::{self, PriceFilter, PriceRow},
        products,
    },
};

const WHAT: &str = "price";

impl Inventory {
    /// A price that may be seen from `scope`.
    pub(crate) async fn price(&self, id: Uuid, scope: Scope) -> Result<PriceRow, Error> {
        self.db
            .run(move |conn| prices::find(conn, id, &scope)?.ok_or(Error::NotFound(WHAT)))
            .await
    }

    /// One price more than the limit.
    pub(crate) async fn prices(&self, filter: PriceFilter) -> Result<Vec<PriceRow>, Error> {
        self.db
            .run(move |conn| prices::list(conn, filter).map_err(Error::from))
            .await
    }

    /// Makes a price. The caller answers for who may price there.
    pub(crate) async fn create_price(
        &self,
        cx: &Cx,
        key: &IdempotencyKey,
        body: CreatePrice,
    ) -> Result<Answered<PriceView>, Error> {
        let request = Asked::new(key.id_for(cx.actor), &body)?;
        if let Some(answered) = self.replayed(&request).await? {
            return Ok(answered);
        }
        if body.price.amount.get() < 0 {
            return Err(Error::invalid("/price/amount", "must not be below zero"));
        }
        if let Some(store_id) = body.store_id {
            let stores = self.stores(cx, [store_id]).await?;
            sells_in(stores.open(store_id)?, body.price, "/price/currency")?;
        }
        let (cx, id) = (cx.clone(), request.id);
        self.once(&cx.clone(), request, move |conn| make(conn, &cx, id, body))
            .await
    }

    /// Ends a price, or withdraws one that has not begun by then.
    pub(crate) async fn end_price(
        &self,
        cx: &Cx,
        key: &IdempotencyKey,
        id: Uuid,
        if_match: Option<i64>,
        body: EndPrice,
    ) -> Result<Answered<PriceView>, Error> {
        let request = Asked::new(key.id_for(cx.actor), &body)?;
        let cx = cx.clone();
        self.once(&cx.clone(), request, move |conn| {
            let before = prices::lock(conn, id)?.ok_or(Error::NotFound(WHAT))?;
            if if_match.is_some_and(|version| version != before.version) {
                return Err(Error::VersionMismatch(before.version));
            }
            let now = kernel::time::now();
            let at = body.at.map(|at| at.0);
            let ended = before
                .dates()
                .ended(now, at)
                .map_err(|r| refused(r, WHAT))?;
            let after = PriceRow {
                valid_until: ended.until,
                withdrawn_at: ended.withdrawn,
                version: before.version + 1,
                updated_at: now,
                ..before.clone()
            };
            prices::save(conn, &after)?;
            note(conn, &cx, "price.end", Some(before), &after)?;
            Ok(after.into())
        })
        .await
    }
}

/// Whether the store sells in the currency of `money`.
pub(crate) fn sells_in(
    store: &StoreProfile,
    money: Money,
    pointer: &'static str,
) -> Result<(), Error> {
    if store.currency == money.currency {
        return Ok(());
    }
    Err(PricingError::CurrencyMismatch {
        pointer,
        code: store.code.clone(),
        currency: store.currency,
    }
    .into())
}

impl PriceRow {
    fn dates(&self) -> Dates {
        Dates {
            from: self.valid_from,
            until: self.valid_until,
            withdrawn: self.withdrawn_at,
        }
    }
}

fn make(conn: &mut PgConnection, cx: &Cx, id: Uuid, body: CreatePrice) -> Result<PriceView, Error> {
    let CreatePrice {
        product_id,
        store_id,
        price,
        price_per,
        valid_from,
        valid_until,
    } = body;
    let now = kernel::time::now();
    let dates = Dates::new(now, moment(valid_from), moment(valid_until));
    let dates = dates.map_err(|r| refused(r, WHAT))?;
    let product = products::find(conn, product_id)?.ok_or(PricingError::UnknownProduct)?;
    let row = PriceRow {
        id,
        product_id,
        store_id,
        price_minor: price.amount,
        currency: price.currency,
        price_per: price_per.unwrap_or(product.facts.price_per),
        valid_from: dates.from,
        valid_until: dates.until,
        withdrawn_at: None,
        version: 1,
        created_by: cx.actor,
        created_at: now,
        updated_at: now,
    };
    prices::insert(conn, &row)?;
    note(conn, cx, "price.create", None, &row)?;
    Ok(row.into())
}

fn note(
    conn: &mut PgConnection,
    cx: &Cx,
    action: &'static str,
    before: Option<PriceRow>,
    after: &PriceRow,
) -> Result<(), Error> {
    let mut entry = Entry::new(cx, action, after.id);
    if let Some(store_id) = after.store_id {
        entry = entry.at(store_id);
    }
    let (before, now) = (before.map(PriceView::from), PriceView::from(after.clone()));
    audit::append(conn, &[entry.change(before.as_ref(), Some(&now))?])?;
    outbox::publish(conn, &[events::price_changed(cx, after)?])?;
    Ok(())
}

fn moment(at: Option<kernel::time::Moment>) -> Option<DateTime<Utc>> {
    at.map(|at| at.0)
}

/// Why dates do not do, in the words of the API.
pub(crate) fn refused(refusal: Refusal, what: &'static str) -> Error {
    match refusal {
        Refusal::BeginsInPast => Error::invalid("/valid_from", "must not lie in the past"),
        Refusal::EndsBeforeBeginning => {
            Error::invalid("/valid_until", "must come after valid_from")
        }
        Refusal::EndsInPast => Error::invalid("/at", "must not lie in the past"),
        Refusal::Over => PricingError::Over(what).into(),
        Refusal::EndsEarlier => PricingError::EndsEarlier(what).into(),
    }
}
