//! What the lines of a request name: products that are there, may be sold, and are not short.

use std::collections::HashMap;

use kernel::problem::FieldError;
use store_api::ShortLine;

use super::directory::Offer;
use crate::{dto::CreateSale, error::Error};

type Found = Vec<Option<Offer>>;

/// The products of lines, archived ones included: they come back as well.
pub(super) fn known(found: Found) -> Result<Vec<Offer>, Error> {
    let unknown: Vec<FieldError> = found
        .iter()
        .enumerate()
        .filter(|(_, offer)| offer.is_none())
        .map(|(i, _)| {
            let detail = "there is no such product";
            FieldError::new(format!("/lines/{i}"), "unknown-product", detail)
        })
        .collect();
    if unknown.is_empty() {
        Ok(found.into_iter().flatten().collect())
    } else {
        Err(Error::UnknownProduct(unknown))
    }
}

/// The products of lines that are to be sold.
pub(super) fn sellable(found: Found) -> Result<Vec<Offer>, Error> {
    let offers = known(found)?;
    let archived: Vec<FieldError> = offers
        .iter()
        .map(|offer| &offer.product)
        .enumerate()
        .filter(|(_, product)| product.archived)
        .map(|(i, product)| {
            let detail = format!("{} is archived and cannot be sold", product.sku);
            FieldError::new(format!("/lines/{i}"), "product-archived", detail)
        })
        .collect();
    if archived.is_empty() {
        Ok(offers)
    } else {
        Err(Error::ProductArchived(archived))
    }
}

/// Every line whose product is short, with what there is.
pub(super) fn short(lines: &[ShortLine], offers: &[Offer]) -> Error {
    let short: HashMap<_, _> = lines.iter().map(|line| (line.product_id, line)).collect();
    let fields = offers
        .iter()
        .map(|offer| &offer.product)
        .enumerate()
        .filter_map(|(i, product)| short.get(&product.id).map(|line| (i, product, *line)))
        .map(|(i, product, line)| {
            let ShortLine {
                product_id,
                requested,
                available,
            } = *line;
            let detail = format!(
                "{requested} of {} were asked for, {available} are in stock",
                product.sku
            );
            FieldError::new(format!("/lines/{i}"), "insufficient-stock", detail)
                .with("product_id", product_id.to_string())
                .with("requested", requested)
                .with("available", available)
        })
        .collect();
    Error::InsufficientStock(fields)
}

pub(super) fn refuse_overrides(body: &CreateSale) -> Result<(), Error> {
    let overridden = body.lines.iter().enumerate();
    let fields: Vec<_> = overridden
        .filter(|(_, line)| line.unit_price.is_some())
        .map(|(i, _)| {
            let detail = "only an admin or a manager may set a price";
            FieldError::new(format!("/lines/{i}/unit_price"), "price-override", detail)
        })
        .collect();
    if fields.is_empty() {
        Ok(())
    } else {
        Err(Error::PriceOverride(fields))
    }
}
