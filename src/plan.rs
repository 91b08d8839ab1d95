//! From settings to a plan for the wiring, with the secrets that a first start makes up.

use std::{fs, path::PathBuf};

use kernel::service_token::ServiceTokens;
use secrecy::{ExposeSecret, SecretString};

use crate::{
    config::{Mode, Settings, is_set},
    database::{self, Databases},
    keys,
    operator::Failure,
    process::{AuthSetup, Module, Plan, StoreSetup},
};

/// Everything the wiring needs.
///
/// # Errors
///
/// When a key cannot be read or made.
pub fn plan(settings: &Settings, databases: &Databases, one_wal: bool) -> Result<Plan, Failure> {
    let secret = if is_set(&settings.internal.secret) {
        settings.internal.secret.clone()
    } else {
        keys::random_text()?.into()
    };
    Ok(Plan {
        modules: settings.modules.clone(),
        databases: databases.urls.clone(),
        pool_size: settings.database.pool_size.get(),
        pool_wait: settings.database.wait,
        one_wal,
        peers: settings.internal.peers.clone(),
        peer_timeout: settings.internal.timeout,
        tokens: ServiceTokens::new(&secret),
        events: settings.events.clone(),
        auth: auth(settings)?,
        store: StoreSetup {
            hold_ttl: settings.hold_ttl,
            sweep_every: settings.sweep_every,
        },
        count_statements: false,
    })
}

fn auth(settings: &Settings) -> Result<AuthSetup, Failure> {
    let runs_here = settings.modules.contains(&Module::Auth);
    let (signing_keys, pepper) = if runs_here {
        (signing_keys(settings)?, pepper(settings)?)
    } else {
        (Vec::new(), SecretString::default())
    };
    Ok(AuthSetup {
        signing_keys,
        pepper,
        bcrypt_cost: settings.auth.bcrypt_cost,
        allow_weak_bcrypt: false,
        access_ttl: settings.auth.access_ttl,
        refresh_idle: settings.auth.refresh_idle,
        refresh_absolute: settings.auth.refresh_absolute,
    })
}

fn signing_keys(settings: &Settings) -> Result<Vec<(String, SecretString)>, Failure> {
    let mut paths = settings.auth.signing_keys.clone();
    if paths.is_empty() {
        paths.push(kept(settings, keys::SIGNING_KEY)?);
    }
    let read = |path: PathBuf| {
        let kid = path
            .file_stem()
            .map(|stem| stem.to_string_lossy().into_owned())
            .unwrap_or_default();
        let pem = fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
        Ok((kid, SecretString::from(pem)))
    };
    paths.into_iter().map(read).collect()
}

fn pepper(settings: &Settings) -> Result<SecretString, Failure> {
    if is_set(&settings.auth.pepper) {
        return Ok(settings.auth.pepper.clone());
    }
    let path = kept(settings, keys::PEPPER)?;
    Ok(fs::read_to_string(path)?.trim().to_owned().into())
}

/// A secret in the data folder, made up at the first start. Losing it would lock everyone out,
/// so production mode asks for one that is kept with care.
fn kept(settings: &Settings, name: &str) -> Result<PathBuf, Failure> {
    debug_assert_eq!(
        settings.mode,
        Mode::Development,
        "production mode brings its own secrets"
    );
    let folder = database::data_dir(settings)?.join("keys");
    Ok(keys::keep(&folder, name)?.path())
}

/// A password for the first admin, for a terminal.
pub fn shown(password: &SecretString) -> &str {
    password.expose_secret()
}
