//! `/api/users` and `/api/users/{id}`

use actix_web::{HttpResponse, get, http::header, patch, post, web::Data};
use kernel::{
    auth::{Can, Grant, Role},
    extract::{IfMatch, Json, Path, Query, etag},
    ids::{StoreId, UserId},
    page::{Cursor, Limit, Page, after},
    responses::{ReadProblems, WriteProblems},
    text::Text,
};
use serde::{Deserialize, Deserializer};
use utoipa::{IntoParams, ToSchema};

use super::views::UserView;
use crate::{
    Auth,
    domain::{MAX_NAME, email::Email, password::Password},
    error::Error,
    permissions::{UserRead, UserWrite},
    repo::users::{Filter, User},
    service::{Changes, NewUser},
};

/// Which users a list shows.
#[derive(Debug, Clone, Copy, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum StatusFilter {
    #[default]
    Active,
    Archived,
    All,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct UserQuery {
    /// Part of the name or of the e-mail address, without case.
    #[param(value_type = Option<String>, max_length = 100)]
    q: Option<Text<100>>,
    /// With this role; together with `store_id`: at that store.
    role: Option<Role>,
    /// With a grant for this very store; a grant for every store does not count.
    store_id: Option<StoreId>,
    /// `active` unless told.
    #[param(inline)]
    status: Option<StatusFilter>,
    /// How many users at most.
    #[param(inline)]
    limit: Option<Limit>,
    /// From `next_cursor`.
    #[param(inline)]
    cursor: Option<Cursor>,
    /// Whether to answer the total, too.
    count: Option<bool>,
}

/// List users.
///
/// In the order in which they were made.
#[utoipa::path(
    tag = "users",
    operation_id = "list_users",
    security(("bearer" = [])),
    params(UserQuery),
    responses((status = 200, description = "A page of users", body = Page<UserView>), ReadProblems),
)]
#[get("/api/users")]
pub(crate) async fn list_users(
    can: Can<UserRead>,
    query: Query<UserQuery>,
    auth: Data<Auth>,
) -> Result<HttpResponse, Error> {
    can.everywhere()?;
    let UserQuery {
        q,
        role,
        store_id,
        status,
        limit,
        cursor,
        count,
    } = query.into_inner();
    let (limit, counted) = (limit.unwrap_or_default(), count.unwrap_or_default());
    let filter = Filter {
        q: q.map(|q| q.as_str().to_lowercase()),
        role,
        store_id,
        archived: match status.unwrap_or_default() {
            StatusFilter::Active => Some(false),
            StatusFilter::Archived => Some(true),
            StatusFilter::All => None,
        },
        after: after(cursor.as_ref())?,
        counted,
    };
    // The total comes with the rows; without a row on the first page there is none.
    let none = (counted && filter.after.is_none()).then_some(0);
    let rows = auth.list_users(filter, limit.plus_one()).await?;
    let total = rows.first().map_or(none, |row| row.total);
    let mut page = Page::build(
        rows,
        limit,
        |row| row.user.id,
        |row| UserView::from(row.user),
    );
    page.total = total;
    Ok(HttpResponse::Ok().json(page))
}

/// A user to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateUser {
    /// An id of your choice, which makes the call repeatable; without it one is made.
    #[serde(default)]
    id: Option<UserId>,
    email: Email,
    #[schema(value_type = String, min_length = 1, max_length = 200)]
    name: Text<MAX_NAME>,
    /// At least 12 characters; any will do. Common ones are refused, and those that contain the
    /// user's name or address.
    password: Password,
    /// Each role at each store once.
    #[schema(max_items = 100)]
    grants: Vec<Grant>,
}

/// Create a user.
#[utoipa::path(
    tag = "users",
    operation_id = "create_user",
    security(("bearer" = [])),
    request_body(content = CreateUser, example = json!({
        "email": "grace@demo.comptoir.test", "name": "Grace Hopper",
        "password": "kettle-orbit-93-walnut", "grants": [{"role": "auditor", "store_id": null}]
    })),
    responses((status = 201, description = "The user was made", body = UserView), WriteProblems),
)]
#[post("/api/users")]
pub(crate) async fn create_user(
    can: Can<UserWrite>,
    body: Json<CreateUser>,
    auth: Data<Auth>,
) -> Result<HttpResponse, Error> {
    let cx = can.everywhere()?;
    let CreateUser {
        id,
        email,
        name,
        password,
        grants,
    } = body.into_inner();
    let new = NewUser {
        id,
        email,
        name: name.into_string(),
        password,
        grants,
    };
    let view = UserView::from(auth.create(&cx, new).await?);
    Ok(HttpResponse::Created()
        .insert_header((header::LOCATION, format!("/api/users/{}", view.id)))
        .insert_header(etag(view.version))
        .json(view))
}

/// Read a user.
#[utoipa::path(
    tag = "users",
    operation_id = "read_user",
    security(("bearer" = [])),
    params(("id" = UserId, Path, description = "The user", example = "0198c0de-0000-7000-8000-000000000301")),
    responses((status = 200, description = "The user", body = UserView), ReadProblems),
)]
#[get("/api/users/{id}")]
pub(crate) async fn read_user(
    can: Can<UserRead>,
    id: Path<UserId>,
    auth: Data<Auth>,
) -> Result<HttpResponse, Error> {
    can.everywhere()?;
    let user = auth.find_user(id.into_inner()).await?;
    Ok(answer(user))
}

/// What is to be changed; a field that is left out is left as it is.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UpdateUser {
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = String, required = false, min_length = 1, max_length = 200)]
    name: Option<Text<MAX_NAME>>,
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Email, required = false)]
    email: Option<Email>,
}

/// In a merge patch `null` takes a member away (RFC 7396), which none of these allows.
fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(d: D) -> Result<Option<T>, D::Error> {
    T::deserialize(d).map(Some)
}

/// Change a user's name or e-mail address.
///
/// A JSON merge patch; neither can be `null`. With `If-Match` only the version it names is changed.
#[utoipa::path(
    tag = "users",
    operation_id = "update_user",
    security(("bearer" = [])),
    params(
        ("id" = UserId, Path, description = "The user", example = "0198c0de-0000-7000-8000-000000000301"),
        ("If-Match" = Option<String>, Header, description = "The `ETag` of the version to change"),
    ),
    request_body(content = UpdateUser, example = json!({"name": "Grace B. Hopper"})),
    responses((status = 200, description = "The user as they are now", body = UserView), WriteProblems),
)]
#[patch("/api/users/{id}")]
pub(crate) async fn update_user(
    can: Can<UserWrite>,
    id: Path<UserId>,
    if_match: IfMatch,
    body: Json<UpdateUser>,
    auth: Data<Auth>,
) -> Result<HttpResponse, Error> {
    let cx = can.everywhere()?;
    let UpdateUser { name, email } = body.into_inner();
    let changes = Changes {
        name: name.map(Text::into_string),
        email,
        expected: if_match.0,
    };
    let user = auth.update(&cx, id.into_inner(), changes).await?;
    Ok(answer(user))
}

/// A user with their `ETag`.
pub(super) fn answer(user: User) -> HttpResponse {
    let view = UserView::from(user);
    HttpResponse::Ok()
        .insert_header(etag(view.version))
        .json(view)
}
