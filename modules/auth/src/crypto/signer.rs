//! Access tokens are signed here, with Ed25519; everybody else holds public keys only.

use std::time::Duration;

use base64::{Engine, prelude::BASE64_STANDARD};
use chrono::{DateTime, Utc};
use jsonwebtoken::{
    Algorithm, EncodingKey, Header, encode,
    errors::Error as TokenError,
    jwk::{AlgorithmParameters, Jwk, JwkSet, PublicKeyUse},
};
use kernel::{
    auth::Grant,
    ids::{SessionId, UserId},
    token::{AUDIENCE, Claims, ISSUER, TYPE},
};
use secrecy::{ExposeSecret, SecretString};

use super::{NoEntropy, random};

/// PKCS#8 (RFC 8410 §7) around the 32 bytes of an Ed25519 private key.
const PKCS8_PREFIX: [u8; 16] = [
    0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
];

/// A fresh key as PKCS#8 PEM.
pub(crate) fn generate_pem() -> Result<String, NoEntropy> {
    let secret = random::<32>()?;
    let der: Vec<u8> = PKCS8_PREFIX.into_iter().chain(secret).collect();
    let body = BASE64_STANDARD.encode(der);
    Ok(format!(
        "-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----\n"
    ))
}

/// One key: its private half signs, its public half is published.
pub(crate) struct Key {
    kid: String,
    private: EncodingKey,
    public: Jwk,
}

impl Key {
    pub(crate) fn from_pem(kid: &str, pem: &SecretString) -> Result<Self, TokenError> {
        let private = EncodingKey::from_ed_pem(pem.expose_secret().as_bytes())?;
        let mut public = Jwk::from_encoding_key(&private, Algorithm::EdDSA)?;
        public.common.key_id = Some(kid.to_owned());
        public.common.public_key_use = Some(PublicKeyUse::Signature);
        Ok(Self {
            kid: kid.to_owned(),
            private,
            public,
        })
    }
}

/// Signs with the first key and publishes all, so that keys can be rotated.
pub(crate) struct Signer {
    first: Key,
    published: Vec<Jwk>,
    ttl: Duration,
}

/// What an access token says.
pub(crate) struct Subject {
    pub(crate) user: UserId,
    pub(crate) session: SessionId,
    pub(crate) grants: Vec<Grant>,
    /// No token outlives its session.
    pub(crate) session_ends: DateTime<Utc>,
}

impl Signer {
    pub(crate) fn new(first: Key, others: Vec<Key>, ttl: Duration) -> Self {
        let mut published = vec![first.public.clone()];
        published.extend(others.into_iter().map(|key| key.public));
        Self {
            first,
            published,
            ttl,
        }
    }

    pub(crate) fn ttl(&self) -> Duration {
        self.ttl
    }

    /// The public keys (RFC 7517).
    pub(crate) fn keys(&self) -> JwkSet {
        JwkSet {
            keys: self.published.clone(),
        }
    }

    /// The public keys: `kid` and the base64url of the 32 bytes (RFC 8037 §2).
    pub(crate) fn public_parts(&self) -> impl Iterator<Item = (&str, &str)> {
        self.published
            .iter()
            .filter_map(|jwk| match &jwk.algorithm {
                AlgorithmParameters::OctetKeyPair(pair) => {
                    Some((jwk.common.key_id.as_deref()?, pair.x.as_str()))
                }
                _ => None,
            })
    }

    /// A signed token and its life in seconds.
    pub(crate) fn issue(
        &self,
        subject: Subject,
        now: DateTime<Utc>,
    ) -> Result<(String, i64), TokenError> {
        let ttl = i64::try_from(self.ttl.as_secs()).unwrap_or(0);
        let life = ttl.min((subject.session_ends - now).num_seconds()).max(0);
        let iat = now.timestamp();
        let claims = Claims {
            iss: ISSUER.to_owned(),
            aud: AUDIENCE.to_owned(),
            sub: subject.user,
            sid: subject.session,
            grants: subject.grants,
            iat,
            nbf: iat,
            exp: iat.saturating_add(life),
        };
        let mut header = Header::new(Algorithm::EdDSA);
        header.typ = Some(TYPE.to_owned());
        header.kid = Some(self.first.kid.clone());
        Ok((encode(&header, &claims, &self.first.private)?, life))
    }
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Signer")
            .field("kid", &self.first.kid)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use kernel::token::{Trust, Verifier};

    use super::*;

    fn key(kid: &str) -> Key {
        Key::from_pem(kid, &generate_pem().unwrap().into()).unwrap()
    }

    fn subject(session_ends: DateTime<Utc>) -> Subject {
        Subject {
            user: UserId::new(),
            session: SessionId::new(),
            grants: Vec::new(),
            session_ends,
        }
    }

    #[test]
    fn what_is_signed_here_is_believed_by_the_kernel() {
        let signer = Signer::new(key("new"), vec![key("old")], Duration::from_secs(300));
        let now = kernel::time::now();
        let subject = subject(now + TimeDelta::hours(1));
        let (user, session) = (subject.user, subject.session);
        let (token, life) = signer.issue(subject, now).unwrap();
        let verifier = Verifier::new(&kernel::metrics::Metrics::default());
        assert!(verifier.verify(&token).is_none());
        verifier.refresh(&Trust {
            keys: signer.keys(),
            ended_sessions: Vec::new(),
        });
        let principal = verifier.verify(&token).unwrap();
        assert_eq!(
            (principal.user_id, principal.session_id, life),
            (user, session, 300)
        );
        assert_eq!(
            signer
                .public_parts()
                .map(|(kid, _)| kid)
                .collect::<Vec<_>>(),
            ["new", "old"]
        );
    }

    #[test]
    fn a_token_does_not_outlive_its_session() {
        let signer = Signer::new(key("a"), Vec::new(), Duration::from_secs(300));
        let now = kernel::time::now();
        assert_eq!(
            signer
                .issue(subject(now + TimeDelta::seconds(20)), now)
                .unwrap()
                .1,
            20
        );
    }

    #[test]
    fn no_private_part_is_published() {
        let signer = Signer::new(key("a"), Vec::new(), Duration::from_secs(300));
        let json = serde_json::to_value(signer.keys()).unwrap();
        assert_eq!(json["keys"][0]["crv"], "Ed25519");
        assert!(json["keys"][0].get("d").is_none());
    }
}
