//! The rows of stores, their settings included.

use chrono::{DateTime, NaiveTime, Utc};
use diesel::{prelude::*, sql_types};
use kernel::{
    auth::Scope,
    ids::StoreId,
    money::{Currency, Minor},
    page::Limit,
    statement,
    text::Code,
};
use store_api::StoreKind;

use super::columns::{Kind, Negative, Tax, Zone};
use crate::{
    domain::settings::{CashRounding, Cutoff, Settings},
    dto::StoreStatus,
    schema::stores,
};

/// A store.
#[derive(Debug, Clone, PartialEq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = stores, check_for_backend(diesel::pg::Pg), treat_none_as_null = true)]
pub(crate) struct StoreRow {
    pub(crate) id: StoreId,
    pub(crate) code: String,
    pub(crate) name: String,
    pub(crate) kind: Kind,
    pub(crate) address: Option<String>,
    pub(crate) timezone: Zone,
    pub(crate) day_cutoff: NaiveTime,
    pub(crate) currency: Currency,
    pub(crate) tax_mode: Tax,
    pub(crate) negative_stock: Negative,
    pub(crate) return_limit_minor: Option<Minor>,
    pub(crate) receipt_text: Option<String>,
    pub(crate) version: i64,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) updated_at: DateTime<Utc>,
    pub(crate) archived_at: Option<DateTime<Utc>>,
    pub(crate) tax_region: Option<String>,
    pub(crate) cash_rounding_minor: Option<CashRounding>,
}

impl StoreRow {
    pub(crate) fn settings(&self) -> Settings {
        Settings {
            timezone: self.timezone.0,
            day_cutoff: Cutoff(self.day_cutoff),
            currency: self.currency,
            tax_mode: self.tax_mode.0,
            // What is stored was checked when it was sent.
            tax_region: self.tax_region.as_deref().and_then(|r| Code::parse(r).ok()),
            cash_rounding: self.cash_rounding_minor,
            negative_stock: self.negative_stock.0,
            return_limit: self.return_limit_minor,
            receipt_text: self.receipt_text.clone(),
        }
    }

    pub(crate) fn set(&mut self, settings: Settings) {
        let Settings {
            timezone,
            day_cutoff,
            currency,
            tax_mode,
            tax_region,
            cash_rounding,
            negative_stock,
            return_limit,
            receipt_text,
        } = settings;
        self.timezone = Zone(timezone);
        self.day_cutoff = day_cutoff.0;
        self.currency = currency;
        self.tax_mode = Tax(tax_mode);
        self.tax_region = tax_region.map(Code::into_string);
        self.cash_rounding_minor = cash_rounding;
        self.negative_stock = Negative(negative_stock);
        self.return_limit_minor = return_limit;
        self.receipt_text = receipt_text;
    }
}

pub(crate) fn insert(conn: &mut PgConnection, row: &StoreRow) -> QueryResult<StoreRow> {
    diesel::insert_into(stores::table)
        .values(row)
        .returning(StoreRow::as_returning())
        .get_result(conn)
}

pub(crate) fn find(conn: &mut PgConnection, id: StoreId) -> QueryResult<Option<StoreRow>> {
    stores::table
        .find(id)
        .select(StoreRow::as_select())
        .first(conn)
        .optional()
}

pub(crate) fn find_by_code(conn: &mut PgConnection, code: &str) -> QueryResult<Option<StoreId>> {
    stores::table
        .filter(stores::code.eq(code))
        .select(stores::id)
        .first(conn)
        .optional()
}

/// The store's row, locked until the transaction ends. New levels of the store may still be made.
pub(crate) fn lock(conn: &mut PgConnection, id: StoreId) -> QueryResult<Option<StoreRow>> {
    stores::table
        .find(id)
        .select(StoreRow::as_select())
        .for_no_key_update()
        .first(conn)
        .optional()
}

/// Writes `row` where the store is still at `version`; `None` where it is not.
pub(crate) fn save(
    conn: &mut PgConnection,
    row: &StoreRow,
    version: i64,
) -> QueryResult<Option<StoreRow>> {
    diesel::update(
        stores::table
            .find(row.id)
            .filter(stores::version.eq(version)),
    )
    .set(row)
    .returning(StoreRow::as_returning())
    .get_result(conn)
    .optional()
}

