//! Signing in: a session, its first refresh token, and an access token.

use diesel::PgConnection;
use kernel::{ids::SessionId, time};

use super::{Client, attempt::Whose};
use crate::{
    Auth,
    crypto::{hasher::Check, refresh::RefreshToken, signer::Subject},
    domain::{email::Email, password::Password},
    error::Error,
    repo::{
        credentials::{self, Credentials},
        refresh_tokens::{self, Owner},
        sessions::{self, Open},
        users::{self, User},
    },
};

/// What a client gets that signed in or refreshed.
pub(crate) struct SignedIn {
    pub(crate) access_token: String,
    /// Seconds.
    pub(crate) expires_in: i64,
    pub(crate) refresh_token: String,
    pub(crate) user: User,
}

impl Auth {
    /// Signs in with a password. The answer and the work are the same for an unknown address, a
    /// wrong password and an archived user.
    pub(crate) async fn login(
        &self,
        email: Email,
        password: Password,
        client: Client,
    ) -> Result<SignedIn, Error> {
        let result = self.try_password(email, password, client).await;
        self.tools.meter.login(&result);
        result
    }

    async fn try_password(
        &self,
        email: Email,
        password: Password,
        client: Client,
    ) -> Result<SignedIn, Error> {
        let place = self.queue()?;
        let _turn = self.tools.bcrypt.turn(email.as_str()).await;
        let mut attempt = self.admit(Whose::Email(email), &client).await?;
        let stronger = match self.check_password(place, &attempt, password).await? {
            Check::Wrong => return Err(Error::InvalidCredentials),
            Check::Right => None,
            Check::Outdated(hash) => Some(hash),
        };
        let live = attempt
            .credentials
            .take()
            .filter(|c| c.archived_at.is_none());
        let credentials = live.ok_or(Error::InvalidCredentials)?;
        let first = RefreshToken::first()?;
        let (hash, limits) = (first.hash(), self.clone());
        let (owner, user) = self
            .db
            .transaction(move |conn| {
                attempt.forgive(conn)?;
                // Before the session is opened: its share lock on the user would stand in the way.
                if let Some(stronger) = &stronger {
                    credentials::rehash(conn, &credentials, stronger)?;
                }
                limits.open_session(conn, &credentials, &client, &hash)
            })
            .await?;
        self.signed_in(&owner, user, &first)
    }

    /// Opens a session with this first refresh token.
    pub(super) fn open_session(
        &self,
        conn: &mut PgConnection,
        of: &Credentials,
        client: &Client,
        token_hash: &[u8],
    ) -> Result<(Owner, User), Error> {
        let (id, now, address) = (SessionId::new(), time::now(), client.address_text());
        let until = now + self.tools.absolute;
        let open = Open {
            id,
            user_agent: client.user_agent.as_deref(),
            address: address.as_deref(),
            now,
            idle_until: now + self.tools.idle,
            until,
            user: of.id,
            password_version: of.password_version,
        };
        if !sessions::open(conn, open)? {
            return Err(Error::InvalidCredentials);
        }
        refresh_tokens::insert(conn, token_hash, id, now)?;
        // Read after the session has locked the user, so that no older grants get into a token.
        let user = users::find(conn, of.id)?.ok_or(Error::InvalidCredentials)?;
        Ok((
            Owner {
                session_id: id,
                user_id: user.id,
                absolute_expires_at: until,
            },
            user,
        ))
    }

    /// The answer to a login or a refresh.
    pub(super) fn signed_in(
        &self,
        owner: &Owner,
        user: User,
        refresh: &RefreshToken,
    ) -> Result<SignedIn, Error> {
        let subject = Subject {
            user: owner.user_id,
            session: owner.session_id,
            grants: user.grants.0.clone(),
            session_ends: owner.absolute_expires_at,
        };
        let (access_token, expires_in) = self.tools.signer.issue(subject, time::now())?;
        Ok(SignedIn {
            access_token,
            expires_in,
            refresh_token: refresh.to_text(),
            user,
        })
    }
}
