//! What a caller of the catalogue must be allowed to do, and which roles are.

use kernel::auth::{Permission, Principal, Scope};

kernel::permission! {
    /// Read products, categories and levels; one store is enough.
    pub(crate) CatalogRead = "catalog:read" [Admin, Manager, Cashier, Clerk, Auditor]
    /// Change products, categories and prices, which concern the whole chain.
    pub(crate) CatalogWrite = "catalog:write" [Admin]
    /// Set the prices of one's store and its promotions; those of every store need [`CatalogWrite`].
    pub(crate) PriceWrite = "price:write" [Admin, Manager]
    /// See what products cost.
    pub(crate) CostRead = "catalog:cost" [Admin, Manager, Auditor]
    /// See past imports, which concern the whole chain.
    pub(crate) ImportRead = "catalog:imports" [Admin, Auditor]
    /// See what stores want to have of products.
    pub(crate) ReorderRead = "reorder:read" [Admin, Manager, Cashier, Clerk, Auditor]
    /// Say what a store wants to have of products.
    pub(crate) ReorderWrite = "reorder:write" [Admin, Manager]
    /// See what stores ask for, and what they should.
    pub(crate) ReplenishmentRead = "replenishment:read" [Admin, Manager, Clerk, Auditor]
    /// Ask for goods for one's own store.
    pub(crate) ReplenishmentWrite = "replenishment:write" [Admin, Manager, Clerk]
    /// Decide what stores get: an admin of the store, or a manager of a warehouse.
    pub(crate) ReplenishmentApprove = "replenishment:approve" [Admin, Manager]
    /// See what is on the shelves and does not sell.
    pub(crate) StockReportRead = "stock-reports:read" [Admin, Manager, Clerk, Auditor]
    /// See what stock is worth, which is what it cost.
    pub(crate) StockValueRead = "stock-reports:value" [Admin, Manager, Auditor]
    /// Read who changed what.
    pub(crate) AuditRead = "inventory:audit" [Admin, Manager, Auditor]
    /// Read the change feed, which tells of the whole chain; held everywhere.
    pub(crate) FeedRead = "inventory:feed" [Admin, Auditor]
}

/// Whether the caller holds [`CostRead`] at any store: cost belongs to the chain, not to a store.
pub(crate) fn sees_cost(principal: &Principal) -> bool {
    principal.scope(CostRead::ROLES) != Scope::Only(Vec::new())
}
