//! `/api/inventory/health`

use actix_web::{HttpResponse, get, web::Data};
use kernel::health::{self, Health, Peers};

use crate::Inventory;

/// Tell how inventory is.
///
/// Answers 200 while the process runs; `status` is `degraded` when its database or a peer does not answer.
#[utoipa::path(
    tag = "inventory",
    operation_id = "get_inventory_health",
    security(()),
    responses((status = 200, description = "How it is", body = Health)),
)]
#[get("/api/inventory/health")]
pub(crate) async fn get_inventory_health(
    inventory: Data<Inventory>,
    peers: Data<Peers>,
) -> HttpResponse {
    HttpResponse::Ok().json(health::check(&inventory.db, &peers).await)
}
