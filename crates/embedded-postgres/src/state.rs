//! What is known of a server that may be running in a cluster.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// A live server of a cluster.
#[derive(Debug)]
pub(crate) struct Running {
    pub(crate) pid: u32,
    /// Where it is to be reached, once it accepts connections.
    pub(crate) ready: Option<Address>,
}

/// Where a server listens.
#[derive(Debug, Clone)]
pub(crate) struct Address {
    pub(crate) socket_dir: PathBuf,
    pub(crate) port: u16,
}

/// The server that `postmaster.pid` names, if that process is there and is this cluster's.
pub(crate) fn running(cluster: &Path) -> Option<Running> {
    let text = fs::read_to_string(cluster.join("postmaster.pid")).ok()?;
    let mut lines = text.lines().map(str::trim);
    let pid: u32 = lines.next()?.parse().ok()?;
    if !serves(pid, cluster) {
        return None;
    }
    // The file is written in pieces: lines that are not there yet mean that it is not ready.
    let port = lines.nth(2).and_then(|line| line.parse().ok());
    let socket_dir = lines.next().map(PathBuf::from);
    let status = lines.nth(2);
    let ready = match (port, socket_dir, status) {
        (Some(port), Some(socket_dir), Some("ready")) => Some(Address { socket_dir, port }),
        _ => None,
    };
    Some(Running { pid, ready })
}

/// Whether the process is a live server of this cluster: its number may have been given to another
/// program since, or may be a zombie's, which PostgreSQL itself would take for alive.
fn serves(pid: u32, cluster: &Path) -> bool {
    if !Path::new("/proc/self").exists() {
        let listed = Command::new("ps")
            .args(["-ww", "-o", "command=", "-p", &pid.to_string()])
            .output();
        return listed.is_ok_and(|out| mentions(&out.stdout, cluster));
    }
    // A server works in its cluster; where that may not be read, its command line names it.
    fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|cwd| cwd == cluster)
        || fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|line| mentions(&line, cluster))
}

fn mentions(command: &[u8], cluster: &Path) -> bool {
    let holds = |part: &[u8]| command.windows(part.len()).any(|window| window == part);
    holds(b"postgres") && holds(cluster.as_os_str().as_bytes())
}

/// The folder of the programs that the cluster's server was last started with: PostgreSQL notes
/// its own path there, followed by its quoted arguments.
pub(crate) fn last_programs(cluster: &Path) -> Option<PathBuf> {
    let line = fs::read_to_string(cluster.join("postmaster.opts")).ok()?;
    let program = line.split(" \"").next()?.trim();
    Path::new(program).parent().map(Path::to_owned)
}

/// Whether the server takes connections. Its own word for "ready" stays for a moment after it was
/// told to stop, so a start right after its owner's death would attach to a server that is leaving.
pub(crate) fn answers(address: &Address) -> bool {
    let path = address
        .socket_dir
        .join(format!(".s.PGSQL.{}", address.port));
    let ask = || -> std::io::Result<bool> {
        let mut stream = UnixStream::connect(path)?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        // The start of PostgreSQL's protocol 3.0: length, version, parameters.
        let parameters = b"user\0postgres\0database\0postgres\0\0";
        let length = u32::try_from(parameters.len() + 8).map_err(std::io::Error::other)?;
        stream.write_all(&[&length.to_be_bytes()[..], &[0, 3, 0, 0], parameters].concat())?;
        let mut buffer = [0; 512];
        let taken = stream.read(&mut buffer)?;
        let answer = buffer.get(..taken).unwrap_or_default();
        // A polite goodbye, so that the server has nothing to log.
        stream.write_all(b"X\0\0\0\x04").ok();
        // "Cannot connect now" while it starts or stops; any other refusal is of a live server.
        let refused = answer.windows(7).any(|window| window == b"C57P03\0");
        Ok(!answer.is_empty() && !refused)
    };
    ask().unwrap_or(false)
}
