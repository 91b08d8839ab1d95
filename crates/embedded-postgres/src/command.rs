//! How PostgreSQL's programs are run: as which user, with which surroundings, tied to whom.

use std::env;
use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use crate::user::ServerUser;

static CAN_TIE: OnceLock<bool> = OnceLock::new();

/// Runs what follows only if the owner is still there: it may have died before the kernel was told
/// to send its death on, and then nothing would be sent.
const UNLESS_ORPHANED: &str = r#"[ "$PPID" = "$0" ] || exit 1; exec "$@""#;

/// A command that runs as the server's user, with nothing of this process's surroundings but PATH,
/// so that a stray PGPORT or LC_ALL does not change what it does.
pub(crate) fn server_command(program: &Path, user: Option<ServerUser>) -> Command {
    let mut command = Command::new(program);
    let path = env::var_os("PATH").unwrap_or_else(|| OsString::from("/usr/bin:/bin"));
    command
        .env_clear()
        .env("PATH", path)
        .env("LC_ALL", "C")
        .env("TZ", "UTC")
        .current_dir("/")
        .stdin(Stdio::null());
    if let Some(user) = user {
        // The standard library also drops root's supplementary groups here.
        command.uid(user.uid).gid(user.gid);
    }
    command
}

/// The same, but the kernel interrupts the program (for PostgreSQL: a fast shutdown) when the
/// **thread** that spawns it ends, and so when this process is killed. Where `setpriv` cannot do
/// that, as on macOS, the program is not tied to anything.
pub(crate) fn tied_command(program: &Path, user: Option<ServerUser>) -> Command {
    if !*CAN_TIE.get_or_init(can_tie) {
        return server_command(program, user);
    }
    let mut command = server_command(Path::new("setpriv"), user);
    command
        .args(["--pdeathsig", "INT", "--", "sh", "-c", UNLESS_ORPHANED])
        .arg(std::process::id().to_string())
        .arg(program);
    command
}

/// Asks by trying: BusyBox has a `setpriv` that cannot do it.
fn can_tie() -> bool {
    let tried = Command::new("setpriv")
        .args(["--pdeathsig", "INT", "--", "true"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    let can = tried.is_ok_and(|status| status.success());
    if !can {
        tracing::warn!("no usable setpriv: PostgreSQL stays when this process is killed");
    }
    can
}
