//! The transaction of a return, under the lock of the sale's row.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use chrono::{DateTime, Utc};
use diesel::PgConnection;
use kernel::{
    audit::{self, Entry},
    call::Cx,
    ids::{ProductId, SaleId, UserId},
    money::{Currency, Minor, Money, Quantity},
    outbox,
    problem::FieldError,
    uuid::Uuid,
};
use sales_api::ReturnedGoods;
use store_api::StoreProfile;

use crate::{
    domain::{
        number, payment,
        refund::{self, Asked, Refusal, Sold},
        words::{Disposition, SaleStatus, Tender},
    },
    dto::CreateReturn,
    error::Error,
    events,
    repo::{
        returns::{FullReturn, Refund, Return, ReturnLine},
        returns_write::{self, TakenBack},
        sales::{self, Sale, SaleLine},
    },
};

/// A return that is to be recorded.
pub(crate) struct Request {
    pub(crate) id: Uuid,
    pub(crate) request_hash: Vec<u8>,
    pub(crate) body: CreateReturn,
    pub(crate) cashier: UserId,
    pub(crate) cx: Cx,
    pub(crate) now: DateTime<Utc>,
    /// The most that this caller may refund.
    pub(crate) limit: Option<Minor>,
    pub(crate) store: Arc<StoreProfile>,
}

/// Records the return; `None` when its id is taken.
pub(crate) fn apply(
    conn: &mut PgConnection,
    request: &Request,
) -> Result<Option<FullReturn>, Error> {
    let sale_id = request.body.sale_id;
    match returns_write::lock_sale(conn, sale_id)? {
        None => return Err(Error::NotFound("sale")),
        Some(SaleStatus::Voided) => return Err(Error::SaleVoided),
        Some(SaleStatus::Recorded) => {}
    }
    // Before anything is refused: another try of this request may have taken the goods back.
    if returns_write::exists(conn, request.id)? {
        return Ok(None);
    }
    let sale = sales::head(conn, sale_id, None)?.ok_or(Error::NotFound("sale"))?;
    let sold = returns_write::lines(conn, sale_id)?;
    let amounts = plan(&request.body, &sold)?;
    let total = total(&amounts)?;
    check_limit(request, &sale, total)?;
    let main = returns_write::main_tender(conn, sale_id)?;
    let refunds = refunds(request, &sale, total, main)?;
    let full = assemble(request, &sale, &sold, &amounts, total, refunds)?;
    if !returns_write::insert(conn, &full)? {
        return Ok(None);
    }
    take_back(conn, sale_id, &full)?;
    if !returns_write::pay_back(conn, sale_id, total)? {
        return Err(Error::ReturnExceedsSale(vec![FieldError::new(
            "/lines",
            "return-exceeds-sale",
            "more would be paid back than was paid",
        )]));
    }
    announce(conn, request, &full)?;
    Ok(Some(full))
}

/// The refund of every line of the request.
fn plan(body: &CreateReturn, sold: &[SaleLine]) -> Result<Vec<Minor>, Error> {
    let sold: Vec<Sold> = sold
        .iter()
        .map(|row| Sold {
            line: row.line,
            quantity: row.quantity,
            returned: row.returned_quantity,
            total: row.total_minor,
        })
        .collect();
    let asked: Vec<Asked> = body
        .lines
        .iter()
        .map(|line| Asked {
            line: line.line,
            quantity: line.quantity,
        })
        .collect();
    refund::plan(&sold, &asked).map_err(|refusals| {
        let (mut unknown, mut exceeding) = (Vec::new(), Vec::new());
        for refusal in refusals {
            match refusal {
                Refusal::NoSuchLine { index } => unknown.push(FieldError::new(
                    format!("/lines/{index}/line"),
                    "unknown-line",
                    "the sale has no such line",
                )),
                Refusal::Exceeds { index, returnable } => {
                    exceeding.push(exceeds(index, returnable));
                }
            }
        }
        if unknown.is_empty() {
            Error::ReturnExceedsSale(exceeding)
        } else {
            Error::Invalid(unknown)
        }
    })
}

fn exceeds(index: usize, returnable: i64) -> FieldError {
    let detail = format!("at most {returnable} can still come back");
    FieldError::new(
        format!("/lines/{index}/quantity"),
        "return-exceeds-sale",
        detail,
    )
    .with("returnable", returnable)
}

fn total(amounts: &[Minor]) -> Result<Minor, Error> {
    Minor::try_from(payment::sum(amounts.iter().copied()))
        .map_err(|detail| Error::invalid("/lines", detail))
}

fn check_limit(request: &Request, sale: &Sale, total: Minor) -> Result<(), Error> {
    let money = |amount| Money {
        amount,
        currency: sale.currency,
    };
    match request.limit {
        Some(limit) if total > limit => Err(Error::ReturnLimit {
            refund: money(total),
            limit: money(limit),
        }),
        _ => Ok(()),
    }
}

/// How the money goes back: as asked, or all of it as most of it came.
fn refunds(
    request: &Request,
    sale: &Sale,
    total: Minor,
    main: Option<Tender>,
) -> Result<Vec<(Tender, Minor)>, Error> {
    let Some(asked) = &request.body.refunds else {
        // A sale without payments was free, and so is what comes back of it.
        return Ok(main.map(|tender| (tender, total)).into_iter().collect());
    };
    for (i, refund) in asked.iter().enumerate() {
        check_currency(i, refund.amount.currency, sale.currency)?;
    }
    let sum = payment::sum(asked.iter().map(|refund| refund.amount.amount));
    if sum == i128::from(total.get()) {
        Ok(asked.iter().map(|r| (r.tender, r.amount.amount)).collect())
    } else {
        Err(Error::RefundMismatch {
            expected: Money {
                amount: total,
                currency: sale.currency,
            },
            refunds: sum,
        })
    }
}

