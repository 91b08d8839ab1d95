//! Reads levels, their history and holds.

use chrono::{DateTime, Utc};
use inventory_api::ProductKey;
use kernel::{
    auth::Scope,
    call::Cx,
    ids::{ProductId, SaleId, StoreId},
    page::Limit,
};

use crate::{
    Store,
    domain::{
        ledger::{Key, Level},
        reason::HoldState,
    },
    dto::LevelView,
    error::Error,
    repo::{
        holds::{self, HoldRow},
        levels::{self, LevelFilter, LevelRow},
        movements::{self, MovementFilter, MovementRow, PastRow},
    },
};

impl Store {
    pub(crate) async fn levels(&self, filter: LevelFilter) -> Result<Vec<LevelRow>, Error> {
        self.db
            .run(move |conn| levels::list(conn, filter).map_err(Error::from))
            .await
    }

    /// One level; zeros for a product that the catalogue knows and the store never had.
    pub(crate) async fn level(&self, cx: &Cx, key: Key) -> Result<LevelView, Error> {
        let found = self
            .db
            .run(move |conn| levels::find(conn, key).map_err(Error::from))
            .await?;
        if let Some(row) = found {
            return Ok(row.into());
        }
        let (store, product) = key;
        self.store(store).await?;
        let known = self
            .catalog
            .resolve(cx, vec![ProductKey::Id(product)])
            .await?;
        if known.is_empty() {
            return Err(Error::NotFound("product"));
        }
        Ok((key, Level::NONE).into())
    }

    pub(crate) async fn movements(
        &self,
        filter: MovementFilter,
    ) -> Result<Vec<MovementRow>, Error> {
        self.db
            .run(move |conn| movements::list(conn, filter).map_err(Error::from))
            .await
    }

    pub(crate) async fn as_of(
        &self,
        store: StoreId,
        at: DateTime<Utc>,
        product: Option<ProductId>,
        after: Option<ProductId>,
        limit: Limit,
    ) -> Result<Vec<PastRow>, Error> {
        self.db
            .run(move |conn| {
                movements::as_of(conn, store, at, product, after, limit).map_err(Error::from)
            })
            .await
    }

    pub(crate) async fn holds(
        &self,
        scope: Scope,
        state: Option<HoldState>,
        after: Option<SaleId>,
        limit: Limit,
    ) -> Result<Vec<HoldRow>, Error> {
        self.db
            .run(move |conn| holds::list(conn, &scope, state, after, limit).map_err(Error::from))
            .await
    }
}
