//! What inventory tells the other modules.

use diesel::QueryResult;
use inventory_api::{ProductChanged, ReplenishmentChanged};
use kernel::{call::Cx, outbox::Envelope};

use crate::{domain::product::Product, repo::replenishment::RequestRow};

/// `product.changed.v1`; a product's version is the number of its event.
pub(crate) fn product_changed(cx: &Cx, product: &Product) -> QueryResult<Envelope> {
    let event = ProductChanged {
        product_id: product.id,
        sku: product.facts.sku.clone(),
    };
    Envelope::new(product.id.0, product.version, cx.actor, &event)
}

/// `replenishment.changed.v1`; a request's version is the number of its event.
pub(crate) fn replenishment_changed(cx: &Cx, request: &RequestRow) -> QueryResult<Envelope> {
    let event = ReplenishmentChanged {
        request_id: request.id,
        store_id: request.store_id,
        status: request.status.text().to_owned(),
    };
    Envelope::new(request.id, request.version, cx.actor, &event)
}
