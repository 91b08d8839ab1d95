//! Tax classes, and their rates per region.

use chrono::{DateTime, Utc};
use diesel::{
    PgConnection, QueryableByName,
    pg::Pg,
    prelude::*,
    sql_types::{BigInt, Nullable, Text, Timestamptz, Uuid as SqlUuid},
};
use kernel::{ids::UserId, money::BasisPoints, page::Limit, statement};
use uuid::Uuid;

use crate::schema::{tax_classes, tax_rates};

/// One row of `tax_classes`.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = tax_classes, check_for_backend(Pg))]
pub(crate) struct ClassRow {
    pub(crate) id: Uuid,
    pub(crate) code: String,
    pub(crate) name: String,
    pub(crate) created_at: DateTime<Utc>,
}

pub(crate) fn insert_class(conn: &mut PgConnection, row: &ClassRow) -> QueryResult<()> {
    diesel::insert_into(tax_classes::table)
        .values(row)
        .execute(conn)
        .map(drop)
}

/// Those of `codes` that are classes.
pub(crate) fn known_classes(conn: &mut PgConnection, codes: &[&str]) -> QueryResult<Vec<String>> {
    tax_classes::table
        .filter(tax_classes::code.eq_any(codes))
        .select(tax_classes::code)
        .load(conn)
}

/// Classes by code; one more than `limit`, if there is one.
pub(crate) fn classes(
    conn: &mut PgConnection,
    after: Option<String>,
    limit: Limit,
) -> QueryResult<Vec<ClassRow>> {
    let mut query = tax_classes::table
        .select(ClassRow::as_select())
        .order(tax_classes::code)
        .limit(limit.plus_one())
        .into_boxed();
    if let Some(after) = after {
        query = query.filter(tax_classes::code.gt(after));
    }
    query.load(conn)
}

/// One row of `tax_rates`.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable, QueryableByName)]
#[diesel(table_name = tax_rates, check_for_backend(Pg), treat_none_as_default_value = false)]
pub(crate) struct RateRow {
    pub(crate) id: Uuid,
    pub(crate) region: String,
    pub(crate) tax_class: String,
    pub(crate) rate: BasisPoints,
    pub(crate) valid_from: DateTime<Utc>,
    pub(crate) withdrawn_at: Option<DateTime<Utc>>,
    pub(crate) version: i64,
    pub(crate) created_by: UserId,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) updated_at: DateTime<Utc>,
}

pub(crate) fn insert_rate(conn: &mut PgConnection, row: &RateRow) -> QueryResult<()> {
    diesel::insert_into(tax_rates::table)
        .values(row)
        .execute(conn)
        .map(drop)
}

/// The rate, locked until the transaction ends.
pub(crate) fn lock_rate(conn: &mut PgConnection, id: Uuid) -> QueryResult<Option<RateRow>> {
    tax_rates::table
        .find(id)
        .select(RateRow::as_select())
        .for_no_key_update()
        .first(conn)
        .optional()
}

/// Writes that a rate, which is locked, was withdrawn.
pub(crate) fn save_rate(conn: &mut PgConnection, row: &RateRow) -> QueryResult<()> {
    diesel::update(tax_rates::table.find(row.id))
        .set((
            tax_rates::withdrawn_at.eq(row.withdrawn_at),
            tax_rates::version.eq(row.version),
            tax_rates::updated_at.eq(row.updated_at),
        ))
        .execute(conn)
        .map(drop)
}

/// What a list of rates is limited to.
#[derive(Debug)]
pub(crate) struct RateFilter {
    pub(crate) region: Option<String>,
    pub(crate) tax_class: Option<String>,
    /// In force at this moment: the last that began.
    pub(crate) at: Option<DateTime<Utc>>,
    pub(crate) after: Option<(DateTime<Utc>, Uuid)>,
    pub(crate) limit: Limit,
}

statement! {
    struct Rates {
        region: Option<String> => Nullable<Text>,
        tax_class: Option<String> => Nullable<Text>,
        at: Option<DateTime<Utc>> => Nullable<Timestamptz>,
        after_from: Option<DateTime<Utc>> => Nullable<Timestamptz>,
        after_id: Option<Uuid> => Nullable<SqlUuid>,
        limit: i64 => BigInt,
    }
    "SELECT r.* FROM (SELECT {}::text AS region, {}::text AS tax_class, {}::timestamptz AS at, \
         {}::timestamptz AS after_from, {}::uuid AS after_id) p, tax_rates r \
     WHERE (p.region IS NULL OR r.region = p.region) \
         AND (p.tax_class IS NULL OR r.tax_class = p.tax_class) \
         AND (p.after_from IS NULL OR (r.valid_from, r.id) < (p.after_from, p.after_id)) \
         AND (p.at IS NULL OR (r.withdrawn_at IS NULL AND r.valid_from <= p.at AND NOT EXISTS ( \
             SELECT FROM tax_rates l WHERE l.region = r.region AND l.tax_class = r.tax_class \
                 AND l.withdrawn_at IS NULL AND l.valid_from > r.valid_from AND l.valid_from <= p.at))) \
     ORDER BY r.valid_from DESC, r.id DESC LIMIT {}"
}

/// Rates, the one that begins last first; one more than the limit, if there is one.
pub(crate) fn rates(conn: &mut PgConnection, filter: RateFilter) -> QueryResult<Vec<RateRow>> {
    let RateFilter {
        region,
        tax_class,
        at,
        after,
        limit,
    } = filter;
    Rates {
        region,
        tax_class,
        at,
        after_from: after.map(|(from, _)| from),
        after_id: after.map(|(_, id)| id),
        limit: limit.plus_one(),
    }
    .get_results(conn)
}
