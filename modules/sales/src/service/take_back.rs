//! The transaction of a return, under the lock of the sale's row.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use chrono::{DateTime, Utc};
use diesel::PgConnection;
use kernel::{
    call::Cx,
    ids::{SaleId, UserId},
    money::{Minor, Quantity},
    problem::FieldError,
    uuid::Uuid,
};
use store_api::StoreProfile;

use super::{
    announce,
    pay_back::{PaidBack, refund_rows, refunds, total},
};
use crate::{
    domain::{
        number,
        refund::{self, Asked, Refusal, Share, Sold},
        words::{SaleStatus, Tender},
    },
    dto::CreateReturn,
    error::{Conflict, Error},
    repo::{
        receipts::{self, Receipt},
        returns::{FullReturn, Return, ReturnLine},
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
    /// The one that takes the goods back.
    pub(crate) store: Arc<StoreProfile>,
    /// Where it is part of an exchange.
    pub(crate) exchange: Option<Offset>,
}

/// What an exchange offsets.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Offset {
    /// The sale that the goods are exchanged for.
    pub(crate) sale_id: SaleId,
    /// What it takes of the refund.
    pub(crate) amount: Minor,
    /// The refund that it was computed from.
    pub(crate) refund: Minor,
}

/// What a return comes to, as the sale stands.
pub(crate) struct Assessed {
    pub(super) sale: Sale,
    sold: Vec<SaleLine>,
    shares: Vec<Share>,
    /// The tender of the sale's largest payment.
    pub(super) main: Option<Tender>,
    /// The refund.
    pub(crate) total: Minor,
}

/// What would come back of the sale now; changes nothing.
pub(crate) fn assess(conn: &mut PgConnection, body: &CreateReturn) -> Result<Assessed, Error> {
    let sale = sales::head(conn, body.sale_id, None)?.ok_or(Error::NotFound("sale"))?;
    if sale.state == SaleStatus::Voided {
        return Err(Error::SaleVoided);
    }
    let sold = returns_write::lines(conn, body.sale_id)?;
    let shares = plan(body, &sold)?;
    Ok(Assessed {
        total: total(shares.iter().map(|share| share.refund))?,
        main: returns_write::main_tender(conn, body.sale_id)?,
        sale,
        sold,
        shares,
    })
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
    let assessed = assess(conn, &request.body)?;
    if request
        .exchange
        .is_some_and(|offset| offset.refund != assessed.total)
    {
        return Err(Conflict::Overtaken.into());
    }
    let paid_back = refunds(request, &assessed)?;
    let total = assessed.total;
    let mut full = assemble(request, &assessed, paid_back)?;
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
    announce::returned(conn, &request.cx, &full)?;
    full.receipt = receipt(conn, &full.head)?;
    Ok(Some(full))
}

/// Numbers the return and counts it, last of all: a register is locked as briefly as can be.
pub(super) fn receipt(conn: &mut PgConnection, head: &Return) -> Result<Option<Receipt>, Error> {
    let Some(register) = head.register_id else {
        return Ok(None);
    };
    let receipt = receipts::count_return(conn, head.store_id, register, head.id, head.currency)?;
    Ok(Some(receipt))
}

/// What every line of the request takes out of its line of the sale.
fn plan(body: &CreateReturn, sold: &[SaleLine]) -> Result<Vec<Share>, Error> {
    let sold: Vec<Sold> = sold.iter().map(Sold::from).collect();
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

impl From<&SaleLine> for Sold {
    fn from(row: &SaleLine) -> Self {
        Self {
            line: row.line,
            quantity: row.quantity,
            returned: row.returned_quantity,
            total: row.total_minor,
            tax: row.tax_minor,
            cost: row.cost_minor,
        }
    }
}

fn assemble(
    request: &Request,
    assessed: &Assessed,
    PaidBack { refunds, rounding }: PaidBack,
) -> Result<FullReturn, Error> {
    let (sale, store_id) = (&assessed.sale, request.store.id);
    let lines = lines(request, assessed)?;
    let occurred_at = kernel::time::micros(request.body.occurred_at.unwrap_or(request.now));
    if occurred_at < sale.occurred_at {
        return Err(Error::invalid(
            "/occurred_at",
            "must not be before the sale",
        ));
    }
    let head = Return {
        id: request.id,
        sale_id: Some(sale.id),
        sale_store_id: Some(sale.store_id),
        store_id,
        register_id: request.body.register_id,
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
        refund_minor: assessed.total,
        exchange_sale_id: request.exchange.map(|offset| offset.sale_id),
        rounding_minor: rounding,
    };
    Ok(FullReturn {
        refunds: refund_rows(&head, refunds),
        head,
        lines,
        receipt: None,
    })
}

/// The lines of the return, with what they take out of those of the sale.
fn lines(request: &Request, assessed: &Assessed) -> Result<Vec<ReturnLine>, Error> {
    let Assessed {
        sale, sold, shares, ..
    } = assessed;
    let sold: BTreeMap<i32, &SaleLine> = sold.iter().map(|row| (row.line, row)).collect();
    let mut lines = Vec::with_capacity(shares.len());
    for (n, (asked, share)) in (1..).zip(request.body.lines.iter().zip(shares)) {
        let row = sold.get(&asked.line).ok_or(Error::NotFound("line"))?;
        lines.push(ReturnLine {
            return_id: request.id,
            n,
            sale_id: Some(sale.id),
            line: Some(asked.line),
            store_id: request.store.id,
            product_id: row.product_id,
            sku: row.sku.clone(),
            name: row.name.clone(),
            category_id: row.category_id,
            quantity: asked.quantity,
            disposition: asked.disposition,
            refund_minor: share.refund,
            tax_rate: row.tax_rate,
            tax_minor: share.tax,
            cost_minor: share.cost,
        });
    }
    Ok(lines)
}

/// The guard in the statement, whatever was read before: no line gives more than it has.
fn take_back(conn: &mut PgConnection, sale_id: SaleId, full: &FullReturn) -> Result<(), Error> {
    let mut taken: BTreeMap<i32, (i128, i128)> = BTreeMap::new();
    for line in &full.lines {
        let Some(number) = line.line else { continue };
        let (quantity, refund) = taken.entry(number).or_default();
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
        .filter(|(_, line)| line.line.is_none_or(|number| !given.contains(&number)))
        .map(|(index, _)| exceeds(index, 0))
        .collect();
    if short.is_empty() {
        Ok(())
    } else {
        Err(Error::ReturnExceedsSale(short))
    }
}
