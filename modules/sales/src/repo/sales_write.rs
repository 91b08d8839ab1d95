//! Recording sales: everything that arrived together, in one statement.

use std::collections::HashMap;

use chrono::{DateTime, NaiveDate, Utc};
use diesel::{PgConnection, QueryResult, QueryableByName, RunQueryDsl, sql_types};
use kernel::{
    ids::{ProductId, SaleId, StoreId, UserId},
    money::{BasisPoints, Currency, Minor, Quantity},
    statement,
    uuid::Uuid,
};

use super::{
    receipts::Receipt,
    sales::{FullSale, Payment, Sale, SaleLine},
};
use crate::domain::words::Tender;

statement! {
    /// A generic plan, because a plan per batch costs more than the batch. And a commit that is
    /// flushed, whatever the role or the database says about `synchronous_commit`.
    struct Prepare {}
    "SELECT set_config('plan_cache_mode', 'force_generic_plan', true), \
     set_config('synchronous_commit', \
         CASE current_setting('synchronous_commit') WHEN 'off' THEN 'on' \
         ELSE current_setting('synchronous_commit') END, true)"
}

statement! {
    #[derive(Default)]
    struct Record<'a> {
        ids: Vec<SaleId> => sql_types::Array<sql_types::Uuid>,
        stores: Vec<StoreId> => sql_types::Array<sql_types::Uuid>,
        recorded: Vec<DateTime<Utc>> => sql_types::Array<sql_types::Timestamptz>,
        registers: Vec<Option<Uuid>> => sql_types::Array<sql_types::Nullable<sql_types::Uuid>>,
        cashiers: Vec<UserId> => sql_types::Array<sql_types::Uuid>,
        numbers: Vec<&'a str> => sql_types::Array<sql_types::Text>,
        hashes: Vec<&'a [u8]> => sql_types::Array<sql_types::Binary>,
        occurred: Vec<DateTime<Utc>> => sql_types::Array<sql_types::Timestamptz>,
        dates: Vec<NaiveDate> => sql_types::Array<sql_types::Date>,
        currencies: Vec<Currency> => sql_types::Array<sql_types::Text>,
        included: Vec<bool> => sql_types::Array<sql_types::Bool>,
        counts: Vec<i32> => sql_types::Array<sql_types::Integer>,
        subtotals: Vec<Minor> => sql_types::Array<sql_types::BigInt>,
        discounts: Vec<Minor> => sql_types::Array<sql_types::BigInt>,
        taxes: Vec<Minor> => sql_types::Array<sql_types::BigInt>,
        totals: Vec<Minor> => sql_types::Array<sql_types::BigInt>,
        paid: Vec<Minor> => sql_types::Array<sql_types::BigInt>,
        change: Vec<Minor> => sql_types::Array<sql_types::BigInt>,
        customers: Vec<Option<&'a str>> => sql_types::Array<sql_types::Nullable<sql_types::Text>>,
        roundings: Vec<Minor> => sql_types::Array<sql_types::BigInt>,
        offline: Vec<bool> => sql_types::Array<sql_types::Bool>,
        l_sales: Vec<SaleId> => sql_types::Array<sql_types::Uuid>,
        l_lines: Vec<i32> => sql_types::Array<sql_types::Integer>,
        l_stores: Vec<StoreId> => sql_types::Array<sql_types::Uuid>,
        l_products: Vec<ProductId> => sql_types::Array<sql_types::Uuid>,
        l_skus: Vec<&'a str> => sql_types::Array<sql_types::Text>,
        l_names: Vec<&'a str> => sql_types::Array<sql_types::Text>,
        l_categories: Vec<Option<Uuid>> => sql_types::Array<sql_types::Nullable<sql_types::Uuid>>,
        l_quantities: Vec<Quantity> => sql_types::Array<sql_types::BigInt>,
        l_list_prices: Vec<Minor> => sql_types::Array<sql_types::BigInt>,
        l_prices: Vec<Minor> => sql_types::Array<sql_types::BigInt>,
        l_pers: Vec<Quantity> => sql_types::Array<sql_types::BigInt>,
        l_grosses: Vec<Minor> => sql_types::Array<sql_types::BigInt>,
        l_discounts: Vec<Minor> => sql_types::Array<sql_types::BigInt>,
        l_rates: Vec<BasisPoints> => sql_types::Array<sql_types::BigInt>,
        l_taxes: Vec<Minor> => sql_types::Array<sql_types::BigInt>,
        l_totals: Vec<Minor> => sql_types::Array<sql_types::BigInt>,
        l_costs: Vec<Option<Minor>> => sql_types::Array<sql_types::Nullable<sql_types::BigInt>>,
        l_notes: Vec<Option<&'a str>> => sql_types::Array<sql_types::Nullable<sql_types::Text>>,
        l_promotions: Vec<Option<Uuid>> => sql_types::Array<sql_types::Nullable<sql_types::Uuid>>,
        l_promotion_names: Vec<Option<&'a str>> => sql_types::Array<sql_types::Nullable<sql_types::Text>>,
        l_promotion_discounts: Vec<Minor> => sql_types::Array<sql_types::BigInt>,
        p_sales: Vec<SaleId> => sql_types::Array<sql_types::Uuid>,
        p_ns: Vec<i32> => sql_types::Array<sql_types::Integer>,
        p_stores: Vec<StoreId> => sql_types::Array<sql_types::Uuid>,
        p_tenders: Vec<Tender> => sql_types::Array<sql_types::Text>,
        p_amounts: Vec<Minor> => sql_types::Array<sql_types::BigInt>,
        p_references: Vec<Option<&'a str>> => sql_types::Array<sql_types::Nullable<sql_types::Text>>,
    }
    "WITH recorded AS ( \
         INSERT INTO sales (id, store_id, recorded_at, register_id, cashier_id, number, \
             request_hash, occurred_at, business_date, currency, tax_included, line_count, \
             subtotal_minor, discount_minor, tax_minor, total_minor, paid_minor, change_minor, \
             customer_ref, rounding_minor, offline, state, event_seq) \
         SELECT s.*, 'recorded', 1 FROM unnest({}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, \
             {}, {}, {}, {}, {}, {}, {}, {}, {}) AS s \
         ON CONFLICT (id) DO NOTHING RETURNING *), \
     lines AS ( \
         INSERT INTO sale_lines (sale_id, line, store_id, product_id, sku, name, category_id, \
             quantity, list_price_minor, unit_price_minor, price_per, gross_minor, \
             discount_minor, tax_rate, tax_minor, total_minor, cost_minor, note, promotion_id, \
             promotion_name, promotion_discount_minor) \
         SELECT l.* FROM unnest({}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, \
             {}, {}, {}, {}, {}) AS l (sale_id) JOIN recorded r ON r.id = l.sale_id \
         RETURNING sale_id, tax_rate, tax_minor, total_minor), \
     paid AS ( \
         INSERT INTO payments (sale_id, n, store_id, tender, amount_minor, reference) \
         SELECT p.* FROM unnest({}, {}, {}, {}, {}, {}) AS p (sale_id) \
         JOIN recorded r ON r.id = p.sale_id \
         RETURNING sale_id, tender, amount_minor), \
     numbered AS ( \
         INSERT INTO registers (store_id, register_id, last_receipt) \
         SELECT store_id, register_id, count(*) FROM recorded WHERE register_id IS NOT NULL \
         GROUP BY store_id, register_id ORDER BY store_id, register_id \
         ON CONFLICT (store_id, register_id) DO UPDATE \
             SET last_receipt = registers.last_receipt + excluded.last_receipt \
         RETURNING *), \
     issued AS ( \
         INSERT INTO receipts (store_id, register_id, number, kind, document_id, shift_id) \
         SELECT store_id, register_id, n.last_receipt + 1 - row_number() OVER ( \
                 PARTITION BY store_id, register_id ORDER BY r.recorded_at DESC, r.id DESC), \
             'sale', r.id, CASE WHEN n.open_currency = r.currency THEN n.open_shift_id END \
         FROM recorded r JOIN numbered n USING (store_id, register_id) \
         RETURNING store_id, number, document_id, shift_id), \
     facts (store_id, shift_id, kind, item, n, amount, tax) AS ( \
         SELECT i.store_id, i.shift_id, 'document', '', 1, r.total_minor, r.tax_minor \
         FROM issued i JOIN recorded r ON r.id = i.document_id WHERE i.shift_id IS NOT NULL \
         UNION ALL \
         SELECT i.store_id, i.shift_id, 'discount', '', 1, r.discount_minor, 0 \
         FROM issued i JOIN recorded r ON r.id = i.document_id \
         WHERE i.shift_id IS NOT NULL AND r.discount_minor <> 0 \
         UNION ALL \
         SELECT i.store_id, i.shift_id, 'tender', p.tender, 1, p.amount_minor, 0 \
         FROM issued i JOIN paid p ON p.sale_id = i.document_id WHERE i.shift_id IS NOT NULL \
         UNION ALL \
         SELECT i.store_id, i.shift_id, 'tender', 'cash', 0, -r.change_minor, 0 \
         FROM issued i JOIN recorded r ON r.id = i.document_id \
         WHERE i.shift_id IS NOT NULL AND r.change_minor <> 0 \
         UNION ALL \
         SELECT i.store_id, i.shift_id, 'tax', l.tax_rate::text, 1, l.total_minor, l.tax_minor \
         FROM issued i JOIN lines l ON l.sale_id = i.document_id WHERE i.shift_id IS NOT NULL), \
     counted AS ( \
         INSERT INTO shift_totals (store_id, shift_id, kind, item, sold_count, sold_minor, \
             sold_tax_minor) \
         SELECT store_id, shift_id, kind, item, sum(n), sum(amount), sum(tax) FROM facts \
         GROUP BY store_id, shift_id, kind, item \
         ON CONFLICT (store_id, shift_id, kind, item) DO UPDATE SET \
             sold_count = shift_totals.sold_count + excluded.sold_count, \
             sold_minor = shift_totals.sold_minor + excluded.sold_minor, \
             sold_tax_minor = shift_totals.sold_tax_minor + excluded.sold_tax_minor) \
     SELECT r.id, i.number, i.shift_id FROM recorded r LEFT JOIN issued i ON i.document_id = r.id"
}

