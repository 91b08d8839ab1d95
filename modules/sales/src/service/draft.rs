//! Turns a request, a store and products into the sale that will be recorded.

use std::{collections::BTreeMap, sync::Arc};

use chrono::{DateTime, Utc};
use inventory_api::ProductSnapshot;
use kernel::{
    ids::{ProductId, SaleId, UserId},
    money::{Currency, Minor, Money, Quantity},
    problem::FieldError,
};
use store_api::{HoldLine, StoreProfile};

use crate::{
    domain::{
        number,
        payment::{self, Settled},
        pricing::{self, Cut, Item, Priced, PricedLine, Refusal},
        words::{SaleStatus, Tender},
    },
    dto::{CreatePayment, CreateSale, CreateSaleLine, Discount},
    error::Error,
    repo::sales::{FullSale, Payment, Sale, SaleLine},
};

/// What a draft is made from.
pub(crate) struct Ingredients<'a> {
    pub(crate) id: SaleId,
    pub(crate) request_hash: &'a [u8],
    pub(crate) cashier: UserId,
    pub(crate) now: DateTime<Utc>,
    pub(crate) body: &'a CreateSale,
    pub(crate) store: &'a StoreProfile,
    /// One per line.
    pub(crate) products: &'a [Arc<ProductSnapshot>],
    /// What goods that come back are worth, in an exchange.
    pub(crate) credit: Option<&'a Credit>,
}

/// What an exchange takes off what is owed.
#[derive(Debug, Clone)]
pub(crate) struct Credit {
    pub(crate) amount: Minor,
    /// The number of the return.
    pub(crate) reference: String,
}

/// Prices the sale and checks that it is paid for.
pub(crate) fn sale(from: &Ingredients<'_>) -> Result<FullSale, Error> {
    let Ingredients { body, store, .. } = from;
    let currency = store.currency;
    check_currencies(from)?;
    let items = body.lines.iter().zip(from.products).map(item);
    let items: Vec<Item> = items.collect();
    let priced = pricing::price(store.tax_mode, &items, body.discount.map(cut)).map_err(refused)?;
    let payments = payments(from, priced.total);
    let settled = settle(&payments, priced.total, currency)?;
    let lines = lines(from, &priced);
    let occurred_at = kernel::time::micros(body.occurred_at.unwrap_or(from.now));
    let sale = Sale {
        id: from.id,
        store_id: body.store_id,
        state: SaleStatus::Recorded,
        recorded_at: from.now,
        register_id: body.register_id,
        cashier_id: from.cashier,
        number: number::of(from.id.0),
        request_hash: from.request_hash.to_vec(),
        occurred_at,
        business_date: store.business_date(occurred_at),
        currency,
        tax_included: store.tax_mode == store_api::TaxMode::Included,
        line_count: i32::try_from(lines.len()).unwrap_or(i32::MAX),
        subtotal_minor: priced.subtotal,
        discount_minor: priced.discount,
        tax_minor: priced.tax,
        total_minor: priced.total,
        paid_minor: settled.paid,
        change_minor: settled.change,
        customer_ref: body
            .customer_ref
            .clone()
            .map(kernel::text::Text::into_string),
        refunded_minor: payment::NOTHING,
        voided_at: None,
        void_reason: None,
        void_id: None,
        void_hash: None,
    };
    Ok(FullSale {
        sale,
        lines,
        payments,
        // Its register gives it a number when it is written.
        receipt: None,
    })
}

/// One hold line per product, sorted by product: two lines that name the same product must not
/// pass the check one by one.
pub(crate) fn goods(
    lines: &[CreateSaleLine],
    products: &[Arc<ProductSnapshot>],
) -> Result<Vec<HoldLine>, Error> {
    let mut sums: BTreeMap<ProductId, (usize, i128)> = BTreeMap::new();
    for (index, (line, product)) in lines.iter().zip(products).enumerate() {
        let (last, sum) = sums.entry(product.id).or_default();
        *last = index;
        *sum += i128::from(line.quantity.get());
    }
    sums.into_iter()
        .map(|(product_id, (index, sum))| {
            let quantity = Quantity::try_from(sum).map_err(|detail| {
                let detail = format!("the lines of this product together {detail}");
                Error::invalid(format!("/lines/{index}/quantity"), detail)
            })?;
            Ok(HoldLine {
                product_id,
                quantity,
            })
        })
        .collect()
}

fn item((line, product): (&CreateSaleLine, &Arc<ProductSnapshot>)) -> Item {
    Item {
        unit_price: line.unit_price.unwrap_or(product.price).amount,
        price_per: product.price_per,
        quantity: line.quantity,
        tax_rate: product.tax_rate,
        discount: line.discount.map(cut),
    }
}

fn cut(discount: Discount) -> Cut {
    match discount {
        Discount::Amount(money) => Cut::Amount(money.amount),
        Discount::BasisPoints(rate) => Cut::Rate(rate),
    }
}

