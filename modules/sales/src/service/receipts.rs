//! Receipts of sales and returns, as data.

use std::collections::BTreeMap;

use kernel::{
    auth::Scope,
    call::Cx,
    ids::SaleId,
    money::{BasisPoints, Currency, Minor, Money},
    uuid::Uuid,
};
use store_api::StoreProfile;

use super::views;
use crate::{
    Sales,
    domain::payment::NOTHING,
    dto::{PaymentView, ReceiptKind, ReceiptLine, ReceiptStore, ReceiptTax, ReceiptView},
    error::Error,
    repo::{
        returns::{self, FullReturn, ReturnLine},
        sales::{self, FullSale, Sale, SaleLine},
    },
};

impl Sales {
    /// The receipt of a sale in `scope`.
    pub(crate) async fn sale_receipt(
        &self,
        cx: &Cx,
        id: SaleId,
        scope: &Scope,
    ) -> Result<ReceiptView, Error> {
        let stores = scope.as_filter();
        let full = self
            .db
            .run(move |conn| sales::find(conn, id, stores).map_err(Error::from))
            .await?
            .ok_or(Error::NotFound("sale"))?;
        let store = self.directory.profile(cx, full.sale.store_id).await?;
        Ok(of_sale(full, &store))
    }

    /// The receipt of a return in `scope`.
    pub(crate) async fn return_receipt(
        &self,
        cx: &Cx,
        id: Uuid,
        scope: &Scope,
    ) -> Result<ReceiptView, Error> {
        let stores = scope.as_filter();
        let (full, sale) = self
            .db
            .run(move |conn| {
                let full = returns::find(conn, id, stores)?.ok_or(Error::NotFound("return"))?;
                let sale = match full.head.sale_id {
                    Some(sale) => sales::head(conn, sale, None)?,
                    None => None,
                };
                Ok::<_, Error>((full, sale))
            })
            .await?;
        let store = self.directory.profile(cx, full.head.store_id).await?;
        Ok(of_return(full, sale, &store))
    }
}

fn of_store(store: &StoreProfile) -> ReceiptStore {
    ReceiptStore {
        id: store.id,
        name: store.name.clone(),
        address: store.address.clone(),
        timezone: store.timezone,
        text: store.receipt_text.clone(),
    }
}

fn register_code(store: &StoreProfile, register: Option<Uuid>) -> Option<String> {
    let register = store.registers.iter().find(|r| Some(r.id) == register);
    register.map(|register| register.code.clone())
}

fn of_sale(full: FullSale, store: &StoreProfile) -> ReceiptView {
    let voided_at = full.sale.voided_at;
    let lines: Vec<ReceiptLine> = full.lines.iter().map(|l| line(l, &full.sale)).collect();
    let taxes = full.lines.iter().map(|row| {
        let SaleLine {
            tax_rate,
            tax_minor,
            total_minor,
            ..
        } = row;
        (*tax_rate, *total_minor, *tax_minor)
    });
    let taxes = by_rate(taxes, full.sale.currency);
    let sale = views::current(full);
    ReceiptView {
        kind: ReceiptKind::Sale,
        document_id: sale.id.0,
        number: sale.number,
        receipt_number: sale.receipt_number,
        store: of_store(store),
        register_id: sale.register_id,
        register_code: register_code(store, sale.register_id),
        cashier_id: sale.cashier_id,
        occurred_at: sale.occurred_at,
        recorded_at: Some(sale.recorded_at),
        voided_at,
        sale_number: None,
        currency: sale.currency,
        lines,
        subtotal: sale.subtotal,
        discount: sale.discount,
        total: sale.total,
        rounding: sale.rounding,
        payments: sale.payments,
        change: sale.change,
        taxes,
        customer_ref: sale.customer_ref,
    }
}

fn line(row: &SaleLine, sale: &Sale) -> ReceiptLine {
    let money = |amount| Money {
        amount,
        currency: sale.currency,
    };
    ReceiptLine {
        name: row.name.clone(),
        quantity: row.quantity,
        unit_price: Some(money(row.unit_price_minor)),
        price_per: Some(row.price_per),
        gross: money(row.gross_minor),
        discount: money(row.discount_minor),
        promotion: row.promotion_name.clone(),
        tax_rate: row.tax_rate,
        total: money(row.total_minor),
        note: row.note.clone(),
    }
}

fn of_return(full: FullReturn, sale: Option<Sale>, store: &StoreProfile) -> ReceiptView {
    let money = |amount| Money {
        amount,
        currency: full.head.currency,
    };
    let nothing = money(NOTHING);
    let line = |row: &ReturnLine| ReceiptLine {
        name: row.name.clone(),
        quantity: row.quantity,
        unit_price: None,
        price_per: None,
        gross: money(row.refund_minor),
        discount: nothing,
        promotion: None,
        tax_rate: row.tax_rate,
        total: money(row.refund_minor),
        note: None,
    };
    let lines: Vec<ReceiptLine> = full.lines.iter().map(line).collect();
    let taxes = full.lines.iter();
    let taxes = taxes.map(|row| (row.tax_rate, row.refund_minor, row.tax_minor));
    let taxes = by_rate(taxes, full.head.currency);
    let back = views::returned(full);
    ReceiptView {
        kind: ReceiptKind::Return,
        document_id: back.id,
        number: back.number,
        receipt_number: back.receipt_number,
        store: of_store(store),
        register_id: back.register_id,
        register_code: register_code(store, back.register_id),
        cashier_id: back.cashier_id,
        occurred_at: back.occurred_at,
        recorded_at: None,
        voided_at: None,
        sale_number: sale.map(|sale| sale.number),
        currency: back.currency,
        lines,
        subtotal: back.refund,
        discount: nothing,
        total: back.refund,
        rounding: back.rounding,
        payments: back.refunds.iter().map(payment).collect(),
        change: nothing,
        taxes,
        customer_ref: None,
    }
}

fn payment(refund: &crate::dto::RefundView) -> PaymentView {
    PaymentView {
        tender: refund.tender,
        amount: refund.amount,
        reference: None,
    }
}

/// Sums of totals and the taxes within, per rate.
fn by_rate(
    lines: impl Iterator<Item = (BasisPoints, Minor, Minor)>,
    currency: Currency,
) -> Vec<ReceiptTax> {
    let mut sums: BTreeMap<BasisPoints, (i128, i128)> = BTreeMap::new();
    for (rate, total, tax) in lines {
        let (totals, taxes) = sums.entry(rate).or_default();
        *totals += i128::from(total.get());
        *taxes += i128::from(tax.get());
    }
    // What a document comes to is a `Minor`, and so is every part of it.
    let money = |sum: i128| Money {
        amount: Minor::try_from(sum).unwrap_or(NOTHING),
        currency,
    };
    let tax = |(tax_rate, (total, tax))| ReceiptTax {
        tax_rate,
        net: money(total - tax),
        tax: money(tax),
        gross: money(total),
    };
    sums.into_iter().map(tax).collect()
}
