//! Users of every role, beside the admin who loads them.

use futures::{StreamExt, TryStreamExt, stream};
use serde_json::{Value, json};

use super::{
    PASSWORD,
    ensure::{Made, ensure},
    ids,
};
use crate::{
    client::Api,
    operator::Failure,
    progress::{PhaseTime, Progress},
};

/// E-mail name, full name, role and store of each user; their number is their place.
const USERS: [(&str, &str, &str, u32); 6] = [
    ("manager", "Camille Moreau", "manager", 1),
    ("cashier", "Inès Lefèvre", "cashier", 1),
    ("clerk", "Hugo Bernard", "clerk", 1),
    ("auditor", "Noémie Petit", "auditor", 1),
    ("manager2", "Julien Fontaine", "manager", 2),
    ("cashier2", "Sofia Marques", "cashier", 2),
];

/// The address that a demo user signs in with.
pub(super) fn email(name: &str) -> String {
    format!("{name}@demo.comptoir.test")
}

/// Makes the users. One request at a time: every password is hashed, and the server does not let
/// that take all of the machine.
pub(super) async fn load(api: &Api, progress: &Progress) -> Result<(Made, PhaseTime), Failure> {
    let phase = progress.phase("users", Some(USERS.len()));
    let made: Vec<Made> = stream::iter((1..).zip(USERS))
        .then(|(number, user)| async move {
            let id = ids::user(number);
            ensure(api, "/api/users", id, &body(number, user)).await
        })
        .inspect_ok(|_| phase.add(1))
        .try_collect()
        .await?;
    let mut all = Made::default();
    for made in made {
        all += made;
    }
    Ok((all, phase.finish()))
}

fn body(number: u32, (email_name, name, role, store): (&str, &str, &str, u32)) -> Value {
    json!({
        "id": ids::user(number),
        "email": email(email_name),
        "name": name,
        "password": PASSWORD,
        "grants": [{"role": role, "store_id": ids::store(store)}],
    })
}
