//! Counts on the wire: what a client sends.

use inventory_api::ProductKey;
use kernel::{
    ids::{ProductId, StoreId},
    money::BasisPoints,
    text::{Code, Text},
};
use serde::{Deserialize, Serialize};
use store_api::CountKind;
use utoipa::ToSchema;
use uuid::Uuid;

use super::StockCount;
use crate::{
    domain::count::{EntryMode, Uncounted},
    error::Error,
};

/// Entries in one request, and products named in one, at most.
pub(crate) const MAX_NAMED: usize = 500;

/// A count to be opened.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateCount {
    /// Where.
    pub(crate) store_id: StoreId,
    /// What is to be counted.
    pub(crate) scope: CountScope,
    /// Whether those who count are not shown what the books say.
    #[serde(default)]
    pub(crate) blind: bool,
    /// For those who count.
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 500)]
    pub(crate) note: Option<Text<500>>,
}

/// What is to be counted.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum CountScope {
    /// Whatever the store has, and whatever else is found.
    Full {},
    /// The products of a category, and of all categories below it.
    Category {
        /// Which.
        category_id: Uuid,
    },
    /// These products.
    Products {
        /// 1 to 500, each once.
        #[schema(min_items = 1, max_items = 500)]
        product_ids: Vec<ProductId>,
    },
}

impl CountScope {
    pub(crate) fn kind(&self) -> CountKind {
        match self {
            Self::Full {} => CountKind::Full,
            Self::Category { .. } => CountKind::Category,
            Self::Products { .. } => CountKind::Products,
        }
    }

    pub(crate) fn category_id(&self) -> Option<Uuid> {
        match self {
            Self::Category { category_id } => Some(*category_id),
            Self::Full {} | Self::Products { .. } => None,
        }
    }
}

/// What was counted.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct EnterCount {
    /// 1 to 500, in the order in which they were scanned.
    #[schema(min_items = 1, max_items = 500)]
    pub(crate) entries: Vec<CountEntry>,
}

/// One scan. Exactly one of `product_id`, `sku` and `barcode` names the product.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CountEntry {
    /// The product's id.
    pub(crate) product_id: Option<ProductId>,
    /// The product's SKU.
    pub(crate) sku: Option<Code>,
    /// One of the product's barcodes.
    pub(crate) barcode: Option<Text<64>>,
    /// How much was found, in the product's base unit; 0 says that there is none.
    pub(crate) quantity: StockCount,
    /// Whether that comes on top of what was counted before, or stands in its place.
    #[serde(default)]
    pub(crate) mode: EntryMode,
}

impl EnterCount {
    /// How each entry names its product, in order.
    pub(crate) fn keys(&self) -> Result<Vec<ProductKey>, Error> {
        if !(1..=MAX_NAMED).contains(&self.entries.len()) {
            return Err(Error::invalid("/entries", "must be 1 to 500 entries"));
        }
        let key = |(index, entry): (usize, &CountEntry)| match (
            entry.product_id,
            &entry.sku,
            &entry.barcode,
        ) {
            (Some(id), None, None) => Ok(ProductKey::Id(id)),
            (None, Some(sku), None) => Ok(ProductKey::Sku(sku.as_str().to_owned())),
            (None, None, Some(code)) => Ok(ProductKey::Barcode(code.as_str().to_owned())),
            _ => Err(Error::invalid(
                &format!("/entries/{index}"),
                "must name its product by exactly one of product_id, sku and barcode",
            )),
        };
        self.entries.iter().enumerate().map(key).collect()
    }
}

/// Which lines are to be counted again: those over any of the limits that are given, of those that
/// were counted.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RecountLines {
    /// Deviations of more base units than this, up or down.
    #[serde(default)]
    pub(crate) over_units: Option<StockCount>,
    /// Deviations of more than this share of what was expected; any at all where that was nothing.
    #[serde(default)]
    pub(crate) over_basis_points: Option<BasisPoints>,
    /// Those whose goods moved between their first entry and their last.
    #[serde(default)]
    pub(crate) moved: bool,
}

/// What posting does with what nobody counted.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PostCount {
    /// Whether it stays in the books, or is gone.
    pub(crate) uncounted: Uncounted,
}

/// Why a count is given up.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CancelCount {
    /// For whoever asks later.
    pub(crate) reason: Text<500>,
}
