//! Turns a request, a store and products into the sale that will be recorded.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use inventory_api::{Price, ProductSnapshot};
use kernel::{
    ids::{ProductId, SaleId, UserId},
    money::{BasisPoints, Currency, Minor, Money, Quantity},
    problem::FieldError,
    uuid::Uuid,
};
use store_api::{HoldLine, StoreProfile};

use super::directory::Offer;
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
    /// When the sale happened: what holds then is charged.
    pub(crate) at: DateTime<Utc>,
    pub(crate) body: &'a CreateSale,
    pub(crate) store: &'a StoreProfile,
    /// One per line.
    pub(crate) offers: &'a [Offer],
    /// Whether the sale has happened already.
    pub(crate) offline: bool,
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

/// What the sale costs, before it is paid for.
pub(crate) struct PricedSale {
    pub(crate) lines: Vec<SaleLine>,
    pub(crate) sums: Priced,
}

/// What the catalogue says of a line at the moment of the sale.
struct Listed {
    list: Price,
    tax_rate: BasisPoints,
    promotion: Option<Promoted>,
}

/// The promotion of a line, and what it takes off.
struct Promoted {
    id: Uuid,
    name: String,
    discount: Minor,
}

/// Prices the sale.
pub(crate) fn priced(from: &Ingredients<'_>) -> Result<PricedSale, Error> {
    let Ingredients { body, store, .. } = from;
    let asked = body.lines.iter().zip(from.offers);
    let listed: Vec<Listed> = asked
        .enumerate()
        .map(|(index, (line, offer))| listed(from, index, line, offer))
        .collect::<Result<_, _>>()?;
    check_currencies(from, &listed)?;
    let items: Vec<Item> = body.lines.iter().zip(&listed).map(item).collect();
    let sums = pricing::price(store.tax_mode, &items, body.discount.map(cut)).map_err(refused)?;
    let parts = body.lines.iter().zip(from.offers);
    let lines = (1..)
        .zip(parts.zip(listed.into_iter().zip(&sums.lines)))
        .map(|(number, ((line, offer), (listed, priced)))| {
            sale_line(number, line, offer, listed, *priced)
        });
    Ok(PricedSale {
        lines: lines.collect(),
        sums,
    })
}

/// Prices the sale and checks that it is paid for.
pub(crate) fn sale(from: &Ingredients<'_>) -> Result<FullSale, Error> {
    let Ingredients { body, store, .. } = from;
    let currency = store.currency;
    let PricedSale {
        lines,
        sums: priced,
    } = priced(from)?;
    let payments = payments(from, priced.total);
    let settled = settle(&payments, priced.total, store)?;
    let sale = Sale {
        id: from.id,
        store_id: body.store_id,
        state: SaleStatus::Recorded,
        recorded_at: from.now,
        register_id: body.register_id,
        cashier_id: from.cashier,
        number: number::of(from.id.0),
        request_hash: from.request_hash.to_vec(),
        occurred_at: from.at,
        business_date: store.business_date(from.at),
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
        rounding_minor: settled.rounding,
        offline: from.offline,
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
pub(crate) fn goods(lines: &[CreateSaleLine], offers: &[Offer]) -> Result<Vec<HoldLine>, Error> {
    let mut sums: BTreeMap<ProductId, (usize, i128)> = BTreeMap::new();
    for (index, (line, offer)) in lines.iter().zip(offers).enumerate() {
        let (last, sum) = sums.entry(offer.product.id).or_default();
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

/// A price that was set by hand is the whole price: no promotion applies to it.
fn listed(
    from: &Ingredients<'_>,
    index: usize,
    line: &CreateSaleLine,
    offer: &Offer,
) -> Result<Listed, Error> {
    let Offer { product, terms } = offer;
    let list = terms.price(product, from.store.currency, from.at);
    let promotion = match line.unit_price {
        Some(_) => None,
        None => {
            let per = list.price_per.get();
            let gross = pricing::scale(list.price.amount, line.quantity.get(), per);
            let too_large = || refused(Refusal::TooLarge { line: Some(index) });
            let gross = gross.ok_or_else(too_large)?;
            terms.promotion(list, line.quantity, gross, from.at)
        }
    };
    Ok(Listed {
        list,
        tax_rate: terms.tax_rate(product, from.at),
        promotion: promotion.map(|(promotion, discount)| Promoted {
            id: promotion.id,
            name: promotion.name.clone(),
            discount,
        }),
    })
}

fn item((line, listed): (&CreateSaleLine, &Listed)) -> Item {
    let promotion = listed.promotion.as_ref();
    Item {
        unit_price: line.unit_price.unwrap_or(listed.list.price).amount,
        price_per: listed.list.price_per,
        quantity: line.quantity,
        tax_rate: listed.tax_rate,
        promotion: promotion.map_or(payment::NOTHING, |promotion| promotion.discount),
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
fn check_currencies(from: &Ingredients<'_>, listed: &[Listed]) -> Result<(), Error> {
    let store = from.store.currency;
    let mut named: Vec<(String, Currency)> = Vec::new();
    let amount = |discount: Option<Discount>| match discount {
        Some(Discount::Amount(money)) => Some(money.currency),
        Some(Discount::BasisPoints(_)) | None => None,
    };
    for (i, (line, listed)) in from.body.lines.iter().zip(listed).enumerate() {
        match line.unit_price {
            Some(price) => named.push((format!("/lines/{i}/unit_price"), price.currency)),
            None => named.push((format!("/lines/{i}"), listed.list.price.currency)),
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

fn sale_line(
    number: i32,
    line: &CreateSaleLine,
    offer: &Offer,
    listed: Listed,
    priced: PricedLine,
) -> SaleLine {
    let product = &offer.product;
    let Listed {
        list,
        tax_rate,
        promotion,
    } = listed;
    let (promotion_id, promotion_name, promotion_discount_minor) = match promotion {
        Some(Promoted { id, name, discount }) => (Some(id), Some(name), discount),
        None => (None, None, payment::NOTHING),
    };
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
        list_price_minor: list.price.amount,
        unit_price_minor: line.unit_price.unwrap_or(list.price).amount,
        price_per: list.price_per,
        gross_minor: gross,
        discount_minor: discount,
        tax_rate,
        tax_minor: tax,
        total_minor: total,
        cost_minor: cost(product, line.quantity),
        note: line.note.clone().map(kernel::text::Text::into_string),
        returned_quantity: 0,
        promotion_id,
        promotion_name,
        promotion_discount_minor,
    }
}

/// Of the whole line; unknown where the catalogue knows none or it is absurdly large.
pub(super) fn cost(product: &ProductSnapshot, quantity: Quantity) -> Option<Minor> {
    let cost = product.cost?;
    pricing::scale(cost, quantity.get(), product.price_per.get())
}

/// What was paid is what is owed; an error names what is owed beside what an exchange offsets.
fn settle(payments: &[Payment], total: Minor, store: &StoreProfile) -> Result<Settled, Error> {
    let paid: Vec<_> = payments
        .iter()
        .map(|p| (p.tender, p.amount_minor))
        .collect();
    payment::settle(total, &paid, store.cash_rounding).map_err(|due| {
        let offset = offset(payments);
        let given = payment::sum(paid.iter().map(|(_, amount)| *amount));
        Error::PaymentMismatch {
            expected: Money {
                amount: payment::less(due, offset),
                currency: store.currency,
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
