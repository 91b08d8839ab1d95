//! How the money of a return goes back: in which tenders, within which limit, and rounded how.

use kernel::money::{Currency, Minor, Money};

use super::take_back::{Assessed, Request};
use crate::{
    domain::{payment, words::Tender},
    dto::CreateRefund,
    error::Error,
    repo::returns::{Refund, Return},
};

pub(super) fn total(amounts: impl Iterator<Item = Minor>) -> Result<Minor, Error> {
    Minor::try_from(payment::sum(amounts)).map_err(|detail| Error::invalid("/lines", detail))
}

pub(super) fn check_limit(
    limit: Option<Minor>,
    total: Minor,
    currency: Currency,
) -> Result<(), Error> {
    let money = |amount| Money { amount, currency };
    match limit {
        Some(limit) if total > limit => Err(Error::ReturnLimit {
            refund: money(total),
            limit: money(limit),
        }),
        _ => Ok(()),
    }
}

/// How the money goes back, and what cash is rounded by.
pub(super) struct PaidBack {
    pub(super) refunds: Vec<(Tender, Minor)>,
    pub(super) rounding: Minor,
}

/// How the money goes back, within the caller's limit: as asked, or all of it as most of it came. What
/// an exchange offsets is no money.
pub(super) fn refunds(request: &Request, assessed: &Assessed) -> Result<PaidBack, Error> {
    let (currency, step) = (assessed.sale.currency, request.store.cash_rounding);
    let offset = request.exchange.map(|offset| offset.amount);
    let offset = offset.filter(|amount| *amount > payment::NOTHING);
    let due = payment::less(assessed.total, offset.unwrap_or(payment::NOTHING));
    check_limit(request.limit, due, currency)?;
    let mut back = match (&request.body.refunds, assessed.main) {
        (Some(asked), _) => settle(asked, due, currency, step)?,
        (None, _) if offset.is_some() && due == payment::NOTHING => PaidBack::nothing(),
        (None, Some(Tender::Exchange)) => {
            let detail = "must be given: most of the sale was paid by an exchange";
            return Err(Error::invalid("/refunds", detail));
        }
        (None, Some(tender)) => {
            let (rounding, due) = rounded(due, &[(tender, due)], step)?;
            PaidBack {
                refunds: vec![(tender, due)],
                rounding,
            }
        }
        // A sale without payments was free, and so is what comes back of it.
        (None, None) => PaidBack::nothing(),
    };
    let offset = offset.map(|amount| (Tender::Exchange, amount));
    back.refunds.splice(0..0, offset);
    Ok(back)
}

impl PaidBack {
    fn nothing() -> Self {
        Self {
            refunds: Vec::new(),
            rounding: payment::NOTHING,
        }
    }
}

/// What cash is rounded by, and what is due in all then.
fn rounded(
    total: Minor,
    refunds: &[(Tender, Minor)],
    step: Option<Minor>,
) -> Result<(Minor, Minor), Error> {
    let rounding = payment::rounding(total, refunds, step);
    let minor = |amount| Minor::try_from(amount).map_err(|d| Error::invalid("/refunds", d));
    Ok((minor(rounding)?, minor(i128::from(total.get()) + rounding)?))
}

/// The refunds that were asked for, if they are what is due.
pub(super) fn settle(
    asked: &[CreateRefund],
    total: Minor,
    currency: Currency,
    step: Option<Minor>,
) -> Result<PaidBack, Error> {
    for (i, refund) in asked.iter().enumerate() {
        check_currency(i, refund.amount.currency, currency)?;
    }
    let refunds: Vec<_> = asked.iter().map(|r| (r.tender, r.amount.amount)).collect();
    let sum = payment::sum(refunds.iter().map(|(_, amount)| *amount));
    let (rounding, due) = rounded(total, &refunds, step)?;
    if sum == i128::from(due.get()) {
        Ok(PaidBack { refunds, rounding })
    } else {
        Err(Error::RefundMismatch {
            expected: Money {
                amount: due,
                currency,
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

/// The refunds of `head`, numbered.
pub(super) fn refund_rows(head: &Return, refunds: Vec<(Tender, Minor)>) -> Vec<Refund> {
    (1..)
        .zip(refunds)
        .map(|(n, (tender, amount_minor))| Refund {
            return_id: head.id,
            n,
            store_id: head.store_id,
            tender,
            amount_minor,
        })
        .collect()
}
