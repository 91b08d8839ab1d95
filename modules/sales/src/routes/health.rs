//! `/api/sales/health`

use actix_web::{HttpResponse, get, web::Data};
use kernel::health::{self, Health, Peers};

use crate::Sales;

/// Whether sales works.
#[utoipa::path(
    tag = "sales",
    operation_id = "get_sales_health",
    security(()),
    responses((status = 200, description = "The state of the module and of its database.", body = Health))
)]
#[get("/api/sales/health")]
pub(crate) async fn get_sales_health(sales: Data<Sales>, peers: Data<Peers>) -> HttpResponse {
    HttpResponse::Ok().json(health::check(&sales.db, &peers).await)
}
