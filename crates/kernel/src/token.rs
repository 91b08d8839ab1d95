//! Access tokens: what is in them, and the one place that decides whether one is good.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
    time::{Duration, Instant},
};

use jsonwebtoken::{
    Algorithm, DecodingKey, Header, Validation, decode, decode_header, jwk::JwkSet,
};
use moka::sync::Cache;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{
    auth::{Grant, Principal},
    ids::{SessionId, UserId},
    metrics::{CacheMeter, Metrics},
};

/// `iss` of every access token.
pub const ISSUER: &str = "comptoir";
/// `aud` of every access token.
pub const AUDIENCE: &str = "comptoir";
/// `typ` of every access token (RFC 9068 §2.1).
pub const TYPE: &str = "at+jwt";
/// How far clocks may differ.
pub const LEEWAY_SECONDS: u64 = 30;

/// The claims of an access token.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Claims {
    /// Always [`ISSUER`].
    pub iss: String,
    /// Always [`AUDIENCE`].
    pub aud: String,
    /// The user.
    pub sub: UserId,
    /// The session.
    pub sid: SessionId,
    /// Roles and stores.
    pub grants: Vec<Grant>,
    /// Issued at, seconds since the epoch.
    pub iat: i64,
    /// Not before.
    pub nbf: i64,
    /// Expires at.
    pub exp: i64,
}

/// What the auth module tells the others: whom to believe, and which sessions ended.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Trust {
    /// Public keys, by `kid`.
    pub keys: JwkSet,
    /// Sessions that ended within the life of an access token.
    pub ended_sessions: Vec<SessionId>,
}

#[derive(Default)]
struct Known {
    keys: HashMap<String, DecodingKey>,
    ended: std::collections::HashSet<SessionId>,
    refreshed: Option<Instant>,
}

/// Verifies access tokens against what [`Trust`] last said. Cheap to call: a token whose
/// signature was checked once is remembered by its hash until it expires.
pub struct Verifier {
    known: RwLock<Known>,
    verified: Cache<[u8; 32], (Arc<Principal>, i64)>,
    validation: Validation,
    meter: CacheMeter,
}

impl Verifier {
    /// A verifier that trusts nothing until [`refresh`](Self::refresh) is called.
    pub fn new(metrics: &Metrics) -> Self {
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.leeway = LEEWAY_SECONDS;
        validation.validate_nbf = true;
        validation.set_issuer(&[ISSUER]);
        validation.set_audience(&[AUDIENCE]);
        validation.set_required_spec_claims(&["iss", "aud", "sub", "exp", "nbf"]);
        Self {
            known: RwLock::default(),
            verified: Cache::builder()
                .max_capacity(100_000)
                .time_to_live(Duration::from_secs(600))
                .build(),
            validation,
            meter: CacheMeter::new(metrics, "tokens"),
        }
    }

    /// How many tokens are remembered.
    pub fn remembered(&self) -> u64 {
        // What has expired is counted until it is cleared away.
        self.verified.run_pending_tasks();
        self.verified.entry_count()
    }

    /// Replaces keys and ended sessions by what the auth module says now.
    pub fn refresh(&self, trust: &Trust) {
        let mut keys = HashMap::new();
        for jwk in &trust.keys.keys {
            if let (Some(kid), Ok(key)) = (&jwk.common.key_id, DecodingKey::from_jwk(jwk)) {
                keys.insert(kid.clone(), key);
            }
        }
        let ended = trust.ended_sessions.iter().copied().collect();
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if known.keys.keys().any(|kid| !keys.contains_key(kid)) {
            self.verified.invalidate_all(); // A withdrawn key must not live on in the cache.
        }
        *known = Known {
            keys,
            ended,
            refreshed: Some(Instant::now()),
        };
    }

    /// How long ago [`refresh`](Self::refresh) was called; `None` if never.
    pub fn age(&self) -> Option<Duration> {
        self.known
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .refreshed
            .map(|at| at.elapsed())
    }

    /// Who holds this token; `None` when it is not good, for whatever reason.
    pub fn verify(&self, token: &str) -> Option<Arc<Principal>> {
        if token.len() > 16_384 {
            return None;
        }
        let hash: [u8; 32] = Sha256::digest(token.as_bytes()).into();
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let (principal, exp) = match self.verified.get(&hash) {
            Some(hit) => {
                self.meter.hit.inc();
                hit
            }
            None => {
                self.meter.miss.inc();
                let claims = self.check_signature(&known, token)?;
                let principal = Arc::new(Principal {
                    user_id: claims.sub,
                    session_id: claims.sid,
                    grants: claims.grants,
                });
                self.verified.insert(hash, (principal.clone(), claims.exp));
                (principal, claims.exp)
            }
        };
        let leeway = i64::try_from(LEEWAY_SECONDS).unwrap_or(0);
        let live = chrono::Utc::now().timestamp() < exp.saturating_add(leeway);
        (live && !known.ended.contains(&principal.session_id)).then_some(principal)
    }

    fn check_signature(&self, known: &Known, token: &str) -> Option<Claims> {
        let Header { typ, kid, alg, .. } = decode_header(token).ok()?;
        // RFC 8725 §3.1, §3.11: one fixed algorithm and an explicit type; keys only by our own kid.
        if alg != Algorithm::EdDSA || typ.as_deref() != Some(TYPE) {
            return None;
        }
        let key = known.keys.get(&kid?)?;
        decode::<Claims>(token, key, &self.validation)
            .ok()
            .map(|data| data.claims)
    }
}

impl std::fmt::Debug for Verifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Verifier")
            .field("age", &self.age())
            .finish_non_exhaustive()
    }
}
