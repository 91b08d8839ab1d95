//! What is wrong with a request by itself, before anyone is asked about stores or products.

use chrono::{DateTime, Datelike, NaiveDate, TimeDelta, Utc};
use inventory_api::ProductKey;
use kernel::{
    idempotency::IdempotencyKey,
    ids::ProductId,
    money::Money,
    problem::FieldError,
    text::{Code, Text},
};

use crate::{
    dto::{CreateBatch, CreateRefund, CreateReturn, CreateSale, CreateUnreceiptedReturn, Discount},
    error::Error,
    service::offline::key_of as key_of_batch,
};

const MAX_LINES: usize = 200;
const MAX_PAYMENTS: usize = 20;
/// How long a sale may wait in a till that is offline.
const MAX_AGE: TimeDelta = TimeDelta::days(30);
/// Sales of a batch at most.
const MAX_BATCH: usize = 100;
/// How far a till's clock may be ahead.
const MAX_AHEAD: TimeDelta = TimeDelta::minutes(5);
/// `PostgreSQL` and JSON clients agree on these years; no shop trades outside them.
const YEARS: std::ops::RangeInclusive<i32> = 2000..=2100;

/// Checks a sale; answers the key of each line's product.
pub(crate) fn sale(body: &CreateSale, now: DateTime<Utc>) -> Result<Vec<ProductKey>, Error> {
    let mut faults = Faults::default();
    faults.count("/lines", body.lines.len(), 1, MAX_LINES);
    faults.count("/payments", body.payments.len(), 0, MAX_PAYMENTS);
    faults.moment(body.occurred_at, now);
    faults.discount("", body.discount);
    for (i, payment) in body.payments.iter().enumerate() {
        faults.not_negative(&format!("/payments/{i}/amount"), payment.amount);
    }
    let mut keys = Vec::with_capacity(body.lines.len());
    for (i, line) in body.lines.iter().enumerate() {
        let (id, sku, barcode) = (line.product_id, &line.sku, &line.barcode);
        faults.product(i, key_of(id, sku.as_ref(), barcode.as_ref()), &mut keys);
        if let Some(price) = line.unit_price {
            faults.not_negative(&format!("/lines/{i}/unit_price"), price);
        }
        faults.discount(&format!("/lines/{i}"), line.discount);
    }
    faults.none_or_error().map(|()| keys)
}

/// Checks a batch; answers the key of each sale. The sales are checked one by one.
pub(crate) fn batch(body: &CreateBatch) -> Result<Vec<IdempotencyKey>, Error> {
    let mut faults = Faults::default();
    faults.count("/sales", body.sales.len(), 1, MAX_BATCH);
    let mut keys = Vec::with_capacity(body.sales.len());
    for (i, item) in body.sales.iter().enumerate() {
        match key_of_batch(item) {
            Some(key) => keys.push(key),
            None => faults.add(
                format!("/sales/{i}/idempotency_key"),
                "must be 1 to 255 printable ASCII characters",
            ),
        }
    }
    faults.none_or_error().map(|()| keys)
}

/// Checks a sale that has happened; answers the key of each line's product.
pub(crate) fn offline(body: &CreateSale, now: DateTime<Utc>) -> Result<Vec<ProductKey>, Error> {
    let keys = sale(body, now)?;
    let mut faults = Faults::default();
    if body.occurred_at.is_none_or(|at| at < now - MAX_AGE) {
        faults.add("/occurred_at", "must be there, and at most 30 days ago");
    }
    for (i, line) in body.lines.iter().enumerate() {
        if line.unit_price.is_none() {
            faults.add(format!("/lines/{i}/unit_price"), "must be what was charged");
        }
    }
    faults.none_or_error().map(|()| keys)
}

