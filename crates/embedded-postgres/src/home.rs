//! The folders of this product outside a data directory.

use std::env;
use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::user::{ServerUser, is_root};

/// Where a server's data goes when nobody says otherwise: `/var/lib/comptoir` for root (whose home
/// the server's user cannot enter), else `$XDG_DATA_HOME/comptoir` or `~/.local/share/comptoir`.
/// The folder need not exist.
///
/// # Errors
/// [`Error::NoHome`] when an ordinary user has no home directory.
pub fn default_data_dir() -> Result<PathBuf, Error> {
    if is_root() {
        return Ok(PathBuf::from("/var/lib/comptoir"));
    }
    of_user("XDG_DATA_HOME", ".local/share")
        .map(|dir| dir.join("comptoir"))
        .ok_or(Error::NoHome)
}

/// Where obtained programs are kept, if there is a place. The server's user must reach them, which
/// is rarely so in root's home.
pub(crate) fn cache_dir(user: Option<ServerUser>) -> Option<PathBuf> {
    let own = of_user("XDG_CACHE_HOME", ".cache").map(|dir| dir.join("comptoir/postgresql"));
    match user {
        None => own,
        Some(user) => Some(
            own.filter(|dir| user.blocked_at(dir).is_none())
                .unwrap_or_else(|| PathBuf::from("/var/cache/comptoir/postgresql")),
        ),
    }
}

/// A folder of the XDG base directories: what the variable says if it is absolute, else the usual
/// place in the home directory.
fn of_user(variable: &str, usual: &str) -> Option<PathBuf> {
    absolute(variable).or_else(|| absolute("HOME").map(|home| home.join(usual)))
}

fn absolute(variable: &str) -> Option<PathBuf> {
    let value = PathBuf::from(env::var_os(variable)?);
    (value.is_absolute() && value != Path::new("/")).then_some(value)
}
