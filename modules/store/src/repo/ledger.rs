//! Locks level rows, and writes what was decided about them: the only place that changes stock.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use diesel::{PgConnection, QueryResult, QueryableByName, RunQueryDsl, result::Error, sql_types};
use kernel::{
    ids::{ProductId, StoreId, UserId},
    statement,
};
use uuid::Uuid;

use super::{columns::Reason, discrepancies};
use crate::domain::ledger::{Key, Ledger, Level};

statement! {
    struct Prepare { deferred: bool => sql_types::Bool }
    "SELECT set_config('plan_cache_mode', 'force_generic_plan', true), \
         set_config('enable_seqscan', 'off', true), \
         set_config('enable_hashjoin', 'off', true), \
         set_config('enable_mergejoin', 'off', true), \
         CASE WHEN {} THEN set_config('synchronous_commit', 'off', true) END"
}

/// Fits the rest of the transaction to short statements over arrays: their plans are kept, and
/// find rows by key whatever the tables' size was when they were made. `deferred`: the commit
/// does not wait for the disk (see `HoldCommit`).
pub(crate) fn prepare(conn: &mut PgConnection, deferred: bool) -> QueryResult<()> {
    Prepare { deferred }.execute(conn).map(drop)
}

statement! {
    struct Ensure<'a> {
        stores: &'a [StoreId] => sql_types::Array<sql_types::Uuid>,
        products: &'a [ProductId] => sql_types::Array<sql_types::Uuid>,
    }
    "INSERT INTO levels (store_id, product_id, updated_at) \
     SELECT k.store_id, k.product_id, statement_timestamp() \
     FROM unnest({}, {}) AS k(store_id, product_id) \
     ORDER BY k.store_id, k.product_id ON CONFLICT (store_id, product_id) DO NOTHING"
}

/// Makes the level rows at `keys` that are missing.
pub(crate) fn ensure(conn: &mut PgConnection, keys: &BTreeSet<Key>) -> QueryResult<()> {
    if keys.is_empty() {
        return Ok(());
    }
    let (stores, products): (Vec<_>, Vec<_>) = keys.iter().copied().unzip();
    Ensure {
        stores: &stores,
        products: &products,
    }
    .execute(conn)
    .map(drop)
}

#[derive(QueryableByName)]
struct Locked {
    #[diesel(sql_type = sql_types::Uuid)]
    store_id: StoreId,
    #[diesel(sql_type = sql_types::Uuid)]
    product_id: ProductId,
    #[diesel(sql_type = sql_types::BigInt)]
    on_hand: i64,
    #[diesel(sql_type = sql_types::BigInt)]
    reserved: i64,
    #[diesel(sql_type = sql_types::BigInt)]
    damaged: i64,
    #[diesel(sql_type = sql_types::BigInt)]
    incoming: i64,
    #[diesel(sql_type = sql_types::BigInt)]
    version: i64,
    #[diesel(sql_type = sql_types::Timestamptz)]
    updated_at: DateTime<Utc>,
    #[diesel(sql_type = sql_types::Bool)]
    allows_negative: bool,
}

statement! {
    struct Lock<'a> {
        stores: &'a [StoreId] => sql_types::Array<sql_types::Uuid>,
        products: &'a [ProductId] => sql_types::Array<sql_types::Uuid>,
    }
    "SELECT l.store_id, l.product_id, l.on_hand, l.reserved, l.damaged, l.incoming, l.version, \
         l.updated_at, s.negative_stock = 'allow' AS allows_negative \
     FROM unnest({}, {}) AS k(store_id, product_id) \
     JOIN levels l ON l.store_id = k.store_id AND l.product_id = k.product_id \
     JOIN stores s ON s.id = l.store_id \
     ORDER BY l.store_id, l.product_id FOR UPDATE OF l"
}

