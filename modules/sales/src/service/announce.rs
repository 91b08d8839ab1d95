//! What is told of a return that was just recorded: its event and its entry in the audit trail.

use std::collections::BTreeMap;

use diesel::PgConnection;
use kernel::{
    audit::{self, Entry},
    call::Cx,
    ids::{ProductId, SaleId, StoreId},
    money::{Currency, Minor, Quantity},
    outbox,
};
use sales_api::ReturnedGoods;
use serde::Serialize;

use crate::{
    domain::words::{Disposition, ReturnReason},
    error::Error,
    events,
    repo::returns::{FullReturn, ReturnLine},
};

/// Tells of `full`, in the transaction that records it.
pub(super) fn returned(conn: &mut PgConnection, cx: &Cx, full: &FullReturn) -> Result<(), Error> {
    let head = &full.head;
    let event = events::returned(head, goods(&full.lines)?)?;
    outbox::publish(conn, &[event])?;
    let (action, lines) = match head.sale_id {
        Some(_) => ("return.record", Vec::new()),
        // No sale says what these goods were, so the trail does.
        None => (
            "return.without_receipt",
            full.lines.iter().map(Unreceipted::from).collect(),
        ),
    };
    let after = Trail {
        sale_id: head.sale_id,
        sale_store_id: head.sale_store_id,
        refund_minor: head.refund_minor,
        currency: head.currency,
        reason: head.reason,
        lines,
    };
    let entry = Entry::new(cx, action, head.id).at(head.store_id);
    audit::append(conn, &[entry.change(None, Some(&after))?])?;
    Ok(())
}

/// A return in the audit trail.
#[derive(Serialize)]
struct Trail {
    #[serde(skip_serializing_if = "Option::is_none")]
    sale_id: Option<SaleId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sale_store_id: Option<StoreId>,
    refund_minor: Minor,
    currency: Currency,
    reason: ReturnReason,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    lines: Vec<Unreceipted>,
}

#[derive(Serialize)]
struct Unreceipted {
    product_id: ProductId,
    quantity: Quantity,
    refund_minor: Minor,
}

impl From<&ReturnLine> for Unreceipted {
    fn from(line: &ReturnLine) -> Self {
        Self {
            product_id: line.product_id,
            quantity: line.quantity,
            refund_minor: line.refund_minor,
        }
    }
}

/// One per product and disposition.
fn goods(lines: &[ReturnLine]) -> Result<Vec<ReturnedGoods>, Error> {
    let mut sums: BTreeMap<(ProductId, &str), (Disposition, i128)> = BTreeMap::new();
    for line in lines {
        let key = (line.product_id, line.disposition.as_str());
        let (_, sum) = sums.entry(key).or_insert((line.disposition, 0));
        *sum += i128::from(line.quantity.get());
    }
    sums.into_iter()
        .map(|((product_id, _), (disposition, sum))| {
            Ok(ReturnedGoods {
                product_id,
                quantity: Quantity::try_from(sum).map_err(|d| Error::invalid("/lines", d))?,
                disposition: disposition.into(),
            })
        })
        .collect()
}
