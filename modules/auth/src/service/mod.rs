//! The use cases: one public function is one transaction, or a few with bcrypt between them.

mod attempt;
mod grants;
mod housekeeping;
mod login;
mod meter;
mod operator;
mod passwords;
mod refresh;
mod sessions;
mod users;

pub(crate) use attempt::Client;
pub(crate) use login::SignedIn;
pub(crate) use meter::Meter;
pub(crate) use passwords::Change;
pub(crate) use users::{Changes, NewUser};

pub use operator::NewUserSpec;
