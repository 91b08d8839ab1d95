//! Refreshing: the token is spent and its successor given. A spent token that is shown again ends
//! the session, unless its answer may just have been lost.

use diesel::PgConnection;
use kernel::time;

use super::SignedIn;
use crate::{
    Auth,
    crypto::refresh::{RefreshToken, Successors},
    domain::chain::{Link, Verdict, judge},
    error::Error,
    repo::{
        refresh_tokens::{self, Owner, Rotate},
        sessions,
        users::{self, User},
    },
};

/// What a spent token gives.
enum Rotation {
    Given(Owner, Box<User>, RefreshToken),
    Refused,
    /// The token had been spent before: its session was ended.
    Reused,
}

impl Auth {
    /// Spends a refresh token for new tokens.
    pub(crate) async fn refresh(&self, token: &str) -> Result<SignedIn, Error> {
        let rotation = self.spend(token).await;
        let reused = matches!(rotation, Ok(Rotation::Reused));
        let result = rotation.and_then(|rotation| match rotation {
            Rotation::Given(owner, user, next) => self.signed_in(&owner, *user, &next),
            Rotation::Refused | Rotation::Reused => Err(Error::InvalidRefreshToken),
        });
        self.tools.meter.refresh(&result, reused);
        result
    }

    async fn spend(&self, token: &str) -> Result<Rotation, Error> {
        let spent = RefreshToken::parse(token).ok_or(Error::InvalidRefreshToken)?;
        let nonce = Successors::nonce()?;
        let auth = self.clone();
        // A reuse ends the session and is a refusal: the transaction has to commit all the same.
        self.db
            .transaction(move |conn| auth.rotate(conn, &spent, &nonce))
            .await
    }

    fn rotate(
        &self,
        conn: &mut PgConnection,
        spent: &RefreshToken,
        nonce: &[u8],
    ) -> Result<Rotation, Error> {
        let (now, next) = (time::now(), self.tools.successors.of(spent, nonce));
        let rotation = Rotate {
            spent: &spent.hash(),
            next: &next.hash(),
            nonce,
            now,
            idle_until: now + self.tools.idle,
        };
        match refresh_tokens::rotate(conn, rotation)? {
            Some(owner) => give(conn, owner, next),
            None => self.show_again(conn, spent),
        }
    }

    /// Decides about a token that could not be rotated.
    fn show_again(&self, conn: &mut PgConnection, spent: &RefreshToken) -> Result<Rotation, Error> {
        // A moment after the rotation that was faster, whatever was waited for.
        let now = time::now();
        let Some(seen) = refresh_tokens::look(conn, &spent.hash(), now)? else {
            return Ok(Rotation::Refused);
        };
        let link = Link {
            used_at: seen.used_at,
            successor_used: seen.successor_used,
            session_live: seen.session_live,
        };
        match (judge(link, now), seen.successor_nonce) {
            (Verdict::Repeat, Some(nonce)) => {
                give(conn, seen.owner, self.tools.successors.of(spent, &nonce))
            }
            (Verdict::Reused, _) => {
                let session = seen.owner.session_id;
                sessions::end(conn, session, None)?;
                tracing::warn!(%session, user = %seen.owner.user_id, "a spent refresh token was shown again");
                Ok(Rotation::Reused)
            }
            (Verdict::Repeat | Verdict::Dead, _) => Ok(Rotation::Refused),
        }
    }
}

fn give(conn: &mut PgConnection, owner: Owner, token: RefreshToken) -> Result<Rotation, Error> {
    let user = users::find(conn, owner.user_id)?;
    Ok(match user {
        Some(user) => Rotation::Given(owner, Box::new(user), token),
        None => Rotation::Refused,
    })
}
