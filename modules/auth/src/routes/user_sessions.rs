//! `/api/users/{id}/sessions`

use actix_web::{HttpResponse, delete, get, web::Data};
use kernel::{
    auth::Can,
    extract::{Path, Query},
    ids::{SessionId, UserId},
    page::{Page, after},
    responses::{ReadProblems, WriteProblems},
};

use super::{own_sessions::SessionPage, views::SessionView};
use crate::{
    Auth,
    error::Error,
    permissions::{UserRead, UserWrite},
};

/// List a user's sessions.
///
/// Those that are alive, the newest first.
#[utoipa::path(
    tag = "users",
    operation_id = "list_user_sessions",
    security(("bearer" = [])),
    params(("id" = UserId, Path, description = "The user", example = "0198c0de-0000-7000-8000-000000000301"), SessionPage),
    responses((status = 200, description = "A page of sessions", body = Page<SessionView>), ReadProblems),
)]
#[get("/api/users/{id}/sessions")]
pub(crate) async fn list_user_sessions(
    can: Can<UserRead>,
    id: Path<UserId>,
    query: Query<SessionPage>,
    auth: Data<Auth>,
) -> Result<HttpResponse, Error> {
    can.everywhere()?;
    let SessionPage { limit, cursor } = query.into_inner();
    let (limit, asking) = (limit.unwrap_or_default(), can.principal().session_id);
    let before: Option<SessionId> = after(cursor.as_ref())?;
    let rows = auth
        .list_sessions(id.into_inner(), before, limit.plus_one())
        .await?;
    let page = Page::build(rows, limit, |s| s.id, |s| SessionView::new(s, asking));
    Ok(HttpResponse::Ok().json(page))
}

/// End all of a user's sessions.
///
/// Their refresh tokens at once, their access tokens everywhere within ten seconds.
#[utoipa::path(
    tag = "users",
    operation_id = "end_user_sessions",
    security(("bearer" = [])),
    params(("id" = UserId, Path, description = "The user", example = "0198c0de-0000-7000-8000-000000000301")),
    responses((status = 204, description = "The sessions have ended"), WriteProblems),
)]
#[delete("/api/users/{id}/sessions")]
pub(crate) async fn end_user_sessions(
    can: Can<UserWrite>,
    id: Path<UserId>,
    auth: Data<Auth>,
) -> Result<HttpResponse, Error> {
    let cx = can.everywhere()?;
    auth.end_sessions_of(&cx, id.into_inner()).await?;
    Ok(HttpResponse::NoContent().finish())
}
