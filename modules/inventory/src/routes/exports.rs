//! `/api/inventory/exports`

use actix_web::{HttpResponse, get, http::header, web::Data};
use kernel::{auth::Can, extract::Query, responses::ReadProblems};
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use crate::{
    Inventory,
    permissions::{CatalogRead, sees_cost},
    repo::product_list::Status,
    service::exports::ExportOptions,
};

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ExportQuery {
    /// `active` unless told.
    #[serde(default)]
    #[param(inline, required = false)]
    status: Status,
    /// In this category or below it.
    category_id: Option<Uuid>,
}

/// Export products as a CSV file.
///
/// The columns of the import, so that the file can be imported again unchanged; templates stand
/// before their variants. The column `cost` is there for admins, managers and auditors. Cells are
/// never altered: one that begins with `=`, `+`, `-` or `@` is quoted, but a spreadsheet may still
/// take it for a formula.
#[utoipa::path(
    tag = "imports",
    operation_id = "export_products",
    security(("bearer" = [])),
    params(ExportQuery),
    responses(
        (status = 200, description = "The file, sent as it is read", body = String, content_type = "text/csv"),
        ReadProblems,
    ),
)]
#[get("/api/inventory/exports/products")]
pub(crate) async fn export_products(
    can: Can<CatalogRead>,
    query: Query<ExportQuery>,
    inventory: Data<Inventory>,
) -> Result<HttpResponse, actix_web::Error> {
    let ExportQuery {
        status,
        category_id,
    } = query.into_inner();
    let options = ExportOptions {
        status,
        category_id,
        with_cost: sees_cost(can.principal()),
    };
    let file = inventory.export_products(options).await?;
    Ok(HttpResponse::Ok()
        .content_type("text/csv; charset=utf-8")
        .insert_header((
            header::CONTENT_DISPOSITION,
            "attachment; filename=\"products.csv\"",
        ))
        .streaming(file))
}
