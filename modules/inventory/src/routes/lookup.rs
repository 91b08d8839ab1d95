//! `/api/inventory/lookup`

use actix_web::{HttpResponse, get, web::Data};
use inventory_api::PriceSource;
use kernel::{
    auth::Can,
    extract::Query,
    ids::StoreId,
    money::{BasisPoints, Money, Quantity},
    problem::Problem,
    responses::ReadProblems,
};
use serde::{Deserialize, Serialize};
use store_api::StoreLevel;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::product_dto::ProductView;
use crate::{
    Inventory,
    domain::product::Product,
    permissions::CatalogRead,
    service::lookup::{Found, LookupKey},
};

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct LookupQuery {
    /// What was scanned. Either this or `sku`.
    #[param(example = "2000000000015")]
    barcode: Option<String>,
    /// What was typed. Either this or `barcode`.
    sku: Option<String>,
    /// Also tell what it costs there now, and what this store has; it must be one of yours.
    store_id: Option<StoreId>,
}

/// What a till needs of a product.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LookupView {
    /// The product, without its cost. An archived one cannot be sold.
    product: ProductView,
    /// The price of `price_per` base units, at the store now; without `store_id` the product's own.
    price: Money,
    price_per: Quantity,
    /// Whether the price is the product's own, a dated one of every store, or one of this store.
    price_source: PriceSource,
    /// In basis points: 1900 is 19 %. At the store now; without `store_id`, or where its settings
    /// could not be had in time, the product's own.
    tax_rate: BasisPoints,
    /// The promotion that a till would take off `price_per` base units now; absent without
    /// `store_id`, `null` where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<LookupPromotion>, required = false)]
    promotion: Option<Option<LookupPromotion>>,
    /// What the store has; absent without `store_id`, `null` when it could not be had in time.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<LookupLevel>, required = false)]
    level: Option<Option<LookupLevel>>,
}

/// What is taken off the price.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LookupPromotion {
    id: Uuid,
    /// What the receipt calls it.
    name: String,
    /// Off `price_per` base units.
    discount: Money,
}

/// What a store has of a product, in base units.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LookupLevel {
    store_id: StoreId,
    /// Sellable now.
    on_hand: i64,
    /// Set aside for orders.
    reserved: i64,
    /// There, but not sellable.
    damaged: i64,
    /// On the way.
    incoming: i64,
}

impl From<StoreLevel> for LookupLevel {
    fn from(level: StoreLevel) -> Self {
        let StoreLevel {
            store_id,
            store_code: _,
            store_name: _,
            product_id: _,
            on_hand,
            reserved,
            damaged,
            incoming,
        } = level;
        Self {
            store_id,
            on_hand,
            reserved,
            damaged,
            incoming,
        }
    }
}

/// Look a product up by barcode or SKU, for a till.
#[utoipa::path(
    tag = "products",
    operation_id = "look_up_product",
    security(("bearer" = [])),
    params(LookupQuery),
    responses((status = 200, description = "The product", body = LookupView), ReadProblems),
)]
#[get("/api/inventory/lookup")]
pub(crate) async fn look_up_product(
    can: Can<CatalogRead>,
    query: Query<LookupQuery>,
    inventory: Data<Inventory>,
) -> Result<HttpResponse, actix_web::Error> {
    let LookupQuery {
        barcode,
        sku,
        store_id,
    } = query.into_inner();
    let key = match (barcode, sku) {
        (Some(barcode), None) => LookupKey::Barcode(barcode),
        (None, Some(sku)) => LookupKey::Sku(sku),
        _ => return Err(Problem::invalid("Name either `barcode` or `sku`.").into()),
    };
    let at_store = store_id
        .map(|store_id| can.at(store_id).map(|cx| (cx, store_id)))
        .transpose()?;
    let view = match at_store {
        None => plain(inventory.look_up(key).await?),
        Some((cx, store)) => at(inventory.look_up_at(&cx, store, key).await?),
    };
    Ok(HttpResponse::Ok().json(view))
}

fn plain(product: Product) -> LookupView {
    LookupView {
        price: product.facts.price,
        price_per: product.facts.price_per,
        price_source: PriceSource::Product,
        tax_rate: product.facts.tax_rate,
        promotion: None,
        level: None,
        product: ProductView::new(product, false),
    }
}

fn at(found: Found) -> LookupView {
    let Found {
        product,
        price,
        tax_rate,
        promotion,
        level,
    } = found;
    let promotion = promotion.map(|(promotion, amount)| LookupPromotion {
        id: promotion.id,
        name: promotion.name,
        discount: Money {
            amount,
            currency: price.price.currency,
        },
    });
    LookupView {
        product: ProductView::new(product, false),
        price: price.price,
        price_per: price.price_per,
        price_source: price.source,
        tax_rate,
        promotion: Some(promotion),
        level: Some(level.map(LookupLevel::from)),
    }
}
