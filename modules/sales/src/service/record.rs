//! Recording a sale: take the goods (T1, in the store), then write the sale (T2, here).
//!
//! Why it holds, whatever is killed when: see `ARCHITECTURE.md`, "How a sale travels". The sale's
//! id is computed from the request's key, so every retry meets the same two primary keys.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use diesel::PgConnection;
use inventory_api::ProductKey;
use kernel::{
    call::{CallError, Cx},
    idempotency::{IdempotencyKey, request_hash},
    ids::{SaleId, StoreId},
    money::Minor,
    problem::Problem,
    uuid::Uuid,
};
use store_api::{Hold, HoldLine, HoldRefused, HoldRequest, Oversell, StoreProfile};

use super::{
    Powers,
    directory::Offer,
    draft::{self, Credit, Ingredients},
    goods,
    identity::{Channel, Identity},
    record_write::NewSale,
    validate, views,
};
use crate::{
    Sales,
    dto::{CreateSale, SaleView},
    error::Error,
    repo::{
        sales::{self, FullSale},
        tombstones,
    },
};

/// A sale that stands.
#[derive(Debug, Clone)]
pub struct Recorded {
    /// As it was recorded.
    pub sale: SaleView,
    /// Whether an earlier request with this key had recorded it.
    pub replayed: bool,
}

/// A sale that is priced, and the goods that it takes.
pub(super) struct Draft {
    pub(super) sale: FullSale,
    goods: Vec<HoldLine>,
    offers: Vec<Offer>,
}

impl Draft {
    /// What an exchange offsets of it.
    pub(super) fn offset(&self) -> Minor {
        draft::offset(&self.sale.payments)
    }
}

/// What a sale is priced from.
pub(super) struct Prepared {
    pub(super) store: Arc<StoreProfile>,
    /// By the server's clock.
    pub(super) now: DateTime<Utc>,
    /// By the till's: what holds then is charged.
    pub(super) at: DateTime<Utc>,
    /// One per line.
    pub(super) offers: Vec<Offer>,
}

impl Sales {
    /// Records a sale, once per key: a repeat gives the stored sale. The caller answers for who
    /// may sell at the store, and for `may`.
    ///
    /// # Errors
    ///
    /// The problem that a client is told. 503 means that the outcome is unknown: repeat with the
    /// same key.
    pub async fn record(
        &self,
        cx: &Cx,
        key: &IdempotencyKey,
        body: CreateSale,
        may: Powers,
    ) -> Result<Recorded, Problem> {
        let result = self.record_once(cx, key, &body, may).await;
        self.meter
            .answered(result.as_ref().map(|done| done.replayed));
        result.map_err(Problem::from)
    }

    async fn record_once(
        &self,
        cx: &Cx,
        key: &IdempotencyKey,
        body: &CreateSale,
        may: Powers,
    ) -> Result<Recorded, Error> {
        let keys = validate::sale(body, kernel::time::now())?;
        if !may.override_price {
            goods::refuse_overrides(body)?;
        }
        let identity = Identity {
            id: SaleId(key.id_for(cx.actor)),
            hash: hash_of(body)?,
            channel: Channel::Till,
        };
        self.record_as(cx, &identity, body, keys).await
    }

    /// Records a sale that was checked, once per identity.
    pub(super) async fn record_as(
        &self,
        cx: &Cx,
        identity: &Identity,
        body: &CreateSale,
        keys: Vec<inventory_api::ProductKey>,
    ) -> Result<Recorded, Error> {
        let attempt = async {
            let draft = self.draft(cx, identity, body, keys, None).await?;
            self.take_and_write(cx, identity, body, draft).await
        };
        match attempt.await {
            // A database that just failed is not asked again: the client will.
            done @ (Ok(_) | Err(Error::Db(_))) => done,
            // The sale may stand all the same: prices change, stores close, goods run out.
            Err(refusal) => match self.standing(identity, body).await? {
                Some(recorded) => Ok(recorded),
                None => Err(refusal),
            },
        }
    }

    /// Prices the sale and checks that it is paid for; in an exchange, `credit` pays as well.
    pub(super) async fn draft(
        &self,
        cx: &Cx,
        identity: &Identity,
        body: &CreateSale,
        keys: Vec<ProductKey>,
        credit: Option<&Credit>,
    ) -> Result<Draft, Error> {
        let Prepared {
            store,
            now,
            at,
            offers,
        } = self.prepared(cx, body, &keys).await?;
        let goods = draft::goods(&body.lines, &offers)?;
        let sale = draft::sale(&Ingredients {
            id: identity.id,
            request_hash: &identity.hash,
            cashier: cx.actor,
            now,
            at,
            body,
            store: &store,
            offers: &offers,
            offline: identity.channel == Channel::Offline,
            credit,
        })?;
        Ok(Draft {
            sale,
            goods,
            offers,
        })
    }

    /// Where, when and at what terms the sale is made.
    pub(super) async fn prepared(
        &self,
        cx: &Cx,
        body: &CreateSale,
        keys: &[ProductKey],
    ) -> Result<Prepared, Error> {
        let store = self.directory.profile(cx, body.store_id).await?;
        let store = self.check_register(cx, store, body.register_id).await?;
        if store.archived {
            return Err(Error::StoreArchived);
        }
        let now = kernel::time::now();
        let at = kernel::time::micros(body.occurred_at.unwrap_or(now));
        let found = self.directory.offers(cx, &store, at.date_naive(), keys);
        let offers = goods::sellable(found.await?)?;
        Ok(Prepared {
            store,
            now,
            at,
            offers,
        })
    }

