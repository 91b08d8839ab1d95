//! `/api/inventory/replenishment/suggestions`

use actix_web::{HttpResponse, get, post, web::Data};
use kernel::{
    auth::Can,
    extract::{Json, Query},
    idempotency::{IdempotencyHeader, IdempotencyKey},
    ids::StoreId,
    page::{Cursor, Limit, Page, after},
    responses::{ReadProblems, WriteProblems},
};
use serde::Deserialize;
use utoipa::IntoParams;

use super::replenishment::created;
use crate::{
    Inventory,
    dto::{AcceptSuggestions, Day, RequestView, SuggestionView, WindowDays},
    permissions::{ReplenishmentRead, ReplenishmentWrite},
    service::suggestions::{DEFAULT_DAYS, Look},
};

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct SuggestionQuery {
    /// The store that may need goods.
    #[param(example = "0198c0de-0000-7000-8000-000000000001")]
    store_id: StoreId,
    /// How many business days of sales tell how fast things sell: 28 unless told.
    #[param(inline)]
    days: Option<WindowDays>,
    /// The last of these business days: yesterday unless told.
    #[param(value_type = Option<NaiveDate>)]
    date: Option<Day>,
    limit: Option<Limit>,
    cursor: Option<Cursor>,
}

/// Suggest what a store should ask for.
///
/// One per product that has a reorder rule and of which there is less than `min`, or will be before
/// goods can arrive; by product. It tells the figures it rests on. The source is the preferred one
/// of the rule if it has enough, then the store with the largest surplus (what is above its own
/// target, or, without a rule, above what it sold in these days), then the warehouse; never more
/// than it can do without, what others ask of it counted. A page may hold fewer than `limit` and
/// still have a next one. 503 where stock or sales give no answer: half a suggestion would be wrong.
#[utoipa::path(
    tag = "replenishment",
    operation_id = "list_replenishment_suggestions",
    security(("bearer" = [])),
    params(SuggestionQuery),
    responses((status = 200, description = "One page", body = Page<SuggestionView>), ReadProblems),
)]
#[get("/api/inventory/replenishment/suggestions")]
pub(crate) async fn list_replenishment_suggestions(
    can: Can<ReplenishmentRead>,
    query: Query<SuggestionQuery>,
    inventory: Data<Inventory>,
) -> Result<HttpResponse, actix_web::Error> {
    let query = query.into_inner();
    let cx = can.at(query.store_id)?;
    let look = Look {
        store_id: query.store_id,
        after: after(query.cursor.as_ref())?,
        limit: query.limit.unwrap_or_default(),
        days: query.days.map_or(DEFAULT_DAYS, WindowDays::get),
        to: query.date.map(|day| day.0),
    };
    let (items, next) = inventory.suggestions(&cx, look).await?;
    Ok(HttpResponse::Ok().json(Page {
        items,
        next_cursor: next.map(|product| Cursor::encode(&product)),
        total: None,
    }))
}

/// Take suggestions up.
///
/// Makes the draft of a replenishment request, which the store then submits. 409
/// `suggestion-outdated` where a source can do without less than is asked of it: others were faster.
#[utoipa::path(
    tag = "replenishment",
    operation_id = "accept_replenishment_suggestions",
    security(("bearer" = [])),
    params(IdempotencyHeader),
    request_body(content = AcceptSuggestions, example = json!({
        "store_id": "0198c0de-0000-7000-8000-000000000001",
        "suggestions": [
            {"product_id": "0198c0de-0000-7000-8000-000000010004", "quantity": 6,
             "source_store_id": "0198c0de-0000-7000-8000-000000000006"}
        ]
    })),
    responses((status = 201, description = "The draft", body = RequestView), WriteProblems),
)]
#[post("/api/inventory/replenishment/suggestions/accept")]
pub(crate) async fn accept_replenishment_suggestions(
    can: Can<ReplenishmentWrite>,
    key: IdempotencyKey,
    body: Json<AcceptSuggestions>,
    inventory: Data<Inventory>,
) -> Result<HttpResponse, actix_web::Error> {
    let body = body.into_inner();
    let cx = can.at(body.store_id)?;
    let answered = inventory.accept_suggestions(&cx, &key, body).await?;
    Ok(created(&key, &answered))
}
