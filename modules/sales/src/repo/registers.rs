//! What sales keeps of a register. Its row's lock is what shifts, receipts and Z reports agree
//! under: it is taken after the rows of sales and before anything of a shift, and where several
//! are needed in the order of their keys.

use diesel::{
    OptionalExtension, PgConnection, QueryResult, QueryableByName, RunQueryDsl, sql_types,
};
use kernel::{ids::StoreId, money::Currency, statement, uuid::Uuid};

/// A register.
#[derive(Debug, Clone, QueryableByName)]
pub(crate) struct Register {
    /// The number of the last receipt; 0 before the first.
    #[diesel(sql_type = sql_types::BigInt)]
    pub(crate) last_receipt: i64,
    /// The shift that is open.
    #[diesel(sql_type = sql_types::Nullable<sql_types::Uuid>)]
    pub(crate) open_shift_id: Option<Uuid>,
    /// What it counts in.
    #[diesel(sql_type = sql_types::Nullable<sql_types::Text>)]
    pub(crate) open_currency: Option<Currency>,
}

impl Register {
    /// The open shift, if it counts in `currency`.
    pub(crate) fn shift_in(&self, currency: Currency) -> Option<Uuid> {
        self.open_shift_id
            .filter(|_| self.open_currency == Some(currency))
    }
}

statement! {
    struct Lock { store_id: StoreId => sql_types::Uuid, register_id: Uuid => sql_types::Uuid }
    "SELECT last_receipt, open_shift_id, open_currency FROM registers \
     WHERE store_id = {} AND register_id = {} FOR UPDATE"
}

/// Locks the register; `None` where nothing happened there yet.
pub(crate) fn lock(
    conn: &mut PgConnection,
    store_id: StoreId,
    register_id: Uuid,
) -> QueryResult<Option<Register>> {
    let lock = Lock {
        store_id,
        register_id,
    };
    lock.get_result(conn).optional()
}

statement! {
    struct Open<'a> {
        store_id: StoreId => sql_types::Uuid,
        register_id: Uuid => sql_types::Uuid,
        shift_id: Uuid => sql_types::Uuid,
        currency: &'a str => sql_types::Text,
    }
    "INSERT INTO registers (store_id, register_id, open_shift_id, open_currency) \
     VALUES ({}, {}, {}, {}) \
     ON CONFLICT (store_id, register_id) DO UPDATE SET open_shift_id = excluded.open_shift_id, \
         open_currency = excluded.open_currency \
     WHERE registers.open_shift_id IS NULL \
     RETURNING last_receipt, open_shift_id, open_currency"
}

/// Opens a shift at the register, and locks it. `None` where one is open already.
pub(crate) fn open(
    conn: &mut PgConnection,
    store_id: StoreId,
    register_id: Uuid,
    shift_id: Uuid,
    currency: Currency,
) -> QueryResult<Option<Register>> {
    let open = Open {
        store_id,
        register_id,
        shift_id,
        currency: currency.as_str(),
    };
    open.get_result(conn).optional()
}

statement! {
    struct Close { shift_id: Uuid => sql_types::Uuid, store_id: StoreId => sql_types::Uuid,
        register_id: Uuid => sql_types::Uuid }
    "UPDATE registers SET open_shift_id = NULL, open_currency = NULL, last_z = last_z + 1 \
     WHERE open_shift_id = {} AND store_id = {} AND register_id = {} \
     RETURNING last_receipt, last_z"
}

/// The numbers that a shift ends with.
#[derive(Debug, Clone, Copy, QueryableByName)]
pub(crate) struct Closed {
    #[diesel(sql_type = sql_types::BigInt)]
    pub(crate) last_receipt: i64,
    /// The number of its Z report.
    #[diesel(sql_type = sql_types::BigInt)]
    pub(crate) last_z: i64,
}

/// Ends the shift at its register; `None` where it is not open there.
pub(crate) fn close(
    conn: &mut PgConnection,
    store_id: StoreId,
    register_id: Uuid,
    shift_id: Uuid,
) -> QueryResult<Option<Closed>> {
    let close = Close {
        shift_id,
        store_id,
        register_id,
    };
    close.get_result(conn).optional()
}