fn check_currency(index: usize, given: Currency, store: Currency) -> Result<(), Error> {
    if given == store {
        return Ok(());
    }
    let pointer = format!("/refunds/{index}/amount");
    Err(Error::CurrencyMismatch { pointer, store })
}

fn assemble(
    request: &Request,
    sale: &Sale,
    sold: &[SaleLine],
    amounts: &[Minor],
    total: Minor,
    refunds: Vec<(Tender, Minor)>,
) -> Result<FullReturn, Error> {
    let sold: BTreeMap<i32, &SaleLine> = sold.iter().map(|row| (row.line, row)).collect();
    let mut lines = Vec::with_capacity(amounts.len());
    for (n, (asked, refund)) in (1..).zip(request.body.lines.iter().zip(amounts)) {
        let row = sold.get(&asked.line).ok_or(Error::NotFound("line"))?;
        lines.push(ReturnLine {
            return_id: request.id,
            n,
            sale_id: sale.id,
            line: asked.line,
            store_id: sale.store_id,
            product_id: row.product_id,
            sku: row.sku.clone(),
            name: row.name.clone(),
            quantity: asked.quantity,
            disposition: asked.disposition,
            refund_minor: *refund,
        });
    }
    let refunds = (1..)
        .zip(refunds)
        .map(|(n, (tender, amount_minor))| Refund {
            return_id: request.id,
            n,
            store_id: sale.store_id,
            tender,
            amount_minor,
        })
        .collect();
    let occurred_at = kernel::time::micros(request.body.occurred_at.unwrap_or(request.now));
    if occurred_at < sale.occurred_at {
        return Err(Error::invalid(
            "/occurred_at",
            "must not be before the sale",
        ));
    }
    let head = Return {
        id: request.id,
        sale_id: sale.id,
        store_id: sale.store_id,
        cashier_id: request.cashier,
        number: number::of(request.id),
        request_hash: request.request_hash.clone(),
        occurred_at,
        business_date: request.store.business_date(occurred_at),
        currency: sale.currency,
        reason: request.body.reason,
        note: request
            .body
            .note
            .as_ref()
            .map(|note| note.as_str().to_owned()),
        line_count: i32::try_from(lines.len()).unwrap_or(i32::MAX),
        refund_minor: total,
    };
    Ok(FullReturn {
        head,
        lines,
        refunds,
    })
}

/// The guard in the statement, whatever was read before: no line gives more than it has.
fn take_back(conn: &mut PgConnection, sale_id: SaleId, full: &FullReturn) -> Result<(), Error> {
    let mut taken: BTreeMap<i32, (i128, i128)> = BTreeMap::new();
    for line in &full.lines {
        let (quantity, refund) = taken.entry(line.line).or_default();
        *quantity += i128::from(line.quantity.get());
        *refund += i128::from(line.refund_minor.get());
    }
    let too_much = |detail: String| Error::invalid("/lines", detail);
    let taken = taken
        .into_iter()
        .map(|(line, (quantity, refund))| {
            Ok(TakenBack {
                line,
                quantity: Quantity::try_from(quantity).map_err(too_much)?,
                refund: Minor::try_from(refund).map_err(too_much)?,
            })
        })
        .collect::<Result<Vec<_>, Error>>()?;
    let given: BTreeSet<i32> = returns_write::take_back(conn, sale_id, &taken)?
        .into_iter()
        .collect();
    let short: Vec<FieldError> = full
        .lines
        .iter()
        .enumerate()
        .filter(|(_, line)| !given.contains(&line.line))
        .map(|(index, _)| exceeds(index, 0))
        .collect();
    if short.is_empty() {
        Ok(())
    } else {
        Err(Error::ReturnExceedsSale(short))
    }
}

fn announce(conn: &mut PgConnection, request: &Request, full: &FullReturn) -> Result<(), Error> {
    let mut sums: BTreeMap<(ProductId, &str), (Disposition, i128)> = BTreeMap::new();
    for line in &full.lines {
        let key = (line.product_id, line.disposition.as_str());
        let (_, sum) = sums.entry(key).or_insert((line.disposition, 0));
        *sum += i128::from(line.quantity.get());
    }
    let goods = sums
        .into_iter()
        .map(|((product_id, _), (disposition, sum))| {
            Ok(ReturnedGoods {
                product_id,
                quantity: Quantity::try_from(sum).map_err(|d| Error::invalid("/lines", d))?,
                disposition: disposition.into(),
            })
        })
        .collect::<Result<Vec<_>, Error>>()?;
    let Return {
        id,
        sale_id,
        store_id,
        cashier_id,
        ..
    } = full.head;
    let event = events::returned(id, sale_id, store_id, cashier_id, goods)?;
    outbox::publish(conn, &[event])?;
    let after = serde_json::json!({
        "sale_id": sale_id,
        "refund_minor": full.head.refund_minor,
        "currency": full.head.currency,
        "reason": full.head.reason,
    });
    let entry = Entry::new(&request.cx, "return.record", id).at(store_id);
    audit::append(conn, &[entry.change(None, Some(&after))?])?;
    Ok(())
}
