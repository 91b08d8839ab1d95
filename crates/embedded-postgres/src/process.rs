//! The server's process: spawning it, and stopping it.

use std::process::{Child, Command, ExitStatus};
use std::sync::mpsc::{self, Sender};
use std::time::Duration;
use std::{io, thread};

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::error::Error;
use crate::options::Lifetime;
use crate::poll::poll;

/// A server's process, and the thread that it is tied to while it is owned.
#[derive(Debug)]
pub(crate) struct Launched {
    child: Child,
    _keeper: Option<Sender<()>>,
}

impl Launched {
    /// Spawns a server that lives as long as is asked for.
    pub(crate) fn spawn(command: Command, lifetime: Lifetime) -> io::Result<Self> {
        match lifetime {
            Lifetime::Owned => spawn_kept(command),
            Lifetime::Detached => Ok(Self {
                child: spawn(command)?,
                _keeper: None,
            }),
        }
    }

    /// How it ended, if it did.
    pub(crate) fn ended(&mut self) -> io::Result<Option<ExitStatus>> {
        self.child.try_wait()
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Stops the server and waits for its end.
    pub(crate) fn stop(&mut self) -> Result<(), Error> {
        let pid = self.pid();
        // An ended child's number is not signalled: it stays reserved only until it is waited for.
        let mut gone = || Ok(!matches!(self.child.try_wait(), Ok(None)));
        if gone()? {
            Ok(())
        } else {
            shut_down(pid, gone)
        }
    }
}

/// A fast shutdown (transactions are rolled back, clients disconnected), then an immediate one.
pub(crate) fn shut_down(
    pid: u32,
    mut gone: impl FnMut() -> Result<bool, Error>,
) -> Result<(), Error> {
    let failed = |_| Error::Stop { pid };
    let process = Pid::from_raw(i32::try_from(pid).map_err(|_| Error::Stop { pid })?);
    for (signal, seconds) in [(Signal::SIGINT, 30), (Signal::SIGQUIT, 15)] {
        match kill(process, signal) {
            Ok(()) | Err(Errno::ESRCH) => {}
            Err(error) => return Err(failed(error)),
        }
        if poll(Duration::from_secs(seconds), || Ok(gone()?.then_some(())))?.is_some() {
            return Ok(());
        }
    }
    Err(Error::Stop { pid })
}

/// The command must not outlive the spawning: it holds the lock that only the server shall hold.
fn spawn(mut command: Command) -> io::Result<Child> {
    command.spawn()
}

/// Spawns from a thread that lasts as long as the handle does: the kernel ties a process to the
/// *thread* that spawned it, and the caller's may end long before this process.
fn spawn_kept(command: Command) -> io::Result<Launched> {
    let (report, spawned) = mpsc::channel();
    let (keeper, kept) = mpsc::channel::<()>();
    thread::Builder::new()
        .name("postgres-keeper".to_owned())
        .spawn(move || {
            report.send(spawn(command)).ok();
            kept.recv().ok();
        })?;
    let child = spawned.recv().map_err(io::Error::other)??;
    Ok(Launched {
        child,
        _keeper: Some(keeper),
    })
}
