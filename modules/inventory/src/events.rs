//! What inventory tells the other modules.

use diesel::QueryResult;
use inventory_api::ProductChanged;
use kernel::{call::Cx, outbox::Envelope};

use crate::domain::product::Product;

/// `product.changed.v1`; a product's version is the number of its event.
pub(crate) fn product_changed(cx: &Cx, product: &Product) -> QueryResult<Envelope> {
    let event = ProductChanged {
        product_id: product.id,
        sku: product.facts.sku.clone(),
    };
    Envelope::new(product.id.0, product.version, cx.actor, &event)
}
