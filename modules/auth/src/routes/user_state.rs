//! `/api/users/{id}/archive`, `restore` and `password`

use actix_web::{HttpResponse, post, web::Data};
use kernel::{
    auth::Can,
    extract::{Json, Path},
    ids::UserId,
    responses::WriteProblems,
};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{users::answer, views::UserView};
use crate::{
    Auth,
    domain::password::Password,
    error::{Error, weak_at},
    permissions::UserWrite,
};

/// Archive a user.
///
/// They cannot sign in any more, and their sessions end. What they did stays. The last active
/// admin of every store cannot be archived (`last-admin`). Archiving twice changes nothing.
#[utoipa::path(
    tag = "users",
    operation_id = "archive_user",
    security(("bearer" = [])),
    params(("id" = UserId, Path, description = "The user", example = "0198c0de-0000-7000-8000-000000000301")),
    responses((status = 200, description = "The user, archived", body = UserView), WriteProblems),
)]
#[post("/api/users/{id}/archive")]
pub(crate) async fn archive_user(
    can: Can<UserWrite>,
    id: Path<UserId>,
    auth: Data<Auth>,
) -> Result<HttpResponse, Error> {
    let cx = can.everywhere()?;
    let user = auth.archive(&cx, id.into_inner()).await?;
    Ok(answer(user))
}

/// Restore an archived user.
///
/// They sign in again with their old password and have their old grants.
#[utoipa::path(
    tag = "users",
    operation_id = "restore_user",
    security(("bearer" = [])),
    params(("id" = UserId, Path, description = "The user", example = "0198c0de-0000-7000-8000-000000000301")),
    responses((status = 200, description = "The user, active", body = UserView), WriteProblems),
)]
#[post("/api/users/{id}/restore")]
pub(crate) async fn restore_user(
    can: Can<UserWrite>,
    id: Path<UserId>,
    auth: Data<Auth>,
) -> Result<HttpResponse, Error> {
    let cx = can.everywhere()?;
    let user = auth.restore(&cx, id.into_inner()).await?;
    Ok(answer(user))
}

/// A new password for someone else.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ResetPassword {
    /// At least 12 characters; any will do. Common ones are refused, and those that contain the
    /// user's name or address.
    new_password: Password,
}

/// Set a user's password.
///
/// For someone who forgot theirs. Ends all their sessions.
#[utoipa::path(
    tag = "users",
    operation_id = "reset_user_password",
    security(("bearer" = [])),
    params(("id" = UserId, Path, description = "The user", example = "0198c0de-0000-7000-8000-000000000301")),
    request_body(content = ResetPassword, example = json!({"new_password": "kettle-orbit-93-walnut"})),
    responses((status = 204, description = "The password is set"), WriteProblems),
)]
#[post("/api/users/{id}/password")]
pub(crate) async fn reset_password(
    can: Can<UserWrite>,
    id: Path<UserId>,
    body: Json<ResetPassword>,
    auth: Data<Auth>,
) -> Result<HttpResponse, Error> {
    let cx = can.everywhere()?;
    let ResetPassword { new_password } = body.into_inner();
    auth.reset_password(&cx, id.into_inner(), new_password)
        .await
        .map_err(weak_at("/new_password"))?;
    Ok(HttpResponse::NoContent().finish())
}
