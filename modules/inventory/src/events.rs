//! What inventory tells the other modules.

use diesel::QueryResult;
use inventory_api::{
    PriceChanged, ProductChanged, PromotionChanged, ReplenishmentChanged, TaxRateChanged,
};
use kernel::{call::Cx, outbox::Envelope};

use crate::{
    domain::product::Product,
    repo::{prices::PriceRow, promotions::Promotion, replenishment::RequestRow, taxes::RateRow},
};

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

/// `price.changed.v1`; a price's version is the number of its event.
pub(crate) fn price_changed(cx: &Cx, price: &PriceRow) -> QueryResult<Envelope> {
    let event = PriceChanged {
        price_id: price.id,
        product_id: price.product_id,
        store_id: price.store_id,
    };
    Envelope::new(price.id, price.version, cx.actor, &event)
}

/// `tax_rate.changed.v1`; a rate's version is the number of its event.
pub(crate) fn tax_rate_changed(cx: &Cx, rate: &RateRow) -> QueryResult<Envelope> {
    let event = TaxRateChanged {
        tax_rate_id: rate.id,
        region: rate.region.clone(),
        tax_class: rate.tax_class.clone(),
    };
    Envelope::new(rate.id, rate.version, cx.actor, &event)
}

/// `promotion.changed.v1`; a promotion's version is the number of its event.
pub(crate) fn promotion_changed(cx: &Cx, promotion: &Promotion) -> QueryResult<Envelope> {
    let event = PromotionChanged {
        promotion_id: promotion.id,
    };
    Envelope::new(promotion.id, promotion.version, cx.actor, &event)
}
