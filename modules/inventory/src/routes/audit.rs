//! `/api/inventory/audit`

use actix_web::{HttpResponse, get, web::Data};
use kernel::{
    audit::{self, AuditEntry, ListAudit},
    auth::Can,
    extract::Query,
    page::Page,
    problem::Problem,
    responses::ReadProblems,
};

use crate::{Inventory, permissions::AuditRead};

/// List who changed what: products, categories, prices and taxes.
///
/// The newest first, each with what was before and after. What concerns no single store is
/// shown to those who may read the trail of every store.
#[utoipa::path(
    tag = "inventory",
    operation_id = "list_inventory_audit",
    security(("bearer" = [])),
    params(ListAudit),
    responses((status = 200, description = "A page of the trail", body = Page<AuditEntry>), ReadProblems)
)]
#[get("/api/inventory/audit")]
pub(crate) async fn list_inventory_audit(
    can: Can<AuditRead>,
    query: Query<ListAudit>,
    module: Data<Inventory>,
) -> Result<HttpResponse, Problem> {
    Ok(HttpResponse::Ok().json(audit::list(&module.db, &can, query.into_inner()).await?))
}
