//! A folder of PostgreSQL's programs, and which version they are.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::command::server_command;
use crate::user::ServerUser;

/// The oldest major version that the product's SQL runs on.
const OLDEST: u32 = 14;

/// Which servers will do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Needed {
    /// Any supported version, for a cluster still to be made.
    Any,
    /// The version that made the cluster: no other can read it.
    Exactly(u32),
}

impl Needed {
    pub(crate) fn is_met_by(self, major: u32) -> bool {
        match self {
            Self::Any => major >= OLDEST,
            Self::Exactly(needed) => major == needed,
        }
    }
}

impl fmt::Display for Needed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => write!(f, "{OLDEST} or later"),
            Self::Exactly(major) => write!(f, "{major}, which made the cluster"),
        }
    }
}

/// Programs that were seen to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Programs {
    pub(crate) dir: PathBuf,
    pub(crate) major: u32,
}

impl Programs {
    /// The programs in this folder, if the server's user can run them. Links are followed, so that
    /// PostgreSQL's other programs are found beside them.
    pub(crate) fn examine(dir: &Path, user: Option<ServerUser>) -> Option<Self> {
        let real = dir.join("postgres").canonicalize().ok()?;
        let dir = [real.parent()?, dir]
            .into_iter()
            .find(|dir| dir.join("postgres").is_file() && dir.join("initdb").is_file())?;
        let answer = server_command(&dir.join("postgres"), user)
            .arg("-V")
            .output()
            .ok()?;
        let major = major(&String::from_utf8_lossy(&answer.stdout))?;
        Some(Self {
            dir: dir.to_owned(),
            major,
        })
    }

    pub(crate) fn program(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }
}

/// The major version in `postgres (PostgreSQL) 15.13 (Debian 15.13-0+deb12u1)` or `… 18beta1`.
fn major(answer: &str) -> Option<u32> {
    let version = answer.split_whitespace().nth(2)?;
    version
        .split(|c: char| !c.is_ascii_digit())
        .next()?
        .parse()
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_major_version() {
        assert_eq!(
            major("postgres (PostgreSQL) 15.13 (Debian 15.13-0+deb12u1)\n"),
            Some(15)
        );
        assert_eq!(major("postgres (PostgreSQL) 18beta1\n"), Some(18));
        assert_eq!(major("postgres: not found"), None);
        assert_eq!(major(""), None);
    }

    #[test]
    fn a_cluster_needs_its_own_version() {
        assert!(Needed::Any.is_met_by(14) && Needed::Any.is_met_by(19));
        assert!(!Needed::Any.is_met_by(13));
        assert!(Needed::Exactly(13).is_met_by(13) && !Needed::Exactly(15).is_met_by(16));
    }
}
