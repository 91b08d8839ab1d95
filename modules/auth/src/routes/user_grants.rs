//! `/api/users/{id}/grants`

use actix_web::{HttpResponse, get, put, web::Data};
use kernel::{
    auth::{Can, Grant},
    extract::{IfMatch, Json, Path, etag},
    ids::UserId,
    responses::{ReadProblems, WriteProblems},
};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{
    users::answer,
    views::{GrantsView, UserView},
};
use crate::{
    Auth,
    error::Error,
    permissions::{UserRead, UserWrite},
};

/// Read a user's grants.
#[utoipa::path(
    tag = "users",
    operation_id = "read_user_grants",
    security(("bearer" = [])),
    params(("id" = UserId, Path, description = "The user", example = "0198c0de-0000-7000-8000-000000000301")),
    responses((status = 200, description = "What they may do, where", body = GrantsView), ReadProblems),
)]
#[get("/api/users/{id}/grants")]
pub(crate) async fn read_user_grants(
    can: Can<UserRead>,
    id: Path<UserId>,
    auth: Data<Auth>,
) -> Result<HttpResponse, Error> {
    can.everywhere()?;
    let user = auth.find_user(id.into_inner()).await?;
    let view = GrantsView {
        grants: user.grants.0,
    };
    Ok(HttpResponse::Ok()
        .insert_header(etag(user.version))
        .json(view))
}

/// The grants that a user is to have.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReplaceGrants {
    /// Each role at each store once.
    #[schema(max_items = 100)]
    grants: Vec<Grant>,
}

/// Replace a user's grants.
///
/// Ends their sessions, whose tokens carry the old grants. The last active admin of every store
/// stays one (`last-admin`). With `If-Match` only the version it names is changed.
#[utoipa::path(
    tag = "users",
    operation_id = "replace_user_grants",
    security(("bearer" = [])),
    params(
        ("id" = UserId, Path, description = "The user", example = "0198c0de-0000-7000-8000-000000000301"),
        ("If-Match" = Option<String>, Header, description = "The `ETag` of the version to change"),
    ),
    request_body(content = ReplaceGrants, example = json!({"grants": [{"role": "auditor", "store_id": null}]})),
    responses((status = 200, description = "The user as they are now", body = UserView), WriteProblems),
)]
#[put("/api/users/{id}/grants")]
pub(crate) async fn replace_user_grants(
    can: Can<UserWrite>,
    id: Path<UserId>,
    if_match: IfMatch,
    body: Json<ReplaceGrants>,
    auth: Data<Auth>,
) -> Result<HttpResponse, Error> {
    let cx = can.everywhere()?;
    let ReplaceGrants { grants } = body.into_inner();
    let user = auth
        .set_grants(&cx, id.into_inner(), grants, if_match.0)
        .await?;
    Ok(answer(user))
}
