//! `/api/stocks/adjustments`

use std::collections::BTreeSet;

use actix_web::{HttpResponse, http::header, post, web::Data};
use kernel::{
    auth::Can,
    call::Cx,
    extract::Json,
    idempotency::{IdempotencyHeader, IdempotencyKey},
    ids::StoreId,
    responses::WriteProblems,
};

use crate::{
    Store,
    dto::{AdjustmentView, CreateAdjustment},
    error::Error,
    permissions::StockAdjust,
    service::adjust::Adjusted,
};

/// Change stock by hand.
#[utoipa::path(
    tag = "stocks",
    operation_id = "create_adjustment",
    description = "Up to 500 changes, applied in order: `adjust` by a difference, `set` to what \
        was counted (refused with `expected-mismatch` if the books no longer say `expected`), or \
        `move` between sellable and damaged. `atomic`: one refusal is a 409 that names every \
        refused item, and nothing is changed. `per_item`: each stands for itself. `Location` \
        leads to the movements.",
    security(("bearer" = [])),
    params(IdempotencyHeader),
    request_body(content = CreateAdjustment, example = json!({"mode": "atomic", "items": [
        {"type": "adjust", "store_id": "0198c0de-0000-7000-8000-000000000001",
         "product_id": "0198c0de-0000-7000-8000-000000000101", "delta": 24, "reason": "delivery"},
        {"type": "set", "store_id": "0198c0de-0000-7000-8000-000000000001",
         "product_id": "0198c0de-0000-7000-8000-000000000102", "quantity": 7, "expected": 9,
         "reason": "correction", "note": "counted twice"},
        {"type": "move", "store_id": "0198c0de-0000-7000-8000-000000000001",
         "product_id": "0198c0de-0000-7000-8000-000000000103", "from": "on_hand",
         "to": "damaged", "quantity": 1, "reason": "damaged"}
    ]})),
    responses((status = 201, description = "What became of each item", body = AdjustmentView), WriteProblems)
)]
#[post("/api/stocks/adjustments")]
pub(crate) async fn create_adjustment(
    can: Can<StockAdjust>,
    key: IdempotencyKey,
    body: Json<CreateAdjustment>,
    store: Data<Store>,
) -> Result<HttpResponse, Error> {
    let body = body.into_inner();
    let cx = at_every_store(&can, &body)?;
    let Adjusted { view, replayed } = store.adjust(&cx, &key, body).await?;
    let mut response = HttpResponse::Created();
    key.answer(&mut response, replayed);
    let location = format!("/api/stocks/movements?document_id={}", view.id);
    Ok(response
        .insert_header((header::LOCATION, location))
        .json(view))
}

/// The caller's context, where they may change every store that is named.
fn at_every_store(can: &Can<StockAdjust>, body: &CreateAdjustment) -> Result<Cx, Error> {
    let stores: BTreeSet<StoreId> = body.items.iter().map(|item| item.key().0).collect();
    for store in stores {
        can.at(store)?;
    }
    Ok(can.scoped().0)
}
