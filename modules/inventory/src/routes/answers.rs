//! Answers that are the same at every repeat of their request.

use actix_web::{HttpResponse, http::header};
use kernel::idempotency::IdempotencyKey;
use serde::Serialize;

use crate::service::answers::Answered;

/// 201 with `Location`.
pub(super) fn created<T: Serialize>(
    key: &IdempotencyKey,
    answered: &Answered<T>,
    location: String,
) -> HttpResponse {
    let mut response = HttpResponse::Created();
    key.answer(&mut response, answered.replayed);
    response
        .insert_header((header::LOCATION, location))
        .json(&answered.view)
}

/// 200.
pub(super) fn done<T: Serialize>(key: &IdempotencyKey, answered: &Answered<T>) -> HttpResponse {
    let mut response = HttpResponse::Ok();
    key.answer(&mut response, answered.replayed);
    response.json(&answered.view)
}
