//! What `GET /api/<module>/health` answers.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use crate::db::Db;

/// The state of one module.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"status": "up", "version": "0.1.0", "database": "up", "peers": {"store": "up"}}))]
pub struct Health {
    /// `up`, or `degraded` when the database or a peer does not answer.
    pub status: State,
    /// The version of Comptoir.
    pub version: &'static str,
    /// The module's database.
    pub database: State,
    /// The modules that it calls; `in_process` is not asked.
    pub peers: BTreeMap<&'static str, State>,
}

/// Whether something answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It answers.
    Up,
    /// It works in part.
    Degraded,
    /// It does not answer.
    Down,
}

/// Asks the database for a sign of life; `peers` were asked by the module.
pub async fn check(db: &Db, peers: BTreeMap<&'static str, State>) -> Health {
    let database = if db.ping().await.is_ok() {
        State::Up
    } else {
        State::Down
    };
    let all_up = database == State::Up && peers.values().all(|s| *s == State::Up);
    Health {
        status: if all_up { State::Up } else { State::Degraded },
        version: env!("CARGO_PKG_VERSION"),
        database,
        peers,
    }
}
