//! `/api/stores/health`

use actix_web::{HttpResponse, get, web::Data};
use kernel::health::{self, Health, Peers};

use crate::Store;

/// Tell whether the store module works.
#[utoipa::path(
    tag = "stores",
    operation_id = "get_store_health",
    security(()),
    responses((status = 200, description = "Whether it and its database answer", body = Health))
)]
#[get("/api/stores/health")]
pub(crate) async fn get_store_health(store: Data<Store>, peers: Data<Peers>) -> HttpResponse {
    HttpResponse::Ok().json(health::check(&store.db, &peers).await)
}
