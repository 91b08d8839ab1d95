//! What the module is started with, and which of it is refused.

use std::{collections::HashSet, time::Duration};

use chrono::TimeDelta;
use jsonwebtoken::errors::Error as TokenError;
use kernel::metrics::Metrics;
use secrecy::{ExposeSecret, SecretString};

use crate::{
    crypto::{
        bcrypt_pool::BcryptPool,
        hasher::Hasher,
        refresh::Successors,
        signer::{Key, Signer, generate_pem},
    },
    service::Meter,
};

/// A key for access tokens.
#[derive(Debug, Clone)]
pub struct SigningKey {
    /// Names the key in tokens and in the key set.
    pub kid: String,
    /// An Ed25519 private key as PKCS#8 PEM, such as `openssl genpkey -algorithm ed25519` makes.
    pub private_pem: SecretString,
}

/// The module's settings.
#[derive(Debug, Clone)]
pub struct AuthOptions {
    /// The first signs; all are published, so that tokens of the one before stay good.
    pub signing_keys: Vec<SigningKey>,
    /// Mixed into every password before bcrypt; at least 16 bytes. Changing it voids them all.
    pub pepper: SecretString,
    /// bcrypt's cost, 10 to 20; raised costs reach a password at its owner's next login.
    pub bcrypt_cost: u32,
    /// Allows costs from 4 on: for tests only.
    pub allow_weak_bcrypt: bool,
    /// The life of an access token: one second to ten minutes.
    pub access_ttl: Duration,
    /// A session ends when it was not refreshed for so long.
    pub refresh_idle: Duration,
    /// A session ends so long after its login in any case.
    pub refresh_absolute: Duration,
}

