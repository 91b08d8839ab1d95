//! A data directory: where things lie in it, who may enter it, and the locks on it.

use std::fs::{self, DirBuilder, File, Permissions};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use crate::error::{Error, io};
use crate::user::{ServerUser, is_root};

/// A socket's whole path is limited to 103 bytes on macOS and 107 on Linux, its name takes 18.
const LONGEST_SOCKET_DIR: usize = 80;

/// A data directory that exists and that the server's user can reach.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) root: PathBuf,
    pub(crate) cluster: PathBuf,
    pub(crate) user: Option<ServerUser>,
}

impl Place {
    /// Creates the folder if needed. Root keeps it to itself but lets the server's user pass
    /// through: everything that root writes lies where that user cannot plant a link.
    pub(crate) fn prepare(data_dir: &Path) -> Result<Self, Error> {
        fs::create_dir_all(data_dir).map_err(io("create", data_dir))?;
        let root = data_dir.canonicalize().map_err(io("find", data_dir))?;
        let cluster = root.join("cluster");
        let user = ServerUser::choose(&cluster)?;
        if let Some(user) = user {
            let mode = fs::metadata(&root).map_err(io("examine", &root))?.mode();
            fs::set_permissions(&root, Permissions::from_mode(mode | 0o001))
                .map_err(io("open", &root))?;
            if let Some(blocked) = user.blocked_at(&root) {
                return Err(Error::NotEnterable {
                    dir: blocked.to_owned(),
                    uid: user.uid,
                });
            }
        }
        Ok(Self {
            root,
            cluster,
            user,
        })
    }

    /// PostgreSQL's own log.
    pub(crate) fn log(&self) -> PathBuf {
        self.root.join("server.log")
    }

    /// Waits until no other process is starting a server here. The turn ends with the file.
    pub(crate) fn take_turn(&self) -> Result<File, Error> {
        let path = self.root.join("start.lock");
        let turn = open(&path)?;
        turn.lock().map_err(io("lock", &path))?;
        Ok(turn)
    }

    /// The file that every process of a server inherits locked: whoever can lock it knows that all
    /// of them are gone, whatever a process number left behind seems to say.
    pub(crate) fn server_lock(&self) -> Result<File, Error> {
        open(&self.root.join("server.lock"))
    }

    /// The major version that the cluster was made by, if there is a cluster.
    pub(crate) fn major(&self) -> Option<u32> {
        let text = fs::read_to_string(self.cluster.join("PG_VERSION")).ok()?;
        text.trim().parse().ok()
    }

    /// Makes the socket's folder. It lies in the data directory unless its path would be too long,
    /// or would have to be quoted in PostgreSQL's settings.
    pub(crate) fn socket_dir(&self) -> Result<PathBuf, Error> {
        let mut dir = self.root.join("run");
        let bytes = dir.as_os_str().as_bytes();
        let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"/._-".contains(byte);
        if bytes.len() > LONGEST_SOCKET_DIR || !bytes.iter().all(plain) {
            let found = fs::metadata(&self.root).map_err(io("examine", &self.root))?;
            let name = format!("/tmp/.comptoir-pg-{:x}-{:x}", found.dev(), found.ino());
            dir = PathBuf::from(name);
        }
        self.private_dir(&dir)?;
        Ok(dir)
    }

    /// Makes a folder that only the server's user may enter, or accepts one that is so. A folder or
    /// a link that somebody else left under that name is refused, never taken over.
    pub(crate) fn private_dir(&self, dir: &Path) -> Result<(), Error> {
        let made = DirBuilder::new().mode(0o700).create(dir);
        let found = match (made, fs::symlink_metadata(dir)) {
            (_, Ok(found)) => found,
            (Err(error), Err(_)) | (Ok(()), Err(error)) => return Err(io("create", dir)(error)),
        };
        let me = nix::unistd::geteuid().as_raw();
        let trusted = found.uid() == me || self.user.is_some_and(|user| user.uid == found.uid());
        if !found.is_dir() || !trusted {
            return Err(Error::ForeignFolder(dir.to_owned()));
        }
        fs::set_permissions(dir, Permissions::from_mode(0o700)).map_err(io("close", dir))?;
        if let Some(user) = self.user {
            std::os::unix::fs::lchown(dir, Some(user.uid), Some(user.gid))
                .map_err(io("hand over", dir))?;
        }
        Ok(())
    }
}

/// Makes a folder for programs; root lets everybody in, whatever its umask says.
pub(crate) fn public_dir(dir: &Path) -> Result<(), Error> {
    fs::create_dir_all(dir).map_err(io("create", dir))?;
    if is_root() {
        fs::set_permissions(dir, Permissions::from_mode(0o755)).map_err(io("open", dir))?;
    }
    Ok(())
}

/// A file that is nobody else's business: whoever can open a lock can hold it, and a log may quote
/// what was stored.
pub(crate) fn open(path: &Path) -> Result<File, Error> {
    File::options()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)
        .map_err(io("open", path))
}
