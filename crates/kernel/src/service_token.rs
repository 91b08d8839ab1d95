//! How one module proves to another that it is one of ours: a token of 60 seconds for one callee.

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

const LIFE_SECONDS: i64 = 60;

#[derive(Serialize, Deserialize)]
struct Claims {
    aud: String,
    exp: i64,
}

/// Makes and checks service tokens with a secret that only our own processes share.
#[derive(Clone)]
pub struct ServiceTokens {
    encoding: EncodingKey,
    decoding: DecodingKey,
}

impl ServiceTokens {
    /// `secret` comes from configuration (`internal.secret`), at least 32 bytes.
    pub fn new(secret: &SecretString) -> Self {
        let bytes = secret.expose_secret().as_bytes();
        Self {
            encoding: EncodingKey::from_secret(bytes),
            decoding: DecodingKey::from_secret(bytes),
        }
    }

    /// A token that only the module named `audience` accepts, for 60 seconds.
    ///
    /// # Errors
    ///
    /// When signing fails, which a secret from [`new`](Self::new) rules out.
    pub fn issue(&self, audience: &str) -> Result<String, jsonwebtoken::errors::Error> {
        let claims = Claims {
            aud: audience.to_owned(),
            exp: chrono::Utc::now().timestamp() + LIFE_SECONDS,
        };
        encode(&Header::new(Algorithm::HS256), &claims, &self.encoding)
    }

    /// Whether `token` is ours, current, and meant for `audience`.
    pub fn accepts(&self, token: &str, audience: &str) -> bool {
        let mut validation = Validation::new(Algorithm::HS256);
        validation.leeway = 5;
        validation.set_audience(&[audience]);
        decode::<Claims>(token, &self.decoding, &validation).is_ok()
    }
}

impl std::fmt::Debug for ServiceTokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ServiceTokens")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_good_for_its_audience_and_secret_only() {
        let ours = ServiceTokens::new(&"a-secret-of-at-least-thirty-two-bytes".to_owned().into());
        let token = ours.issue("store").unwrap();
        assert!(ours.accepts(&token, "store"));
        assert!(!ours.accepts(&token, "sales"));
        let other = ServiceTokens::new(&"another-secret-of-thirty-two-bytes-!".to_owned().into());
        assert!(!other.accepts(&token, "store"));
    }
}
