//! What can go wrong, in words that a person can act upon.

use std::io;
use std::path::{Path, PathBuf};

/// Why a server could not be started or stopped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No suitable server programs are on the machine, and none could be obtained.
    #[error(
        "no PostgreSQL server ({needed}) is on this machine and none could be obtained ({obtaining}): \
         install one (Debian: `apt install postgresql`; Fedora: `dnf install postgresql-server`; \
         macOS: `brew install postgresql`), name its folder in PG_BIN_DIR, or set DATABASE_URL to a \
         server elsewhere"
    )]
    NoPrograms {
        /// The version that is needed.
        needed: String,
        /// What each way of obtaining it answered.
        obtaining: String,
    },
    /// The folder that was asked for holds no usable server.
    #[error("{} holds no `postgres` and `initdb` of version {needed} that can be run", .dir.display())]
    UnfitPrograms {
        /// The folder that was asked for.
        dir: PathBuf,
        /// The version that is needed.
        needed: String,
    },
    /// Root has nobody to run the server as.
    #[error(
        "PostgreSQL refuses to run as root, and /etc/passwd has no user `postgres` or `nobody` to \
         run it as: create one, or run this program as an ordinary user"
    )]
    NoServerUser,
    /// The user that the server runs as cannot reach a folder.
    #[error(
        "{} cannot be entered by the user that PostgreSQL runs as (uid {uid}): choose a data \
         directory elsewhere, say under /var/lib", .dir.display()
    )]
    NotEnterable {
        /// The folder that is closed.
        dir: PathBuf,
        /// The server's user.
        uid: u32,
    },
    /// Somebody else made the folder that the server needs for itself.
    #[error("{} is not a folder of the user that PostgreSQL runs as: remove it, or choose another data directory", .0.display())]
    ForeignFolder(PathBuf),
    /// The folder for the cluster holds something else.
    #[error("{} holds files but no PostgreSQL cluster: move them away, or choose another data directory", .0.display())]
    NotACluster(PathBuf),
    /// No place for data is known.
    #[error("there is no home directory to keep data in: set HOME, or choose a data directory")]
    NoHome,
    /// `initdb` failed.
    #[error("PostgreSQL could not create its cluster: {0}")]
    Initdb(String),
    /// The server ended, or did not become ready, while it was being started.
    #[error("PostgreSQL did not start ({how}); the end of {}:\n{tail}", .log.display())]
    Start {
        /// How it ended.
        how: String,
        /// Its log file.
        log: PathBuf,
        /// The last lines of that log.
        tail: String,
    },
    /// A server uses the data directory, and is neither ready nor gone.
    #[error("the server that uses {} is neither ready nor gone after {seconds} s: look at its log, or stop it", .data_dir.display())]
    Busy {
        /// The data directory.
        data_dir: PathBuf,
        /// How long it was waited for.
        seconds: u64,
    },
    /// The server did not stop.
    #[error("PostgreSQL (process {pid}) did not stop")]
    Stop {
        /// The server's process.
        pid: u32,
    },
    /// The operating system refused something.
    #[error("cannot {doing} {}: {source}", .path.display())]
    Io {
        /// What was tried.
        doing: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system answered.
        source: io::Error,
    },
}

/// Names what was tried, and on which file, in an error of the operating system.
pub(crate) fn io(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Error {
    let path = path.to_owned();
    move |source| Error::Io {
        doing,
        path,
        source,
    }
}
