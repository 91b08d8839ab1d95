//! `/api/stocks`: what there is, what there is too little of, and what there was.

use actix_web::{HttpResponse, get, web::Data};
use kernel::{
    auth::{Can, Scope},
    extract::{Path, Query},
    ids::{ProductId, StoreId},
    money::StockDelta,
    page::{self, Cursor, Limit, Page},
    responses::ReadProblems,
    time::Moment,
};
use serde::Deserialize;
use utoipa::IntoParams;

use super::narrow;
use crate::{
    Store,
    dto::{AsOfView, LevelView},
    error::Error,
    permissions::StockRead,
    repo::levels::LevelFilter,
};

/// Fewer than this many are few, unless told otherwise.
const FEW: i64 = 5;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListLevels {
    /// Only this store.
    store_id: Option<StoreId>,
    /// Only this product.
    product_id: Option<ProductId>,
    /// Only levels with less than this on hand, in base units.
    below: Option<StockDelta>,
    /// Items on a page.
    #[param(inline)]
    limit: Option<Limit>,
    /// `next_cursor` of the page before.
    #[param(inline)]
    cursor: Option<Cursor>,
}

/// List stock levels of the stores that you may see.
#[utoipa::path(
    tag = "stocks",
    operation_id = "list_stock_levels",
    description = "Sorted by store and product. A product that a store never had is left out.",
    security(("bearer" = [])),
    params(ListLevels),
    responses((status = 200, description = "A page of levels", body = Page<LevelView>), ReadProblems)
)]
#[get("/api/stocks")]
pub(crate) async fn list_stock_levels(
    can: Can<StockRead>,
    query: Query<ListLevels>,
    store: Data<Store>,
) -> Result<HttpResponse, Error> {
    let query = query.into_inner();
    let scope = narrow(&can, query.store_id)?;
    let below = query.below.map(StockDelta::get);
    list(
        &store,
        scope,
        query.product_id,
        below,
        query.limit,
        query.cursor.as_ref(),
    )
    .await
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListLow {
    /// Only this store.
    store_id: Option<StoreId>,
    /// What counts as few, in base units; 5 unless told.
    below: Option<StockDelta>,
    /// Items on a page.
    #[param(inline)]
    limit: Option<Limit>,
    /// `next_cursor` of the page before.
    #[param(inline)]
    cursor: Option<Cursor>,
}

/// List what there is too little of.
#[utoipa::path(
    tag = "stocks",
    operation_id = "list_low_stock",
    description = "Levels with less on hand than `below`, sorted by store and product.",
    security(("bearer" = [])),
    params(ListLow),
    responses((status = 200, description = "A page of levels", body = Page<LevelView>), ReadProblems)
)]
#[get("/api/stocks/low")]
pub(crate) async fn list_low_stock(
    can: Can<StockRead>,
    query: Query<ListLow>,
    store: Data<Store>,
) -> Result<HttpResponse, Error> {
    let query = query.into_inner();
    let scope = narrow(&can, query.store_id)?;
    let below = query.below.map_or(FEW, StockDelta::get);
    list(
        &store,
        scope,
        None,
        Some(below),
        query.limit,
        query.cursor.as_ref(),
    )
    .await
}

async fn list(
    store: &Store,
    scope: Scope,
    product_id: Option<ProductId>,
    below: Option<i64>,
    limit: Option<Limit>,
    cursor: Option<&Cursor>,
) -> Result<HttpResponse, Error> {
    let limit = limit.unwrap_or_default();
    let filter = LevelFilter {
        scope,
        product_id,
        below,
        after: page::after(cursor)?,
        limit,
    };
    let rows = store.levels(filter).await?;
    let key = |row: &crate::repo::levels::LevelRow| (row.store_id, row.product_id);
    Ok(HttpResponse::Ok().json(Page::build(rows, limit, key, LevelView::from)))
}

/// Read one stock level.
#[utoipa::path(
    tag = "stocks",
    operation_id = "get_stock_level",
    description = "A product that the catalogue knows and the store never had is answered with zeros.",
    security(("bearer" = [])),
    params(
        ("store_id" = StoreId, Path, description = "The store", example = "0198c0de-0000-7000-8000-000000000001"),
        ("product_id" = ProductId, Path, description = "The product", example = "0198c0de-0000-7000-8000-000000010001"),
    ),
    responses((status = 200, description = "The level", body = LevelView), ReadProblems)
)]
#[get("/api/stocks/{store_id}/{product_id}")]
pub(crate) async fn get_stock_level(
    can: Can<StockRead>,
    path: Path<(StoreId, ProductId)>,
    store: Data<Store>,
) -> Result<HttpResponse, Error> {
    let key = path.into_inner();
    let cx = can.at(key.0)?;
    Ok(HttpResponse::Ok().json(store.level(&cx, key).await?))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListAsOf {
    /// The store.
    #[param(example = "0198c0de-0000-7000-8000-000000000001")]
    store_id: StoreId,
    /// The moment, as the database's clock recorded it.
    #[param(inline, example = "2026-12-31T00:00:00Z")]
    at: Moment,
    /// Only this product.
    product_id: Option<ProductId>,
    /// Items on a page.
    #[param(inline)]
    limit: Option<Limit>,
    /// `next_cursor` of the page before.
    #[param(inline)]
    cursor: Option<Cursor>,
}

/// List what a store had at some moment.
#[utoipa::path(
    tag = "stocks",
    operation_id = "list_stock_as_of",
    description = "The balance after the last movement recorded at or before `at`, sorted by \
        product. A product that had not moved by then is left out.",
    security(("bearer" = [])),
    params(ListAsOf),
    responses((status = 200, description = "A page of past levels", body = Page<AsOfView>), ReadProblems)
)]
#[get("/api/stocks/as-of")]
pub(crate) async fn list_stock_as_of(
    can: Can<StockRead>,
    query: Query<ListAsOf>,
    store: Data<Store>,
) -> Result<HttpResponse, Error> {
    let query = query.into_inner();
    can.at(query.store_id)?;
    let limit = query.limit.unwrap_or_default();
    let after = page::after(query.cursor.as_ref())?;
    let rows = store
        .as_of(query.store_id, query.at.0, query.product_id, after, limit)
        .await?;
    let page = Page::build(rows, limit, |row| row.product_id, AsOfView::from);
    Ok(HttpResponse::Ok().json(page))
}
