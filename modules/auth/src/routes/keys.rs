//! `/api/auth/jwks` and `/api/auth/health`: for everybody, without a token.

use actix_web::{HttpResponse, get, http::header, web::Data};
use kernel::health::{self, Health, Peers};
use serde::Serialize;
use utoipa::ToSchema;

use crate::Auth;

/// A public key (RFC 7517, RFC 8037).
#[derive(Debug, Serialize, ToSchema)]
struct JwkView<'a> {
    /// Always `OKP`.
    kty: &'static str,
    /// Always `Ed25519`.
    crv: &'static str,
    /// Always `EdDSA`.
    alg: &'static str,
    /// Always `sig`.
    r#use: &'static str,
    /// As in the header of the tokens it signs.
    kid: &'a str,
    /// The key, in base64url.
    x: &'a str,
}

/// The keys that access tokens are signed with.
#[derive(Debug, Serialize, ToSchema)]
struct JwksView<'a> {
    keys: Vec<JwkView<'a>>,
}

/// Read the public keys.
///
/// Whoever wants to check an access token needs one of these. During a rotation there are two.
#[utoipa::path(
    tag = "auth",
    operation_id = "read_jwks",
    security(()),
    responses((status = 200, description = "The JSON Web Key Set", body = JwksView<'_>)),
)]
#[get("/api/auth/jwks")]
pub(crate) async fn read_jwks(auth: Data<Auth>) -> HttpResponse {
    let view = |(kid, x)| JwkView {
        kty: "OKP",
        crv: "Ed25519",
        alg: "EdDSA",
        r#use: "sig",
        kid,
        x,
    };
    let keys = auth.tools.signer.public_parts().map(view).collect();
    HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "public, max-age=300"))
        .json(JwksView { keys })
}

/// Read the module's health.
#[utoipa::path(
    tag = "auth",
    operation_id = "read_auth_health",
    security(()),
    responses((status = 200, description = "What works and what does not", body = Health)),
)]
#[get("/api/auth/health")]
pub(crate) async fn read_auth_health(auth: Data<Auth>, peers: Data<Peers>) -> HttpResponse {
    HttpResponse::Ok().json(health::check(&auth.db, &peers).await)
}