/// Checks a return.
pub(crate) fn goods_back(body: &CreateReturn, now: DateTime<Utc>) -> Result<(), Error> {
    let mut faults = Faults::default();
    faults.moment(body.occurred_at, now);
    faults.count("/lines", body.lines.len(), 1, MAX_LINES);
    faults.refunds(body.refunds.as_deref().unwrap_or_default());
    faults.none_or_error()
}

/// Checks a return without receipt; answers the key of each line's product.
pub(crate) fn unreceipted(
    body: &CreateUnreceiptedReturn,
    now: DateTime<Utc>,
) -> Result<Vec<ProductKey>, Error> {
    let mut faults = Faults::default();
    faults.moment(body.occurred_at, now);
    faults.count("/lines", body.lines.len(), 1, MAX_LINES);
    faults.refunds(&body.refunds);
    let mut keys = Vec::with_capacity(body.lines.len());
    for (i, line) in body.lines.iter().enumerate() {
        let (id, sku, barcode) = (line.product_id, &line.sku, &line.barcode);
        faults.product(i, key_of(id, sku.as_ref(), barcode.as_ref()), &mut keys);
        faults.not_negative(&format!("/lines/{i}/unit_refund"), line.unit_refund);
    }
    faults.none_or_error().map(|()| keys)
}

/// Checks the dates of a filter.
pub(crate) fn dates(from: Option<NaiveDate>, to: Option<NaiveDate>) -> Result<(), Error> {
    for (name, date) in [("from", from), ("to", to)] {
        if date.is_some_and(|d| !YEARS.contains(&d.year())) {
            return Err(Error::invalid(
                name,
                "must be in the years from 2000 to 2100",
            ));
        }
    }
    if from.zip(to).is_some_and(|(from, to)| from > to) {
        return Err(Error::invalid("to", "must not be before from"));
    }
    Ok(())
}

/// Whether a moment can be given to the database: cursors come from outside too.
pub(crate) fn is_plausible(at: DateTime<Utc>) -> bool {
    YEARS.contains(&at.year())
}

fn key_of(
    id: Option<ProductId>,
    sku: Option<&Code>,
    barcode: Option<&Text<64>>,
) -> Option<ProductKey> {
    match (id, sku, barcode) {
        (Some(id), None, None) => Some(ProductKey::Id(id)),
        (None, Some(sku), None) => Some(ProductKey::Sku(sku.as_str().to_owned())),
        (None, None, Some(code)) => Some(ProductKey::Barcode(code.as_str().to_owned())),
        _ => None,
    }
}

/// Everything that is wrong, so that a client learns of it in one go.
#[derive(Default)]
struct Faults(Vec<FieldError>);

impl Faults {
    fn add(&mut self, pointer: impl Into<String>, detail: impl std::fmt::Display) {
        self.0.push(FieldError::new(pointer, "invalid", detail));
    }

    fn moment(&mut self, at: Option<DateTime<Utc>>, now: DateTime<Utc>) {
        if at.is_some_and(|at| !YEARS.contains(&at.year()) || at > now + MAX_AHEAD) {
            let detail = "must be from the year 2000 to 5 minutes ahead of now";
            self.add("/occurred_at", detail);
        }
    }

    fn count(&mut self, pointer: &str, n: usize, min: usize, max: usize) {
        if !(min..=max).contains(&n) {
            self.add(pointer, format!("must have {min} to {max} items"));
        }
    }

    fn product(&mut self, line: usize, key: Option<ProductKey>, keys: &mut Vec<ProductKey>) {
        match key {
            Some(key) => keys.push(key),
            None => self.add(
                format!("/lines/{line}"),
                "must name its product by exactly one of product_id, sku and barcode",
            ),
        }
    }

    fn refunds(&mut self, refunds: &[CreateRefund]) {
        self.count("/refunds", refunds.len(), 0, MAX_PAYMENTS);
        for (i, refund) in refunds.iter().enumerate() {
            self.not_negative(&format!("/refunds/{i}/amount"), refund.amount);
        }
    }

