//! Reads stores as other modules see them.

use chrono::NaiveTime;
use diesel::{PgConnection, QueryResult, QueryableByName, RunQueryDsl, sql_types};
use kernel::{
    ids::StoreId,
    money::{Currency, Minor},
    statement,
};
use serde_json::Value;
use store_api::StoreProfile;

use super::columns::{Kind, Negative, Tax, Zone};

#[derive(Debug, QueryableByName)]
struct ProfileRow {
    #[diesel(sql_type = sql_types::Uuid)]
    id: StoreId,
    #[diesel(sql_type = sql_types::Text)]
    code: String,
    #[diesel(sql_type = sql_types::Text)]
    name: String,
    #[diesel(sql_type = sql_types::Nullable<sql_types::Text>)]
    address: Option<String>,
    #[diesel(sql_type = sql_types::Text)]
    kind: Kind,
    #[diesel(sql_type = sql_types::Text)]
    timezone: Zone,
    #[diesel(sql_type = sql_types::Time)]
    day_cutoff: NaiveTime,
    #[diesel(sql_type = sql_types::Text)]
    currency: Currency,
    #[diesel(sql_type = sql_types::Text)]
    tax_mode: Tax,
    #[diesel(sql_type = sql_types::Nullable<sql_types::Text>)]
    tax_region: Option<String>,
    #[diesel(sql_type = sql_types::Nullable<sql_types::BigInt>)]
    cash_rounding_minor: Option<Minor>,
    #[diesel(sql_type = sql_types::Text)]
    negative_stock: Negative,
    #[diesel(sql_type = sql_types::Nullable<sql_types::BigInt>)]
    return_limit_minor: Option<Minor>,
    #[diesel(sql_type = sql_types::Nullable<sql_types::Text>)]
    receipt_text: Option<String>,
    #[diesel(sql_type = sql_types::Jsonb)]
    registers: Value,
    #[diesel(sql_type = sql_types::Bool)]
    archived: bool,
}

statement! {
    struct Profiles<'a> { ids: &'a [StoreId] => sql_types::Array<sql_types::Uuid> }
    "SELECT s.id, s.code, s.name, s.address, s.kind, s.timezone, s.day_cutoff, s.currency, s.tax_mode, \
         s.tax_region, s.cash_rounding_minor, s.negative_stock, s.return_limit_minor, s.receipt_text, \
         s.archived_at IS NOT NULL AS archived, \
         coalesce((SELECT jsonb_agg(jsonb_build_object('id', r.id, 'code', r.code) ORDER BY r.code) \
             FROM registers r WHERE r.store_id = s.id AND r.archived_at IS NULL), \
             jsonb_build_array()) AS registers \
     FROM stores s WHERE s.id = ANY({}) ORDER BY s.id"
}

/// The profiles of those of `ids` that exist.
pub(crate) fn find(conn: &mut PgConnection, ids: &[StoreId]) -> QueryResult<Vec<StoreProfile>> {
    let rows: Vec<ProfileRow> = Profiles { ids }.get_results(conn)?;
    rows.into_iter().map(profile).collect()
}

fn profile(row: ProfileRow) -> QueryResult<StoreProfile> {
    let ProfileRow {
        id,
        code,
        name,
        address,
        kind,
        timezone,
        day_cutoff,
        currency,
        tax_mode,
        tax_region,
        cash_rounding_minor,
        negative_stock,
        return_limit_minor,
        receipt_text,
        registers,
        archived,
    } = row;
    Ok(StoreProfile {
        id,
        code,
        name,
        address,
        kind: kind.0,
        timezone: timezone.0,
        day_cutoff,
        currency,
        tax_mode: tax_mode.0,
        tax_region,
        cash_rounding: cash_rounding_minor,
        negative_stock: negative_stock.0,
        return_limit: return_limit_minor,
        receipt_text,
        registers: serde_json::from_value(registers)
            .map_err(|e| diesel::result::Error::DeserializationError(Box::new(e)))?,
        archived,
    })
}