#[derive(QueryableByName)]
struct Recorded {
    #[diesel(sql_type = sql_types::Uuid)]
    id: SaleId,
    #[diesel(sql_type = sql_types::Nullable<sql_types::BigInt>)]
    number: Option<i64>,
    #[diesel(sql_type = sql_types::Nullable<sql_types::Uuid>)]
    shift_id: Option<Uuid>,
}

/// Sales that were written, each with what it got at its register, if it was made at one.
pub(crate) type Written = HashMap<SaleId, Option<Receipt>>;

/// Writes those of `sales` whose id is free; answers which. Waits for whoever is writing one of
/// the ids at the moment. The ids are sorted and differ, so that two batches cannot deadlock.
///
/// Those at a register get its next numbers and are counted in its open shift, with one change per
/// register, and one per sum of a shift, whatever the number of sales. The registers' rows come
/// after the sales' and in their order. What is written on a conflict is written onto the newest
/// version of a row: a shift that was opened or closed while this waited is seen.
pub(crate) fn insert(conn: &mut PgConnection, sales: &[&FullSale]) -> QueryResult<Written> {
    Prepare {}.execute(conn)?;
    let mut record = Record::default();
    for full in sales {
        record.push_sale(&full.sale);
        for line in &full.lines {
            record.push_line(&full.sale, line);
        }
        for payment in &full.payments {
            record.push_payment(&full.sale, payment);
        }
    }
    let rows: Vec<Recorded> = record.get_results(conn)?;
    let written = rows.into_iter().map(|row| {
        let Recorded {
            id,
            number,
            shift_id,
        } = row;
        (id, number.map(|number| Receipt { number, shift_id }))
    });
    Ok(written.collect())
}