    fn not_negative(&mut self, pointer: &str, money: Money) {
        if money.amount.get() < 0 {
            self.add(format!("{pointer}/amount"), "must not be below zero");
        }
    }

    fn discount(&mut self, owner: &str, discount: Option<Discount>) {
        if let Some(Discount::Amount(amount)) = discount {
            self.not_negative(&format!("{owner}/discount/amount"), amount);
        }
    }

    fn none_or_error(self) -> Result<(), Error> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(Error::Invalid(self.0))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(json: &serde_json::Value) -> CreateSale {
        serde_json::from_value(json.clone()).unwrap()
    }

    fn faults(json: &serde_json::Value) -> Vec<String> {
        match sale(&body(json), kernel::time::now()) {
            Ok(_) => Vec::new(),
            Err(Error::Invalid(fields)) => fields.into_iter().map(|f| f.pointer).collect(),
            Err(other) => panic!("{other}"),
        }
    }

    const STORE: &str = "0198c0de-0000-7000-8000-000000000001";

    #[test]
    fn a_plain_sale_is_fine() {
        let json = serde_json::json!({"store_id": STORE, "lines": [{"sku": "A", "quantity": 1}]});
        assert_eq!(faults(&json), Vec::<String>::new());
    }

    #[test]
    fn everything_that_is_wrong_is_named_at_once() {
        let money = |amount: i64| serde_json::json!({"amount": amount, "currency": "EUR"});
        let json = serde_json::json!({
            "store_id": STORE,
            "occurred_at": "1999-12-31T23:59:59Z",
            "discount": {"amount": money(-1)},
            "lines": [
                {"sku": "A", "barcode": "1", "quantity": 1},
                {"quantity": 1},
                {"sku": "A", "quantity": 1, "unit_price": money(-1), "discount": {"amount": money(-1)}},
            ],
            "payments": [{"tender": "cash", "amount": money(-1)}],
        });
        assert_eq!(
            faults(&json),
            [
                "/occurred_at",
                "/discount/amount/amount",
                "/payments/0/amount/amount",
                "/lines/0",
                "/lines/1",
                "/lines/2/unit_price/amount",
                "/lines/2/discount/amount/amount",
            ]
        );
    }

    #[test]
    fn lines_and_the_till_s_clock_are_bounded() {
        let none = serde_json::json!({"store_id": STORE, "lines": []});
        assert_eq!(faults(&none), ["/lines"]);
        let line = serde_json::json!({"sku": "A", "quantity": 1});
        let many = serde_json::json!({"store_id": STORE, "lines": vec![line.clone(); 201]});
        assert_eq!(faults(&many), ["/lines"]);
        for (ahead, fine) in [(4, true), (6, false)] {
            let at = kernel::time::now() + TimeDelta::minutes(ahead);
            let json = serde_json::json!({"store_id": STORE, "occurred_at": at, "lines": [line]});
            assert_eq!(faults(&json).is_empty(), fine, "{ahead} minutes ahead");
        }
        let far = serde_json::json!({"store_id": STORE, "occurred_at": "+262000-01-01T00:00:00Z", "lines": [line]});
        assert_eq!(faults(&far), ["/occurred_at"]);
    }

    #[test]
    fn a_discount_is_an_amount_or_a_share() {
        let with = |discount: serde_json::Value| {
            serde_json::from_value::<CreateSale>(serde_json::json!({
                "store_id": STORE, "discount": discount, "lines": [{"sku": "A", "quantity": 1}]
            }))
        };
        assert!(with(serde_json::json!({"basis_points": 1000})).is_ok());
        assert!(with(serde_json::json!({"basis_points": 10_001})).is_err());
        assert!(with(serde_json::json!({"percent": 10})).is_err());
        let both =
            serde_json::json!({"basis_points": 1, "amount": {"amount": 1, "currency": "EUR"}});
        assert!(with(both).is_err());
    }
}
