//! `/api/stocks/discrepancies`: what was taken that was not there, until it is explained.

use actix_web::{HttpResponse, get, post, web::Data};
use kernel::{
    auth::{Can, Permission},
    extract::{Json, Path, Query},
    idempotency::{IdempotencyHeader, IdempotencyKey},
    ids::{ProductId, StoreId},
    page::{self, Cursor, Limit, Page},
    responses::{ReadProblems, WriteProblems},
};
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use super::narrow;
use crate::{
    Store,
    domain::discrepancy::DiscrepancyState,
    dto::{DiscrepancyView, ResolveDiscrepancy},
    error::Error,
    permissions::{StockAdjust, StockRead},
    repo::{columns::Standing, discrepancies::DiscrepancyFilter},
};

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListDiscrepancies {
    /// Only at this store.
    store_id: Option<StoreId>,
    /// Only of this product.
    product_id: Option<ProductId>,
    /// Only of this document, for example a sale.
    document_id: Option<Uuid>,
    /// Only those that stand there.
    state: Option<DiscrepancyState>,
    /// Items on a page.
    #[param(inline)]
    limit: Option<Limit>,
    /// `next_cursor` of the page before.
    #[param(inline)]
    cursor: Option<Cursor>,
}

/// List what was taken that the books did not have.
#[utoipa::path(
    tag = "stocks",
    operation_id = "list_discrepancies",
    description = "The newest first. A row for every movement that took a level below zero, or \
        further below: where the store allows negative stock, or where a till sold while it was \
        offline. Each wants an explanation; the books are put right by a count, a delivery or an \
        adjustment.",
    security(("bearer" = [])),
    params(ListDiscrepancies),
    responses((status = 200, description = "A page of discrepancies", body = Page<DiscrepancyView>), ReadProblems)
)]
#[get("/api/stocks/discrepancies")]
pub(crate) async fn list_discrepancies(
    can: Can<StockRead>,
    query: Query<ListDiscrepancies>,
    store: Data<Store>,
) -> Result<HttpResponse, Error> {
    let query = query.into_inner();
    let limit = query.limit.unwrap_or_default();
    let rows = store
        .discrepancies(DiscrepancyFilter {
            scope: narrow(&can, query.store_id)?,
            product_id: query.product_id,
            document_id: query.document_id,
            state: query.state.map(Standing),
            after: page::after(query.cursor.as_ref())?,
            limit,
        })
        .await?;
    let page = Page::build(rows, limit, |row| row.id, DiscrepancyView::from);
    Ok(HttpResponse::Ok().json(page))
}

/// Read a discrepancy.
#[utoipa::path(
    tag = "stocks",
    operation_id = "get_discrepancy",
    security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The discrepancy")),
    responses((status = 200, description = "The discrepancy", body = DiscrepancyView), ReadProblems)
)]
#[get("/api/stocks/discrepancies/{id}")]
pub(crate) async fn get_discrepancy(
    can: Can<StockRead>,
    id: Path<Uuid>,
    store: Data<Store>,
) -> Result<HttpResponse, Error> {
    let row = store.discrepancy(id.into_inner(), can.scope()).await?;
    Ok(HttpResponse::Ok().json(DiscrepancyView::from(row)))
}

/// Say how a discrepancy came about.
#[utoipa::path(
    tag = "stocks",
    operation_id = "resolve_discrepancy",
    description = "By those who may adjust the store's stock, once: 409 `discrepancy-resolved` \
        afterwards. No stock moves. What a sale took that was never recorded is resolved by \
        itself, as `sale_aborted`.",
    security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The discrepancy"), IdempotencyHeader),
    request_body(content = ResolveDiscrepancy, example = json!({
        "resolution": "delivered_late",
        "note": "The morning's delivery was booked at noon"
    })),
    responses((status = 200, description = "The resolved discrepancy", body = DiscrepancyView), WriteProblems)
)]
#[post("/api/stocks/discrepancies/{id}/resolve")]
pub(crate) async fn resolve_discrepancy(
    can: Can<StockAdjust>,
    id: Path<Uuid>,
    key: IdempotencyKey,
    body: Json<ResolveDiscrepancy>,
    store: Data<Store>,
) -> Result<HttpResponse, Error> {
    let id = id.into_inner();
    let visible = can.principal().scope(StockRead::ROLES);
    let cx = can.at(store.discrepancy(id, visible).await?.store_id)?;
    let answered = store
        .resolve_discrepancy(&cx, &key, id, body.into_inner())
        .await?;
    Ok(answered.ok(&key))
}
