//! What is asked about sales and returns.

use kernel::{
    auth::Scope,
    ids::{SaleId, UserId},
    page::{self, Cursor, Page},
    uuid::Uuid,
};

use super::{validate, views};
use crate::{
    Sales,
    domain::number,
    dto::{ReturnHead, ReturnView, ReturnsQuery, SaleDetail, SaleHead, SalesQuery},
    error::Error,
    repo::{
        Newest, returns,
        sales::{self, Sight},
    },
};

/// Whose sales the caller may list.
#[derive(Debug)]
pub(crate) struct Viewer {
    pub(crate) user: UserId,
    /// Where they see everyone's.
    pub(crate) everyones: Scope,
    /// Where they see their own.
    pub(crate) own: Scope,
}

impl Sales {
    /// One sale, if it is in `scope`.
    pub(crate) async fn sale(&self, id: SaleId, scope: &Scope) -> Result<SaleDetail, Error> {
        let stores = scope.as_filter();
        self.db
            .run(move |conn| sales::find(conn, id, stores).map_err(Error::from))
            .await?
            .map(views::detail)
            .ok_or(Error::NotFound("sale"))
    }

    /// Sales, newest first.
    pub(crate) async fn sales(
        &self,
        viewer: &Viewer,
        query: SalesQuery,
    ) -> Result<Page<SaleHead>, Error> {
        let SalesQuery {
            store_id,
            from,
            to,
            cashier_id,
            number,
            product_id,
            min_total,
            max_total,
            status,
            offline,
            limit,
            cursor,
        } = query;
        validate::dates(from, to)?;
        let after = after(cursor.as_ref())?;
        let limit = limit.unwrap_or_default();
        let sight = Sight {
            caller: viewer.user,
            all_of: viewer.everyones.as_filter(),
            own_of: viewer.own.as_filter(),
        };
        let filter = sales::Filter {
            store_id,
            from,
            to,
            cashier_id,
            number: number.map(|typed| number::normalise(typed.as_str())),
            product_id,
            min_total,
            max_total,
            status,
            offline,
        };
        let rows = self
            .db
            .run(move |conn| {
                sales::list(conn, sight, filter, after, limit.plus_one()).map_err(Error::from)
            })
            .await?;
        let key = |(row, _): &(sales::Sale, i64)| Newest {
            occurred_at: row.occurred_at,
            id: row.id.0,
        };
        Ok(Page::build(rows, limit, key, views::sale_head))
    }

    /// One return, if it is in `scope`.
    pub(crate) async fn return_by_id(&self, id: Uuid, scope: &Scope) -> Result<ReturnView, Error> {
        let stores = scope.as_filter();
        self.db
            .run(move |conn| returns::find(conn, id, stores).map_err(Error::from))
            .await?
            .map(views::returned)
            .ok_or(Error::NotFound("return"))
    }

    /// Returns, newest first.
    pub(crate) async fn returns(
        &self,
        scope: &Scope,
        query: ReturnsQuery,
    ) -> Result<Page<ReturnHead>, Error> {
        let ReturnsQuery {
            store_id,
            sale_id,
            from,
            to,
            limit,
            cursor,
        } = query;
        validate::dates(from, to)?;
        let after = after(cursor.as_ref())?;
        let limit = limit.unwrap_or_default();
        let filter = returns::Filter {
            stores: scope.as_filter(),
            store_id,
            sale_id,
            from,
            to,
        };
        let rows = self
            .db
            .run(move |conn| {
                returns::list(conn, filter, after, limit.plus_one()).map_err(Error::from)
            })
            .await?;
        let key = |row: &returns::Return| Newest {
            occurred_at: row.occurred_at,
            id: row.id,
        };
        Ok(Page::build(rows, limit, key, views::return_head))
    }
}

/// Where a page goes on; a cursor is the client's word, so its time is checked like any other.
pub(super) fn after(cursor: Option<&Cursor>) -> Result<Option<Newest>, Error> {
    let after: Option<Newest> = page::after(cursor)?;
    match after {
        Some(newest) if !validate::is_plausible(newest.occurred_at) => Err(Error::invalid(
            "cursor",
            "is not one that this list gave: start again without it",
        )),
        fine => Ok(fine),
    }
}
