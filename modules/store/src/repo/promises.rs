//! What is promised of a level, and what is on the way to it. Neither is stock, so neither is in
//! the ledger: both are sums over transfers.

use diesel::{PgConnection, QueryResult, RunQueryDsl, result::Error, sql_types};
use kernel::{
    ids::{ProductId, StoreId},
    statement,
};

use crate::domain::ledger::Key;

/// A change of what is promised of a level, or on the way to it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Promise {
    pub(crate) key: Key,
    pub(crate) reserved: i64,
    pub(crate) incoming: i64,
}

statement! {
    struct Write {
        stores: Vec<StoreId> => sql_types::Array<sql_types::Uuid>,
        products: Vec<ProductId> => sql_types::Array<sql_types::Uuid>,
        reserved: Vec<i64> => sql_types::Array<sql_types::BigInt>,
        incoming: Vec<i64> => sql_types::Array<sql_types::BigInt>,
    }
    "UPDATE levels l SET reserved = l.reserved + d.reserved, incoming = l.incoming + d.incoming \
     FROM unnest({}, {}, {}, {}) AS d(store_id, product_id, reserved, incoming) \
     WHERE l.store_id = d.store_id AND l.product_id = d.product_id \
         AND l.reserved + d.reserved >= 0 AND l.incoming + d.incoming >= 0"
}

/// Writes `promises`, one per level, whose rows this transaction has locked.
///
/// # Errors
///
/// [`Error::RollbackTransaction`] where a level is missing, or less would be promised or on the way
/// than nothing.
pub(crate) fn write(conn: &mut PgConnection, promises: &[Promise]) -> QueryResult<()> {
    if promises.is_empty() {
        return Ok(());
    }
    let write = Write {
        stores: promises.iter().map(|p| p.key.0).collect(),
        products: promises.iter().map(|p| p.key.1).collect(),
        reserved: promises.iter().map(|p| p.reserved).collect(),
        incoming: promises.iter().map(|p| p.incoming).collect(),
    };
    if write.execute(conn)? == promises.len() {
        Ok(())
    } else {
        Err(Error::RollbackTransaction)
    }
}
