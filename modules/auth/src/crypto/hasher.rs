//! Password hashes: bcrypt over base64(HMAC-SHA-256(pepper, password)).
//!
//! bcrypt reads 72 bytes and stops at a NUL; the HMAC gives it 44 characters that depend on every
//! byte of the password, and on a secret that is not in the database.

use std::str::FromStr;

use base64::{Engine, prelude::BASE64_STANDARD};
use bcrypt::{BcryptError, HashParts};
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;

use crate::domain::password::Password;

/// Names the pepper that a stored hash was made with.
pub(crate) const PEPPER_VERSION: i32 = 1;

/// 22 characters of salt and 31 of hash, which no password is known to give.
const NOBODYS_SALT_AND_HASH: &str = "abcdefghijklmnopqrstuuJ0wQF8oGvuz1oFh1w3GZx1h0mN8b7Fu";

/// Makes and checks hashes. Takes a quarter of a second: call it on the bcrypt pool only.
#[derive(Clone)]
pub(crate) struct Hasher {
    pepper: Hmac<Sha256>,
    cost: u32,
    nobodys: String,
}

/// What a check found.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Check {
    /// Another password.
    Wrong,
    /// The right one.
    Right,
    /// The right one, whose hash is weaker than new ones: store this instead.
    Outdated(String),
}

impl Hasher {
    pub(crate) fn new(pepper: &SecretString, cost: u32) -> Option<Self> {
        let pepper = Hmac::new_from_slice(pepper.expose_secret().as_bytes()).ok()?;
        let nobodys = format!("$2b${cost:02}${NOBODYS_SALT_AND_HASH}");
        Some(Self {
            pepper,
            cost,
            nobodys,
        })
    }

    pub(crate) fn hash(&self, password: &Password) -> Result<String, BcryptError> {
        bcrypt::non_truncating_hash(self.peppered(password), self.cost)
    }

    /// Without a stored hash the same work is done for nothing, so that the time taken does not
    /// tell which accounts exist.
    pub(crate) fn check(
        &self,
        password: &Password,
        stored: Option<&str>,
    ) -> Result<Check, BcryptError> {
        let hash = stored.unwrap_or(&self.nobodys);
        let same = bcrypt::non_truncating_verify(self.peppered(password), hash)?;
        if !same || stored.is_none() {
            return Ok(Check::Wrong);
        }
        if HashParts::from_str(hash)?.get_cost() < self.cost {
            return self.hash(password).map(Check::Outdated);
        }
        Ok(Check::Right)
    }

    /// A key that is derived from the pepper, for another purpose.
    pub(crate) fn derive_key(&self, purpose: &str) -> [u8; 32] {
        let mut mac = self.pepper.clone();
        mac.update(purpose.as_bytes());
        mac.finalize().into_bytes().into()
    }

    fn peppered(&self, password: &Password) -> String {
        let mut mac = self.pepper.clone();
        mac.update(password.expose().as_bytes());
        BASE64_STANDARD.encode(mac.finalize().into_bytes())
    }
}

impl std::fmt::Debug for Hasher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hasher")
            .field("cost", &self.cost)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hasher(pepper: &str, cost: u32) -> Hasher {
        Hasher::new(&pepper.to_owned().into(), cost).unwrap()
    }

    fn password(text: &str) -> Password {
        Password::parse(text).unwrap()
    }

    #[test]
    fn passwords_that_differ_only_after_72_bytes_or_a_nul_are_different() {
        let (hasher, start) = (hasher("pepper", 4), "x".repeat(72));
        let stored = hasher.hash(&password(&format!("{start}a"))).unwrap();
        assert_eq!(
            hasher
                .check(&password(&format!("{start}a")), Some(&stored))
                .unwrap(),
            Check::Right
        );
        assert_eq!(
            hasher
                .check(&password(&format!("{start}b")), Some(&stored))
                .unwrap(),
            Check::Wrong
        );
        let stored = hasher.hash(&password("x\0a")).unwrap();
        assert_eq!(
            hasher.check(&password("x\0b"), Some(&stored)).unwrap(),
            Check::Wrong
        );
    }

    #[test]
    fn a_hash_is_worth_nothing_under_another_pepper() {
        let stored = hasher("pepper", 4).hash(&password("shelf-candle")).unwrap();
        assert_eq!(
            hasher("other", 4)
                .check(&password("shelf-candle"), Some(&stored))
                .unwrap(),
            Check::Wrong
        );
    }

    #[test]
    fn a_hash_of_a_lower_cost_is_renewed_and_one_of_a_higher_cost_is_kept() {
        let stored = hasher("pepper", 4).hash(&password("shelf-candle")).unwrap();
        let Check::Outdated(renewed) = hasher("pepper", 5)
            .check(&password("shelf-candle"), Some(&stored))
            .unwrap()
        else {
            panic!("not renewed");
        };
        assert!(renewed.starts_with("$2b$05$"));
        assert_eq!(
            hasher("pepper", 4)
                .check(&password("shelf-candle"), Some(&renewed))
                .unwrap(),
            Check::Right
        );
    }

    #[test]
    fn an_unknown_user_costs_the_same_work_and_never_matches() {
        for cost in [4, 5, 12] {
            let parts = HashParts::from_str(&hasher("pepper", cost).nobodys).unwrap();
            assert_eq!(parts.get_cost(), cost);
        }
        assert_eq!(
            hasher("pepper", 4).check(&password("x"), None).unwrap(),
            Check::Wrong
        );
    }

    #[test]
    fn derived_keys_differ_by_purpose() {
        let hasher = hasher("pepper", 4);
        assert_ne!(hasher.derive_key("a"), hasher.derive_key("b"));
    }
}
