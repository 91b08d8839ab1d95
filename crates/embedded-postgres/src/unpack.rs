//! Links of an unpacked npm package: npm's archives cannot hold any, so a list of them comes along.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::symlink;
use std::path::{Component, Path, PathBuf};

/// Makes the links that `native/pg-symlinks.json` lists as `[{"source": …, "target": …}]`, both
/// relative to the package. They are what the server's libraries are known by.
///
/// # Errors
/// In words: an unreadable list, or one that leads out of the package.
pub(crate) fn restore_links(package: &Path) -> Result<(), String> {
    let list = package.join("native/pg-symlinks.json");
    let text = match fs::read_to_string(&list) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        other => other.map_err(|error| format!("{}: {error}", list.display()))?,
    };
    let links: serde_json::Value =
        serde_json::from_str(&text).map_err(|error| format!("{}: {error}", list.display()))?;
    for link in links.as_array().into_iter().flatten() {
        let path = |key: &str| {
            link.get(key)
                .and_then(serde_json::Value::as_str)
                .and_then(inner)
        };
        let (Some(source), Some(target)) = (path("source"), path("target")) else {
            return Err(format!("{}: what is {link}?", list.display()));
        };
        match symlink(way(&target, &source), package.join(&target)) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => {
                return Err(format!("{}: {error}", target.display()));
            }
            _ => {}
        }
    }
    Ok(())
}

/// A relative path that stays inside.
fn inner(path: &str) -> Option<PathBuf> {
    let path = PathBuf::from(path);
    let stays = path
        .components()
        .all(|part| matches!(part, Component::Normal(_)));
    (stays && path.file_name().is_some()).then_some(path)
}

/// From the folder of one path to another path, both relative to the same folder.
fn way(from: &Path, to: &Path) -> PathBuf {
    let up = from.components().skip(1).map(|_| Component::ParentDir);
    up.chain(to.components()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_relative_and_stay_inside() {
        let (from, to) = (Path::new("native/lib/a.so"), Path::new("native/lib/a.so.1"));
        assert_eq!(way(from, to), Path::new("../../native/lib/a.so.1"));
        assert!(inner("native/lib/a.so").is_some());
        assert!(inner("../a").is_none() && inner("/etc/passwd").is_none() && inner("").is_none());
    }
}
