//! A server as its owner sees it: start, address, stop.

use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::launch::launch;
use crate::options::{Lifetime, Options};
use crate::place::Place;
use crate::presence::{Found, look};
use crate::process::Launched;
use crate::programs::Needed;
use crate::state::{self, Address};
use crate::{cluster, search};

/// A server that was ready when this was made. Dropping it stops the server if it is
/// [owned](Lifetime::Owned) and was started by this handle.
#[derive(Debug)]
pub struct Postgres {
    launched: Option<Launched>,
    lifetime: Lifetime,
    pid: u32,
    address: Address,
    bin_dir: PathBuf,
}

impl Postgres {
    /// Starts the server of a data directory, or attaches to the one that runs there already.
    ///
    /// The server accepts connections when this returns. One process at a time starts a server in
    /// a data directory; the others wait and attach. Whatever a killed start or a killed server
    /// left behind is put right, and what was committed is there (unless not durable).
    ///
    /// # Errors
    /// Every [`Error`] but [`Error::NoHome`]; each says what can be done about it.
    pub fn start(options: &Options) -> Result<Self, Error> {
        let place = Place::prepare(&options.data_dir)?;
        let _turn = place.take_turn()?;
        let lock = match look(&place)? {
            Found::Server(pid, address) => return Self::attach(&place, options, pid, address),
            Found::Nothing(lock) => lock,
        };
        let programs = search::find(options.bin_dir.as_deref(), needed(&place), place.user)?;
        if place.major().is_none() {
            cluster::create(&place, &programs, options.durable)?;
        }
        let (launched, address) = launch(&place, &programs, options, lock)?;
        let pid = launched.pid();
        tracing::debug!(pid, data_dir = %place.root.display(), "started PostgreSQL {}", programs.major);
        Ok(Self {
            launched: Some(launched),
            lifetime: options.lifetime,
            pid,
            address,
            bin_dir: programs.dir,
        })
    }

    fn attach(place: &Place, options: &Options, pid: u32, address: Address) -> Result<Self, Error> {
        let bin_dir = match state::last_programs(&place.cluster) {
            Some(dir) => dir,
            None => search::find(options.bin_dir.as_deref(), needed(place), place.user)?.dir,
        };
        Ok(Self {
            launched: None,
            lifetime: options.lifetime,
            pid,
            address,
            bin_dir,
        })
    }

    /// Connection string for a database of this server, as libpq takes it. The user is `postgres`,
    /// a superuser.
    #[must_use]
    pub fn url(&self, db: &str) -> String {
        let host = encoded(self.address.socket_dir.as_os_str().as_bytes());
        format!(
            "postgres://postgres@{host}:{}/{}",
            self.address.port,
            encoded(db.as_bytes())
        )
    }

    /// Folder of the server's programs. A packaged PostgreSQL has `psql`, `pg_dump` and `pgbench`
    /// beside it; one obtained with `npm` has not.
    #[must_use]
    pub fn bin_dir(&self) -> &Path {
        &self.bin_dir
    }

    /// Folder of the server's socket, which only the server's user (and root) may enter.
    #[must_use]
    pub fn socket_dir(&self) -> &Path {
        &self.address.socket_dir
    }

    /// The server's first process.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// Whether the server ran already, so that this handle will not stop it.
    #[must_use]
    pub fn attached(&self) -> bool {
        self.launched.is_none()
    }

    /// Stops a server that this handle started (a detached one too) and waits until it is gone:
    /// open transactions are rolled back, clients are disconnected. Does nothing a second time, or
    /// to a server that it attached to: that is its owner's, or [`stop`](crate::stop)'s.
    ///
    /// # Errors
    /// [`Error::Stop`] when the server is still there after 45 seconds.
    pub fn stop(&mut self) -> Result<(), Error> {
        self.launched.as_mut().map_or(Ok(()), Launched::stop)
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        if self.lifetime == Lifetime::Owned
            && let Err(error) = self.stop()
        {
            tracing::warn!("{error}");
        }
    }
}

fn needed(place: &Place) -> Needed {
    place.major().map_or(Needed::Any, Needed::Exactly)
}

/// Everything but letters, digits and `-._` in percent notation.
fn encoded(bytes: &[u8]) -> String {
    let one = |&byte: &u8| match char::from(byte) {
        plain if plain.is_ascii_alphanumeric() || "-._".contains(plain) => plain.to_string(),
        _ => format!("%{byte:02X}"),
    };
    bytes.iter().map(one).collect()
}
