//! What other modules may know about the catalogue: the [`Catalog`] port, its types and events.

mod http;
mod terms;

use async_trait::async_trait;
use chrono::NaiveDate;
use kernel::{
    call::{Cx, NoAnswer},
    ids::{ProductId, StoreId},
    money::{BasisPoints, Minor, Money, Quantity},
    outbox::Event,
    uuid::Uuid,
};
use serde::{Deserialize, Serialize};

pub use http::{CatalogClient, local, serve};
pub use terms::{DatedPrice, DatedRate, Off, Price, PriceSource, Promotion, Span, Terms, bounds};

/// Looks products up for a sale, an adjustment or a count.
#[async_trait]
pub trait Catalog: Send + Sync {
    /// The products that `keys` name, archived ones included; keys that name nothing are left
    /// out. At most 500 keys. A read: repeatable, and callers may keep an answer for 10 s.
    async fn resolve(&self, cx: &Cx, keys: Vec<ProductKey>) -> Result<Vec<Resolved>, NoAnswer>;

    /// The products of a category and of all categories below it, archived ones included, by id:
    /// at most 500, and none after the last page. `None` where there is no such category. A read:
    /// repeatable.
    async fn in_category(
        &self,
        cx: &Cx,
        page: CategoryPage,
    ) -> Result<Option<Vec<ProductRef>>, NoAnswer>;

    /// As [`resolve`](Self::resolve), with what the products cost at a store at any moment of a
    /// day. Prices and rates that begin later that day are in it, so that they hold from their
    /// moment on however old the answer is.
    async fn offers(&self, cx: &Cx, request: OffersRequest) -> Result<Vec<Offered>, NoAnswer>;
}

/// Which products of a category are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CategoryPage {
    /// Which category.
    pub category_id: kernel::uuid::Uuid,
    /// Those after this one: the last of the page before.
    pub after: Option<ProductId>,
}

/// A product, by what people call it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProductRef {
    /// Its id.
    pub id: ProductId,
    /// Its SKU.
    pub sku: String,
    /// Its name.
    pub name: String,
    /// Archived products cannot be sold, but some may still be there.
    pub archived: bool,
}

/// Which products, where and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OffersRequest {
    /// The store.
    pub store_id: StoreId,
    /// Whose tax rates hold there; `None`: each product's own.
    pub tax_region: Option<String>,
    /// The day, in UTC.
    pub day: NaiveDate,
    /// The products.
    pub keys: Vec<ProductKey>,
}

/// A key, the product it names, and its terms.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offered {
    /// As it was asked for.
    pub key: ProductKey,
    /// What it names.
    pub product: ProductSnapshot,
    /// What it costs.
    pub terms: Terms,
}

/// How a till names a product.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProductKey {
    /// By its id.
    Id(ProductId),
    /// By its SKU.
    Sku(String),
    /// By one of its barcodes.
    Barcode(String),
}

/// A key and the product it names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resolved {
    /// As it was asked for.
    pub key: ProductKey,
    /// What it names.
    pub product: ProductSnapshot,
}

/// What a sale line copies from the catalogue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProductSnapshot {
    /// Its id.
    pub id: ProductId,
    /// Its SKU.
    pub sku: String,
    /// Its name.
    pub name: String,
    /// Its category, for reports.
    pub category_id: Option<Uuid>,
    /// The price of `price_per` base units.
    pub price: Money,
    /// 1 for a product sold each; for example 1000 where the price is per kilogram and the unit g.
    pub price_per: Quantity,
    /// The tax rate.
    pub tax_rate: BasisPoints,
    /// What `price_per` base units cost, in minor units of the price's currency; if known.
    pub cost: Option<Minor>,
    /// Archived products cannot be sold.
    pub archived: bool,
}

/// A product was created or changed: what was copied from it may be out of date.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProductChanged {
    /// Which.
    pub product_id: ProductId,
    /// Its SKU.
    pub sku: String,
}

impl Event for ProductChanged {
    const TYPE: &'static str = "product.changed.v1";
    const AGGREGATE: &'static str = "product";
}

/// A replenishment request was made, or went on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplenishmentChanged {
    /// Which.
    pub request_id: kernel::uuid::Uuid,
    /// The store that asks.
    pub store_id: StoreId,
    /// Where it stands: `draft`, `requested`, `approved`, `rejected`, `cancelled`, `fulfilled` or
    /// `unfulfilled`.
    pub status: String,
}

impl Event for ReplenishmentChanged {
    const TYPE: &'static str = "replenishment.changed.v1";
    const AGGREGATE: &'static str = "replenishment_request";
}

/// A dated price was made or ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PriceChanged {
    /// Which.
    pub price_id: Uuid,
    /// Of this product.
    pub product_id: ProductId,
    /// At this store; at every store where it is `None`.
    pub store_id: Option<StoreId>,
}

impl Event for PriceChanged {
    const TYPE: &'static str = "price.changed.v1";
    const AGGREGATE: &'static str = "price";
}

/// A tax rate was made or withdrawn: it concerns every product of its class.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaxRateChanged {
    /// Which.
    pub tax_rate_id: Uuid,
    /// In this region.
    pub region: String,
    /// Of this class.
    pub tax_class: String,
}

impl Event for TaxRateChanged {
    const TYPE: &'static str = "tax_rate.changed.v1";
    const AGGREGATE: &'static str = "tax_rate";
}

/// A promotion was made or ended: it may concern whole categories.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PromotionChanged {
    /// Which.
    pub promotion_id: Uuid,
}

impl Event for PromotionChanged {
    const TYPE: &'static str = "promotion.changed.v1";
    const AGGREGATE: &'static str = "promotion";
}