/// What a list of stores is limited to.
#[derive(Debug)]
pub(crate) struct StoreFilter {
    pub(crate) scope: Scope,
    pub(crate) q: Option<String>,
    pub(crate) kind: Option<StoreKind>,
    pub(crate) status: Option<StoreStatus>,
    pub(crate) after: Option<String>,
    pub(crate) limit: Limit,
}

/// Stores by code; one more than `limit`, if there is one.
pub(crate) fn list(conn: &mut PgConnection, filter: StoreFilter) -> QueryResult<Vec<StoreRow>> {
    let StoreFilter {
        scope,
        q,
        kind,
        status,
        after,
        limit,
    } = filter;
    let mut query = stores::table.select(StoreRow::as_select()).into_boxed();
    if let Some(ids) = scope.as_filter() {
        query = query.filter(stores::id.eq_any(ids));
    }
    if let Some(text) = q {
        let pattern = contains(&text);
        query = query.filter(
            stores::code
                .ilike(pattern.clone())
                .or(stores::name.ilike(pattern)),
        );
    }
    if let Some(kind) = kind {
        query = query.filter(stores::kind.eq(Kind(kind)));
    }
    query = match status {
        Some(StoreStatus::Active) => query.filter(stores::archived_at.is_null()),
        Some(StoreStatus::Archived) => query.filter(stores::archived_at.is_not_null()),
        None => query,
    };
    if let Some(code) = after {
        query = query.filter(stores::code.gt(code));
    }
    query.order(stores::code).limit(limit.plus_one()).load(conn)
}

/// A pattern for what contains `text`, letter by letter.
fn contains(text: &str) -> String {
    let escaped = text
        .replace('\\', r"\\")
        .replace('%', r"\%")
        .replace('_', r"\_");
    format!("%{escaped}%")
}

#[derive(QueryableByName)]
struct InUse {
    #[diesel(sql_type = sql_types::Bool)]
    found: bool,
}

statement! {
    struct HasStock { levels_of: StoreId => sql_types::Uuid, holds_of: StoreId => sql_types::Uuid }
    "SELECT EXISTS (SELECT FROM levels WHERE store_id = {} \
         AND (on_hand <> 0 OR reserved <> 0 OR damaged <> 0 OR incoming <> 0)) \
     OR EXISTS (SELECT FROM holds WHERE store_id = {} AND state = 'held') AS found"
}

/// Whether any level of the store is not zero, or goods of it are held for a sale.
pub(crate) fn has_stock(conn: &mut PgConnection, id: StoreId) -> QueryResult<bool> {
    let statement = HasStock {
        levels_of: id,
        holds_of: id,
    };
    statement.get_result::<InUse>(conn).map(|row| row.found)
}

statement! {
    struct HasMovements { id: StoreId => sql_types::Uuid }
    "SELECT EXISTS (SELECT FROM movements WHERE store_id = {}) AS found"
}

/// Whether anything ever moved in the store.
pub(crate) fn has_movements(conn: &mut PgConnection, id: StoreId) -> QueryResult<bool> {
    HasMovements { id }
        .get_result::<InUse>(conn)
        .map(|row| row.found)
}

/// Whether a store that was asked for is in use.
#[derive(Debug, QueryableByName)]
pub(crate) struct Open {
    #[diesel(sql_type = sql_types::Uuid)]
    pub(crate) id: StoreId,
    #[diesel(sql_type = sql_types::Bool)]
    pub(crate) archived: bool,
}

statement! {
    struct Share<'a> { ids: &'a [StoreId] => sql_types::Array<sql_types::Uuid> }
    "SELECT id, archived_at IS NOT NULL AS archived FROM stores \
     WHERE id = ANY({}) ORDER BY id FOR SHARE"
}

/// Those of `ids` that exist, kept from being archived until the transaction ends.
pub(crate) fn share(conn: &mut PgConnection, ids: &[StoreId]) -> QueryResult<Vec<Open>> {
    Share { ids }.get_results(conn)
}

#[cfg(test)]
mod tests {
    #[test]
    fn what_is_searched_for_is_no_pattern() {
        assert_eq!(super::contains(r"10%_\"), r"%10\%\_\\%");
    }
}
