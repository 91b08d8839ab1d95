//! `/api/stores`

use actix_web::{HttpResponse, get, http::header, patch, post, web::Data};
use kernel::{
    auth::Can,
    extract::{IfMatch, Json, Path, Query, etag},
    ids::StoreId,
    page::{self, Cursor, Limit, Page},
    responses::{ReadProblems, WriteProblems},
    text::Text,
};
use serde::Deserialize;
use store_api::StoreKind;
use utoipa::{IntoParams, ToSchema};

use crate::{
    Store,
    dto::{CreateStore, StoreStatus, StoreView, UpdateStore},
    error::Error,
    permissions::{StoreRead, StoreWrite},
    repo::stores::{StoreFilter, StoreRow},
};

/// Which stores to list.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum StatusFilter {
    /// Those in use.
    #[default]
    Active,
    /// Those that were archived.
    Archived,
    /// Both.
    All,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListStores {
    /// Part of the code or the name.
    #[param(value_type = Option<String>, max_length = 100)]
    q: Option<Text<100>>,
    /// Only stores of this kind.
    kind: Option<StoreKind>,
    /// `active` unless told.
    #[serde(default)]
    #[param(inline, required = false)]
    status: StatusFilter,
    /// Items on a page.
    #[param(inline)]
    limit: Option<Limit>,
    /// `next_cursor` of the page before.
    #[param(inline)]
    cursor: Option<Cursor>,
}

/// List the stores that you may see.
#[utoipa::path(
    tag = "stores",
    operation_id = "list_stores",
    description = "Sorted by code.",
    security(("bearer" = [])),
    params(ListStores),
    responses((status = 200, description = "A page of stores", body = Page<StoreView>), ReadProblems)
)]
#[get("/api/stores")]
pub(crate) async fn list_stores(
    can: Can<StoreRead>,
    query: Query<ListStores>,
    store: Data<Store>,
) -> Result<HttpResponse, Error> {
    let query = query.into_inner();
    let limit = query.limit.unwrap_or_default();
    let rows = store
        .stores(StoreFilter {
            scope: can.scope(),
            q: query.q.map(Text::into_string),
            kind: query.kind,
            status: match query.status {
                StatusFilter::Active => Some(StoreStatus::Active),
                StatusFilter::Archived => Some(StoreStatus::Archived),
                StatusFilter::All => None,
            },
            after: page::after(query.cursor.as_ref())?,
            limit,
        })
        .await?;
    let page = Page::build(rows, limit, |row| row.code.clone(), StoreView::from);
    Ok(HttpResponse::Ok().json(page))
}

/// Create a store.
#[utoipa::path(
    tag = "stores",
    operation_id = "create_store",
    description = "Settings that are left out start as: UTC, day cutoff 00:00, EUR, prices with \
        tax included, negative stock refused, no return limit, no receipt text.",
    security(("bearer" = [])),
    request_body(content = CreateStore, example = json!({
        "code": "LYON-1", "name": "Lyon, rue de la République", "kind": "sales",
        "address": "12 rue de la République, 69001 Lyon",
        "settings": {
            "timezone": "Europe/Paris", "day_cutoff": "04:00", "currency": "EUR",
            "tax_mode": "included", "negative_stock": "refuse",
            "return_limit": {"amount": 5000, "currency": "EUR"}, "receipt_text": "Merci et à bientôt"
        }
    })),
    responses((status = 201, description = "The new store", body = StoreView), WriteProblems)
)]
#[post("/api/stores")]
pub(crate) async fn create_store(
    can: Can<StoreWrite>,
    body: Json<CreateStore>,
    store: Data<Store>,
) -> Result<HttpResponse, Error> {
    let cx = can.everywhere()?;
    let row = store.add_store(&cx, body.into_inner()).await?;
    let location = format!("/api/stores/{}", row.id);
    Ok(HttpResponse::Created()
        .insert_header((header::LOCATION, location))
        .insert_header(etag(row.version))
        .json(StoreView::from(row)))
}

/// Read a store.
#[utoipa::path(
    tag = "stores",
    operation_id = "get_store",
    security(("bearer" = [])),
    params(("id" = StoreId, Path, description = "The store", example = "0198c0de-0000-7000-8000-000000000001")),
    responses((status = 200, description = "The store", body = StoreView), ReadProblems)
)]
#[get("/api/stores/{id}")]
pub(crate) async fn get_store(
    can: Can<StoreRead>,
    id: Path<StoreId>,
    store: Data<Store>,
) -> Result<HttpResponse, Error> {
    let id = id.into_inner();
    can.at(id)?;
    Ok(versioned(store.store(id).await?))
}

/// Change a store's name, kind or address.
#[utoipa::path(
    tag = "stores",
    operation_id = "update_store",
    description = "A merge patch (RFC 7396): what is left out stays; `null` clears the address. \
        With `If-Match`, only the version that you have seen is changed.",
    security(("bearer" = [])),
    params(
        ("id" = StoreId, Path, description = "The store", example = "0198c0de-0000-7000-8000-000000000001"),
        ("If-Match" = Option<String>, Header, description = "The `ETag` that you have seen"),
    ),
    request_body(content = UpdateStore, example = json!({"name": "Lyon, Bellecour"})),
    responses((status = 200, description = "The store as it is now", body = StoreView), WriteProblems)
)]
#[patch("/api/stores/{id}")]
pub(crate) async fn update_store(
    can: Can<StoreWrite>,
    id: Path<StoreId>,
    if_match: IfMatch,
    body: Json<UpdateStore>,
    store: Data<Store>,
) -> Result<HttpResponse, Error> {
    let cx = can.everywhere()?;
    let row = store
        .update_store(&cx, id.into_inner(), if_match, body.into_inner())
        .await?;
    Ok(versioned(row))
}

/// Archive a store.
#[utoipa::path(
    tag = "stores",
    operation_id = "archive_store",
    description = "It neither sells nor moves stock any more, and keeps its history. Refused \
        with `stock-left` while any level is not zero or goods are held for a sale. One that is \
        archived stays as it is.",
    security(("bearer" = [])),
    params(("id" = StoreId, Path, description = "The store", example = "0198c0de-0000-7000-8000-000000000001")),
    responses((status = 200, description = "The archived store", body = StoreView), WriteProblems)
)]
#[post("/api/stores/{id}/archive")]
pub(crate) async fn archive_store(
    can: Can<StoreWrite>,
    id: Path<StoreId>,
    store: Data<Store>,
) -> Result<HttpResponse, Error> {
    let cx = can.everywhere()?;
    Ok(versioned(store.archive_store(&cx, id.into_inner()).await?))
}

/// Take an archived store back into use.
#[utoipa::path(
    tag = "stores",
    operation_id = "restore_store",
    description = "One that is in use stays as it is.",
    security(("bearer" = [])),
    params(("id" = StoreId, Path, description = "The store", example = "0198c0de-0000-7000-8000-000000000001")),
    responses((status = 200, description = "The store", body = StoreView), WriteProblems)
)]
#[post("/api/stores/{id}/restore")]
pub(crate) async fn restore_store(
    can: Can<StoreWrite>,
    id: Path<StoreId>,
    store: Data<Store>,
) -> Result<HttpResponse, Error> {
    let cx = can.everywhere()?;
    Ok(versioned(store.restore_store(&cx, id.into_inner()).await?))
}

fn versioned(row: StoreRow) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header(etag(row.version))
        .json(StoreView::from(row))
}
