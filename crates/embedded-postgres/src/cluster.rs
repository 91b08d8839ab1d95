//! Creating a cluster, so that it is either whole or not there.

use std::fs::{self, File};

use crate::command::tied_command;
use crate::error::{Error, io};
use crate::place::Place;
use crate::programs::Programs;

/// Beginning of the names of clusters that are being made.
const UNFINISHED: &str = "cluster.new-";

/// Makes the cluster under another name and renames it when it is done. What a start that was
/// killed half-way left behind is removed.
///
/// The first PostgreSQL user is `postgres`, without a password: the socket's folder is the lock.
pub(crate) fn create(place: &Place, programs: &Programs, durable: bool) -> Result<(), Error> {
    remove_unfinished(place);
    let fresh = place
        .root
        .join(format!("{UNFINISHED}{}", std::process::id()));
    place.private_dir(&fresh)?;
    let program = programs.program("initdb");
    let mut command = tied_command(&program, place.user);
    command
        .arg("-D")
        .arg(&fresh)
        .args([
            "-U",
            "postgres",
            "-E",
            "UTF8",
            "--auth-local=trust",
            "--auth-host=reject",
        ])
        .args(locale(programs.major));
    if !durable {
        command.arg("--no-sync");
    }
    let out = command.output().map_err(io("run", &program))?;
    if !out.status.success() {
        remove_unfinished(place);
        let said = String::from_utf8_lossy(&out.stderr);
        return Err(Error::Initdb(format!("{} ({})", said.trim(), out.status)));
    }
    fs::rename(&fresh, &place.cluster).map_err(|error| match error.kind() {
        std::io::ErrorKind::DirectoryNotEmpty | std::io::ErrorKind::NotADirectory => {
            Error::NotACluster(place.cluster.clone())
        }
        _ => io("rename", &fresh)(error),
    })?;
    if durable {
        // The new name must survive a crash of the machine as the cluster's files do.
        let folder = File::open(&place.root).map_err(io("open", &place.root))?;
        folder.sync_all().map_err(io("sync", &place.root))?;
    }
    Ok(())
}

/// Best effort: an `initdb` that is still dying may hold on to one, and none is ever used again.
fn remove_unfinished(place: &Place) {
    for entry in fs::read_dir(&place.root).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with(UNFINISHED) {
            fs::remove_dir_all(entry.path()).ok();
        }
    }
}

/// Texts compare byte by byte, the same on every machine, and letters are those of Unicode.
fn locale(major: u32) -> &'static [&'static str] {
    if major >= 17 {
        &[
            "--locale=C",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
        ]
    } else if cfg!(target_os = "macos") {
        &["--locale=C", "--lc-ctype=UTF-8"]
    } else {
        &["--locale=C.UTF-8"]
    }
}
