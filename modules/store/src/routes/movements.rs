//! `/api/stocks/movements`

use actix_web::{HttpResponse, get, web::Data};
use kernel::{
    auth::Can,
    extract::Query,
    ids::{ProductId, StoreId},
    page::{self, Cursor, Limit, Page},
    responses::ReadProblems,
    time::Moment,
};
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use super::narrow;
use crate::{
    Store,
    domain::reason::MovementReason,
    dto::MovementView,
    error::Error,
    permissions::StockRead,
    repo::{
        columns::Reason,
        movements::{MovementFilter, MovementRow, Place},
    },
};

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListMovements {
    /// Only this store.
    store_id: Option<StoreId>,
    /// Only this product.
    product_id: Option<ProductId>,
    /// Only for this reason.
    reason: Option<MovementReason>,
    /// Only of this sale, return, adjustment or transfer.
    document_id: Option<Uuid>,
    /// Recorded at or after this moment.
    #[param(inline)]
    from: Option<Moment>,
    /// Recorded before this moment.
    #[param(inline)]
    to: Option<Moment>,
    /// Items on a page.
    #[param(inline)]
    limit: Option<Limit>,
    /// `next_cursor` of the page before.
    #[param(inline)]
    cursor: Option<Cursor>,
}

/// List the movements of stock in the stores that you may see.
#[utoipa::path(
    tag = "stocks",
    operation_id = "list_movements",
    description = "The newest first, by when they were recorded. The ledger is append-only: a \
        mistake is corrected by another movement.",
    security(("bearer" = [])),
    params(ListMovements),
    responses((status = 200, description = "A page of movements", body = Page<MovementView>), ReadProblems)
)]
#[get("/api/stocks/movements")]
pub(crate) async fn list_movements(
    can: Can<StockRead>,
    query: Query<ListMovements>,
    store: Data<Store>,
) -> Result<HttpResponse, Error> {
    let query = query.into_inner();
    let limit = query.limit.unwrap_or_default();
    let rows = store
        .movements(MovementFilter {
            scope: narrow(&can, query.store_id)?,
            product_id: query.product_id,
            reason: query.reason.map(Reason),
            document_id: query.document_id,
            from: query.from.map(|at| at.0),
            to: query.to.map(|at| at.0),
            after: page::after(query.cursor.as_ref())?,
            limit,
        })
        .await?;
    let place = |row: &MovementRow| Place {
        recorded_at: row.recorded_at,
        store_id: row.store_id,
        product_id: row.product_id,
        seq: row.seq,
    };
    Ok(HttpResponse::Ok().json(Page::build(rows, limit, place, MovementView::from)))
}
