//! `/api/auth/me` and `/api/auth/verify`: who the caller is.

use actix_web::{HttpResponse, get, web::Data};
use kernel::{
    auth::{Can, Role, Scope, SignedIn},
    ids::{SessionId, UserId},
    responses::ReadProblems,
};
use serde::Serialize;
use utoipa::ToSchema;

use super::views::UserView;
use crate::{Auth, domain::grants::as_word, error::Error};

/// The caller.
#[derive(Debug, Serialize, ToSchema)]
struct MeView {
    #[serde(flatten)]
    user: UserView,
    /// The session that the access token belongs to.
    session_id: SessionId,
}

/// Read the caller's own account.
#[utoipa::path(
    tag = "auth",
    operation_id = "read_me",
    security(("bearer" = [])),
    responses((status = 200, description = "The caller", body = MeView), ReadProblems),
)]
#[get("/api/auth/me")]
pub(crate) async fn read_me(can: Can<SignedIn>, auth: Data<Auth>) -> Result<HttpResponse, Error> {
    let me = can.principal();
    let user = auth.find_user(me.user_id).await?;
    Ok(HttpResponse::Ok().json(MeView {
        user: user.into(),
        session_id: me.session_id,
    }))
}

/// Whom an access token belongs to.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "user_id": "0198c0de-0000-7000-8000-000000000001",
    "session_id": "0198c0de-0000-7000-8000-000000000002",
    "roles": ["manager@0198c0de-0000-7000-8000-00000000000a", "auditor@*"], "stores": ["*"]
}))]
struct VerifyView {
    user_id: UserId,
    session_id: SessionId,
    /// `role@store`, or `role@*` for every store.
    roles: Vec<String>,
    /// The stores where any role is held, or `*` alone for every store.
    stores: Vec<String>,
}

/// Check an access token, for a gateway.
///
/// Answers a forward-auth request: 200 with the caller in `X-Auth-User`, `X-Auth-Session`,
/// `X-Auth-Roles` (`role@store` or `role@*`, with commas) and `X-Auth-Stores` (with commas, or
/// `*`), or 401. The database is not asked.
#[utoipa::path(
    tag = "auth",
    operation_id = "verify_token",
    security(("bearer" = [])),
    responses(
        (status = 200, description = "The token is good", body = VerifyView, headers(
            ("X-Auth-User" = String, description = "The user's id"),
            ("X-Auth-Session" = String, description = "The session's id"),
            ("X-Auth-Roles" = String, description = "`role@store` or `role@*`, with commas"),
            ("X-Auth-Stores" = String, description = "Store ids with commas, or `*`"),
        )),
        ReadProblems
    ),
)]
#[get("/api/auth/verify")]
pub(crate) async fn verify_token(can: Can<SignedIn>) -> HttpResponse {
    let me = can.principal();
    let roles: Vec<String> = me.grants.iter().map(as_word).collect();
    let stores = match me.scope(&Role::ALL) {
        Scope::All => vec!["*".to_owned()],
        Scope::Only(stores) => stores.iter().map(ToString::to_string).collect(),
    };
    HttpResponse::Ok()
        .insert_header(("X-Auth-User", me.user_id.to_string()))
        .insert_header(("X-Auth-Session", me.session_id.to_string()))
        .insert_header(("X-Auth-Roles", roles.join(",")))
        .insert_header(("X-Auth-Stores", stores.join(",")))
        .json(VerifyView {
            user_id: me.user_id,
            session_id: me.session_id,
            roles,
            stores,
        })
}
