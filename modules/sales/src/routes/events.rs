//! `/api/sales/events`

use actix_web::{HttpResponse, get, web::Data};
use kernel::{
    auth::Can,
    extract::Query,
    feed::{self, Feed, ReadFeed},
    problem::Problem,
    responses::ReadProblems,
};

use crate::{Sales, permissions::FeedRead};

/// Read the change feed: sales, voids and returns.
///
/// In one order that never changes. Whoever goes on from `last` of the answer before gets every
/// event, each once; within one thing they come by `seq`. Nothing is ever removed.
#[utoipa::path(
    tag = "sales",
    operation_id = "read_sales_events",
    security(("bearer" = [])),
    params(ReadFeed),
    responses((status = 200, description = "A part of the feed", body = Feed), ReadProblems)
)]
#[get("/api/sales/events")]
pub(crate) async fn read_sales_events(
    can: Can<FeedRead>,
    query: Query<ReadFeed>,
    module: Data<Sales>,
) -> Result<HttpResponse, Problem> {
    can.everywhere()?;
    Ok(HttpResponse::Ok().json(feed::read(&module.db, query.into_inner()).await?))
}
