//! What other modules may know about the catalogue: the [`Catalog`] port, its types and events.

mod http;

use async_trait::async_trait;
use kernel::{
    call::{Cx, NoAnswer},
    ids::{ProductId, StoreId},
    money::{BasisPoints, Minor, Money, Quantity},
    outbox::Event,
};
use serde::{Deserialize, Serialize};

pub use http::{CatalogClient, serve};

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
    pub category_id: Option<kernel::uuid::Uuid>,
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
