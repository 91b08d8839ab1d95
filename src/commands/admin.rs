//! `comptoir admin create`.

use std::{io::Write, process::ExitCode};

use kernel::auth::{Grant, Role};

use super::{Boot, boot};
use crate::{
    cli::AdminAction, config::Settings, keys::random_text, operator::Failure, wiring::wire,
};

/// Makes an administrator of every store.
pub(super) async fn run(settings: &Settings, action: AdminAction) -> Result<ExitCode, Failure> {
    let AdminAction::Create {
        email,
        name,
        password,
    } = action;
    let Boot { databases, plan } = boot(settings)?;
    let process = wire(&plan)?;
    let accounts = process
        .operator
        .accounts
        .ok_or("auth does not run here: ask where it does")?;
    let made_up = password.is_none();
    let password = match password {
        Some(password) => password,
        None => random_text()?,
    };
    let grants = vec![Grant {
        role: Role::Admin,
        store_id: None,
    }];
    accounts
        .create_user(&email, &name, password.clone().into(), grants)
        .await?;
    let mut out = std::io::stdout();
    writeln!(out, "{email} is an administrator.")?;
    if made_up {
        writeln!(out, "Password (shown only now): {password}")?;
    }
    drop(databases);
    Ok(ExitCode::SUCCESS)
}