/// Why the module cannot start.
#[derive(Debug, thiserror::Error)]
pub enum AuthSetupError {
    /// There is nothing to sign with.
    #[error("no signing key is configured")]
    NoSigningKey,
    /// A key is named twice, or has no name.
    #[error("the key id `{0}` is empty or not unique")]
    KeyId(String),
    /// A key is not what it should be.
    #[error("the signing key `{kid}` is not an Ed25519 private key as PKCS#8 PEM")]
    Key {
        /// Which.
        kid: String,
        /// What the parser says.
        source: TokenError,
    },
    /// Too short a pepper can be guessed.
    #[error("the pepper must be at least 16 bytes long")]
    Pepper,
    /// A hash would be too cheap, or take minutes.
    #[error("the bcrypt cost must be from {min} to 20")]
    Cost {
        /// The least that is allowed.
        min: u32,
    },
    /// A life is out of bounds.
    #[error("{0}")]
    Life(&'static str),
    /// The operating system has no randomness.
    #[error("no randomness from the operating system")]
    Entropy(#[from] rand::rngs::SysError),
}

/// A fresh Ed25519 private key as PKCS#8 PEM, for a start without any configuration.
///
/// # Errors
///
/// When the operating system gives no randomness.
pub fn generate_signing_key() -> Result<String, AuthSetupError> {
    Ok(generate_pem()?)
}

/// The options, checked and ready to be used.
#[derive(Debug)]
pub(crate) struct Tools {
    pub(crate) signer: Signer,
    pub(crate) bcrypt: BcryptPool,
    pub(crate) successors: Successors,
    pub(crate) meter: Meter,
    pub(crate) idle: TimeDelta,
    pub(crate) absolute: TimeDelta,
}

impl Tools {
    pub(crate) fn new(options: AuthOptions, metrics: &Metrics) -> Result<Self, AuthSetupError> {
        let AuthOptions {
            signing_keys,
            pepper,
            bcrypt_cost,
            allow_weak_bcrypt,
            access_ttl,
            refresh_idle,
            refresh_absolute,
        } = options;
        let min = if allow_weak_bcrypt { 4 } else { 10 };
        if !(min..=20).contains(&bcrypt_cost) {
            return Err(AuthSetupError::Cost { min });
        }
        if pepper.expose_secret().len() < 16 {
            return Err(AuthSetupError::Pepper);
        }
        let hasher = Hasher::new(&pepper, bcrypt_cost).ok_or(AuthSetupError::Pepper)?;
        Ok(Self {
            signer: signer(signing_keys, access_ttl)?,
            successors: Successors::new(&hasher).ok_or(AuthSetupError::Pepper)?,
            bcrypt: BcryptPool::new(hasher, metrics),
            meter: Meter::new(metrics),
            idle: life(refresh_idle)?,
            absolute: life(refresh_absolute)?,
        })
    }
}

fn signer(given: Vec<SigningKey>, ttl: Duration) -> Result<Signer, AuthSetupError> {
    if !(Duration::from_secs(1)..=Duration::from_secs(600)).contains(&ttl) {
        return Err(AuthSetupError::Life(
            "an access token must live from one second to ten minutes",
        ));
    }
    let (mut keys, mut kids) = (Vec::new(), HashSet::new());
    for SigningKey { kid, private_pem } in given {
        if kid.is_empty() || !kids.insert(kid.clone()) {
            return Err(AuthSetupError::KeyId(kid));
        }
        match Key::from_pem(&kid, &private_pem) {
            Ok(key) => keys.push(key),
            Err(source) => return Err(AuthSetupError::Key { kid, source }),
        }
    }
    let mut keys = keys.into_iter();
    let first = keys.next().ok_or(AuthSetupError::NoSigningKey)?;
    Ok(Signer::new(first, keys.collect(), ttl))
}

fn life(duration: Duration) -> Result<TimeDelta, AuthSetupError> {
    let year = Duration::from_secs(366 * 86_400);
    TimeDelta::from_std(duration)
        .ok()
        .filter(|_| (Duration::from_secs(1)..=year).contains(&duration))
        .ok_or(AuthSetupError::Life(
            "a session must live from one second to a year",
        ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options() -> AuthOptions {
        let key = |kid: &str| SigningKey {
            kid: kid.to_owned(),
            private_pem: generate_signing_key().unwrap().into(),
        };
        AuthOptions {
            signing_keys: vec![key("a"), key("b")],
            pepper: "a pepper of enough bytes".to_owned().into(),
            bcrypt_cost: 12,
            allow_weak_bcrypt: false,
            access_ttl: Duration::from_secs(600),
            refresh_idle: Duration::from_secs(8 * 3600),
            refresh_absolute: Duration::from_secs(24 * 3600),
        }
    }

    #[test]
    fn good_options_start_and_each_bad_one_is_refused() {
        assert!(Tools::new(options(), &Metrics::default()).is_ok());
        let bad: [fn(&mut AuthOptions); 9] = [
            |o| o.signing_keys.clear(),
            |o| o.signing_keys[1].kid = "a".to_owned(),
            |o| o.signing_keys[0].kid = String::new(),
            |o| o.signing_keys[0].private_pem = "no key".to_owned().into(),
            |o| o.pepper = "short".to_owned().into(),
            |o| o.bcrypt_cost = 9,
            |o| o.bcrypt_cost = 21,
            |o| o.access_ttl = Duration::from_secs(601),
            |o| o.refresh_idle = Duration::ZERO,
        ];
        for (at, spoil) in bad.iter().enumerate() {
            let mut options = options();
            spoil(&mut options);
            assert!(Tools::new(options, &Metrics::default()).is_err(), "{at}");
        }
    }

    #[test]
    fn a_weak_cost_needs_a_word() {
        let weak = AuthOptions {
            bcrypt_cost: 4,
            allow_weak_bcrypt: true,
            ..options()
        };
        assert!(Tools::new(weak, &Metrics::default()).is_ok());
    }

    #[test]
    fn secrets_are_not_printed() {
        let shown = format!("{:?}", options());
        assert!(
            !shown.contains("pepper of") && !shown.contains("PRIVATE"),
            "{shown}"
        );
    }
}
