//! `comptoir keys`: makes the secrets of a chain that are missing in a folder.

use std::{io::Write, path::Path, process::ExitCode};

use crate::{
    keys::{self, Kept},
    operator::Failure,
};

/// Makes the named secrets, or all of them. What is there stays as it is.
pub(super) fn run(folder: &Path, names: &[String]) -> Result<ExitCode, Failure> {
    let mut out = std::io::stdout();
    for name in keys::NAMES {
        if !names.is_empty() && !names.iter().any(|wanted| wanted == name) {
            continue;
        }
        match keys::keep(folder, name)? {
            Kept::Found(path) => writeln!(out, "kept  {}", path.display())?,
            Kept::Made(path) => writeln!(out, "made  {}", path.display())?,
        }
    }
    Ok(ExitCode::SUCCESS)
}
