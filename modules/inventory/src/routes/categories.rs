//! `/api/inventory/categories`

use actix_web::{HttpResponse, delete, get, http::header, patch, post, web::Data};
use chrono::{DateTime, Utc};
use kernel::{
    auth::Can,
    extract::{IfMatch, Json, Path, Query, etag},
    page::{Cursor, Limit, Page, after},
    responses::{ReadProblems, WriteProblems},
    text::Text,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::patch::some;
use crate::{
    Inventory,
    domain::category::CategoryName,
    permissions::{CatalogRead, CatalogWrite},
    repo::categories::Category,
};

/// A category of the tree.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CategoryView {
    id: Uuid,
    name: String,
    /// `null` at the top.
    parent_id: Option<Uuid>,
    /// The names from the top down, such as `GROCERY/FRZN ICE`.
    path: String,
    /// Goes up with every change of the category or its path; the `ETag`.
    version: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl From<Category> for CategoryView {
    fn from(category: Category) -> Self {
        let Category {
            id,
            parent_id,
            name,
            path,
            depth: _,
            version,
            created_at,
            updated_at,
        } = category;
        Self {
            id,
            name,
            parent_id,
            path,
            version,
            created_at,
            updated_at,
        }
    }
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct CategoryQuery {
    /// Only the direct children of this category.
    parent_id: Option<Uuid>,
    /// Only names that contain this, in upper or lower case.
    #[param(value_type = Option<String>, max_length = 80)]
    q: Option<Text<80>>,
    limit: Option<Limit>,
    cursor: Option<Cursor>,
}

/// List categories by path.
///
/// The whole tree as a flat list, parents before their children.
#[utoipa::path(
    tag = "categories",
    operation_id = "list_categories",
    security(("bearer" = [])),
    params(CategoryQuery),
    responses((status = 200, description = "One page", body = Page<CategoryView>), ReadProblems),
)]
#[get("/api/inventory/categories")]
pub(crate) async fn list_categories(
    _can: Can<CatalogRead>,
    query: Query<CategoryQuery>,
    inventory: Data<Inventory>,
) -> Result<HttpResponse, actix_web::Error> {
    let CategoryQuery {
        parent_id,
        q,
        limit,
        cursor,
    } = query.into_inner();
    let limit = limit.unwrap_or_default();
    let after = after::<String>(cursor.as_ref())?;
    let found = inventory
        .categories(parent_id, q.map(Text::into_string), after, limit)
        .await?;
    let page = Page::build(found, limit, |c| c.path.clone(), CategoryView::from);
    Ok(HttpResponse::Ok().json(page))
}

/// A new category.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateCategory {
    /// An id of your choice, which makes the call repeatable; without it one is made.
    #[serde(default)]
    id: Option<Uuid>,
    /// Unique under its parent; without a slash.
    name: CategoryName,
    /// Absent or `null` at the top.
    parent_id: Option<Uuid>,
}

/// Create a category.
///
/// The tree is at most 8 levels deep (409 `category-too-deep`); a name is there once under a
/// parent (409 `category-taken`).
#[utoipa::path(
    tag = "categories",
    operation_id = "create_category",
    security(("bearer" = [])),
    request_body(content = CreateCategory, example = json!({"name": "Fresh fruit"})),
    responses(
        (status = 201, description = "Created; `Location` names it", body = CategoryView),
        WriteProblems,
    ),
)]
#[post("/api/inventory/categories")]
pub(crate) async fn create_category(
    can: Can<CatalogWrite>,
    body: Json<CreateCategory>,
    inventory: Data<Inventory>,
) -> Result<HttpResponse, actix_web::Error> {
    let cx = can.everywhere()?;
    let CreateCategory {
        id,
        name,
        parent_id,
    } = body.into_inner();
    let category = inventory.create_category(&cx, id, name, parent_id).await?;
    let location = format!("/api/inventory/categories/{}", category.id);
    Ok(HttpResponse::Created()
        .insert_header((header::LOCATION, location))
        .insert_header(etag(category.version))
        .json(CategoryView::from(category)))
}

/// Read a category.
#[utoipa::path(
    tag = "categories",
    operation_id = "get_category",
    security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The category", example = "0198c0de-0000-7000-8000-000000000201")),
    responses((status = 200, description = "The category", body = CategoryView), ReadProblems),
)]
#[get("/api/inventory/categories/{id}")]
pub(crate) async fn get_category(
    _can: Can<CatalogRead>,
    id: Path<Uuid>,
    inventory: Data<Inventory>,
) -> Result<HttpResponse, actix_web::Error> {
    let category = inventory.category(id.into_inner()).await?;
    Ok(answer(category))
}

/// What is to change of a category (RFC 7396): absent fields are left as they are.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UpdateCategory {
    #[serde(default, deserialize_with = "some")]
    #[schema(value_type = CategoryName, required = false)]
    name: Option<CategoryName>,
    /// `null` moves it to the top.
    #[serde(default, deserialize_with = "some")]
    #[schema(value_type = Option<Uuid>, required = false)]
    parent_id: Option<Option<Uuid>>,
}

/// Rename or move a category.
///
/// Everything below moves along. A category cannot lie below itself (409 `category-cycle`).
#[utoipa::path(
    tag = "categories",
    operation_id = "update_category",
    security(("bearer" = [])),
    params(
        ("id" = Uuid, Path, description = "The category", example = "0198c0de-0000-7000-8000-000000000201"),
        ("If-Match" = Option<String>, Header, description = "The `ETag` of the version you read"),
    ),
    request_body(content = UpdateCategory, example = json!({"name": "Fruit", "parent_id": null})),
    responses((status = 200, description = "The category now", body = CategoryView), WriteProblems),
)]
#[patch("/api/inventory/categories/{id}")]
pub(crate) async fn update_category(
    can: Can<CatalogWrite>,
    id: Path<Uuid>,
    if_match: IfMatch,
    body: Json<UpdateCategory>,
    inventory: Data<Inventory>,
) -> Result<HttpResponse, actix_web::Error> {
    let cx = can.everywhere()?;
    let UpdateCategory { name, parent_id } = body.into_inner();
    let category = inventory
        .edit_category(&cx, id.into_inner(), if_match.0, name, parent_id)
        .await?;
    Ok(answer(category))
}

/// Delete an empty category.
///
/// While products (archived ones too) or categories are in it, it is a 409 `category-in-use`.
#[utoipa::path(
    tag = "categories",
    operation_id = "delete_category",
    security(("bearer" = [])),
    params(
        ("id" = Uuid, Path, description = "The category", example = "0198c0de-0000-7000-8000-000000000201"),
        ("If-Match" = Option<String>, Header, description = "The `ETag` of the version you read"),
    ),
    responses((status = 204, description = "It is gone"), WriteProblems),
)]
#[delete("/api/inventory/categories/{id}")]
pub(crate) async fn delete_category(
    can: Can<CatalogWrite>,
    id: Path<Uuid>,
    if_match: IfMatch,
    inventory: Data<Inventory>,
) -> Result<HttpResponse, actix_web::Error> {
    let cx = can.everywhere()?;
    inventory
        .delete_category(&cx, id.into_inner(), if_match.0)
        .await?;
    Ok(HttpResponse::NoContent().finish())
}

fn answer(category: Category) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header(etag(category.version))
        .json(CategoryView::from(category))
}
