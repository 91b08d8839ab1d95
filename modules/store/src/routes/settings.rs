//! `/api/stores/{id}/settings`

use actix_web::{HttpResponse, get, patch, web::Data};
use kernel::{
    auth::Can,
    extract::{IfMatch, Json, Path, etag},
    ids::StoreId,
    responses::{ReadProblems, WriteProblems},
};

use crate::{
    Store,
    dto::{StoreSettings, UpdateStoreSettings},
    error::Error,
    permissions::{StoreRead, StoreSettingsWrite},
    repo::stores::StoreRow,
};

/// Read a store's settings.
#[utoipa::path(
    tag = "stores",
    operation_id = "get_store_settings",
    security(("bearer" = [])),
    params(("id" = StoreId, Path, description = "The store", example = "0198c0de-0000-7000-8000-000000000001")),
    responses((status = 200, description = "The settings", body = StoreSettings), ReadProblems)
)]
#[get("/api/stores/{id}/settings")]
pub(crate) async fn get_store_settings(
    can: Can<StoreRead>,
    id: Path<StoreId>,
    store: Data<Store>,
) -> Result<HttpResponse, Error> {
    let id = id.into_inner();
    can.at(id)?;
    Ok(answer(&store.store(id).await?))
}

/// Change a store's settings.
#[utoipa::path(
    tag = "stores",
    operation_id = "update_store_settings",
    description = "A merge patch (RFC 7396): what is left out stays; `null` clears the return \
        limit, the receipt text, the tax region or the rounding of cash. The `ETag` is the store's. Once stock has moved, another \
        currency is refused with `currency-in-use`.",
    security(("bearer" = [])),
    params(
        ("id" = StoreId, Path, description = "The store", example = "0198c0de-0000-7000-8000-000000000001"),
        ("If-Match" = Option<String>, Header, description = "The `ETag` that you have seen"),
    ),
    request_body(content = UpdateStoreSettings, example = json!({
        "day_cutoff": "04:00", "return_limit": {"amount": 5000, "currency": "EUR"}
    })),
    responses(
        (status = 200, description = "The settings as they are now", body = StoreSettings),
        WriteProblems
    )
)]
#[patch("/api/stores/{id}/settings")]
pub(crate) async fn update_store_settings(
    can: Can<StoreSettingsWrite>,
    id: Path<StoreId>,
    if_match: IfMatch,
    body: Json<UpdateStoreSettings>,
    store: Data<Store>,
) -> Result<HttpResponse, Error> {
    let id = id.into_inner();
    let cx = can.at(id)?;
    let row = store
        .update_settings(&cx, id, if_match, body.into_inner())
        .await?;
    Ok(answer(&row))
}

fn answer(row: &StoreRow) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header(etag(row.version))
        .json(StoreSettings::from(row.settings()))
}
