//! T2 of a sale: the sale, its event and its audit entry, for all that arrived together.

use std::{collections::HashMap, sync::Arc};

use diesel::{PgConnection, QueryResult};
use kernel::{
    audit::{self, Entry},
    call::Cx,
    ids::SaleId,
    outbox,
    trace::{self, Traceparent},
};

use super::{record::Draft, views};
use crate::{
    dto::SaleView,
    error::Error,
    events,
    repo::{
        receipts::Receipt,
        sales::{self, FullSale},
        sales_write,
    },
};

/// What T2 writes for one sale.
#[derive(Debug)]
pub(crate) struct NewSale {
    pub(super) full: FullSale,
    audit: Option<Entry>,
    /// The request's: it is written by a thread that writes for many.
    cause: Option<Traceparent>,
}

/// A sale that T2 wrote, and what it got at its register.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Written {
    receipt: Option<Receipt>,
}

impl NewSale {
    pub(super) fn new(cx: &Cx, draft: Draft) -> Result<Self, Error> {
        let audit = overrides(cx, &draft.sale)?;
        Ok(Self {
            full: draft.sale,
            audit,
            cause: trace::current(),
        })
    }

    /// As it is answered once it is written.
    pub(super) fn as_recorded(&self, written: Written) -> SaleView {
        views::as_recorded(FullSale {
            receipt: written.receipt,
            ..self.full.clone()
        })
    }
}

/// T2 of all sales that arrived together: answers for each what was written. `None` means that its
/// id is taken, by the same sale or by a tombstone.
pub(crate) fn write(
    conn: &mut PgConnection,
    batch: &[Arc<NewSale>],
) -> QueryResult<Vec<Option<Written>>> {
    // Two tries of one request may have met in this batch: the first is written.
    let mut first: HashMap<SaleId, &Arc<NewSale>> = HashMap::with_capacity(batch.len());
    for new in batch {
        first.entry(new.full.sale.id).or_insert(new);
    }
    let mut distinct: Vec<&FullSale> = first.values().map(|new| &new.full).collect();
    distinct.sort_unstable_by_key(|full| full.sale.id);
    let mut written = sales_write::insert(conn, &distinct)?;
    let (mut envelopes, mut entries) = (Vec::with_capacity(written.len()), Vec::new());
    for new in first.values() {
        let sale = &new.full.sale;
        if written.contains_key(&sale.id) {
            let event = events::recorded(sale.id, sale.store_id, sale.cashier_id)?;
            envelopes.push(event.caused_by(new.cause));
            entries.extend(new.audit.clone());
        }
    }
    outbox::publish(conn, &envelopes)?;
    audit::append(conn, &entries)?;
    Ok(answers(batch, &mut written))
}

fn answers(batch: &[Arc<NewSale>], written: &mut sales_write::Written) -> Vec<Option<Written>> {
    let answer = |new: &Arc<NewSale>| {
        let receipt = written.remove(&new.full.sale.id)?;
        Some(Written { receipt })
    };
    batch.iter().map(answer).collect()
}

/// The audit entry of a sale at prices that are not the catalogue's.
fn overrides(cx: &Cx, full: &FullSale) -> QueryResult<Option<Entry>> {
    let changed: Vec<_> = full
        .lines
        .iter()
        .filter(|line| line.unit_price_minor != line.list_price_minor)
        .collect();
    if changed.is_empty() {
        return Ok(None);
    }
    let prices = |price: fn(&sales::SaleLine) -> i64| {
        let lines = changed.iter();
        let prices =
            lines.map(|l| serde_json::json!({"line": l.line, "unit_price_minor": price(l)}));
        serde_json::Value::Array(prices.collect())
    };
    let before = prices(|line| line.list_price_minor.get());
    let after = prices(|line| line.unit_price_minor.get());
    let action = if full.sale.offline {
        "price.offline"
    } else {
        "price.override"
    };
    let entry = Entry::new(cx, action, full.sale.id).at(full.sale.store_id);
    entry.change(Some(&before), Some(&after)).map(Some)
}
