//! The system user that the server runs as: PostgreSQL refuses to run as root.

use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::error::{Error, io};

/// Whom root hands the server to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ServerUser {
    pub(crate) uid: u32,
    pub(crate) gid: u32,
}

/// Whether this process is root.
pub(crate) fn is_root() -> bool {
    nix::unistd::geteuid().is_root()
}

impl ServerUser {
    /// Nobody in particular for an ordinary user, who runs the server himself. For root the owner
    /// of the cluster where there is one (it stays usable when a `postgres` user comes later), else
    /// `postgres`, else `nobody`.
    pub(crate) fn choose(cluster: &Path) -> Result<Option<Self>, Error> {
        if !is_root() {
            return Ok(None);
        }
        if let Ok(found) = fs::symlink_metadata(cluster)
            && found.uid() != 0
        {
            return Ok(Some(Self {
                uid: found.uid(),
                gid: found.gid(),
            }));
        }
        let path = Path::new("/etc/passwd");
        let passwd = fs::read_to_string(path).map_err(io("read", path))?;
        ["postgres", "_postgres", "nobody"]
            .iter()
            .find_map(|name| named(&passwd, name))
            .map(Some)
            .ok_or(Error::NoServerUser)
    }

    /// The first folder on the way down to `dir` that this user cannot enter. Folders that are not
    /// there yet do not count.
    pub(crate) fn blocked_at<'a>(&self, dir: &'a Path) -> Option<&'a Path> {
        dir.ancestors()
            .filter(|folder| fs::metadata(folder).is_ok_and(|found| !self.can_enter(&found)))
            .last()
    }

    /// Supplementary groups do not count: the server runs without any.
    fn can_enter(&self, folder: &Metadata) -> bool {
        let bit = if folder.uid() == self.uid {
            0o100
        } else if folder.gid() == self.gid {
            0o010
        } else {
            0o001
        };
        folder.mode() & bit != 0
    }
}

/// The user of that name in the text of `/etc/passwd`.
fn named(passwd: &str, name: &str) -> Option<ServerUser> {
    passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        if fields.next() != Some(name) {
            return None;
        }
        Some(ServerUser {
            uid: fields.nth(1)?.parse().ok()?,
            gid: fields.next()?.parse().ok()?,
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_a_user_by_its_whole_name() {
        let passwd = "root:x:0:0::/:/bin/sh\npostgres2:x:7:8::/:\npostgres:x:101:104:a,b:/var:/bin/sh\nbad:x\n";
        let found = named(passwd, "postgres").unwrap();
        assert_eq!((found.uid, found.gid), (101, 104));
        assert_eq!(named(passwd, "bad"), None);
        assert_eq!(named(passwd, "nobody"), None);
    }
}
