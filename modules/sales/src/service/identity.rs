//! Which sale a request means: however it comes, and however often, it is one.

use kernel::ids::SaleId;
use store_api::Oversell;

use crate::{
    dto::{CreateSale, CreateSaleLine},
    repo::sales::{FullSale, Payment, SaleLine},
};

/// How a sale came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Channel {
    /// A till asks before it sells.
    Till,
    /// A till tells what it sold.
    Offline,
}

impl Channel {
    /// What becomes of goods that the books do not have.
    pub(super) fn oversell(self) -> Oversell {
        match self {
            Self::Till => Oversell::Refuse,
            Self::Offline => Oversell::Record,
        }
    }
}

/// The sale that a request means.
#[derive(Debug)]
pub(super) struct Identity {
    pub(super) id: SaleId,
    pub(super) hash: Vec<u8>,
    pub(super) channel: Channel,
}

impl Identity {
    /// Whether `full` is that sale: made by this very request, or by the till's other way of telling.
    pub(super) fn means(&self, full: &FullSale, body: &CreateSale) -> bool {
        full.sale.request_hash == self.hash
            || ((self.channel == Channel::Offline || full.sale.offline) && is_same_sale(full, body))
    }
}

/// Whether `body` tells of the sale that stands: the same goods for the same money. A till that went
/// offline sends a sale again with its time and with what it charged.
fn is_same_sale(full: &FullSale, body: &CreateSale) -> bool {
    let is_same_line = |(line, row): (&CreateSaleLine, &SaleLine)| {
        let named = match (&line.product_id, &line.sku) {
            (Some(id), _) => *id == row.product_id,
            (None, Some(sku)) => sku.as_str() == row.sku,
            // What a barcode named then is not known any more.
            (None, None) => true,
        };
        // Without a price it was the catalogue's.
        let charged = line.unit_price.is_none_or(|price| {
            price.amount == row.unit_price_minor || row.unit_price_minor == row.list_price_minor
        });
        named && charged && line.quantity == row.quantity
    };
    let paid = full
        .payments
        .iter()
        .map(|row: &Payment| (row.tender, row.amount_minor));
    let told = body.payments.iter().map(|p| (p.tender, p.amount.amount));
    body.store_id == full.sale.store_id
        && body.lines.len() == full.lines.len()
        && body.lines.iter().zip(&full.lines).all(is_same_line)
        && paid.eq(told)
}
