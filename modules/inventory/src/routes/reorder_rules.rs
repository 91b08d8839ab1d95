//! `/api/inventory/reorder-rules`

use std::collections::BTreeSet;

use actix_web::{HttpResponse, delete, get, post, put, web::Data};
use kernel::{
    auth::Can,
    extract::{IfMatch, Json, Path, Query, etag},
    idempotency::{IdempotencyHeader, IdempotencyKey},
    ids::{ProductId, StoreId},
    page::{Cursor, Limit, Page, after},
    responses::{ReadProblems, WriteProblems},
};
use serde::Deserialize;
use utoipa::IntoParams;

use super::narrow;
use crate::{
    Inventory,
    dto::{PutRule, PutRules, RuleOutcome, RuleView, RulesView},
    permissions::{ReorderRead, ReorderWrite},
    repo::reorder_rules::{RuleFilter, RuleRow},
};

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct RuleQuery {
    /// Only of this store.
    store_id: Option<StoreId>,
    /// Only of this product.
    product_id: Option<ProductId>,
    limit: Option<Limit>,
    cursor: Option<Cursor>,
}

/// List reorder rules by store and product.
///
/// Of the stores that you may see.
#[utoipa::path(
    tag = "replenishment",
    operation_id = "list_reorder_rules",
    security(("bearer" = [])),
    params(RuleQuery),
    responses((status = 200, description = "One page", body = Page<RuleView>), ReadProblems),
)]
#[get("/api/inventory/reorder-rules")]
pub(crate) async fn list_reorder_rules(
    can: Can<ReorderRead>,
    query: Query<RuleQuery>,
    inventory: Data<Inventory>,
) -> Result<HttpResponse, actix_web::Error> {
    let query = query.into_inner();
    let limit = query.limit.unwrap_or_default();
    let rows = inventory
        .rules(RuleFilter {
            scope: narrow(&can, query.store_id)?,
            product_id: query.product_id,
            after: after(query.cursor.as_ref())?,
            limit,
        })
        .await?;
    let page = Page::build(rows, limit, RuleRow::key, RuleView::from);
    Ok(HttpResponse::Ok().json(page))
}

/// Read a reorder rule.
#[utoipa::path(
    tag = "replenishment",
    operation_id = "get_reorder_rule",
    security(("bearer" = [])),
    params(
        ("store_id" = StoreId, Path, description = "The store", example = "0198c0de-0000-7000-8000-000000000001"),
        ("product_id" = ProductId, Path, description = "The product", example = "0198c0de-0000-7000-8000-000000010001"),
    ),
    responses((status = 200, description = "The rule", body = RuleView), ReadProblems),
)]
#[get("/api/inventory/reorder-rules/{store_id}/{product_id}")]
pub(crate) async fn get_reorder_rule(
    can: Can<ReorderRead>,
    key: Path<(StoreId, ProductId)>,
    inventory: Data<Inventory>,
) -> Result<HttpResponse, actix_web::Error> {
    let key = key.into_inner();
    can.at(key.0)?;
    let rule = RuleView::from(inventory.rule(key).await?);
    Ok(HttpResponse::Ok()
        .insert_header(etag(rule.version))
        .json(rule))
}

