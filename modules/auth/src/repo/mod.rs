//! SQL. Every function takes a connection, so that the service decides about the transaction.

pub(crate) mod credentials;
pub(crate) mod grants;
pub(crate) mod housekeeping;
pub(crate) mod refresh_tokens;
pub(crate) mod sessions;
pub(crate) mod throttles;
pub(crate) mod users;
