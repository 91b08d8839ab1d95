//! `/api/inventory/stock`

use actix_web::{HttpResponse, get, web::Data};
use kernel::{
    auth::Can,
    extract::Query,
    ids::{ProductId, StoreId},
    responses::ReadProblems,
};
use serde::{Deserialize, Serialize};
use store_api::StoreLevel;
use utoipa::{IntoParams, ToSchema};

use crate::{Inventory, permissions::CatalogRead};

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct StockQuery {
    /// Which product.
    #[param(example = "0198c0de-0000-7000-8000-000000010001")]
    product_id: ProductId,
}

/// One product over the stores that the caller may see.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct GlobalStockView {
    product_id: ProductId,
    sku: String,
    name: String,
    /// The sums over `stores`.
    totals: StockTotals,
    /// By store code; stores that never had any are left out.
    stores: Vec<StoreStockView>,
}

/// Sums, in base units.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(crate) struct StockTotals {
    /// Sellable now.
    on_hand: i64,
    /// Set aside for orders.
    reserved: i64,
    /// There, but not sellable.
    damaged: i64,
    /// On the way.
    incoming: i64,
}

/// What one store has, in base units.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StoreStockView {
    store_id: StoreId,
    store_code: String,
    store_name: String,
    /// Sellable now.
    on_hand: i64,
    /// Set aside for orders.
    reserved: i64,
    /// There, but not sellable.
    damaged: i64,
    /// On the way.
    incoming: i64,
}

impl From<StoreLevel> for StoreStockView {
    fn from(level: StoreLevel) -> Self {
        let StoreLevel {
            store_id,
            store_code,
            store_name,
            product_id: _,
            on_hand,
            reserved,
            damaged,
            incoming,
        } = level;
        Self {
            store_id,
            store_code,
            store_name,
            on_hand,
            reserved,
            damaged,
            incoming,
        }
    }
}

/// Tell what every store has of a product.
///
/// Limited to the stores of the caller. 503 when the store module does not answer.
#[utoipa::path(
    tag = "products",
    operation_id = "get_global_stock",
    security(("bearer" = [])),
    params(StockQuery),
    responses((status = 200, description = "The levels", body = GlobalStockView), ReadProblems),
)]
#[get("/api/inventory/stock")]
pub(crate) async fn get_stock(
    can: Can<CatalogRead>,
    query: Query<StockQuery>,
    inventory: Data<Inventory>,
) -> Result<HttpResponse, actix_web::Error> {
    let (cx, scope) = can.scoped();
    let (product, levels) = inventory.stock(&cx, scope, query.0.product_id).await?;
    // A level is at most 10^9, so that no number of stores can overflow the sum.
    let totals = levels
        .iter()
        .fold(StockTotals::default(), |sum, level| StockTotals {
            on_hand: sum.on_hand.saturating_add(level.on_hand),
            reserved: sum.reserved.saturating_add(level.reserved),
            damaged: sum.damaged.saturating_add(level.damaged),
            incoming: sum.incoming.saturating_add(level.incoming),
        });
    Ok(HttpResponse::Ok().json(GlobalStockView {
        product_id: product.id,
        sku: product.facts.sku,
        name: product.facts.name,
        totals,
        stores: levels.into_iter().map(StoreStockView::from).collect(),
    }))
}
