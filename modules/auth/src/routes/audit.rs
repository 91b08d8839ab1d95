//! `/api/auth/audit`

use actix_web::{HttpResponse, get, web::Data};
use kernel::{
    audit::{self, AuditEntry, ListAudit},
    auth::Can,
    extract::Query,
    page::Page,
    problem::Problem,
    responses::ReadProblems,
};

use crate::{Auth, permissions::AuditRead};

/// List who changed what: users and their sessions.
///
/// The newest first, each with what was before and after. Only for those who may read it of the whole chain.
#[utoipa::path(
    tag = "auth",
    operation_id = "list_auth_audit",
    security(("bearer" = [])),
    params(ListAudit),
    responses((status = 200, description = "A page of the trail", body = Page<AuditEntry>), ReadProblems)
)]
#[get("/api/auth/audit")]
pub(crate) async fn list_auth_audit(
    can: Can<AuditRead>,
    query: Query<ListAudit>,
    module: Data<Auth>,
) -> Result<HttpResponse, Problem> {
    can.everywhere()?;
    Ok(HttpResponse::Ok().json(audit::list(&module.db, &can, query.into_inner()).await?))
}
