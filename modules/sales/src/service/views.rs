//! Rows as clients see them. Each row is taken apart in full, so that a new column must be
//! thought about here.

use kernel::{
    money::{Currency, Minor, Money},
    problem::Problem,
};

use crate::{
    domain::words::SaleStatus,
    dto::{
        ParkedHead, ParkedView, PaymentView, RefundView, ReturnHead, ReturnLineView, ReturnView,
        ReturnedLine, SaleDetail, SaleHead, SaleLineView, SaleView,
    },
    repo::{
        parked::Parked,
        returns::{FullReturn, Refund, Return, ReturnLine},
        sales::{FullSale, Payment, Sale, SaleLine},
    },
};

fn money(amount: Minor, currency: Currency) -> Money {
    Money { amount, currency }
}

/// The sale as it was answered when it was recorded: what became of it since is not in it, so
/// that a replay equals the first answer.
pub(crate) fn as_recorded(full: FullSale) -> SaleView {
    SaleView {
        status: SaleStatus::Recorded,
        ..current(full)
    }
}

/// The sale and what became of it.
pub(crate) fn detail(full: FullSale) -> SaleDetail {
    let returned = full
        .lines
        .iter()
        .filter(|line| line.returned_quantity > 0)
        .map(|line| ReturnedLine {
            line: line.line,
            quantity: line.returned_quantity,
        })
        .collect();
    SaleDetail {
        refunded: money(full.sale.refunded_minor, full.sale.currency),
        voided_at: full.sale.voided_at,
        void_reason: full.sale.void_reason.clone(),
        returned,
        sale: current(full),
    }
}

pub(crate) fn current(full: FullSale) -> SaleView {
    let FullSale {
        sale,
        lines,
        payments,
        receipt,
    } = full;
    let Sale {
        id,
        store_id,
        state,
        recorded_at,
        register_id,
        cashier_id,
        number,
        request_hash: _,
        occurred_at,
        business_date,
        currency,
        tax_included: _,
        line_count: _,
        subtotal_minor,
        discount_minor,
        tax_minor,
        total_minor,
        paid_minor: _,
        change_minor,
        customer_ref,
        refunded_minor: _,
        voided_at: _,
        void_reason: _,
        void_id: _,
        void_hash: _,
        rounding_minor,
        offline,
    } = sale;
    SaleView {
        id,
        number,
        store_id,
        register_id,
        receipt_number: receipt.map(|receipt| receipt.number),
        shift_id: receipt.and_then(|receipt| receipt.shift_id),
        cashier_id,
        status: state,
        occurred_at,
        recorded_at,
        business_date,
        currency,
        lines: all(lines, |line| sale_line(line, currency)),
        subtotal: money(subtotal_minor, currency),
        discount: money(discount_minor, currency),
        tax: money(tax_minor, currency),
        total: money(total_minor, currency),
        rounding: money(rounding_minor, currency),
        payments: all(payments, |row| payment(row, currency)),
        change: money(change_minor, currency),
        customer_ref,
        offline,
    }
}

fn all<R, V>(rows: Vec<R>, view: impl FnMut(R) -> V) -> Vec<V> {
    rows.into_iter().map(view).collect()
}

/// A line.
pub(crate) fn sale_line(row: SaleLine, currency: Currency) -> SaleLineView {
    let SaleLine {
        line,
        product_id,
        sku,
        name,
        category_id: _,
        quantity,
        list_price_minor: _,
        unit_price_minor,
        price_per,
        gross_minor,
        discount_minor,
        tax_rate,
        tax_minor,
        total_minor,
        cost_minor: _,
        note,
        returned_quantity: _,
        promotion_id,
        promotion_name,
        promotion_discount_minor,
    } = row;
    SaleLineView {
        line,
        product_id,
        sku,
        name,
        quantity,
        unit_price: money(unit_price_minor, currency),
        price_per,
        gross: money(gross_minor, currency),
        discount: money(discount_minor, currency),
        promotion_id,
        promotion_name,
        promotion_discount: money(promotion_discount_minor, currency),
        tax_rate,
        tax: money(tax_minor, currency),
        total: money(total_minor, currency),
        note,
    }
}

fn payment(row: Payment, currency: Currency) -> PaymentView {
    let Payment {
        n: _,
        tender,
        amount_minor,
        reference,
    } = row;
    PaymentView {
        tender,
        amount: money(amount_minor, currency),
        reference,
    }
}

