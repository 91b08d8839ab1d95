//! From a basket of the file to the request that a till would have sent.

use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;
use uuid::Uuid;

use super::{
    catalogue::Products,
    clock::{BadTime, Clock, Moment},
    figures::Figures,
    price::LinePrice,
    rejected::Rejections,
    row::{Fault, Row},
    stores::Stores,
};

/// Everything that reading a basket needs.
pub(super) struct Reading {
    pub(super) clock: Clock,
    pub(super) stores: std::sync::Arc<Stores>,
    pub(super) products: std::sync::Arc<Products>,
}

/// A part of the file: what it holds, what is wrong with it, and the sale it makes, if any.
pub(super) struct Prepared {
    pub(super) file: Figures,
    pub(super) rejections: Rejections,
    pub(super) sale: Option<Sale>,
}

/// A basket that is ready to be sent.
pub(super) struct Sale {
    /// The basket's first row, for reports.
    pub(super) first: Row,
    pub(super) store_id: Uuid,
    pub(super) moment: Moment,
    pub(super) lines: Vec<(Uuid, i64, LinePrice)>,
    /// What must be recorded: one sale, its good rows.
    pub(super) figures: Figures,
}

impl Reading {
    /// Reads one basket.
    pub(super) fn basket(&self, rows: &[Row]) -> Prepared {
        let file = Figures::SALE + rows.iter().map(Row::figures).sum();
        let mut rejections = Rejections::default();
        let Some(first) = rows.first() else {
            return Prepared {
                file: Figures::default(),
                rejections,
                sale: None,
            };
        };
        let mut lines = Vec::with_capacity(rows.len());
        let mut good = Figures::default();
        for row in rows {
            match self.line(first, row) {
                Ok(line) => {
                    good += row.figures();
                    lines.push(line);
                }
                Err(faults) => rejections.row(row, faults),
            }
        }
        let sale = match self.place(first, &lines) {
            Ok((store_id, moment)) => Some(Sale {
                first: first.clone(),
                store_id,
                moment,
                lines,
                figures: Figures::SALE + good,
            }),
            Err((code, detail)) => {
                rejections.basket(first, good, code, detail);
                None
            }
        };
        Prepared {
            file,
            rejections,
            sale,
        }
    }

    fn line(&self, first: &Row, row: &Row) -> Result<(Uuid, i64, LinePrice), Vec<Fault>> {
        let product = self.products.get(&row.sku);
        let price = row.price(product.is_some());
        if !first.same_sale(row) {
            let mut faults = price.err().unwrap_or_default();
            faults.push(Fault::BasketDisagrees);
            return Err(faults);
        }
        let price = price?;
        match (product, row.quantity) {
            (Some(product), Some(quantity)) => Ok((*product, quantity, price)),
            _ => Err(vec![Fault::UnknownSku]),
        }
    }

    /// Where and when the sale was, or why there is none.
    fn place(
        &self,
        first: &Row,
        lines: &[(Uuid, i64, LinePrice)],
    ) -> Result<(Uuid, Moment), (&'static str, String)> {
        if lines.is_empty() {
            return Err(("no-good-row", "none of its rows can be recorded".into()));
        }
        let Some(store_id) = self.stores.get(&first.store) else {
            return Err((
                "unknown-store",
                format!("stores.csv does not have the store {}", first.store),
            ));
        };
        let moment = self
            .clock
            .read(&first.occurred_at)
            .map_err(|bad| match bad {
                BadTime::Form => (
                    "time-not-valid",
                    format!("{:?} is not a time", first.occurred_at),
                ),
                BadTime::Gap => {
                    let zone = self.clock.zone;
                    (
                        "time-never-was",
                        format!(
                            "{} never was: the clocks went forward over it in {zone}",
                            first.occurred_at
                        ),
                    )
                }
            })?;
        Ok((*store_id, moment))
    }
}

impl Prepared {
    /// Rows of a basket that was sent before they came.
    pub(super) fn scattered(rows: &[Row]) -> Self {
        let mut rejections = Rejections::default();
        for row in rows {
            rejections.row(row, vec![Fault::BasketScattered]);
        }
        Self {
            file: rejections.figures,
            rejections,
            sale: None,
        }
    }

    /// A row that cannot be read.
    pub(super) fn malformed(line: u64) -> Self {
        let mut rejections = Rejections::default();
        rejections.malformed(line);
        Self {
            file: rejections.figures,
            rejections,
            sale: None,
        }
    }
}

#[derive(Serialize)]
pub(super) struct CreateSale<'a> {
    store_id: Uuid,
    occurred_at: DateTime<Utc>,
    #[serde(skip_serializing_if = "str::is_empty")]
    customer_ref: &'a str,
    lines: Vec<Line<'a>>,
    payments: Vec<Payment<'a>>,
}

#[derive(Serialize)]
struct Line<'a> {
    product_id: Uuid,
    quantity: i64,
    unit_price: Amount<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    discount: Option<Discount<'a>>,
}

