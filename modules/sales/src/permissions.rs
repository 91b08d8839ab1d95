//! What a caller may do with sales, and which roles may.

kernel::permission! {
    /// Read sales and returns of one's stores.
    pub(crate) SaleRead = "sale:read" [Admin, Manager, Cashier, Auditor]
    /// List the sales of every cashier of one's stores, and not one's own alone.
    pub(crate) SaleReadAll = "sale:read-all" [Admin, Manager, Auditor]
    /// Record a sale.
    pub(crate) SaleWrite = "sale:write" [Admin, Manager, Cashier]
    /// Void a sale.
    pub(crate) SaleVoid = "sale:void" [Admin, Manager, Cashier]
    /// Take goods back.
    pub(crate) ReturnWrite = "return:write" [Admin, Manager, Cashier]
    /// Take goods back that nobody has a receipt for.
    pub(crate) ReturnUnreceipted = "return:without-receipt" [Admin, Manager]
    /// Void what others sold, on any day, and refund above the store's limit.
    pub(crate) SaleSupervise = "sale:supervise" [Admin, Manager]
    /// Sell at another price than the catalogue's.
    pub(crate) PriceOverride = "price:override" [Admin, Manager]
    /// Read the shifts that one opened.
    pub(crate) ShiftRead = "shift:read" [Admin, Manager, Cashier, Auditor]
    /// Read the shifts of every cashier of one's stores.
    pub(crate) ShiftReadAll = "shift:read-all" [Admin, Manager, Auditor]
    /// Open a shift, move its cash and close it.
    pub(crate) ShiftWrite = "shift:write" [Admin, Manager, Cashier]
    /// Move the cash of others' shifts, and close them.
    pub(crate) ShiftSupervise = "shift:supervise" [Admin, Manager]
    /// Read reports.
    pub(crate) ReportRead = "report:read" [Admin, Manager, Auditor]
    /// See what was earned on goods, and so what they cost: the roles of `catalog:cost`.
    pub(crate) MarginRead = "report:margin" [Admin, Manager, Auditor]
    /// Read who changed what.
    pub(crate) AuditRead = "sales:audit" [Admin, Manager, Auditor]
    /// Read the change feed, which tells of the whole chain; held everywhere.
    pub(crate) FeedRead = "sales:feed" [Admin, Auditor]
}
