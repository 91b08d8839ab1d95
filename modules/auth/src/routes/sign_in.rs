//! `/api/auth/login`, `refresh`, `logout` and `logout-all`.

use actix_web::{HttpResponse, post, web::Data};
use kernel::{
    auth::{Can, SignedIn},
    extract::Json,
    responses::WriteProblems,
};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{problems::SignInProblems, views::TokensView};
use crate::{
    Auth,
    domain::{email::Email, password::Password},
    error::Error,
    service::Client,
};

/// What to sign in with.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Login {
    email: Email,
    password: Password,
}

/// Sign in.
///
/// After the fifth failure in a row an account has to wait for 1 to 60 seconds, and an address
/// after a hundred failures within 15 minutes; `Retry-After` says how long. The answer is the same
/// for an unknown address, a wrong password and an archived user.
#[utoipa::path(
    tag = "auth",
    operation_id = "login",
    security(()),
    request_body(content = Login, example = json!({"email": "admin@demo.comptoir.test", "password": "shelf-candle-42-river"})),
    responses((status = 200, description = "The user is signed in", body = TokensView), SignInProblems),
)]
#[post("/api/auth/login")]
pub(crate) async fn login(
    client: Client,
    body: Json<Login>,
    auth: Data<Auth>,
) -> Result<HttpResponse, Error> {
    let Login { email, password } = body.into_inner();
    let signed_in = auth.login(email, password, client).await?;
    Ok(HttpResponse::Ok().json(TokensView::from(signed_in)))
}

/// What to refresh with.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Refresh {
    /// From the last login or refresh.
    #[schema(max_length = 100)]
    refresh_token: String,
}

/// Get new tokens.
///
/// The refresh token is spent by this; keep the one that is answered. Showing a spent one again
/// ends the session, because somebody may have copied it. Within 10 seconds, and as long as its
/// successor is unused, it gives that same successor once more: the answer may have been lost.
#[utoipa::path(
    tag = "auth",
    operation_id = "refresh_tokens",
    security(()),
    request_body(content = Refresh, example = json!({"refresh_token": "dGhlLXJlZnJlc2gtdG9rZW4tb2YtdGhlLWxhc3QtbG8"})),
    responses((status = 200, description = "The session goes on", body = TokensView), SignInProblems),
)]
#[post("/api/auth/refresh")]
pub(crate) async fn refresh(body: Json<Refresh>, auth: Data<Auth>) -> Result<HttpResponse, Error> {
    let signed_in = auth.refresh(&body.refresh_token).await?;
    Ok(HttpResponse::Ok().json(TokensView::from(signed_in)))
}

/// Sign out.
///
/// Ends this session: its refresh token at once, its access token everywhere within ten seconds.
#[utoipa::path(
    tag = "auth",
    operation_id = "logout",
    security(("bearer" = [])),
    responses((status = 204, description = "The session has ended"), WriteProblems),
)]
#[post("/api/auth/logout")]
pub(crate) async fn logout(can: Can<SignedIn>, auth: Data<Auth>) -> Result<HttpResponse, Error> {
    let me = can.principal();
    match auth.end_session(me.user_id, me.session_id).await {
        // It ended in the last seconds, and this token is not refused yet: just as well.
        Ok(()) | Err(Error::NoSuchSession) => Ok(HttpResponse::NoContent().finish()),
        Err(error) => Err(error),
    }
}

/// Sign out everywhere.
///
/// Ends every session of the caller, this one too.
#[utoipa::path(
    tag = "auth",
    operation_id = "logout_all",
    security(("bearer" = [])),
    responses((status = 204, description = "All sessions have ended"), WriteProblems),
)]
#[post("/api/auth/logout-all")]
pub(crate) async fn logout_all(
    can: Can<SignedIn>,
    auth: Data<Auth>,
) -> Result<HttpResponse, Error> {
    auth.end_own_sessions(can.principal().user_id).await?;
    Ok(HttpResponse::NoContent().finish())
}
