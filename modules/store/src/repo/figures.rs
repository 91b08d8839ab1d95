//! What is open: holds that wait for their sale, goods that are on the way.

use diesel::{PgConnection, QueryResult, QueryableByName, RunQueryDsl, sql_types};
use kernel::{figures::COUNTED, statement};

/// Figures about the module's database.
#[derive(Debug, QueryableByName)]
pub(crate) struct Figures {
    #[diesel(sql_type = sql_types::BigInt)]
    pub(crate) open: i64,
    #[diesel(sql_type = sql_types::BigInt)]
    pub(crate) overdue: i64,
    #[diesel(sql_type = sql_types::Double)]
    pub(crate) oldest_seconds: f64,
    #[diesel(sql_type = sql_types::BigInt)]
    pub(crate) transfers: i64,
    #[diesel(sql_type = sql_types::BigInt)]
    pub(crate) units: i64,
}

statement! {
    struct Read { most: i64 => sql_types::BigInt, ttl_seconds: f64 => sql_types::Double }
    // Both walk a partial index of what is open, which is little.
    "WITH open AS ( \
         SELECT created_at FROM holds WHERE state = 'held' ORDER BY created_at, hold_id LIMIT {}), \
     moving AS ( \
         SELECT id FROM transfers WHERE status IN ('in_transit', 'partially_received') LIMIT $1) \
     SELECT (SELECT count(*) FROM open) AS open, \
         (SELECT count(*) FROM open WHERE created_at < now() - make_interval(secs => {})) AS overdue, \
         greatest(0, coalesce(extract(epoch FROM now() - (SELECT min(created_at) FROM open)), 0)) \
             ::float8 AS oldest_seconds, \
         (SELECT count(*) FROM moving) AS transfers, \
         (SELECT coalesce(sum(l.sent - l.received - l.damaged - l.lost), 0)::bigint \
             FROM moving m JOIN transfer_lines l ON l.transfer_id = m.id) AS units"
}

/// Reads them; a hold is overdue when it is older than `ttl_seconds`.
pub(crate) fn read(conn: &mut PgConnection, ttl_seconds: f64) -> QueryResult<Figures> {
    Read {
        most: COUNTED,
        ttl_seconds,
    }
    .get_result(conn)
}
