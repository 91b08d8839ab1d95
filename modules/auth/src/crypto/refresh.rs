//! Refresh tokens: 256 bits from the operating system, known to the database only by SHA-256.
//!
//! A successor is HMAC-SHA-256(key, spent token ‖ nonce) with a random nonce that is stored beside
//! the spent token. So a client whose answer was lost is given the very same successor again, and
//! of any number of concurrent refreshes there is one rotation; the database alone yields no token.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use super::{NoEntropy, hasher::Hasher, random};

const BYTES: usize = 32;

/// One refresh token, in clear. It has no `Debug`, so that it cannot end in a log.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct RefreshToken([u8; BYTES]);

impl RefreshToken {
    /// The first of a session.
    pub(crate) fn first() -> Result<Self, NoEntropy> {
        random().map(Self)
    }

    /// `None` for what was never one of ours.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).ok()?;
        bytes.try_into().ok().map(Self)
    }

    /// As the client keeps it.
    pub(crate) fn to_text(&self) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(self.0)
    }

    /// As the database knows it.
    pub(crate) fn hash(&self) -> Vec<u8> {
        Sha256::digest(self.0).to_vec()
    }
}

/// Makes successors.
#[derive(Clone)]
pub(crate) struct Successors(Hmac<Sha256>);

impl std::fmt::Debug for Successors {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Successors")
    }
}

impl Successors {
    pub(crate) fn new(hasher: &Hasher) -> Option<Self> {
        let key = hasher.derive_key("comptoir refresh token successors");
        Hmac::new_from_slice(&key).ok().map(Self)
    }

    pub(crate) fn nonce() -> Result<Vec<u8>, NoEntropy> {
        random::<BYTES>().map(Vec::from)
    }

    /// The token that follows `spent`; the same for the same nonce.
    pub(crate) fn of(&self, spent: &RefreshToken, nonce: &[u8]) -> RefreshToken {
        let mut mac = self.0.clone();
        mac.update(&spent.0);
        mac.update(nonce);
        RefreshToken(mac.finalize().into_bytes().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_survives_its_text_and_nothing_else_parses() {
        let token = RefreshToken::first().unwrap();
        assert!(RefreshToken::parse(&token.to_text()) == Some(token.clone()));
        for bad in ["", "abc", "!!", &format!("{}A", token.to_text())] {
            assert!(RefreshToken::parse(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn a_successor_depends_on_the_token_the_nonce_and_the_key() {
        let made_by = |pepper: &str| {
            let hasher = Hasher::new(&pepper.to_owned().into(), 4).unwrap();
            Successors::new(&hasher).unwrap()
        };
        let (spent, nonce) = (RefreshToken::first().unwrap(), Successors::nonce().unwrap());
        let successor = made_by("pepper").of(&spent, &nonce);
        assert!(successor == made_by("pepper").of(&spent, &nonce));
        assert!(successor != made_by("other").of(&spent, &nonce));
        assert!(successor != made_by("pepper").of(&spent, &Successors::nonce().unwrap()));
        assert!(successor != made_by("pepper").of(&RefreshToken::first().unwrap(), &nonce));
    }
}