/// Locks the level rows at `keys`, in key order, until the transaction ends. Keys without a row
/// are left out.
pub(crate) fn lock(conn: &mut PgConnection, keys: &BTreeSet<Key>) -> QueryResult<Ledger> {
    if keys.is_empty() {
        return Ok(Ledger::default());
    }
    let (stores, products): (Vec<_>, Vec<_>) = keys.iter().copied().unzip();
    let rows: Vec<Locked> = Lock {
        stores: &stores,
        products: &products,
    }
    .get_results(conn)?;
    Ok(Ledger::new(rows.into_iter().map(|row| {
        let level = Level {
            on_hand: row.on_hand,
            reserved: row.reserved,
            damaged: row.damaged,
            incoming: row.incoming,
            version: row.version,
            updated_at: (row.version > 0).then_some(row.updated_at),
        };
        ((row.store_id, row.product_id), level, row.allows_negative)
    })))
}

#[derive(Default)]
struct Changes {
    stores: Vec<StoreId>,
    products: Vec<ProductId>,
    versions: Vec<i64>,
    steps: Vec<i64>,
    deltas: Vec<i64>,
    damaged_deltas: Vec<i64>,
    may: Vec<bool>,
}

#[derive(Default)]
struct Rows<'a> {
    stores: Vec<StoreId>,
    products: Vec<ProductId>,
    seqs: Vec<i64>,
    deltas: Vec<i64>,
    damaged_deltas: Vec<i64>,
    balances: Vec<i64>,
    damaged_balances: Vec<i64>,
    may: Vec<bool>,
    reasons: Vec<&'static str>,
    document_types: Vec<&'static str>,
    documents: Vec<Uuid>,
    actors: Vec<UserId>,
    times: Vec<DateTime<Utc>>,
    notes: Vec<Option<&'a str>>,
}

#[derive(QueryableByName)]
struct Written {
    #[diesel(sql_type = sql_types::BigInt)]
    changed: i64,
    #[diesel(sql_type = sql_types::BigInt)]
    noted: i64,
    #[diesel(sql_type = sql_types::Timestamptz)]
    at: DateTime<Utc>,
}

statement! {
    struct Write<'a> {
        stores: &'a [StoreId] => sql_types::Array<sql_types::Uuid>,
        products: &'a [ProductId] => sql_types::Array<sql_types::Uuid>,
        versions: &'a [i64] => sql_types::Array<sql_types::BigInt>,
        steps: &'a [i64] => sql_types::Array<sql_types::BigInt>,
        deltas: &'a [i64] => sql_types::Array<sql_types::BigInt>,
        damaged_deltas: &'a [i64] => sql_types::Array<sql_types::BigInt>,
        may: &'a [bool] => sql_types::Array<sql_types::Bool>,
        row_stores: &'a [StoreId] => sql_types::Array<sql_types::Uuid>,
        row_products: &'a [ProductId] => sql_types::Array<sql_types::Uuid>,
        row_seqs: &'a [i64] => sql_types::Array<sql_types::BigInt>,
        row_deltas: &'a [i64] => sql_types::Array<sql_types::BigInt>,
        row_damaged_deltas: &'a [i64] => sql_types::Array<sql_types::BigInt>,
        row_balances: &'a [i64] => sql_types::Array<sql_types::BigInt>,
        row_damaged_balances: &'a [i64] => sql_types::Array<sql_types::BigInt>,
        row_may: &'a [bool] => sql_types::Array<sql_types::Bool>,
        row_reasons: &'a [&'static str] => sql_types::Array<sql_types::Text>,
        row_document_types: &'a [&'static str] => sql_types::Array<sql_types::Text>,
        row_documents: &'a [Uuid] => sql_types::Array<sql_types::Uuid>,
        row_actors: &'a [UserId] => sql_types::Array<sql_types::Uuid>,
        row_times: &'a [DateTime<Utc>] => sql_types::Array<sql_types::Timestamptz>,
        row_notes: &'a [Option<&'a str>] => sql_types::Array<sql_types::Nullable<sql_types::Text>>,
    }
    "WITH changed AS ( \
         UPDATE levels l SET on_hand = l.on_hand + d.delta, damaged = l.damaged + d.damaged_delta, \
             version = l.version + d.steps, may_go_negative = d.may, \
             updated_at = statement_timestamp() \
         FROM unnest({}, {}, {}, {}, {}, {}, {}) \
             AS d(store_id, product_id, version, steps, delta, damaged_delta, may) \
         WHERE l.store_id = d.store_id AND l.product_id = d.product_id AND l.version = d.version \
             AND (l.on_hand + d.delta >= 0 OR d.may) AND l.damaged + d.damaged_delta >= 0 \
         RETURNING 1), \
     noted AS ( \
         INSERT INTO movements (store_id, product_id, seq, delta, damaged_delta, balance, \
             damaged_balance, may_go_negative, reason, document_type, document_id, actor_id, \
             occurred_at, note, recorded_at) \
         SELECT m.*, statement_timestamp() \
         FROM unnest({}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}) AS m \
         RETURNING 1) \
     SELECT (SELECT count(*) FROM changed) AS changed, (SELECT count(*) FROM noted) AS noted, \
         statement_timestamp() AS at"
}

