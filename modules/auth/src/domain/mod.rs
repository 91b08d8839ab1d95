//! The rules of accounts, without input or output.

pub(crate) mod chain;
pub(crate) mod email;
pub(crate) mod grants;
pub(crate) mod password;
pub(crate) mod policy;
pub(crate) mod throttle;

/// The longest name of a user, in characters.
pub(crate) const MAX_NAME: usize = 200;
