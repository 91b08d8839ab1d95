//! What login and password change have in common: queue, throttle, and the check of a password.

use std::net::IpAddr;

use diesel::PgConnection;
use kernel::ids::UserId;

use crate::{
    Auth,
    crypto::{bcrypt_pool::Place, hasher::Check},
    domain::{
        email::Email,
        password::Password,
        throttle::{Key, account_key, address_key},
    },
    error::Error,
    repo::{
        credentials::{self, Credentials},
        throttles,
    },
};

/// Where a request comes from.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    /// From the socket or a trusted gateway, which no header of a client can forge.
    pub(crate) address: Option<IpAddr>,
    pub(crate) user_agent: Option<String>,
}

impl Client {
    pub(crate) fn address_text(&self) -> Option<String> {
        self.address.map(|a| a.to_string())
    }
}

/// Whose password is being checked.
pub(crate) enum Whose {
    Email(Email),
    User(UserId),
}

/// An attempt that was let through, and counts as failed until it is forgiven.
pub(crate) struct Attempt {
    /// `None` for an unknown user.
    pub(crate) credentials: Option<Credentials>,
    account: Key,
    address: Key,
}

impl Attempt {
    /// Undoes the count: the password was right.
    pub(crate) fn forgive(&self, conn: &mut PgConnection) -> diesel::QueryResult<()> {
        throttles::forgive(conn, &self.account, &self.address)
    }
}

impl Auth {
    /// A place in the queue for bcrypt, to be had before anything else is done.
    pub(crate) fn queue(&self) -> Result<Place, Error> {
        self.tools.bcrypt.queue().ok_or(Error::Busy)
    }

    /// Counts an attempt, unless account or address have to wait.
    pub(crate) async fn admit(&self, whose: Whose, client: &Client) -> Result<Attempt, Error> {
        let (address, text) = (client.address, client.address_text());
        self.db
            .transaction(move |conn| {
                let (credentials, email) = look_up(conn, whose, text.as_deref())?;
                let known = text
                    .as_deref()
                    .filter(|_| credentials.as_ref().is_some_and(|c| c.knows_address));
                let attempt = Attempt {
                    account: account_key(&email, known),
                    address: address_key(address),
                    credentials,
                };
                // An error rolls back, so that an attempt that was not let through counts nowhere.
                throttles::count_account(conn, &attempt.account)?.map_err(too_many)?;
                throttles::count_address(conn, &attempt.address)?.map_err(too_many)?;
                Ok(attempt)
            })
            .await
    }

    /// Whether the password is the right one; the same work for an unknown user.
    pub(crate) async fn check_password(
        &self,
        place: Place,
        attempt: &Attempt,
        password: Password,
    ) -> Result<Check, Error> {
        let stored = attempt
            .credentials
            .as_ref()
            .map(|c| c.password_hash.clone());
        let job = move |hasher: &crate::crypto::hasher::Hasher| {
            hasher.check(&password, stored.as_deref())
        };
        Ok(self.tools.bcrypt.run(place, job).await??)
    }
}

fn look_up(
    conn: &mut PgConnection,
    whose: Whose,
    address: Option<&str>,
) -> Result<(Option<Credentials>, String), Error> {
    match whose {
        Whose::Email(email) => {
            let found = credentials::of_email(conn, email.as_str(), address)?;
            Ok((found, email.into_string()))
        }
        Whose::User(id) => {
            let found = credentials::of_user(conn, id, address)?.ok_or(Error::NoSuchUser)?;
            let email = found.email.clone();
            Ok((Some(found), email))
        }
    }
}

fn too_many(wait: throttles::Wait) -> Error {
    Error::TooManyAttempts {
        retry_after: u32::try_from(wait).unwrap_or(1),
    }
}
