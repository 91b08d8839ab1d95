//! New passwords: one's own, and one set by an admin.

use diesel::PgConnection;
use kernel::{
    audit::{self, Entry},
    call::Cx,
    ids::{SessionId, UserId},
};

use super::{Client, attempt::Whose};
use crate::{
    Auth,
    crypto::hasher::Check,
    domain::{password::Password, policy, throttle::account_key},
    error::Error,
    repo::{sessions, throttles, users},
};

/// A change of one's own password.
pub(crate) struct Change {
    pub(crate) user: UserId,
    /// The session it is made in, which goes on.
    pub(crate) session: SessionId,
    pub(crate) current: Password,
    pub(crate) new: Password,
    pub(crate) client: Client,
}

impl Auth {
    /// Changes the caller's own password and ends all their other sessions. A wrong current
    /// password counts as a failed login.
    pub(crate) async fn change_password(&self, cx: &Cx, change: Change) -> Result<(), Error> {
        let Change {
            user,
            session,
            current,
            new,
            client,
        } = change;
        let place = self.queue()?;
        let _turn = self.tools.bcrypt.turn(&user.to_string()).await;
        let mut attempt = self.admit(Whose::User(user), &client).await?;
        if self.check_password(place, &attempt, current).await? == Check::Wrong {
            return Err(Error::WrongPassword);
        }
        let credentials = attempt.credentials.take().ok_or(Error::NoSuchUser)?;
        // Whatever becomes of the new one: this was no failure.
        self.db
            .transaction(move |conn| attempt.forgive(conn).map_err(Error::from))
            .await?;
        let hash = self
            .hash_new(new, &credentials.email, &credentials.name)
            .await?;
        let cx = cx.clone();
        self.db
            .transaction(move |conn| {
                if !users::set_password(conn, user, &hash, Some(credentials.password_version))? {
                    return Err(Error::WrongPassword);
                }
                sessions::end_all(conn, user, Some(session))?;
                record(conn, &cx, user, "user.password-changed")
            })
            .await
    }

    /// Sets someone's password and ends all their sessions.
    pub(crate) async fn reset_password(
        &self,
        cx: &Cx,
        user: UserId,
        new: Password,
    ) -> Result<(), Error> {
        let found = self.find_user(user).await?;
        let hash = self.hash_new(new, &found.email, &found.name).await?;
        let cx = cx.clone();
        self.db
            .transaction(move |conn| {
                if !users::set_password(conn, user, &hash, None)? {
                    return Err(Error::NoSuchUser);
                }
                sessions::end_all(conn, user, None)?;
                throttles::forget_account(conn, &account_key(&found.email, None))?;
                record(conn, &cx, user, "user.password-reset")
            })
            .await
    }

    /// Checks a new password against the policy and hashes it, both on the bcrypt pool.
    pub(super) async fn hash_new(
        &self,
        new: Password,
        email: &str,
        name: &str,
    ) -> Result<String, Error> {
        let place = self.queue()?;
        let (email, name) = (email.to_owned(), name.to_owned());
        self.tools
            .bcrypt
            .run(place, move |hasher| {
                policy::check(&new, &email, &name)?;
                Ok(hasher.hash(&new)?)
            })
            .await?
    }
}

fn record(
    conn: &mut PgConnection,
    cx: &Cx,
    user: UserId,
    action: &'static str,
) -> Result<(), Error> {
    Ok(audit::append(conn, &[Entry::new(cx, action, user)])?)
}
