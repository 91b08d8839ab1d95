//! Voiding a sale: one guarded statement.

use chrono::{DateTime, Utc};
use diesel::{dsl::exists, prelude::*, sql_types};
use kernel::{
    ids::{ProductId, SaleId, UserId},
    statement,
    uuid::Uuid,
};

use crate::schema::returns;

/// What a void writes.
#[derive(Debug, Clone)]
pub(crate) struct NewVoid {
    pub(crate) id: Uuid,
    pub(crate) hash: Vec<u8>,
    pub(crate) sale_id: SaleId,
    pub(crate) at: DateTime<Utc>,
    pub(crate) by: UserId,
    pub(crate) reason: String,
    /// The shift whose drawer gives the money back; known under the register's lock.
    pub(crate) shift_id: Option<Uuid>,
}

statement! {
    struct VoidSale<'a> {
        id: Uuid => sql_types::Uuid,
        hash: &'a [u8] => sql_types::Binary,
        at: DateTime<Utc> => sql_types::Timestamptz,
        by: UserId => sql_types::Uuid,
        reason: &'a str => sql_types::Text,
        shift_id: Option<Uuid> => sql_types::Nullable<sql_types::Uuid>,
        sale_id: SaleId => sql_types::Uuid,
    }
    "UPDATE sales SET state = 'voided', void_id = {}, void_hash = {}, voided_at = {}, \
         voided_by = {}, void_reason = {}, void_shift_id = {}, event_seq = event_seq + 1 \
     WHERE id = {} AND state = 'recorded' AND refunded_minor = 0 AND return_count = 0 \
         AND NOT EXISTS (SELECT FROM returns r WHERE r.exchange_sale_id = sales.id) \
     RETURNING event_seq"
}

#[derive(QueryableByName)]
struct Seq {
    #[diesel(sql_type = sql_types::BigInt)]
    event_seq: i64,
}

/// Voids the sale if nothing stands against it; answers the `seq` of its event, given under the
/// row lock. `None` when it is voided already, has returns, or is part of an exchange.
pub(crate) fn void(conn: &mut PgConnection, new: &NewVoid) -> QueryResult<Option<i64>> {
    let NewVoid {
        id,
        hash,
        sale_id,
        at,
        by,
        reason,
        shift_id,
    } = new;
    let row: Option<Seq> = VoidSale {
        id: *id,
        hash,
        at: *at,
        by: *by,
        reason,
        shift_id: *shift_id,
        sale_id: *sale_id,
    }
    .get_result(conn)
    .optional()?;
    Ok(row.map(|row| row.event_seq))
}

/// Whether the sale is part of an exchange.
pub(crate) fn is_exchange(conn: &mut PgConnection, sale_id: SaleId) -> QueryResult<bool> {
    let returned = returns::table.filter(returns::exchange_sale_id.eq(sale_id));
    diesel::select(exists(returned)).get_result(conn)
}

statement! {
    struct GoodsOf { sale_id: SaleId => sql_types::Uuid }
    "SELECT product_id, sum(quantity)::bigint AS quantity FROM sale_lines WHERE sale_id = {} \
     GROUP BY product_id ORDER BY product_id"
}

/// A product and how much of it.
#[derive(Debug, Clone, Copy, QueryableByName)]
pub(crate) struct Goods {
    #[diesel(sql_type = sql_types::Uuid)]
    pub(crate) product_id: ProductId,
    #[diesel(sql_type = sql_types::BigInt)]
    pub(crate) quantity: kernel::money::Quantity,
}

/// What the sale took, one row per product.
pub(crate) fn goods(conn: &mut PgConnection, sale_id: SaleId) -> QueryResult<Vec<Goods>> {
    GoodsOf { sale_id }.get_results(conn)
}