impl<'a> Record<'a> {
    fn push_sale(&mut self, sale: &'a Sale) {
        let Sale {
            id,
            store_id,
            state: _,
            recorded_at,
            register_id,
            cashier_id,
            number,
            request_hash,
            occurred_at,
            business_date,
            currency,
            tax_included,
            line_count,
            subtotal_minor,
            discount_minor,
            tax_minor,
            total_minor,
            paid_minor,
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
        self.ids.push(*id);
        self.stores.push(*store_id);
        self.recorded.push(*recorded_at);
        self.registers.push(*register_id);
        self.cashiers.push(*cashier_id);
        self.numbers.push(number);
        self.hashes.push(request_hash);
        self.occurred.push(*occurred_at);
        self.dates.push(*business_date);
        self.currencies.push(*currency);
        self.included.push(*tax_included);
        self.counts.push(*line_count);
        self.subtotals.push(*subtotal_minor);
        self.discounts.push(*discount_minor);
        self.taxes.push(*tax_minor);
        self.totals.push(*total_minor);
        self.paid.push(*paid_minor);
        self.change.push(*change_minor);
        self.customers.push(customer_ref.as_deref());
        self.roundings.push(*rounding_minor);
        self.offline.push(*offline);
    }

    fn push_line(&mut self, sale: &Sale, row: &'a SaleLine) {
        let SaleLine {
            line,
            product_id,
            sku,
            name,
            category_id,
            quantity,
            list_price_minor,
            unit_price_minor,
            price_per,
            gross_minor,
            discount_minor,
            tax_rate,
            tax_minor,
            total_minor,
            cost_minor,
            note,
            returned_quantity: _,
            promotion_id,
            promotion_name,
            promotion_discount_minor,
        } = row;
        self.l_sales.push(sale.id);
        self.l_lines.push(*line);
        self.l_stores.push(sale.store_id);
        self.l_products.push(*product_id);
        self.l_skus.push(sku);
        self.l_names.push(name);
        self.l_categories.push(*category_id);
        self.l_quantities.push(*quantity);
        self.l_list_prices.push(*list_price_minor);
        self.l_prices.push(*unit_price_minor);
        self.l_pers.push(*price_per);
        self.l_grosses.push(*gross_minor);
        self.l_discounts.push(*discount_minor);
        self.l_rates.push(*tax_rate);
        self.l_taxes.push(*tax_minor);
        self.l_totals.push(*total_minor);
        self.l_costs.push(*cost_minor);
        self.l_notes.push(note.as_deref());
        self.l_promotions.push(*promotion_id);
        self.l_promotion_names.push(promotion_name.as_deref());
        self.l_promotion_discounts.push(*promotion_discount_minor);
    }

    fn push_payment(&mut self, sale: &Sale, row: &'a Payment) {
        let Payment {
            n,
            tender,
            amount_minor,
            reference,
        } = row;
        self.p_sales.push(sale.id);
        self.p_ns.push(*n);
        self.p_stores.push(sale.store_id);
        self.p_tenders.push(*tender);
        self.p_amounts.push(*amount_minor);
        self.p_references.push(reference.as_deref());
    }
}
