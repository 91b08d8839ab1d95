//! What the tests need: a folder of their own, an owner to kill, `psql`.

use std::fs::{self, Permissions};
use std::io::{BufRead, BufReader};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, thread};

use embedded_postgres::{Options, Postgres};

/// A folder of one test, removed with the server in it when the test ends.
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    pub(crate) fn new(name: &str) -> Self {
        let dir = PathBuf::from(format!("/tmp/embedded-pg-{name}-{}", std::process::id()));
        fs::create_dir(&dir).unwrap();
        set_mode(&dir, 0o755);
        Self(dir)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// An owned server without regard for crashes of the machine.
    pub(crate) fn options(&self) -> Options {
        let mut options = Options::new(&self.0);
        options.durable = false;
        options
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        embedded_postgres::stop(&self.0).ok();
        fs::remove_dir_all(&self.0).ok();
    }
}

/// A process that starts a server and holds it: the example `hold`.
pub(crate) struct Owner(Child);

impl Owner {
    pub(crate) fn spawn(data_dir: &Path, lifetime: &str) -> Self {
        Self::spawn_with(data_dir, lifetime, &[])
    }

    pub(crate) fn spawn_with(data_dir: &Path, lifetime: &str, env: &[(&str, &str)]) -> Self {
        let program = env::current_exe().unwrap();
        let program = program
            .parent()
            .unwrap()
            .parent()
            .unwrap()
            .join("examples/hold");
        assert!(
            program.exists(),
            "run `cargo test` without --test or --tests: it builds the examples"
        );
        let mut command = Command::new(program);
        command
            .arg(data_dir)
            .arg(lifetime)
            .envs(env.iter().copied())
            .stdout(Stdio::piped());
        Self(command.spawn().unwrap())
    }

    /// The lines that it prints once its server answers.
    pub(crate) fn lines(&mut self) -> Vec<String> {
        let out = BufReader::new(self.0.stdout.take().unwrap());
        out.lines().take(3).map(Result::unwrap).collect()
    }

    /// Its server's process, once it answers.
    pub(crate) fn server(&mut self) -> u32 {
        self.lines()
            .first()
            .expect("the owner started no server")
            .parse()
            .unwrap()
    }

    pub(crate) fn kill(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// What `psql` answers.
pub(crate) fn ask(postgres: &Postgres, sql: &str) -> String {
    let out = Command::new(postgres.bin_dir().join("psql"))
        .args([
            "-XAtq",
            "-v",
            "ON_ERROR_STOP=1",
            "-c",
            sql,
            &postgres.url("postgres"),
        ])
        .output()
        .unwrap();
    assert!(
        out.status.success(),
        "{}",
        String::from_utf8_lossy(&out.stderr)
    );
    String::from_utf8(out.stdout).unwrap().trim().to_owned()
}

/// Waits for a condition that nothing announces.
pub(crate) fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !holds() {
        assert!(Instant::now() < deadline, "in vain: {what}");
        thread::sleep(Duration::from_millis(2));
    }
}

/// Whether a process is there and not a zombie.
pub(crate) fn alive(pid: u32) -> bool {
    let out = Command::new("ps")
        .args(["-o", "stat=", "-p", &pid.to_string()])
        .output()
        .unwrap();
    let state = String::from_utf8_lossy(&out.stdout).trim().to_owned();
    !state.is_empty() && !state.starts_with('Z')
}

/// `kill -9`.
pub(crate) fn kill(pid: u32) {
    let status = Command::new("sh")
        .args(["-c", &format!("kill -9 {pid}")])
        .status()
        .unwrap();
    assert!(status.success());
}

pub(crate) fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|me| me.uid() == 0)
}

pub(crate) fn set_mode(dir: &Path, mode: u32) {
    fs::set_permissions(dir, Permissions::from_mode(mode)).unwrap();
}

/// A PATH with every program but one, made of links in a folder.
pub(crate) fn path_without(links: &Path, hidden: &str) -> String {
    fs::create_dir(links).unwrap();
    let path = env::var_os("PATH").unwrap();
    for program in env::split_paths(&path)
        .flat_map(fs::read_dir)
        .flatten()
        .flatten()
    {
        if program.file_name() != hidden {
            symlink(program.path(), links.join(program.file_name())).ok();
        }
    }
    links.to_str().unwrap().to_owned()
}