    /// The store, if `register` is one of its; asked anew before it is refused.
    pub(super) async fn check_register(
        &self,
        cx: &Cx,
        store: Arc<StoreProfile>,
        register: Option<Uuid>,
    ) -> Result<Arc<StoreProfile>, Error> {
        let knows = |store: &StoreProfile| {
            register.is_none_or(|id| store.registers.iter().any(|r| r.id == id))
        };
        if knows(&store) {
            return Ok(store);
        }
        let store = self.directory.fresh_profile(cx, store.id).await?;
        if knows(&store) {
            return Ok(store);
        }
        let detail = "is not a register of this store";
        Err(Error::invalid("/register_id", detail))
    }

    /// T1. Answers whether an earlier attempt had taken the goods.
    pub(super) async fn take(
        &self,
        cx: &Cx,
        draft: &Draft,
        oversell: Oversell,
    ) -> Result<bool, Error> {
        let (sale, goods) = (&draft.sale.sale, &draft.goods);
        let request = HoldRequest {
            hold_id: sale.id,
            store_id: sale.store_id,
            // Of the goods, and not of the request: should a barcode name another product by the
            // time of a retry, a hold of the old one must not be taken for a hold of the new; and a
            // sale is the same one when its till sends it again with what it charged.
            request_hash: hash_of(&(sale.store_id, goods))?,
            lines: goods.clone(),
            occurred_at: sale.occurred_at,
            oversell,
        };
        match self.needs.stock.hold(cx, request).await {
            Ok(Hold { replayed }) => Ok(replayed),
            Err(CallError::NoAnswer(error)) => Err(error.into()),
            Err(CallError::Refused(refused)) => Err(self
                .refusal(cx, sale.store_id, refused, &draft.offers)
                .await),
        }
    }

    async fn take_and_write(
        &self,
        cx: &Cx,
        identity: &Identity,
        body: &CreateSale,
        draft: Draft,
    ) -> Result<Recorded, Error> {
        // An earlier attempt got this far at least: it may have got further.
        if self.take(cx, &draft, identity.channel.oversell()).await?
            && let Some(recorded) = self.standing(identity, body).await?
        {
            return Ok(recorded);
        }
        let new = Arc::new(NewSale::new(cx, draft)?);
        if let Some(written) = self.writer.submit(new.clone()).await? {
            return Ok(Recorded {
                sale: new.as_recorded(written),
                replayed: false,
            });
        }
        // Rows are never deleted, so what was in the way is still there.
        let standing = self.standing(identity, body).await?;
        standing.ok_or(Error::SaleAborted)
    }

    /// What stands under this id for a repeat of the request: the sale, or why there is none.
    /// `None` when nothing stands.
    async fn standing(
        &self,
        identity: &Identity,
        body: &CreateSale,
    ) -> Result<Option<Recorded>, Error> {
        self.stored(identity.id, |full| identity.means(full, body))
            .await
    }

    /// `None` when nothing stands under the id.
    pub(super) async fn stored(
        &self,
        id: SaleId,
        is_it: impl Fn(&FullSale) -> bool,
    ) -> Result<Option<Recorded>, Error> {
        let found = self.db.run(move |conn| outcome(conn, id)).await?;
        match found {
            None => Ok(None),
            Some(None) => Err(Error::SaleAborted),
            Some(Some(full)) if is_it(&full) => Ok(Some(Recorded {
                sale: views::as_recorded(full),
                replayed: true,
            })),
            Some(Some(_)) => Err(Error::KeyReused),
        }
    }

    async fn refusal(
        &self,
        cx: &Cx,
        store_id: StoreId,
        refused: HoldRefused,
        offers: &[Offer],
    ) -> Error {
        match refused {
            HoldRefused::Short { lines } => goods::short(&lines, offers),
            HoldRefused::KeyReused => Error::KeyReused,
            HoldRefused::Released => Error::SaleAborted,
            HoldRefused::UnknownStore => {
                // What we remember of the store may be older than its end.
                match self.directory.fresh_profile(cx, store_id).await {
                    Ok(store) if store.archived => Error::StoreArchived,
                    Ok(_) => Error::NotFound("store"),
                    Err(error) => error,
                }
            }
        }
    }
}

/// `None`: nothing stands under the id; `Some(None)`: a tombstone.
fn outcome(conn: &mut PgConnection, id: SaleId) -> Result<Option<Option<FullSale>>, Error> {
    if let Some(full) = sales::find(conn, id, None)? {
        return Ok(Some(Some(full)));
    }
    let outcomes = tombstones::outcomes(conn, &[id])?;
    match outcomes.first() {
        None => Ok(None),
        Some(tombstones::Outcome { aborted: true, .. }) => Ok(Some(None)),
        // It was recorded between the two reads.
        Some(_) => Ok(sales::find(conn, id, None)?.map(Some)),
    }
}

pub(super) fn hash_of<T: serde::Serialize>(request: &T) -> Result<Vec<u8>, Error> {
    request_hash(request).map_err(|e| Problem::internal(&e).into())
}
