//! Who may see and change accounts. Both only where they are held at every store.

kernel::permission! {
    /// See users, their grants and their sessions.
    pub(crate) UserRead = "user:read" [Admin, Auditor]
    /// Create, change and archive users, and end their sessions.
    pub(crate) UserWrite = "user:write" [Admin]
    /// Read who changed what.
    pub(crate) AuditRead = "auth:audit" [Admin, Auditor]
    /// Read the change feed, which tells of the whole chain; held everywhere.
    pub(crate) FeedRead = "auth:feed" [Admin, Auditor]
}
