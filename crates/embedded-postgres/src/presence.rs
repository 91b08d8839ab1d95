//! Whether a server is there, whoever started it; waiting for it, and stopping it.

use std::fs::{File, TryLockError};
use std::path::Path;
use std::time::Duration;

use crate::error::{Error, io};
use crate::place::Place;
use crate::poll::poll;
use crate::process::shut_down;
use crate::state::{self, Address};

/// How long a server that another process started may take to become ready or to go away.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a start finds in its data directory.
#[derive(Debug)]
pub(crate) enum Found {
    /// A server that answers.
    Server(u32, Address),
    /// No process of any server; the file is locked.
    Nothing(File),
}

/// Stops the server of a data directory, whoever started it, and waits until all of its processes
/// are gone. `false` when none was running.
///
/// # Errors
/// [`Error::Stop`] when it does not stop, [`Error::Busy`] when a process of it stays, and what the
/// operating system refuses.
pub fn stop(data_dir: &Path) -> Result<bool, Error> {
    if !data_dir.join("cluster").exists() {
        return Ok(false);
    }
    let place = Place::prepare(data_dir)?;
    let _turn = place.take_turn()?;
    // A server whose starter was killed may be there without having said so yet.
    let server = poll(PATIENCE, || match state::running(&place.cluster) {
        Some(running) => Ok(Some(Some(running.pid))),
        None => Ok(try_lock(&place)?.map(|_| None)),
    })?;
    let Some(pid) = server.ok_or_else(|| busy(&place))? else {
        return Ok(false);
    };
    let there = || state::running(&place.cluster).is_some_and(|now| now.pid == pid);
    shut_down(pid, || Ok(!there()))?;
    let free = poll(PATIENCE, || try_lock(&place))?;
    free.map(|_| true).ok_or_else(|| busy(&place))
}

/// Waits until there is a ready server, or no process of any server.
pub(crate) fn look(place: &Place) -> Result<Found, Error> {
    let found = poll(PATIENCE, || match state::running(&place.cluster) {
        Some(running) => {
            let ready = running.ready.filter(state::answers);
            Ok(ready.map(|address| Found::Server(running.pid, address)))
        }
        None => Ok(try_lock(place)?.map(Found::Nothing)),
    })?;
    found.ok_or_else(|| busy(place))
}

/// The lock that a server's processes share, unless one of them lives. They outlive a server that
/// was killed until they notice.
fn try_lock(place: &Place) -> Result<Option<File>, Error> {
    let file = place.server_lock()?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(io("lock", &place.root)(error)),
    }
}

fn busy(place: &Place) -> Error {
    Error::Busy {
        data_dir: place.root.clone(),
        seconds: PATIENCE.as_secs(),
    }
}
