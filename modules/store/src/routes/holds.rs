//! `/api/stocks/holds`

use actix_web::{HttpResponse, get, web::Data};
use kernel::{
    auth::Can,
    extract::Query,
    ids::StoreId,
    page::{self, Cursor, Limit, Page},
    responses::ReadProblems,
};
use serde::Deserialize;
use utoipa::IntoParams;

use super::narrow;
use crate::{
    Store, domain::reason::HoldState, dto::HoldView, error::Error, permissions::StockRead,
};

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListHolds {
    /// Only this store.
    store_id: Option<StoreId>,
    /// Only in this state.
    state: Option<HoldState>,
    /// Items on a page.
    #[param(inline)]
    limit: Option<Limit>,
    /// `next_cursor` of the page before.
    #[param(inline)]
    cursor: Option<Cursor>,
}

/// List the goods that sales took in the stores that you may see.
#[utoipa::path(
    tag = "stocks",
    operation_id = "list_holds",
    description = "Sorted by id, the newest first. A hold stays `held` until its sale is known to \
        be recorded (`consumed`) or known never to be (`released`, and the goods went back).",
    security(("bearer" = [])),
    params(ListHolds),
    responses((status = 200, description = "A page of holds", body = Page<HoldView>), ReadProblems)
)]
#[get("/api/stocks/holds")]
pub(crate) async fn list_holds(
    can: Can<StockRead>,
    query: Query<ListHolds>,
    store: Data<Store>,
) -> Result<HttpResponse, Error> {
    let query = query.into_inner();
    let scope = narrow(&can, query.store_id)?;
    let limit = query.limit.unwrap_or_default();
    let after = page::after(query.cursor.as_ref())?;
    let rows = store.holds(scope, query.state, after, limit).await?;
    let page = Page::build(rows, limit, |row| row.hold_id, HoldView::from);
    Ok(HttpResponse::Ok().json(page))
}
