//! `/api/auth/password`

use actix_web::{HttpResponse, post, web::Data};
use kernel::{
    auth::{Can, SignedIn},
    extract::Json,
    responses::WriteProblems,
};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::{
    Auth,
    domain::password::Password,
    error::{Error, weak_at},
    service::{Change, Client},
};

/// A change of one's own password.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChangePassword {
    current_password: Password,
    /// At least 12 characters; any will do. Common ones are refused, and those that contain the
    /// user's name or address.
    new_password: Password,
}

/// Change the caller's own password.
///
/// Ends all their other sessions. A wrong current password is a 400 and counts as a failed login.
#[utoipa::path(
    tag = "auth",
    operation_id = "change_password",
    security(("bearer" = [])),
    request_body(content = ChangePassword, example = json!({"current_password": "shelf-candle-42-river", "new_password": "kettle-orbit-93-walnut"})),
    responses((status = 204, description = "The password is changed"), WriteProblems),
)]
#[post("/api/auth/password")]
pub(crate) async fn change_password(
    can: Can<SignedIn>,
    client: Client,
    body: Json<ChangePassword>,
    auth: Data<Auth>,
) -> Result<HttpResponse, Error> {
    let ChangePassword {
        current_password,
        new_password,
    } = body.into_inner();
    let me = can.principal();
    let change = Change {
        user: me.user_id,
        session: me.session_id,
        current: current_password,
        new: new_password,
        client,
    };
    auth.change_password(&can.own(), change)
        .await
        .map_err(weak_at("/new_password"))?;
    Ok(HttpResponse::NoContent().finish())
}
