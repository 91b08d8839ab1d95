//! `Idempotency-Key`: a retried POST happens once, and answers as it did the first time.

use std::future::{Ready, ready};

use actix_web::{FromRequest, HttpRequest, HttpResponseBuilder, dev::Payload};
use serde::Serialize;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::{
    ids::{UserId, derive},
    problem::Problem,
};

const HEADER: &str = "idempotency-key";

/// The client's key for one logical request, or one that the server made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyKey {
    key: String,
    route: String,
}

impl IdempotencyKey {
    /// A key for work that does not come through HTTP; `route` is the one it stands for.
    pub fn new(route: &str, key: &str) -> Self {
        Self {
            key: key.to_owned(),
            route: route.to_owned(),
        }
    }

    /// A key that stands in a body and not in the header; `None` where the header would be refused.
    pub fn parse(route: &str, key: &str) -> Option<Self> {
        is_key(key).then(|| Self::new(route, key))
    }

    /// The id of whatever this request creates: the same on every retry, different per caller.
    pub fn id_for(&self, caller: UserId) -> Uuid {
        derive(caller, &self.route, &self.key)
    }

    /// The key of one of several things that one request makes: each has an id of its own.
    #[must_use]
    pub fn part(&self, name: &str) -> Self {
        Self {
            key: self.key.clone(),
            route: format!("{} {name}", self.route),
        }
    }

    /// Tells the client which key was used, and whether the answer is a stored one.
    pub fn answer(&self, response: &mut HttpResponseBuilder, replayed: bool) {
        response.insert_header(("Idempotency-Key", self.key.as_str()));
        if replayed {
            response.insert_header(("Idempotent-Replayed", "true"));
        }
    }
}

/// 1 to 255 printable ASCII characters.
fn is_key(key: &str) -> bool {
    (1..=255).contains(&key.len()) && key.bytes().all(|b| (0x20..0x7f).contains(&b))
}

impl FromRequest for IdempotencyKey {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        let key = match req.headers().get(HEADER) {
            None => Ok(Uuid::now_v7().to_string()),
            Some(value) => value
                .to_str()
                .ok()
                .filter(|key| is_key(key))
                .map(str::to_owned)
                .ok_or_else(|| {
                    Problem::invalid_field(
                        "Idempotency-Key",
                        "must be 1 to 255 printable ASCII characters",
                    )
                }),
        };
        ready(key.map(|key| Self {
            key,
            route: format!("{} {}", req.method(), req.path()),
        }))
    }
}

/// SHA-256 of the request in canonical form (the parsed type, serialised): white space, key order
/// and defaults that were left out do not make another request.
///
/// # Errors
///
/// When the request cannot be serialised, which none of ours can bring about.
pub fn request_hash<T: Serialize>(request: &T) -> Result<Vec<u8>, serde_json::Error> {
    serde_json::to_vec(request).map(|bytes| Sha256::digest(&bytes).to_vec())
}

/// The header for `params(...)` in the documentation of a POST that moves stock or money.
#[derive(Debug, utoipa::IntoParams)]
#[into_params(parameter_in = Header)]
pub struct IdempotencyHeader {
    /// 1 to 255 printable characters, made up once per logical request and repeated on every
    /// retry; a `UUIDv7` is best. Without it the server makes one and answers with it.
    #[param(
        rename = "Idempotency-Key",
        required = false,
        min_length = 1,
        max_length = 255,
        pattern = "^[ -~]{1,255}$"
    )]
    pub idempotency_key: String,
}