/// Writes every change and movement of `ledger`, whose rows this transaction has locked, and lists
/// what was taken that was not there. Answers when that was, by the database's clock; `None` where
/// there was nothing to write.
///
/// # Errors
///
/// [`Error::RollbackTransaction`] where a row is not what the ledger believes, or would go below
/// zero where it may not.
pub(crate) fn write(
    conn: &mut PgConnection,
    ledger: &Ledger,
) -> QueryResult<Option<DateTime<Utc>>> {
    if ledger.movements().is_empty() {
        return Ok(None);
    }
    let (d, m) = (changes(ledger), rows(ledger));
    let written: Written = Write {
        stores: &d.stores,
        products: &d.products,
        versions: &d.versions,
        steps: &d.steps,
        deltas: &d.deltas,
        damaged_deltas: &d.damaged_deltas,
        may: &d.may,
        row_stores: &m.stores,
        row_products: &m.products,
        row_seqs: &m.seqs,
        row_deltas: &m.deltas,
        row_damaged_deltas: &m.damaged_deltas,
        row_balances: &m.balances,
        row_damaged_balances: &m.damaged_balances,
        row_may: &m.may,
        row_reasons: &m.reasons,
        row_document_types: &m.document_types,
        row_documents: &m.documents,
        row_actors: &m.actors,
        row_times: &m.times,
        row_notes: &m.notes,
    }
    .get_result(conn)?;
    let all = |count: i64, of: usize| usize::try_from(count).is_ok_and(|n| n == of);
    if !all(written.changed, d.stores.len()) || !all(written.noted, m.stores.len()) {
        return Err(Error::RollbackTransaction);
    }
    let oversold = ledger.movements().iter().filter(|m| m.oversells());
    discrepancies::insert(conn, oversold.map(|m| (m.key, m.seq)))?;
    Ok(Some(written.at))
}

fn changes(ledger: &Ledger) -> Changes {
    let mut d = Changes::default();
    for ((store, product), shelf) in ledger.changed() {
        d.stores.push(store);
        d.products.push(product);
        d.versions.push(shelf.before.version);
        d.steps.push(shelf.now.version - shelf.before.version);
        d.deltas.push(shelf.now.on_hand - shelf.before.on_hand);
        d.damaged_deltas
            .push(shelf.now.damaged - shelf.before.damaged);
        d.may.push(shelf.may_go_negative);
    }
    d
}

fn rows(ledger: &Ledger) -> Rows<'_> {
    let mut m = Rows::default();
    for movement in ledger.movements() {
        let (store, product) = movement.key;
        m.stores.push(store);
        m.products.push(product);
        m.seqs.push(movement.seq);
        m.deltas.push(movement.change.on_hand);
        m.damaged_deltas.push(movement.change.damaged);
        m.balances.push(movement.balance);
        m.damaged_balances.push(movement.damaged_balance);
        m.may.push(movement.may_go_negative);
        m.reasons.push(Reason(movement.cause.reason).text());
        m.document_types.push(movement.cause.reason.document_type());
        m.documents.push(movement.cause.document_id);
        m.actors.push(movement.cause.actor);
        m.times.push(movement.cause.occurred_at);
        m.notes.push(movement.cause.note.as_deref());
    }
    m
}
