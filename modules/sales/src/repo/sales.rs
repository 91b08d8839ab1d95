//! Sales as they are read: one with its lines, or a page of heads.

use chrono::{DateTime, NaiveDate, Utc};
use diesel::{
    dsl::{exists, sql},
    expression::SqlLiteral,
    pg::Pg,
    prelude::*,
    sql_types::{BigInt, Bool},
};
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
    domain::words::{SaleStatus, Tender},
    schema::{payments, sale_lines, sales},
};

/// A sale; never a tombstone.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = sales, check_for_backend(Pg))]
pub(crate) struct Sale {
    pub(crate) id: SaleId,
    pub(crate) store_id: StoreId,
    pub(crate) state: SaleStatus,
    pub(crate) recorded_at: DateTime<Utc>,
    pub(crate) register_id: Option<Uuid>,
    pub(crate) cashier_id: UserId,
    pub(crate) number: String,
    pub(crate) request_hash: Vec<u8>,
    pub(crate) occurred_at: DateTime<Utc>,
    pub(crate) business_date: NaiveDate,
    pub(crate) currency: Currency,
    pub(crate) tax_included: bool,
    pub(crate) line_count: i32,
    pub(crate) subtotal_minor: Minor,
    pub(crate) discount_minor: Minor,
    pub(crate) tax_minor: Minor,
    pub(crate) total_minor: Minor,
    pub(crate) paid_minor: Minor,
    pub(crate) change_minor: Minor,
    pub(crate) customer_ref: Option<String>,
    pub(crate) refunded_minor: Minor,
    pub(crate) voided_at: Option<DateTime<Utc>>,
    pub(crate) void_reason: Option<String>,
    pub(crate) void_id: Option<Uuid>,
    pub(crate) void_hash: Option<Vec<u8>>,
    /// What cash was rounded by.
    pub(crate) rounding_minor: Minor,
    pub(crate) offline: bool,
}

/// A line of a sale.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = sale_lines, check_for_backend(Pg))]
pub(crate) struct SaleLine {
    pub(crate) line: i32,
    pub(crate) product_id: ProductId,
    pub(crate) sku: String,
    pub(crate) name: String,
    pub(crate) category_id: Option<Uuid>,
    pub(crate) quantity: Quantity,
    pub(crate) list_price_minor: Minor,
    pub(crate) unit_price_minor: Minor,
    pub(crate) price_per: Quantity,
    pub(crate) gross_minor: Minor,
    pub(crate) discount_minor: Minor,
    pub(crate) tax_rate: BasisPoints,
    pub(crate) tax_minor: Minor,
    pub(crate) total_minor: Minor,
    pub(crate) cost_minor: Option<Minor>,
    pub(crate) note: Option<String>,
    pub(crate) returned_quantity: i64,
    pub(crate) promotion_id: Option<Uuid>,
    pub(crate) promotion_name: Option<String>,
    /// Part of the discount.
    pub(crate) promotion_discount_minor: Minor,
}

/// A payment of a sale.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = payments, check_for_backend(Pg))]
pub(crate) struct Payment {
    pub(crate) n: i32,
    pub(crate) tender: Tender,
    pub(crate) amount_minor: Minor,
    pub(crate) reference: Option<String>,
}

/// A sale with everything in it.
#[derive(Debug, Clone)]
pub(crate) struct FullSale {
    pub(crate) sale: Sale,
    pub(crate) lines: Vec<SaleLine>,
    pub(crate) payments: Vec<Payment>,
    /// `None` where it was not made at a register.
    pub(crate) receipt: Option<Receipt>,
}

const TOMBSTONE: &str = "aborted";

/// The sale with its lines and payments; `None` when there is none, or not in `stores`.
///
/// Sale and lines come from one statement, so that a return in flight is seen in both or neither.
pub(crate) fn find(
    conn: &mut PgConnection,
    id: SaleId,
    stores: Option<Vec<StoreId>>,
) -> QueryResult<Option<FullSale>> {
    let mut query = sales::table
        .inner_join(sale_lines::table)
        .filter(sales::id.eq(id))
        .filter(sales::state.ne(TOMBSTONE))
        .order(sale_lines::line)
        .select((Sale::as_select(), SaleLine::as_select()))
        .into_boxed();
    if let Some(stores) = stores {
        query = query.filter(sales::store_id.eq_any(stores));
    }
    let rows: Vec<(Sale, SaleLine)> = query.load(conn)?;
    let (mut heads, lines): (Vec<Sale>, Vec<SaleLine>) = rows.into_iter().unzip();
    let Some(sale) = heads.pop() else {
        return Ok(None);
    };
    let payments = payments::table
        .filter(payments::sale_id.eq(id))
        .order(payments::n)
        .select(Payment::as_select())
        .load(conn)?;
    let receipt = match sale.register_id {
        Some(_) => receipts::of(conn, id.0)?,
        None => None,
    };
    Ok(Some(FullSale {
        sale,
        lines,
        payments,
        receipt,
    }))
}

/// What a receipt says about its sale.
#[derive(Debug, Clone)]
pub(crate) enum FoundBy {
    Id(SaleId),
    Number(String),
}

/// As many lines as five sales may have; a number is hardly ever given twice.
const RECEIPT_LINES: i64 = 1_000;

