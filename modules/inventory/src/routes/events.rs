//! `/api/inventory/events`

use actix_web::{HttpResponse, get, web::Data};
use kernel::{
    auth::Can,
    extract::Query,
    feed::{self, Feed, ReadFeed},
    problem::Problem,
    responses::ReadProblems,
};

use crate::{Inventory, permissions::FeedRead};

/// Read the change feed: products, prices, promotions and tax rates that changed.
///
/// In one order that never changes. Whoever goes on from `last` of the answer before gets every
/// event, each once; within one thing they come by `seq`. Nothing is ever removed.
#[utoipa::path(
    tag = "inventory",
    operation_id = "read_inventory_events",
    security(("bearer" = [])),
    params(ReadFeed),
    responses((status = 200, description = "A part of the feed", body = Feed), ReadProblems)
)]
#[get("/api/inventory/events")]
pub(crate) async fn read_inventory_events(
    can: Can<FeedRead>,
    query: Query<ReadFeed>,
    module: Data<Inventory>,
) -> Result<HttpResponse, Problem> {
    can.everywhere()?;
    Ok(HttpResponse::Ok().json(feed::read(&module.db, query.into_inner()).await?))
}
