//! `comptoir openapi`: the documents are generated from the code, and committed.

use std::{collections::BTreeMap, fs, path::Path, process::ExitCode, time::Duration};

use kernel::service_token::ServiceTokens;

use crate::{
    events::Events,
    openapi::generate,
    operator::Failure,
    process::{AuthSetup, Module, Plan, Process, StoreSetup},
    wiring::{new_signing_key, wire},
};

/// Writes or checks every document.
pub(super) fn run(dir: &Path, check: bool) -> Result<ExitCode, Failure> {
    let process = undriven()?;
    let names = std::iter::once(("comptoir", None)).chain(Module::ALL.map(|m| (m.name(), Some(m))));
    let mut stale = Vec::new();
    for (name, only) in names {
        let path = dir.join(format!("{name}.json"));
        let current = generate(&process, only)?;
        if fs::read_to_string(&path).unwrap_or_default() != current {
            if !check {
                fs::write(&path, &current)?;
            }
            stale.push(path.display().to_string());
        }
    }
    if check && !stale.is_empty() {
        return Err(format!(
            "not current: {}; run `cargo run -- openapi`",
            stale.join(", ")
        )
        .into());
    }
    Ok(ExitCode::SUCCESS)
}

/// Every module put together on a database that is never asked.
///
/// # Errors
///
/// When a module is not in this binary.
pub fn undriven() -> Result<Process, Failure> {
    let nowhere = "postgres://nowhere/none".to_owned();
    Ok(wire(&Plan {
        modules: Module::ALL.to_vec(),
        databases: Module::ALL.map(|m| (m, nowhere.clone().into())).into(),
        pool_size: 1,
        pool_wait: Duration::from_secs(1),
        one_wal: false,
        peers: BTreeMap::new(),
        peer_timeout: Duration::from_secs(1),
        tokens: ServiceTokens::new(&String::new().into()),
        events: Events::default(),
        auth: AuthSetup {
            signing_keys: vec![("undriven".into(), new_signing_key()?.into())],
            pepper: "0".repeat(32).into(),
            bcrypt_cost: 12,
            allow_weak_bcrypt: false,
            access_ttl: Duration::from_secs(600),
            refresh_idle: Duration::from_secs(600),
            refresh_absolute: Duration::from_secs(600),
        },
        store: StoreSetup {
            hold_ttl: Duration::from_secs(60),
            sweep_every: Duration::from_secs(5),
        },
        count_statements: false,
    })?)
}