/// Say what a store wants to have of a product.
///
/// Makes the rule, or puts this one in its place; with `If-Match`, only in the place of the version
/// that you have seen. Where a store falls below `min`, it is filled up to `max`, or to `min` and
/// what it sells in `cover_days`: see the suggestions.
#[utoipa::path(
    tag = "replenishment",
    operation_id = "put_reorder_rule",
    security(("bearer" = [])),
    params(
        ("store_id" = StoreId, Path, description = "The store", example = "0198c0de-0000-7000-8000-000000000001"),
        ("product_id" = ProductId, Path, description = "The product", example = "0198c0de-0000-7000-8000-000000010001"),
        ("If-Match" = Option<String>, Header, description = "The `ETag` of the version you read"),
    ),
    request_body(content = PutRule, example = json!({
        "min": 12, "max": 48, "multiple": 6, "lead_days": 2,
        "source_store_id": "0198c0de-0000-7000-8000-000000000006"
    })),
    responses(
        (status = 200, description = "The rule as it is now", body = RuleView),
        (status = 201, description = "The new rule", body = RuleView),
        WriteProblems,
    ),
)]
#[put("/api/inventory/reorder-rules/{store_id}/{product_id}")]
pub(crate) async fn put_reorder_rule(
    can: Can<ReorderWrite>,
    key: Path<(StoreId, ProductId)>,
    if_match: IfMatch,
    body: Json<PutRule>,
    inventory: Data<Inventory>,
) -> Result<HttpResponse, actix_web::Error> {
    let key = key.into_inner();
    let cx = can.at(key.0)?;
    let rule = body.into_inner().rule(key.0)?;
    let (row, outcome) = inventory.put_rule(&cx, key, if_match.0, rule).await?;
    let rule = RuleView::from(row);
    let mut response = if outcome == RuleOutcome::Created {
        HttpResponse::Created()
    } else {
        HttpResponse::Ok()
    };
    Ok(response.insert_header(etag(rule.version)).json(rule))
}

/// Delete a reorder rule.
///
/// Nothing is suggested for the product at this store any more.
#[utoipa::path(
    tag = "replenishment",
    operation_id = "delete_reorder_rule",
    security(("bearer" = [])),
    params(
        ("store_id" = StoreId, Path, description = "The store", example = "0198c0de-0000-7000-8000-000000000001"),
        ("product_id" = ProductId, Path, description = "The product", example = "0198c0de-0000-7000-8000-000000010002"),
        ("If-Match" = Option<String>, Header, description = "The `ETag` of the version you read"),
    ),
    responses((status = 204, description = "It is gone"), WriteProblems),
)]
#[delete("/api/inventory/reorder-rules/{store_id}/{product_id}")]
pub(crate) async fn delete_reorder_rule(
    can: Can<ReorderWrite>,
    key: Path<(StoreId, ProductId)>,
    if_match: IfMatch,
    inventory: Data<Inventory>,
) -> Result<HttpResponse, actix_web::Error> {
    let key = key.into_inner();
    let cx = can.at(key.0)?;
    inventory.delete_rule(&cx, key, if_match.0).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Put many reorder rules at once.
///
/// Up to 200, each as with `PUT`: made, or put in the place of the one that is there. A rule that
/// is refused says why and does not concern the others; a store that is not yours refuses them all.
#[utoipa::path(
    tag = "replenishment",
    operation_id = "put_reorder_rules",
    security(("bearer" = [])),
    params(IdempotencyHeader),
    request_body(content = PutRules, example = json!({"rules": [
        {"store_id": "0198c0de-0000-7000-8000-000000000001", "product_id": "0198c0de-0000-7000-8000-000000010003",
         "min": 6, "cover_days": 14, "multiple": 6},
        {"store_id": "0198c0de-0000-7000-8000-000000000002", "product_id": "0198c0de-0000-7000-8000-000000010003",
         "min": 6, "max": 30}
    ]})),
    responses((status = 200, description = "What became of each", body = RulesView), WriteProblems),
)]
#[post("/api/inventory/reorder-rules")]
pub(crate) async fn put_reorder_rules(
    can: Can<ReorderWrite>,
    key: IdempotencyKey,
    body: Json<PutRules>,
    inventory: Data<Inventory>,
) -> Result<HttpResponse, actix_web::Error> {
    let body = body.into_inner();
    let mut cx = can.scoped().0;
    let stores: BTreeSet<StoreId> = body.rules.iter().map(|rule| rule.store_id).collect();
    for store in stores {
        cx = can.at(store)?;
    }
    let answered = inventory.put_rules(&cx, &key, body).await?;
    Ok(answered.ok(&key))
}
