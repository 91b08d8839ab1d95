//! Starting the server and waiting until it serves.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::command::{server_command, tied_command};
use crate::error::{Error, io};
use crate::options::{Lifetime, Options};
use crate::place::{Place, open};
use crate::poll::poll;
use crate::process::Launched;
use crate::programs::Programs;
use crate::state::{self, Address};

/// After a crash PostgreSQL first replays its journal, which may take minutes.
const PATIENCE: Duration = Duration::from_secs(300);

/// How much of the log goes into an error.
const TAIL_LINES: usize = 20;

/// Starts the server and waits until it answers. `lock` is the locked file that it inherits.
pub(crate) fn launch(
    place: &Place,
    programs: &Programs,
    options: &Options,
    lock: File,
) -> Result<(Launched, Address), Error> {
    let command = prepare(place, programs, options, lock)?;
    let mut launched = Launched::spawn(command, options.lifetime)
        .map_err(io("run", &programs.program("postgres")))?;
    let pid = launched.pid();
    let mut ended = None;
    let address = poll(PATIENCE, || {
        ended = launched
            .ended()
            .map_err(io("wait for", &programs.program("postgres")))?;
        let ready = state::running(&place.cluster)
            .filter(|running| running.pid == pid)
            .and_then(|running| running.ready)
            .filter(state::answers);
        Ok(if ended.is_some() {
            Some(None)
        } else {
            ready.map(Some)
        })
    })?;
    if let Some(Some(address)) = address {
        return Ok((launched, address));
    }
    let how = ended.map_or_else(
        || format!("not ready in {PATIENCE:?}"),
        |status| status.to_string(),
    );
    if ended.is_none() {
        launched.stop()?;
    }
    Err(Error::Start {
        how,
        log: place.log(),
        tail: tail(place),
    })
}

/// The server's command line. A Unix socket in a folder of its own means that neither a TCP port
/// nor another PostgreSQL's socket can clash, so the port is only part of the socket's name.
fn prepare(
    place: &Place,
    programs: &Programs,
    options: &Options,
    lock: File,
) -> Result<Command, Error> {
    let program = programs.program("postgres");
    let socket_dir = place.socket_dir()?;
    clear_remains(place, &socket_dir)?;
    let path = place.log();
    fs::rename(&path, path.with_extension("log.old")).ok();
    let log = open(&path)?;
    let mut command = match options.lifetime {
        Lifetime::Owned => tied_command(&program, place.user),
        Lifetime::Detached => server_command(&program, place.user),
    };
    let sockets = socket_dir.to_string_lossy();
    let mut settings = vec![
        ("listen_addresses", ""),
        ("port", "5432"),
        ("unix_socket_directories", &sockets),
        ("unix_socket_permissions", "0700"),
    ];
    if !options.durable {
        let costly = ["fsync", "synchronous_commit", "full_page_writes"];
        settings.extend(costly.map(|name| (name, "off")));
    }
    let asked = options.settings.iter();
    settings.extend(asked.map(|(name, value)| (name.as_str(), value.as_str())));
    command.arg("-D").arg(&place.cluster);
    for (name, value) in settings {
        command.arg("-c").arg(format!("{name}={value}"));
    }
    // The lock is the standard input, which PostgreSQL never reads and all of its processes
    // inherit. Its own process group, because the terminal's Ctrl-C is the owner's to handle.
    command
        .stdin(lock)
        .stdout(log.try_clone().map_err(io("share", &path))?)
        .stderr(log)
        .process_group(0);
    Ok(command)
}

/// Nothing of an earlier server lives any more (the caller holds the lock), but its notes may name
/// a process number that another process has by now, and PostgreSQL would believe them.
fn clear_remains(place: &Place, socket_dir: &Path) -> Result<(), Error> {
    let notes = place.cluster.join("postmaster.pid");
    match fs::remove_file(&notes) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            return Err(io("remove", &notes)(error));
        }
        _ => {}
    }
    for entry in fs::read_dir(socket_dir)
        .map_err(io("list", socket_dir))?
        .flatten()
    {
        fs::remove_file(entry.path()).ok();
    }
    Ok(())
}

/// The last lines of the log.
fn tail(place: &Place) -> String {
    let said = fs::read(place.log()).unwrap_or_default();
    let said = String::from_utf8_lossy(&said);
    let lines: Vec<&str> = said.lines().rev().take(TAIL_LINES).collect();
    lines.into_iter().rev().collect::<Vec<_>>().join("\n")
}
