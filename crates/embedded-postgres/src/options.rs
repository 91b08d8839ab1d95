//! What a caller may choose about its server.

use std::path::PathBuf;

/// How long a server lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lifetime {
    /// It stops when its [`Postgres`](crate::Postgres) is dropped, and also when the process that
    /// started it is killed (on Linux, with `setpriv` of util-linux 2.33 or later: without it a
    /// server whose owner was killed stays, and the next start attaches to it).
    Owned,
    /// It outlives the process that started it, until [`stop`](crate::stop) is called: a cluster
    /// that many test processes share.
    Detached,
}

/// What [`Postgres::start`](crate::Postgres::start) is to run, and where.
#[derive(Debug, Clone)]
pub struct Options {
    /// Folder for the cluster, its socket and its log, and nothing else; created when missing. Root
    /// lets the user that it runs the server as pass through it (not list it).
    pub data_dir: PathBuf,
    /// Folder of `postgres` and `initdb`; `None` searches the machine.
    pub bin_dir: Option<PathBuf>,
    /// `false` only for tests: a killed server may then lose its last commits, and a crash of the
    /// machine everything.
    pub durable: bool,
    /// Whether the server dies with its owner.
    pub lifetime: Lifetime,
    /// PostgreSQL settings, as in `postgresql.conf`; they hold only for a server started by this
    /// call, not for one that it attaches to.
    pub settings: Vec<(String, String)>,
}

impl Options {
    /// A durable, owned server with PostgreSQL's own settings.
    #[must_use]
    pub fn new(data_dir: impl Into<PathBuf>) -> Self {
        Self {
            data_dir: data_dir.into(),
            bin_dir: None,
            durable: true,
            lifetime: Lifetime::Owned,
            settings: Vec::new(),
        }
    }
}