/// A refusal of `pricing`, with the field at fault.
pub(super) fn refused(refusal: Refusal) -> Error {
    let at = |line: Option<usize>, field: &str| match line {
        Some(i) => format!("/lines/{i}{field}"),
        None => field.to_owned(),
    };
    match refusal {
        Refusal::TooLarge { line } => {
            let detail = format!("comes to more than {} minor units", Minor::MAX);
            Error::invalid(at(line, if line.is_none() { "/lines" } else { "" }), detail)
        }
        Refusal::DiscountTooLarge { line } => Error::Invalid(vec![FieldError::new(
            at(line, "/discount"),
            "discount-too-large",
            "is more than there is to take it from",
        )]),
    }
}

/// A store sells in one currency: its own.
fn check_currencies(from: &Ingredients<'_>) -> Result<(), Error> {
    let store = from.store.currency;
    let mut named: Vec<(String, Currency)> = Vec::new();
    let amount = |discount: Option<Discount>| match discount {
        Some(Discount::Amount(money)) => Some(money.currency),
        Some(Discount::BasisPoints(_)) | None => None,
    };
    for (i, (line, product)) in from.body.lines.iter().zip(from.products).enumerate() {
        match line.unit_price {
            Some(price) => named.push((format!("/lines/{i}/unit_price"), price.currency)),
            None => named.push((format!("/lines/{i}"), product.price.currency)),
        }
        named.extend(amount(line.discount).map(|c| (format!("/lines/{i}/discount"), c)));
    }
    named.extend(amount(from.body.discount).map(|c| ("/discount".to_owned(), c)));
    for (i, payment) in from.body.payments.iter().enumerate() {
        named.push((format!("/payments/{i}/amount"), payment.amount.currency));
    }
    match named.into_iter().find(|(_, currency)| *currency != store) {
        Some((pointer, _)) => Err(Error::CurrencyMismatch { pointer, store }),
        None => Ok(()),
    }
}

fn lines(from: &Ingredients<'_>, priced: &Priced) -> Vec<SaleLine> {
    let asked = from.body.lines.iter().zip(from.products);
    (1..)
        .zip(asked.zip(&priced.lines))
        .map(|(number, ((line, product), priced))| sale_line(number, line, product, *priced))
        .collect()
}

fn sale_line(
    number: i32,
    line: &CreateSaleLine,
    product: &ProductSnapshot,
    priced: PricedLine,
) -> SaleLine {
    let PricedLine {
        gross,
        discount,
        tax,
        total,
    } = priced;
    SaleLine {
        line: number,
        product_id: product.id,
        sku: product.sku.clone(),
        name: product.name.clone(),
        category_id: product.category_id,
        quantity: line.quantity,
        list_price_minor: product.price.amount,
        unit_price_minor: line.unit_price.unwrap_or(product.price).amount,
        price_per: product.price_per,
        gross_minor: gross,
        discount_minor: discount,
        tax_rate: product.tax_rate,
        tax_minor: tax,
        total_minor: total,
        cost_minor: cost(product, line.quantity),
        note: line.note.clone().map(kernel::text::Text::into_string),
        returned_quantity: 0,
    }
}

/// Of the whole line; unknown where the catalogue knows none or it is absurdly large.
pub(super) fn cost(product: &ProductSnapshot, quantity: Quantity) -> Option<Minor> {
    let cost = product.cost?;
    pricing::scale(cost, quantity.get(), product.price_per.get())
}

/// What was paid is what is owed; an error names what is owed beside what an exchange offsets.
fn settle(payments: &[Payment], total: Minor, currency: Currency) -> Result<Settled, Error> {
    let paid: Vec<_> = payments
        .iter()
        .map(|p| (p.tender, p.amount_minor))
        .collect();
    payment::settle(total, &paid).ok_or_else(|| {
        let offset = offset(payments);
        let given = payment::sum(paid.iter().map(|(_, amount)| *amount));
        Error::PaymentMismatch {
            expected: Money {
                amount: payment::less(total, offset),
                currency,
            },
            paid: given - i128::from(offset.get()),
        }
    })
}

/// What an exchange offsets of the sale that these pay for.
pub(super) fn offset(payments: &[Payment]) -> Minor {
    let first = payments.first().filter(|p| p.tender == Tender::Exchange);
    first.map_or(payment::NOTHING, |p| p.amount_minor)
}

/// The payments, numbered; in an exchange the first is what the return offsets.
fn payments(from: &Ingredients<'_>, total: Minor) -> Vec<Payment> {
    let credit = from.credit.map(|credit| Payment {
        n: 1,
        tender: Tender::Exchange,
        amount_minor: credit.amount.min(total),
        reference: Some(credit.reference.clone()),
    });
    let given = from.body.payments.iter().map(|given| {
        let CreatePayment {
            tender,
            amount,
            reference,
        } = given;
        Payment {
            n: 1,
            tender: *tender,
            amount_minor: amount.amount,
            reference: reference.clone().map(kernel::text::Text::into_string),
        }
    });
    // Goods that were free offset nothing.
    let credit = credit.filter(|credit| credit.amount_minor > payment::NOTHING);
    (1..)
        .zip(credit.into_iter().chain(given))
        .map(|(n, payment)| Payment { n, ..payment })
        .collect()
}
