//! Recording a return: one transaction here; the store adds the goods when it hears of it, which
//! is always safe.

use std::sync::Arc;

use diesel::PgConnection;
use kernel::{
    call::Cx,
    idempotency::{IdempotencyKey, request_hash},
    problem::Problem,
    uuid::Uuid,
};
use store_api::StoreProfile;

use super::{
    Powers,
    shifts::registered,
    take_back::{self, Request},
    validate, views,
};
use crate::{
    Sales,
    dto::{CreateReturn, ReturnView},
    error::Error,
    repo::{returns, sales},
};

/// A return that stands.
#[derive(Debug, Clone)]
pub struct RecordedReturn {
    /// The return.
    pub returned: ReturnView,
    /// Whether an earlier request with this key had recorded it.
    pub replayed: bool,
}

impl Sales {
    /// Records a return, once per key: a repeat gives the stored return. The caller answers for
    /// who may take goods back at the store that does (the sale's, unless told), and for `may`.
    ///
    /// # Errors
    ///
    /// The problem that a client is told. 503 means that the outcome is unknown: repeat with the
    /// same key.
    pub async fn record_return(
        &self,
        cx: &Cx,
        key: &IdempotencyKey,
        body: CreateReturn,
        may: Powers,
    ) -> Result<RecordedReturn, Problem> {
        self.record_return_once(cx, key, body, may)
            .await
            .map_err(Problem::from)
    }

    async fn record_return_once(
        &self,
        cx: &Cx,
        key: &IdempotencyKey,
        body: CreateReturn,
        may: Powers,
    ) -> Result<RecordedReturn, Error> {
        let now = kernel::time::now();
        validate::goods_back(&body, now)?;
        let id = key.id_for(cx.actor);
        let hash = request_hash(&body).map_err(|e| Problem::internal(&e))?;
        if let Some(stored) = self.stored_return(id, &hash).await? {
            return Ok(stored);
        }
        let store = self.store_of_return(cx, &body).await?;
        if let Some(register) = body.register_id {
            registered(&store.registers, register)?;
        }
        let request = Request {
            id,
            request_hash: hash.clone(),
            body,
            cashier: cx.actor,
            cx: cx.clone(),
            now,
            limit: store.return_limit.filter(|_| !may.supervise),
            store,
            exchange: None,
        };
        let meter = self.meter.clone();
        let work = move |conn: &mut PgConnection| take_back::apply(conn, &request);
        let written = self
            .db
            .transaction_then(work, move |written| {
                written.iter().for_each(|full| meter.back(full));
            })
            .await?;
        match written {
            Some(full) => Ok(RecordedReturn {
                returned: views::returned(full),
                replayed: false,
            }),
            // Another try of this request was faster; rows are never deleted.
            None => self
                .stored_return(id, &hash)
                .await?
                .ok_or(Error::NotFound("return")),
        }
    }

    /// Asked anew: a limit that was lowered a moment ago counts.
    pub(super) async fn store_of_return(
        &self,
        cx: &Cx,
        body: &CreateReturn,
    ) -> Result<Arc<StoreProfile>, Error> {
        let sale_id = body.sale_id;
        let sale = self
            .db
            .run(move |conn| sales::head(conn, sale_id, None).map_err(Error::from))
            .await?
            .ok_or(Error::NotFound("sale"))?;
        let store_id = body.store_id.unwrap_or(sale.store_id);
        let store = self.directory.fresh_profile(cx, store_id).await?;
        if store.archived {
            return Err(Error::StoreArchived);
        }
        if store.currency != sale.currency {
            return Err(Error::CurrencyMismatch {
                pointer: "/store_id".to_owned(),
                store: store.currency,
            });
        }
        Ok(store)
    }

    pub(super) async fn stored_return(
        &self,
        id: Uuid,
        hash: &[u8],
    ) -> Result<Option<RecordedReturn>, Error> {
        let found = self
            .db
            .run(move |conn| returns::find(conn, id, None).map_err(Error::from))
            .await?;
        match found {
            None => Ok(None),
            Some(full) if full.head.request_hash == hash => Ok(Some(RecordedReturn {
                returned: views::returned(full),
                replayed: true,
            })),
            Some(_) => Err(Error::KeyReused),
        }
    }
}
