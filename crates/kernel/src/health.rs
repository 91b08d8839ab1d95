//! What `GET /api/<module>/health` answers.

use std::collections::BTreeMap;

use futures::future::{join, join_all};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{db::Db, peer::Peer};

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
    /// The modules that run elsewhere and are called from its process.
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

/// The modules that this process calls over HTTP, as data of the application.
#[derive(Debug, Default)]
pub struct Peers(pub Vec<Peer>);

/// Asks the database and the peers for a sign of life, all at once.
pub async fn check(db: &Db, peers: &Peers) -> Health {
    let state = |answers: bool| if answers { State::Up } else { State::Down };
    let asked = peers
        .0
        .iter()
        .map(|peer| async move { (peer.module(), state(peer.answers().await)) });
    let (database, peers) = join(db.ping(), join_all(asked)).await;
    let database = state(database.is_ok());
    let peers: BTreeMap<_, _> = peers.into_iter().collect();
    let all_up = database == State::Up && peers.values().all(|s| *s == State::Up);
    Health {
        status: if all_up { State::Up } else { State::Degraded },
        version: env!("CARGO_PKG_VERSION"),
        database,
        peers,
    }
}
