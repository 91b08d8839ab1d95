//! What is done in the background, and what the other modules ask for every few seconds.

use kernel::token::{LEEWAY_SECONDS, Trust};

use crate::{Auth, error::Error, repo};

/// The clocks of two replicas, and a call on its way.
const MARGIN_SECONDS: u64 = 60;

impl Auth {
    /// The public keys, and the sessions that ended while a token of theirs may still be current.
    pub(crate) async fn trust(&self) -> Result<Trust, Error> {
        let seconds = self.tools.signer.ttl().as_secs() + LEEWAY_SECONDS + MARGIN_SECONDS;
        let seconds = i32::try_from(seconds).unwrap_or(i32::MAX);
        let ended_sessions = self
            .db
            .run(move |conn| Ok::<_, Error>(repo::sessions::ended_within(conn, seconds)?))
            .await?;
        Ok(Trust {
            keys: self.tools.signer.keys(),
            ended_sessions,
        })
    }

    /// One step of the clean-up; answers whether there may be more to do.
    pub(crate) async fn clean_up(&self) -> Result<bool, Error> {
        let longest = i32::try_from(self.tools.absolute.num_seconds()).unwrap_or(i32::MAX);
        self.db
            .run(move |conn| Ok(repo::housekeeping::step(conn, longest)?))
            .await
    }
}