/// The lines of the sales of one receipt, sale by sale, whatever store sold them.
pub(crate) fn receipts(conn: &mut PgConnection, by: FoundBy) -> QueryResult<Vec<(Sale, SaleLine)>> {
    let query = sales::table
        .inner_join(sale_lines::table)
        .filter(sales::state.ne(TOMBSTONE))
        .order((sales::id, sale_lines::line))
        .limit(RECEIPT_LINES)
        .select((Sale::as_select(), SaleLine::as_select()))
        .into_boxed();
    match by {
        FoundBy::Id(id) => query.filter(sales::id.eq(id)).load(conn),
        FoundBy::Number(number) => query.filter(sales::number.eq(number)).load(conn),
    }
}

/// The sale alone; `None` when there is none, or not in `stores`.
pub(crate) fn head(
    conn: &mut PgConnection,
    id: SaleId,
    stores: Option<Vec<StoreId>>,
) -> QueryResult<Option<Sale>> {
    let mut query = sales::table
        .filter(sales::id.eq(id))
        .filter(sales::state.ne(TOMBSTONE))
        .select(Sale::as_select())
        .into_boxed();
    if let Some(stores) = stores {
        query = query.filter(sales::store_id.eq_any(stores));
    }
    query.first(conn).optional()
}

/// Whose sales a list may show.
#[derive(Debug, Clone)]
pub(crate) struct Sight {
    /// Who asks.
    pub(crate) caller: UserId,
    /// Where they see everyone's; `None` is everywhere.
    pub(crate) all_of: Option<Vec<StoreId>>,
    /// Where they see at least their own; `None` is everywhere.
    pub(crate) own_of: Option<Vec<StoreId>>,
}

/// What a list is limited to.
#[derive(Debug, Clone)]
pub(crate) struct Filter {
    pub(crate) store_id: Option<StoreId>,
    pub(crate) from: Option<NaiveDate>,
    pub(crate) to: Option<NaiveDate>,
    pub(crate) cashier_id: Option<UserId>,
    pub(crate) number: Option<String>,
    pub(crate) product_id: Option<ProductId>,
    pub(crate) min_total: Option<i64>,
    pub(crate) max_total: Option<i64>,
    pub(crate) status: Option<SaleStatus>,
    pub(crate) offline: Option<bool>,
}

type Boxed<'a> = sales::BoxedQuery<'a, Pg>;
type Condition = Box<dyn BoxableExpression<sales::table, Pg, SqlType = Bool>>;

/// Heads with the sum of their lines' quantities, newest first, in one statement.
pub(crate) fn list(
    conn: &mut PgConnection,
    sight: Sight,
    filter: Filter,
    after: Option<Newest>,
    limit: i64,
) -> QueryResult<Vec<(Sale, i64)>> {
    let mut query = narrow(sales::table.into_boxed(), filter).filter(sales::state.ne(TOMBSTONE));
    if let Some(seen) = seen_by(sight) {
        query = query.filter(seen);
    }
    if let Some(Newest { occurred_at, id }) = after {
        // The first half is implied by the second; it lets the index start at the right place.
        query = query.filter(sales::occurred_at.le(occurred_at)).filter(
            sales::occurred_at
                .lt(occurred_at)
                .or(sales::occurred_at.eq(occurred_at).and(sales::id.lt(id))),
        );
    }
    query
        .order((sales::occurred_at.desc(), sales::id.desc()))
        .limit(limit)
        .select((Sale::as_select(), units()))
        .load(conn)
}

/// PostgreSQL sums `bigint` to `numeric`; 200 lines of a billion each fit a `bigint`.
fn units() -> SqlLiteral<BigInt> {
    sql("(SELECT sum(quantity)::bigint FROM sale_lines WHERE sale_lines.sale_id = sales.id)")
}

/// `None` when the caller sees everything.
fn seen_by(sight: Sight) -> Option<Condition> {
    let Sight {
        caller,
        all_of,
        own_of,
    } = sight;
    let all_of = all_of?;
    let own: Condition = match own_of {
        None => Box::new(sales::cashier_id.eq(caller)),
        Some(own_of) => Box::new(
            sales::cashier_id
                .eq(caller)
                .and(sales::store_id.eq_any(own_of)),
        ),
    };
    Some(if all_of.is_empty() {
        own
    } else {
        Box::new(sales::store_id.eq_any(all_of).or(own))
    })
}

fn narrow(mut query: Boxed<'_>, filter: Filter) -> Boxed<'_> {
    let Filter {
        store_id,
        from,
        to,
        cashier_id,
        number,
        product_id,
        min_total,
        max_total,
        status,
        offline,
    } = filter;
    if let Some(store_id) = store_id {
        query = query.filter(sales::store_id.eq(store_id));
    }
    if let Some(from) = from {
        query = query.filter(sales::business_date.ge(from));
    }
    if let Some(to) = to {
        query = query.filter(sales::business_date.le(to));
    }
    if let Some(cashier_id) = cashier_id {
        query = query.filter(sales::cashier_id.eq(cashier_id));
    }
    if let Some(number) = number {
        query = query.filter(sales::number.eq(number));
    }
    if let Some(product_id) = product_id {
        let lines = sale_lines::table
            .filter(sale_lines::sale_id.eq(sales::id))
            .filter(sale_lines::product_id.eq(product_id));
        query = query.filter(exists(lines));
    }
    if let Some(min_total) = min_total {
        query = query.filter(sales::total_minor.ge(min_total));
    }
    if let Some(max_total) = max_total {
        query = query.filter(sales::total_minor.le(max_total));
    }
    if let Some(offline) = offline {
        query = query.filter(sales::offline.eq(offline));
    }
    if let Some(status) = status {
        query = query.filter(sales::state.eq(status));
    }
    query
}
