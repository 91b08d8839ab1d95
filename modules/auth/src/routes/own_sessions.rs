//! `/api/auth/sessions`: the caller's own.

use actix_web::{HttpResponse, delete, get, web::Data};
use kernel::{
    auth::{Can, SignedIn},
    extract::{Path, Query},
    ids::SessionId,
    page::{Cursor, Limit, Page, after},
    responses::{ReadProblems, WriteProblems},
};
use serde::Deserialize;
use utoipa::IntoParams;

use super::views::SessionView;
use crate::{Auth, error::Error};

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct SessionPage {
    /// How many sessions at most.
    #[param(inline)]
    pub(crate) limit: Option<Limit>,
    /// From `next_cursor`.
    #[param(inline)]
    pub(crate) cursor: Option<Cursor>,
}

/// List the caller's own sessions.
///
/// Those that are alive, the newest first.
#[utoipa::path(
    tag = "auth",
    operation_id = "list_own_sessions",
    security(("bearer" = [])),
    params(SessionPage),
    responses((status = 200, description = "A page of sessions", body = Page<SessionView>), ReadProblems),
)]
#[get("/api/auth/sessions")]
pub(crate) async fn list_own_sessions(
    can: Can<SignedIn>,
    query: Query<SessionPage>,
    auth: Data<Auth>,
) -> Result<HttpResponse, Error> {
    let SessionPage { limit, cursor } = query.into_inner();
    let (limit, me) = (limit.unwrap_or_default(), can.principal());
    let before: Option<SessionId> = after(cursor.as_ref())?;
    let rows = auth
        .list_sessions(me.user_id, before, limit.plus_one())
        .await?;
    let page = Page::build(
        rows,
        limit,
        |s| s.id,
        |s| SessionView::new(s, me.session_id),
    );
    Ok(HttpResponse::Ok().json(page))
}

/// End one of the caller's own sessions.
#[utoipa::path(
    tag = "auth",
    operation_id = "end_own_session",
    security(("bearer" = [])),
    params(("id" = SessionId, Path, description = "The session")),
    responses((status = 204, description = "The session has ended"), WriteProblems),
)]
#[delete("/api/auth/sessions/{id}")]
pub(crate) async fn end_own_session(
    can: Can<SignedIn>,
    id: Path<SessionId>,
    auth: Data<Auth>,
) -> Result<HttpResponse, Error> {
    auth.end_session(can.principal().user_id, id.into_inner())
        .await?;
    Ok(HttpResponse::NoContent().finish())
}
