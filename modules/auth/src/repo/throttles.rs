//! Counters of failed sign-ins. An attempt counts as failed before it is checked, so that guesses
//! in parallel, in whatever replica, cannot outrun the counter.

use diesel::{
    OptionalExtension, PgConnection, QueryResult, QueryableByName, RunQueryDsl,
    sql_types::{Array, Binary, Integer},
};
use kernel::statement;

use crate::domain::throttle::{
    ACCOUNT_MEMORY_SECONDS, ADDRESS_FAILURES, ADDRESS_WINDOW_SECONDS, DELAYS_SECONDS,
};

/// Seconds to wait, where an attempt is not let through.
pub(crate) type Wait = i32;

#[derive(QueryableByName)]
struct Seconds {
    #[diesel(sql_type = Integer)]
    seconds: i32,
}

statement! {
    struct CountAccount<'a> {
        key: &'a [u8] => Binary,
        delays: &'a [i32] => Array<Integer>,
        memory: i32 => Integer,
    }
    "WITH p AS (SELECT {}::bytea AS key, {}::integer[] AS delays, make_interval(secs => {}) AS memory) \
     INSERT INTO throttles AS t (key, failures, since, last_at, locked_until) \
     SELECT p.key, 1, now(), now(), now() + make_interval(secs => p.delays[1]) FROM p \
     ON CONFLICT (key) DO UPDATE SET \
         failures = CASE WHEN t.last_at < now() - (SELECT memory FROM p) THEN 1 ELSE t.failures + 1 END, \
         last_at = now(), \
         locked_until = now() + make_interval(secs => (SELECT delays[least( \
             CASE WHEN t.last_at < now() - memory THEN 1 ELSE t.failures + 1 END, cardinality(delays))] FROM p)) \
     WHERE t.locked_until <= now()"
}

/// Counts an attempt on an account, or says how long to wait.
pub(crate) fn count_account(conn: &mut PgConnection, key: &[u8]) -> QueryResult<Result<(), Wait>> {
    let counted = CountAccount {
        key,
        delays: &DELAYS_SECONDS,
        memory: ACCOUNT_MEMORY_SECONDS,
    };
    match counted.execute(conn)? {
        0 => Locked { key }.get_result(conn).optional().map(to_wait),
        _ => Ok(Ok(())),
    }
}

statement! {
    struct Locked<'a> { key: &'a [u8] => Binary }
    "SELECT ceil(extract(epoch FROM locked_until - clock_timestamp()))::integer AS seconds \
     FROM throttles WHERE key = {}"
}

statement! {
    struct CountAddress<'a> {
        key: &'a [u8] => Binary,
        window: i32 => Integer,
        most: i32 => Integer,
    }
    "WITH p AS (SELECT {}::bytea AS key, make_interval(secs => {}) AS span, {}::integer AS most) \
     INSERT INTO throttles AS t (key, failures, since, last_at, locked_until) \
     SELECT p.key, 1, now(), now(), '-infinity' FROM p \
     ON CONFLICT (key) DO UPDATE SET \
         failures = CASE WHEN t.since <= now() - (SELECT span FROM p) THEN 1 ELSE t.failures + 1 END, \
         since = CASE WHEN t.since <= now() - (SELECT span FROM p) THEN now() ELSE t.since END, \
         last_at = now() \
     WHERE t.since <= now() - (SELECT span FROM p) OR t.failures < (SELECT most FROM p)"
}

/// Counts an attempt from an address, or says how long to wait.
pub(crate) fn count_address(conn: &mut PgConnection, key: &[u8]) -> QueryResult<Result<(), Wait>> {
    let window = ADDRESS_WINDOW_SECONDS;
    match (CountAddress {
        key,
        window,
        most: ADDRESS_FAILURES,
    })
    .execute(conn)?
    {
        0 => Closed { window, key }
            .get_result(conn)
            .optional()
            .map(to_wait),
        _ => Ok(Ok(())),
    }
}

statement! {
    struct Closed<'a> {
        window: i32 => Integer,
        key: &'a [u8] => Binary,
    }
    "SELECT ceil(extract(epoch FROM since + make_interval(secs => {}) - clock_timestamp()))::integer AS seconds \
     FROM throttles WHERE key = {}"
}

fn to_wait(row: Option<Seconds>) -> Result<(), Wait> {
    Err(row.map_or(1, |Seconds { seconds }| seconds.max(1)))
}

statement! {
    struct ForgetAccount<'a> { key: &'a [u8] => Binary }
    "DELETE FROM throttles WHERE key = {}"
}

statement! {
    struct Uncount<'a> { key: &'a [u8] => Binary }
    "UPDATE throttles SET failures = greatest(failures - 1, 0) WHERE key = {}"
}

/// After the right password: the account starts anew, and this attempt was no failure.
pub(crate) fn forgive(conn: &mut PgConnection, account: &[u8], address: &[u8]) -> QueryResult<()> {
    forget_account(conn, account)?;
    Uncount { key: address }.execute(conn).map(drop)
}

/// After an admin set a new password.
pub(crate) fn forget_account(conn: &mut PgConnection, account: &[u8]) -> QueryResult<()> {
    ForgetAccount { key: account }.execute(conn).map(drop)
}
