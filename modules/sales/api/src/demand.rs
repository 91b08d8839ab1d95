//! How much was sold: the [`Demand`] port and its types.

use async_trait::async_trait;
use chrono::NaiveDate;
use kernel::{
    call::{Cx, NoAnswer},
    ids::{ProductId, StoreId},
};
use serde::{Deserialize, Serialize};

/// Tells what customers took home.
#[async_trait]
pub trait Demand: Send + Sync {
    /// What was sold of each of the products at each of the stores, less what came back: sales on
    /// their business day, voided ones not at all, returns on theirs. Where nothing happened there
    /// is no answer. A read.
    async fn sold(&self, cx: &Cx, query: SoldQuery) -> Result<Vec<Sold>, NoAnswer>;

    /// When each of the products was last sold at a store, ever; those that never were are left
    /// out. Reads all sales of the products: ask for those that hardly sell. A read.
    async fn last_sold(&self, cx: &Cx, query: LastSoldQuery) -> Result<Vec<LastSold>, NoAnswer>;
}

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SoldQuery {
    /// At most 500.
    pub stores: Vec<StoreId>,
    /// At most 1,000.
    pub products: Vec<ProductId>,
    /// The first business day.
    pub from: NaiveDate,
    /// The last one, at most 400 days in all.
    pub to: NaiveDate,
}

/// What one store sold of one product.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sold {
    /// Where.
    pub store_id: StoreId,
    /// What.
    pub product_id: ProductId,
    /// How much, in base units; below zero where more came back than was sold in that time.
    pub quantity: i64,
    /// The last business day with a sale; `None` where things only came back.
    pub last_sold_on: Option<NaiveDate>,
}

/// What is asked about the last sales.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastSoldQuery {
    /// Where.
    pub store: StoreId,
    /// At most 1,000.
    pub products: Vec<ProductId>,
}

/// When a product was last sold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastSold {
    /// What.
    pub product_id: ProductId,
    /// The business day.
    pub on: NaiveDate,
}
