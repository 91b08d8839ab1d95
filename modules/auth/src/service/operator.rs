//! What the command line does, without a token: whoever can start the binary on the database is
//! its operator.

use kernel::{
    auth::{Grant, Role},
    call::Cx,
    ids::UserId,
    text::Text,
};
use secrecy::{ExposeSecret, SecretString};

use super::{Client, NewUser, users::insert};
use crate::{
    Auth,
    crypto::{random_password, refresh::RefreshToken},
    domain::{MAX_NAME, email::Email, password::Password},
    error::Error,
    repo::{credentials, users},
};

/// A user that the command line or the demo makes.
#[derive(Debug, Clone)]
pub struct NewUserSpec {
    /// Where they sign in; compared without case.
    pub email: String,
    /// 1 to 200 characters.
    pub name: String,
    /// Has to be as good as any.
    pub password: SecretString,
    /// What they may do, where.
    pub grants: Vec<Grant>,
}

impl Auth {
    /// Makes an admin of every store if there is no user at all. Answers the password if it was
    /// made up: print it once, it is kept nowhere. Of several processes one succeeds.
    ///
    /// # Errors
    ///
    /// When address or password are not acceptable, or the database does not answer.
    pub async fn ensure_admin(
        &self,
        email: &str,
        password: Option<SecretString>,
    ) -> Result<Option<SecretString>, Error> {
        if self
            .db
            .run(|conn| Ok::<_, Error>(users::any(conn)?))
            .await?
        {
            return Ok(None);
        }
        let email = Email::parse(email).map_err(Error::Email)?;
        let made_up = password.is_none();
        let secret = match password {
            Some(given) => given,
            None => random_password()?.into(),
        };
        let new = parse_password(&secret)?;
        let name = "Administrator";
        let hash = self.hash_new(new, email.as_str(), name).await?;
        let everything = [Grant {
            role: Role::Admin,
            store_id: None,
        }];
        let made = self
            .db
            .transaction(move |conn| {
                users::lock_admins(conn)?;
                if users::any(conn)? {
                    return Ok(false);
                }
                insert(
                    conn,
                    &Cx::system(),
                    UserId::new(),
                    &email,
                    name,
                    &hash,
                    &everything,
                )
                .map(|_| true)
            })
            .await?;
        Ok((made && made_up).then_some(secret))
    }

    /// Makes a user. One with this address is left as it is, and answered.
    ///
    /// # Errors
    ///
    /// When a value is not acceptable, or the database does not answer.
    pub async fn create_user(&self, new: NewUserSpec) -> Result<UserId, Error> {
        let NewUserSpec {
            email,
            name,
            password,
            grants,
        } = new;
        let email = Email::parse(&email).map_err(Error::Email)?;
        if let Some(id) = self.id_of(&email).await? {
            return Ok(id);
        }
        let name =
            Text::<MAX_NAME>::parse(&name).map_err(|e| Error::Invalid(format!("The name {e}.")))?;
        let user = NewUser {
            id: None,
            email: email.clone(),
            name: name.into_string(),
            password: parse_password(&password)?,
            grants,
        };
        match self.create(&Cx::system(), user).await {
            Ok(user) => Ok(user.id),
            Err(Error::EmailTaken) => self.id_of(&email).await?.ok_or(Error::NoSuchUser),
            Err(error) => Err(error),
        }
    }

    /// An access token for this user, in a session of its own.
    ///
    /// # Errors
    ///
    /// When there is no such active user, or the database does not answer.
    pub async fn token_for(&self, email: &str) -> Result<String, Error> {
        let email = Email::parse(email).map_err(Error::Email)?;
        let (first, auth) = (RefreshToken::first()?, self.clone());
        let hash = first.hash();
        let client = Client {
            address: None,
            user_agent: Some("comptoir command line".to_owned()),
        };
        let (owner, user) = self
            .db
            .transaction(move |conn| {
                let found =
                    credentials::of_email(conn, email.as_str(), None)?.ok_or(Error::NoSuchUser)?;
                auth.open_session(conn, &found, &client, &hash)
            })
            .await?;
        Ok(self.signed_in(&owner, user, &first)?.access_token)
    }

    async fn id_of(&self, email: &Email) -> Result<Option<UserId>, Error> {
        let email = email.as_str().to_owned();
        self.db
            .run(move |conn| Ok(credentials::of_email(conn, &email, None)?.map(|found| found.id)))
            .await
    }
}

fn parse_password(secret: &SecretString) -> Result<Password, Error> {
    Password::parse(secret.expose_secret())
        .map_err(|e| Error::Invalid(format!("The password {e}.")))
}
