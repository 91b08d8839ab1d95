//! Returns as they are read: one with its lines, or a page of heads.

use chrono::{DateTime, NaiveDate, Utc};
use diesel::{pg::Pg, prelude::*};
use kernel::{
    ids::{ProductId, SaleId, StoreId, UserId},
    money::{BasisPoints, Currency, Minor, Quantity},
    uuid::Uuid,
};

use super::{
    Newest,
    receipts::{self, Receipt},
};
use crate::{
    domain::words::{Disposition, ReturnReason, Tender},
    schema::{refunds, return_lines, returns},
};

/// A return.
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = returns, check_for_backend(Pg), treat_none_as_default_value = false)]
pub(crate) struct Return {
    pub(crate) id: Uuid,
    /// None where there is no receipt.
    pub(crate) sale_id: Option<SaleId>,
    /// The store that sold.
    pub(crate) sale_store_id: Option<StoreId>,
    pub(crate) store_id: StoreId,
    pub(crate) register_id: Option<Uuid>,
    pub(crate) cashier_id: UserId,
    pub(crate) number: String,
    pub(crate) request_hash: Vec<u8>,
    pub(crate) occurred_at: DateTime<Utc>,
    pub(crate) business_date: NaiveDate,
    pub(crate) currency: Currency,
    pub(crate) reason: ReturnReason,
    pub(crate) note: Option<String>,
    pub(crate) line_count: i32,
    pub(crate) refund_minor: Minor,
    /// The sale that it was exchanged for.
    pub(crate) exchange_sale_id: Option<SaleId>,
    /// What cash was rounded by.
    pub(crate) rounding_minor: Minor,
}

/// A line of a return.
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = return_lines, check_for_backend(Pg), treat_none_as_default_value = false)]
pub(crate) struct ReturnLine {
    pub(crate) return_id: Uuid,
    pub(crate) n: i32,
    pub(crate) sale_id: Option<SaleId>,
    pub(crate) line: Option<i32>,
    pub(crate) store_id: StoreId,
    pub(crate) product_id: ProductId,
    pub(crate) sku: String,
    pub(crate) name: String,
    pub(crate) category_id: Option<Uuid>,
    pub(crate) quantity: Quantity,
    pub(crate) disposition: Disposition,
    pub(crate) refund_minor: Minor,
    pub(crate) tax_rate: BasisPoints,
    /// Part of the refund.
    pub(crate) tax_minor: Minor,
    pub(crate) cost_minor: Option<Minor>,
}

/// A payment back to the customer.
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = refunds, check_for_backend(Pg), treat_none_as_default_value = false)]
pub(crate) struct Refund {
    pub(crate) return_id: Uuid,
    pub(crate) n: i32,
    pub(crate) store_id: StoreId,
    pub(crate) tender: Tender,
    pub(crate) amount_minor: Minor,
}

/// A return with everything in it.
#[derive(Debug, Clone)]
pub(crate) struct FullReturn {
    pub(crate) head: Return,
    pub(crate) lines: Vec<ReturnLine>,
    pub(crate) refunds: Vec<Refund>,
    /// `None` where it was not made at a register.
    pub(crate) receipt: Option<Receipt>,
}

/// The return with its lines and refunds; `None` when there is none, or not in `stores`.
pub(crate) fn find(
    conn: &mut PgConnection,
    id: Uuid,
    stores: Option<Vec<StoreId>>,
) -> QueryResult<Option<FullReturn>> {
    let mut query = returns::table
        .filter(returns::id.eq(id))
        .select(Return::as_select())
        .into_boxed();
    if let Some(stores) = stores {
        query = query.filter(returns::store_id.eq_any(stores));
    }
    let Some(head) = query.first(conn).optional()? else {
        return Ok(None);
    };
    let lines = return_lines::table
        .filter(return_lines::return_id.eq(id))
        .order(return_lines::n)
        .select(ReturnLine::as_select())
        .load(conn)?;
    let refunds = refunds::table
        .filter(refunds::return_id.eq(id))
        .order(refunds::n)
        .select(Refund::as_select())
        .load(conn)?;
    let receipt = match head.register_id {
        Some(_) => receipts::of(conn, id)?,
        None => None,
    };
    Ok(Some(FullReturn {
        head,
        lines,
        refunds,
        receipt,
    }))
}

/// What a list is limited to.
#[derive(Debug, Clone)]
pub(crate) struct Filter {
    /// The caller's stores; `None` is every store.
    pub(crate) stores: Option<Vec<StoreId>>,
    pub(crate) store_id: Option<StoreId>,
    pub(crate) sale_id: Option<SaleId>,
    pub(crate) from: Option<NaiveDate>,
    pub(crate) to: Option<NaiveDate>,
}

/// Heads, newest first, in one statement.
pub(crate) fn list(
    conn: &mut PgConnection,
    filter: Filter,
    after: Option<Newest>,
    limit: i64,
) -> QueryResult<Vec<Return>> {
    let Filter {
        stores,
        store_id,
        sale_id,
        from,
        to,
    } = filter;
    let mut query = returns::table.select(Return::as_select()).into_boxed();
    if let Some(stores) = stores {
        query = query.filter(returns::store_id.eq_any(stores));
    }
    if let Some(store_id) = store_id {
        query = query.filter(returns::store_id.eq(store_id));
    }
    if let Some(sale_id) = sale_id {
        query = query.filter(returns::sale_id.eq(sale_id));
    }
    if let Some(from) = from {
        query = query.filter(returns::business_date.ge(from));
    }
    if let Some(to) = to {
        query = query.filter(returns::business_date.le(to));
    }
    if let Some(Newest { occurred_at, id }) = after {
        query = query.filter(returns::occurred_at.le(occurred_at)).filter(
            returns::occurred_at
                .lt(occurred_at)
                .or(returns::occurred_at.eq(occurred_at).and(returns::id.lt(id))),
        );
    }
    query
        .order((returns::occurred_at.desc(), returns::id.desc()))
        .limit(limit)
        .load(conn)
}