#[derive(Serialize)]
struct Discount<'a> {
    amount: Amount<'a>,
}

#[derive(Serialize)]
struct Payment<'a> {
    tender: &'static str,
    amount: Amount<'a>,
}

#[derive(Serialize)]
struct Amount<'a> {
    amount: i64,
    currency: &'a str,
}

impl Sale {
    /// The business day that the file puts it on.
    pub(super) fn business_date(&self) -> NaiveDate {
        self.moment.business_date
    }

    /// The body of `POST /api/sales`. The file does not say how it was paid.
    pub(super) fn body<'a>(&'a self, currency: &'a str) -> CreateSale<'a> {
        let amount = |amount| Amount { amount, currency };
        let line = |(product_id, quantity, price): &(Uuid, i64, LinePrice)| Line {
            product_id: *product_id,
            quantity: *quantity,
            unit_price: amount(price.unit_price),
            discount: (price.discount > 0).then(|| Discount {
                amount: amount(price.discount),
            }),
        };
        let total = self.figures.revenue_cents;
        let payment = (total > 0).then(|| Payment {
            tender: "other",
            amount: amount(total),
        });
        CreateSale {
            store_id: self.store_id,
            occurred_at: self.moment.utc,
            customer_ref: &self.first.customer,
            lines: self.lines.iter().map(line).collect(),
            payments: payment.into_iter().collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::import::row::tests::row;

    fn reading() -> Reading {
        Reading {
            clock: Clock {
                zone: chrono_tz::America::New_York,
                day_cutoff: "05:00:00".parse().unwrap(),
            },
            stores: Arc::new(Stores::from([("2".to_owned(), Uuid::from_u128(2))])),
            products: Arc::new(Products::from([("A".to_owned(), Uuid::from_u128(10))])),
        }
    }

    #[test]
    fn the_good_rows_of_a_basket_are_one_sale() {
        let rows = [
            row(2, "A", 3, "10.0", "0.0"),
            row(3, "X", 1, "1.0", "0.0"),
            row(4, "A", 0, "0.5", "0.0"),
        ];
        let prepared = reading().basket(&rows);
        assert_eq!(
            prepared.file,
            Figures {
                sales: 1,
                lines: 3,
                units: 4,
                revenue_cents: 1150
            }
        );
        assert_eq!(
            prepared.rejections.figures,
            Figures {
                sales: 0,
                lines: 2,
                units: 1,
                revenue_cents: 150
            }
        );
        let sale = prepared.sale.unwrap();
        assert_eq!(prepared.file - prepared.rejections.figures, sale.figures);
        let body = serde_json::to_value(sale.body("USD")).unwrap();
        assert_eq!(body["occurred_at"], "2017-01-01T17:00:00Z");
        assert_eq!(body["lines"][0]["unit_price"]["amount"], 334);
        assert_eq!(body["lines"][0]["discount"]["amount"]["amount"], 2);
        assert_eq!(
            body["payments"][0]["amount"],
            serde_json::json!({"amount": 1000, "currency": "USD"})
        );
    }

    #[test]
    fn a_basket_without_a_good_row_is_no_sale() {
        let prepared = reading().basket(&[row(2, "X", 1, "1.0", "0.0")]);
        assert!(prepared.sale.is_none());
        assert_eq!(prepared.rejections.baskets[0].code, "no-good-row");
        assert_eq!(prepared.file, prepared.rejections.figures);
    }

    #[test]
    fn a_basket_that_has_no_place_in_time_or_space_is_no_sale() {
        let at = |occurred_at: &str, store: &str| {
            let row = Row {
                occurred_at: occurred_at.into(),
                store: store.into(),
                ..row(2, "A", 1, "1.0", "0.0")
            };
            let prepared = reading().basket(&[row]);
            assert_eq!(prepared.file, prepared.rejections.figures);
            prepared.rejections.baskets[0].code.clone()
        };
        assert_eq!(at("2017-03-12 02:30:00", "2"), "time-never-was");
        assert_eq!(at("yesterday", "2"), "time-not-valid");
        assert_eq!(at("2017-01-01 12:00:00", "99"), "unknown-store");
    }

    #[test]
    fn a_row_of_another_sale_is_told() {
        let other = Row {
            customer: "4".into(),
            ..row(3, "A", 1, "1.0", "0.0")
        };
        let prepared = reading().basket(&[row(2, "A", 1, "1.0", "0.0"), other]);
        assert_eq!(
            prepared.rejections.rows[0].reasons,
            [Fault::BasketDisagrees]
        );
        assert_eq!(prepared.sale.unwrap().figures.lines, 1);
    }

    #[test]
    fn a_free_basket_has_no_payment() {
        let sale = reading()
            .basket(&[row(2, "A", 1, "0.0", "1.5")])
            .sale
            .unwrap();
        let body = serde_json::to_value(sale.body("USD")).unwrap();
        assert_eq!(body["payments"], serde_json::json!([]));
        assert_eq!(body["lines"][0]["discount"]["amount"]["amount"], 150);
    }
}
