//! Finding the sale of a receipt that another store gave: what a return needs to know of it.

use kernel::money::Money;

use crate::{
    Sales,
    domain::{
        number, payment,
        refund::{self, Sold},
    },
    dto::{LookupQuery, ReturnableLine, ReturnableSale},
    error::Error,
    repo::sales::{self, FoundBy, Sale, SaleLine},
};

impl Sales {
    /// The sales of this number, of any store: hardly ever more than one.
    pub(crate) async fn look_up(&self, query: LookupQuery) -> Result<Vec<ReturnableSale>, Error> {
        let by = match (query.number, query.sale_id) {
            (Some(number), None) => FoundBy::Number(number::normalise(number.as_str())),
            (None, Some(id)) => FoundBy::Id(id),
            _ => {
                return Err(Error::invalid(
                    "number",
                    "or sale_id must be given, not both",
                ));
            }
        };
        let rows = self
            .db
            .run(move |conn| sales::receipts(conn, by).map_err(Error::from))
            .await?;
        let mut found: Vec<ReturnableSale> = Vec::new();
        for (sale, line) in rows {
            let line = returnable(&sale, &line);
            match found.last_mut().filter(|last| last.id == sale.id) {
                Some(last) => last.lines.push(line),
                None => found.push(with_line(sale, line)),
            }
        }
        Ok(found)
    }
}

fn with_line(sale: Sale, line: ReturnableLine) -> ReturnableSale {
    ReturnableSale {
        id: sale.id,
        number: sale.number,
        store_id: sale.store_id,
        business_date: sale.business_date,
        currency: sale.currency,
        status: sale.state,
        lines: vec![line],
    }
}

fn returnable(sale: &Sale, row: &SaleLine) -> ReturnableLine {
    let rest = refund::rest(&Sold::from(row)).unwrap_or(payment::NOTHING);
    ReturnableLine {
        line: row.line,
        product_id: row.product_id,
        sku: row.sku.clone(),
        name: row.name.clone(),
        quantity: row.quantity,
        returnable: row.quantity.get() - row.returned_quantity,
        refundable: Money {
            amount: rest,
            currency: sale.currency,
        },
    }
}
