//! X and Z reports, made of a shift's running totals.

use kernel::{money::Currency, problem::Problem, uuid::Uuid};

use crate::{
    Sales,
    domain::{
        drawer::Drawer,
        words::{ShiftStatus, Tender},
    },
    dto::{
        Amount, DocumentSums, DrawerView, ShiftReport, ShiftTax, ShiftTender, Takings, XReport,
        ZReport,
    },
    error::{Error, ShiftRefusal},
    repo::{
        sales::Sight,
        shift_totals::Total,
        shifts::{self, Shift},
    },
};

impl Sales {
    /// How an open shift in sight stands.
    pub(crate) async fn x_report(&self, id: Uuid, sight: Sight) -> Result<XReport, Error> {
        let standing = self
            .db
            .run(move |conn| shifts::standing(conn, id, sight).map_err(Error::from))
            .await?
            .ok_or(Error::NotFound("shift"))?;
        if standing.shift.state == ShiftStatus::Closed {
            return Err(ShiftRefusal::Closed.into());
        }
        Ok(XReport {
            taken_at: kernel::time::now(),
            report: report(&standing.shift, &standing.totals, standing.last_receipt),
        })
    }

    /// What a closed shift in sight came to: as it was kept, and not computed again.
    pub(crate) async fn z_report(&self, id: Uuid, sight: Sight) -> Result<ZReport, Error> {
        let kept = self
            .db
            .run(move |conn| shifts::z_report(conn, id, sight).map_err(Error::from))
            .await?
            .ok_or(Error::NotFound("shift"))?
            .ok_or(ShiftRefusal::NotClosed)?;
        Ok(serde_json::from_value(kept).map_err(|e| Problem::internal(&e))?)
    }
}

pub(crate) fn amount(amount: i64, currency: Currency) -> Amount {
    Amount { amount, currency }
}

/// What the cash in the shift's drawer went through.
pub(crate) fn drawer(shift: &Shift, totals: &[Total]) -> Drawer {
    let cash = Tender::Cash.as_str();
    let cash = totals
        .iter()
        .find(|total| total.kind == "tender" && total.item == cash);
    Drawer {
        float: shift.float_minor.get(),
        takings: cash.map_or(0, Total::net),
        cash_in: shift.cash_in_minor,
        cash_out: shift.cash_out_minor,
    }
}

/// The report of a shift with these totals, whose register has given out `last_receipt`.
pub(crate) fn report(shift: &Shift, totals: &[Total], last_receipt: i64) -> ShiftReport {
    let currency = shift.currency;
    let any = last_receipt >= shift.first_receipt;
    ShiftReport {
        shift_id: shift.id,
        store_id: shift.store_id,
        register_id: shift.register_id,
        register_code: shift.register_code.clone(),
        cashier_id: shift.cashier_id,
        currency,
        business_date: shift.business_date,
        opened_at: shift.opened_at,
        first_receipt: any.then_some(shift.first_receipt),
        last_receipt: any.then_some(last_receipt),
        takings: takings(totals, currency),
        drawer: drawer_view(drawer(shift, totals), currency),
    }
}

/// What these totals come to.
pub(crate) fn takings(totals: &[Total], currency: Currency) -> Takings {
    let money = |minor| amount(minor, currency);
    let of = |kind: &'static str| totals.iter().filter(move |total| total.kind == kind);
    let documents = of("document").next();
    let sums = |pick: fn(&Total) -> (i64, i64, i64)| {
        let (count, total, tax) = documents.map_or((0, 0, 0), pick);
        DocumentSums {
            count,
            total: money(total),
            tax: money(tax),
        }
    };
    let revenue = documents.map_or(0, Total::net);
    let received: i64 = of("tender").map(Total::net).sum();
    Takings {
        sales: sums(|t| (t.sold_count, t.sold_minor, t.sold_tax_minor)),
        voids: sums(|t| (t.voided_count, t.voided_minor, t.voided_tax_minor)),
        returns: sums(|t| (t.returned_count, t.returned_minor, t.returned_tax_minor)),
        revenue: money(revenue),
        tax: money(documents.map_or(0, Total::net_tax)),
        discounts: money(of("discount").map(Total::net).sum()),
        // What was paid differs from what was owed by nothing else.
        rounding: money(received.saturating_sub(revenue)),
        tenders: of("tender")
            .filter_map(|total| tender(total, currency))
            .collect(),
        taxes: of("tax").filter_map(|total| tax(total, currency)).collect(),
    }
}

fn tender(total: &Total, currency: Currency) -> Option<ShiftTender> {
    let tender = Tender::ALL.iter().find(|t| t.as_str() == total.item)?;
    Some(ShiftTender {
        tender: *tender,
        received: amount(total.sold_minor, currency),
        voided: amount(total.voided_minor, currency),
        refunded: amount(total.returned_minor, currency),
        net: amount(total.net(), currency),
    })
}

fn tax(total: &Total, currency: Currency) -> Option<ShiftTax> {
    Some(ShiftTax {
        tax_rate: total.item.parse().ok()?,
        net: amount(total.net(), currency),
        tax: amount(total.net_tax(), currency),
    })
}

pub(crate) fn drawer_view(drawer: Drawer, currency: Currency) -> DrawerView {
    let Drawer {
        float,
        takings,
        cash_in,
        cash_out,
    } = drawer;
    DrawerView {
        opening_float: amount(float, currency),
        takings: amount(takings, currency),
        cash_in: amount(cash_in, currency),
        cash_out: amount(cash_out, currency),
        expected: amount(drawer.expected(), currency),
    }
}
