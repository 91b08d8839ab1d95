//! `/api/auth/events`

use actix_web::{HttpResponse, get, web::Data};
use kernel::{
    auth::Can,
    extract::Query,
    feed::{self, Feed, ReadFeed},
    problem::Problem,
    responses::ReadProblems,
};

use crate::{Auth, permissions::FeedRead};

/// Read the change feed: users that were made, changed or archived.
///
/// In one order that never changes. Whoever goes on from `last` of the answer before gets every
/// event, each once; within one thing they come by `seq`. Nothing is ever removed.
#[utoipa::path(
    tag = "auth",
    operation_id = "read_auth_events",
    security(("bearer" = [])),
    params(ReadFeed),
    responses((status = 200, description = "A part of the feed", body = Feed), ReadProblems)
)]
#[get("/api/auth/events")]
pub(crate) async fn read_auth_events(
    can: Can<FeedRead>,
    query: Query<ReadFeed>,
    module: Data<Auth>,
) -> Result<HttpResponse, Problem> {
    can.everywhere()?;
    Ok(HttpResponse::Ok().json(feed::read(&module.db, query.into_inner()).await?))
}
