//! Finding PostgreSQL's programs: where the caller says, on the machine, or in the cache.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::{env, fs};

use crate::error::Error;
use crate::obtain;
use crate::programs::{Needed, Programs};
use crate::user::ServerUser;

/// Where packages put one folder per version, with the programs in `bin` (or in the folder itself).
const VERSIONED: [&str; 7] = [
    "/usr/lib/postgresql",
    "/usr/local/lib/postgresql",
    "/opt/homebrew/opt",
    "/usr/local/opt",
    "/Applications/Postgres.app/Contents/Versions",
    "/Library/PostgreSQL",
    "/usr/libexec",
];

/// The programs to use: the caller's, else those that `PG_BIN_DIR` names, else the newest fit ones
/// on the machine, else obtained ones. With `COMPTOIR_PG_IGNORE_SYSTEM` set, those on the machine
/// are passed over.
pub(crate) fn find(
    asked: Option<&Path>,
    needed: Needed,
    user: Option<ServerUser>,
) -> Result<Programs, Error> {
    let fit = |dir: &Path| {
        Programs::examine(dir, user).filter(|programs| needed.is_met_by(programs.major))
    };
    let named = env::var_os("PG_BIN_DIR").filter(|dir| !dir.is_empty());
    if let Some(dir) = asked
        .map(Path::to_owned)
        .or_else(|| named.map(PathBuf::from))
    {
        return fit(&dir).ok_or_else(|| Error::UnfitPrograms {
            dir: dir.clone(),
            needed: needed.to_string(),
        });
    }
    if env::var_os("COMPTOIR_PG_IGNORE_SYSTEM").is_none_or(|set| set.is_empty()) {
        let found = on_machine().iter().filter_map(|dir| fit(dir)).collect();
        if let Some(programs) = newest(found) {
            return Ok(programs);
        }
    }
    obtain::obtain(needed, user)
}

/// The first of the newest.
fn newest(found: Vec<Programs>) -> Option<Programs> {
    found
        .into_iter()
        .reduce(|best, next| if next.major > best.major { next } else { best })
}

/// Every folder on the machine that holds a server, each once however many links lead to it.
fn on_machine() -> Vec<PathBuf> {
    let mut dirs: Vec<PathBuf> = env::var_os("PATH")
        .iter()
        .flat_map(env::split_paths)
        .filter(|dir| dir.is_absolute())
        .collect();
    dirs.extend(VERSIONED.iter().flat_map(|root| inside(Path::new(root))));
    dirs.extend(inside(Path::new("/usr")).filter(|dir| {
        // Red Hat's own packages: /usr/pgsql-17/bin.
        dir.to_string_lossy().starts_with("/usr/pgsql")
    }));
    let mut seen = BTreeSet::new();
    dirs.retain(|dir| {
        dir.join("postgres")
            .canonicalize()
            .is_ok_and(|program| program.is_file() && seen.insert(program))
    });
    dirs
}

/// For each folder in `root`, itself and its `bin`.
fn inside(root: &Path) -> impl Iterator<Item = PathBuf> {
    fs::read_dir(root)
        .into_iter()
        .flatten()
        .flatten()
        .flat_map(|entry| [entry.path().join("bin"), entry.path()])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_wins_and_the_first_among_equals() {
        let programs = |dir: &str, major| Programs {
            dir: PathBuf::from(dir),
            major,
        };
        let found = vec![
            programs("a", 15),
            programs("b", 17),
            programs("c", 17),
            programs("d", 16),
        ];
        assert_eq!(newest(found).unwrap().dir, Path::new("b"));
        assert_eq!(newest(Vec::new()), None);
    }
}