/// A sale in a list.
pub(crate) fn sale_head((sale, unit_count): (Sale, i64)) -> SaleHead {
    let Sale {
        id,
        store_id,
        state,
        recorded_at,
        register_id,
        cashier_id,
        number,
        request_hash: _,
        occurred_at,
        business_date,
        currency,
        tax_included: _,
        line_count,
        subtotal_minor,
        discount_minor,
        tax_minor,
        total_minor,
        paid_minor: _,
        change_minor: _,
        customer_ref,
        refunded_minor,
        voided_at: _,
        void_reason: _,
        void_id: _,
        void_hash: _,
        rounding_minor: _,
        offline,
    } = sale;
    SaleHead {
        id,
        number,
        store_id,
        register_id,
        cashier_id,
        status: state,
        occurred_at,
        recorded_at,
        business_date,
        currency,
        line_count,
        unit_count,
        subtotal: money(subtotal_minor, currency),
        discount: money(discount_minor, currency),
        tax: money(tax_minor, currency),
        total: money(total_minor, currency),
        refunded: money(refunded_minor, currency),
        customer_ref,
        offline,
    }
}

/// A return.
pub(crate) fn returned(full: FullReturn) -> ReturnView {
    let FullReturn {
        head,
        lines,
        refunds,
        receipt,
    } = full;
    let ReturnHead {
        id,
        number,
        sale_id,
        sale_store_id,
        store_id,
        register_id,
        cashier_id,
        occurred_at,
        business_date,
        currency,
        line_count: _,
        refund,
        rounding,
        reason,
        note,
        exchange_sale_id,
    } = return_head(head);
    ReturnView {
        id,
        number,
        sale_id,
        sale_store_id,
        store_id,
        register_id,
        receipt_number: receipt.map(|receipt| receipt.number),
        shift_id: receipt.and_then(|receipt| receipt.shift_id),
        cashier_id,
        occurred_at,
        business_date,
        currency,
        lines: all(lines, |row| return_line(row, currency)),
        refund,
        rounding,
        refunds: all(refunds, |row| refund_view(&row, currency)),
        reason,
        note,
        exchange_sale_id,
    }
}

fn return_line(row: ReturnLine, currency: Currency) -> ReturnLineView {
    let ReturnLine {
        return_id: _,
        n: _,
        sale_id: _,
        line,
        store_id: _,
        product_id,
        sku,
        name,
        category_id: _,
        quantity,
        disposition,
        refund_minor,
        tax_rate: _,
        tax_minor: _,
        cost_minor: _,
    } = row;
    ReturnLineView {
        line,
        product_id,
        sku,
        name,
        quantity,
        disposition,
        refund: money(refund_minor, currency),
    }
}

fn refund_view(row: &Refund, currency: Currency) -> RefundView {
    let Refund {
        return_id: _,
        n: _,
        store_id: _,
        tender,
        amount_minor,
    } = row;
    RefundView {
        tender: *tender,
        amount: money(*amount_minor, currency),
    }
}

/// A return in a list.
pub(crate) fn return_head(head: Return) -> ReturnHead {
    let Return {
        id,
        sale_id,
        sale_store_id,
        store_id,
        register_id,
        cashier_id,
        number,
        request_hash: _,
        occurred_at,
        business_date,
        currency,
        reason,
        note,
        line_count,
        refund_minor,
        exchange_sale_id,
        rounding_minor,
    } = head;
    ReturnHead {
        id,
        number,
        sale_id,
        sale_store_id,
        store_id,
        register_id,
        cashier_id,
        occurred_at,
        business_date,
        currency,
        line_count,
        refund: money(refund_minor, currency),
        rounding: money(rounding_minor, currency),
        reason,
        note,
        exchange_sale_id,
    }
}

/// A parked basket in a list.
pub(crate) fn parked_head(row: &Parked) -> ParkedHead {
    ParkedHead {
        id: row.id,
        store_id: row.store_id,
        register_id: row.register_id,
        status: row.state,
        label: row.label.clone(),
        line_count: row.line_count,
        parked_by: row.parked_by,
        parked_at: row.parked_at,
        expires_at: row.expires_at,
    }
}

/// A parked basket. It was checked when it was parked, so it can be read.
pub(crate) fn parked(row: Parked) -> Result<ParkedView, Problem> {
    Ok(ParkedView {
        head: parked_head(&row),
        basket: serde_json::from_value(row.basket).map_err(|e| Problem::internal(&e))?,
        ended_by: row.ended_by,
        ended_at: row.ended_at,
    })
}
