//! `/api/stores/{id}/registers`

use actix_web::{HttpResponse, get, http::header, post, web::Data};
use kernel::{
    auth::Can,
    extract::{Json, Path, Query},
    ids::StoreId,
    page::{self, Cursor, Limit, Page},
    responses::{ReadProblems, WriteProblems},
};
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use crate::{
    Store,
    dto::{CreateRegister, RegisterView},
    error::Error,
    permissions::{StoreRead, StoreSettingsWrite},
};

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListRegisters {
    /// Items on a page.
    #[param(inline)]
    limit: Option<Limit>,
    /// `next_cursor` of the page before.
    #[param(inline)]
    cursor: Option<Cursor>,
}

/// List a store's registers.
#[utoipa::path(
    tag = "stores",
    operation_id = "list_registers",
    description = "Sorted by code, archived ones included.",
    security(("bearer" = [])),
    params(("id" = StoreId, Path, description = "The store", example = "0198c0de-0000-7000-8000-000000000001"), ListRegisters),
    responses((status = 200, description = "A page of registers", body = Page<RegisterView>), ReadProblems)
)]
#[get("/api/stores/{id}/registers")]
pub(crate) async fn list_registers(
    can: Can<StoreRead>,
    id: Path<StoreId>,
    query: Query<ListRegisters>,
    store: Data<Store>,
) -> Result<HttpResponse, Error> {
    let id = id.into_inner();
    can.at(id)?;
    let query = query.into_inner();
    let limit = query.limit.unwrap_or_default();
    let after = page::after(query.cursor.as_ref())?;
    let rows = store.registers(id, after, limit).await?;
    let page = Page::build(rows, limit, |row| row.code.clone(), RegisterView::from);
    Ok(HttpResponse::Ok().json(page))
}

/// Add a register to a store.
#[utoipa::path(
    tag = "stores",
    operation_id = "create_register",
    security(("bearer" = [])),
    params(("id" = StoreId, Path, description = "The store", example = "0198c0de-0000-7000-8000-000000000001")),
    request_body(content = CreateRegister, example = json!({"code": "T1", "name": "By the door"})),
    responses((status = 201, description = "The new register", body = RegisterView), WriteProblems)
)]
#[post("/api/stores/{id}/registers")]
pub(crate) async fn create_register(
    can: Can<StoreSettingsWrite>,
    id: Path<StoreId>,
    body: Json<CreateRegister>,
    store: Data<Store>,
) -> Result<HttpResponse, Error> {
    let id = id.into_inner();
    let cx = can.at(id)?;
    let row = store.add_register(&cx, id, body.into_inner()).await?;
    let location = format!("/api/stores/{id}/registers/{}", row.id);
    Ok(HttpResponse::Created()
        .insert_header((header::LOCATION, location))
        .json(RegisterView::from(row)))
}

/// Read a register.
#[utoipa::path(
    tag = "stores",
    operation_id = "get_register",
    security(("bearer" = [])),
    params(
        ("id" = StoreId, Path, description = "The store", example = "0198c0de-0000-7000-8000-000000000001"),
        ("register_id" = Uuid, Path, description = "The register", example = "0198c0de-0000-7000-8000-000000000111"),
    ),
    responses((status = 200, description = "The register", body = RegisterView), ReadProblems)
)]
#[get("/api/stores/{id}/registers/{register_id}")]
pub(crate) async fn get_register(
    can: Can<StoreRead>,
    path: Path<(StoreId, Uuid)>,
    store: Data<Store>,
) -> Result<HttpResponse, Error> {
    let (id, register) = path.into_inner();
    can.at(id)?;
    let row = store.register(id, register).await?;
    Ok(HttpResponse::Ok().json(RegisterView::from(row)))
}

/// Archive a register.
#[utoipa::path(
    tag = "stores",
    operation_id = "archive_register",
    description = "No sale can name it any more. One that is archived stays as it is.",
    security(("bearer" = [])),
    params(
        ("id" = StoreId, Path, description = "The store", example = "0198c0de-0000-7000-8000-000000000001"),
        ("register_id" = Uuid, Path, description = "The register", example = "0198c0de-0000-7000-8000-000000000111"),
    ),
    responses((status = 200, description = "The archived register", body = RegisterView), WriteProblems)
)]
#[post("/api/stores/{id}/registers/{register_id}/archive")]
pub(crate) async fn archive_register(
    can: Can<StoreSettingsWrite>,
    path: Path<(StoreId, Uuid)>,
    store: Data<Store>,
) -> Result<HttpResponse, Error> {
    let (id, register) = path.into_inner();
    let cx = can.at(id)?;
    let row = store.archive_register(&cx, id, register).await?;
    Ok(HttpResponse::Ok().json(RegisterView::from(row)))
}
