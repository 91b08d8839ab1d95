//! The secrets that can be made up: kept as private files in a folder, made once, never changed.

use std::{
    fs,
    io::Write,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use rand::{TryRng, rngs::SysRng};

use crate::{operator::Failure, wiring};

pub(crate) const SIGNING_KEY: &str = "signing-key.pem";
pub(crate) const PEPPER: &str = "pepper";

/// The files of a chain's own secrets.
pub(crate) const NAMES: [&str; 4] = [SIGNING_KEY, PEPPER, "internal-secret", "database-password"];

/// Where a secret is kept.
pub(crate) enum Kept {
    /// It was there.
    Found(PathBuf),
    /// It was made now.
    Made(PathBuf),
}

impl Kept {
    pub(crate) fn path(self) -> PathBuf {
        match self {
            Self::Found(path) | Self::Made(path) => path,
        }
    }
}

/// The secret of this name, made up where it is missing. Of several processes that want it at
/// once, one makes it and all have the same.
///
/// # Errors
///
/// When the folder cannot be written to, or the secret cannot be made in this binary.
pub(crate) fn keep(folder: &Path, name: &str) -> Result<Kept, Failure> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .map_err(|e| format!("{}: {e}", folder.display()))?;
    // Given back when the handle is dropped, a killed process's included.
    let lock = fs::File::open(folder)?;
    lock.lock()?;
    let path = folder.join(name);
    if path.try_exists()? {
        return Ok(Kept::Found(path));
    }
    let made = match name {
        SIGNING_KEY => wiring::new_signing_key(),
        _ => random_text(),
    };
    made.and_then(|text| write_private(&path, &text))
        .map_err(|e| format!("{} cannot be made: {e}", path.display()))?;
    // A password that was hashed with a forgotten pepper is lost, so the name must last, too.
    lock.sync_all()?;
    Ok(Kept::Made(path))
}

/// Written beside and renamed, so that a killed start leaves no half a key.
fn write_private(path: &Path, text: &str) -> Result<(), Failure> {
    let beside = path.with_extension("new");
    let mut file = fs::OpenOptions::new()
        .create(true)
        .truncate(true)
        .write(true)
        .mode(0o600)
        .open(&beside)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(beside, path)?;
    Ok(())
}

/// 256 random bits as 64 hexadecimal digits.
pub(crate) fn random_text() -> Result<String, Failure> {
    let mut bytes = [0_u8; 32];
    SysRng.try_fill_bytes(&mut bytes)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
