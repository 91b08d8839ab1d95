//! What a caller may do with stores and their stock, and which roles may.

kernel::permission! {
    /// See stores, their settings and registers.
    pub(crate) StoreRead = "store:read" [Admin, Manager, Cashier, Clerk, Auditor]
    /// Create, change and archive stores; held everywhere.
    pub(crate) StoreWrite = "store:write" [Admin]
    /// Change a store's settings and registers.
    pub(crate) StoreSettingsWrite = "store:settings" [Admin, Manager]
    /// See levels, movements and holds.
    pub(crate) StockRead = "stock:read" [Admin, Manager, Cashier, Clerk, Auditor]
    /// Change stock by hand.
    pub(crate) StockAdjust = "stock:adjust" [Admin, Manager, Clerk]
    /// See transfers from and to one's stores.
    pub(crate) TransferRead = "transfer:read" [Admin, Manager, Clerk, Auditor]
    /// Ask for goods, send them and receive them, each at one's own end.
    pub(crate) TransferWrite = "transfer:write" [Admin, Manager, Clerk]
    /// Promise one's own store's goods to another.
    pub(crate) TransferApprove = "transfer:approve" [Admin, Manager]
    /// See the counts of one's stores.
    pub(crate) CountRead = "count:read" [Admin, Manager, Clerk, Auditor]
    /// Open counts, and enter what is counted.
    pub(crate) CountWrite = "count:write" [Admin, Manager, Clerk]
    /// Have lines counted again, bring a count into the books, or give it up: by another than who
    /// counted, where there is one.
    pub(crate) CountPost = "count:post" [Admin, Manager]
    /// See what the books say while a blind count is under way.
    pub(crate) CountJudge = "count:judge" [Admin, Manager, Auditor]
    /// Have the books checked; held everywhere.
    pub(crate) IntegrityRead = "stock:integrity" [Admin, Auditor]
    /// Read who changed what.
    pub(crate) AuditRead = "store:audit" [Admin, Manager, Auditor]
    /// Read the change feed, which tells of the whole chain; held everywhere.
    pub(crate) FeedRead = "store:feed" [Admin, Auditor]
}
