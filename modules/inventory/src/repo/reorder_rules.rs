//! Reorder rules: one by one, by the page, and written many at a time.

use chrono::{DateTime, Utc};
use diesel::{PgConnection, QueryResult, QueryableByName, RunQueryDsl, prelude::*, sql_types};
use kernel::{
    auth::Scope,
    ids::{ProductId, StoreId},
    page::Limit,
    statement,
};
use serde::Serialize;
use uuid::Uuid;

use crate::{
    domain::{product::Unit, reorder::Rule},
    schema::reorder_rules,
};

/// What a rule is for.
pub(crate) type Key = (StoreId, ProductId);

/// One row of `reorder_rules`.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, QueryableByName, Serialize)]
#[diesel(table_name = reorder_rules, check_for_backend(diesel::pg::Pg))]
pub(crate) struct RuleRow {
    pub(crate) store_id: StoreId,
    pub(crate) product_id: ProductId,
    pub(crate) id: Uuid,
    pub(crate) min_quantity: i64,
    pub(crate) max_quantity: Option<i64>,
    pub(crate) multiple: i64,
    pub(crate) lead_days: i64,
    pub(crate) cover_days: Option<i64>,
    pub(crate) source_store_id: Option<StoreId>,
    pub(crate) version: i64,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) updated_at: DateTime<Utc>,
}

impl RuleRow {
    /// A new rule, at version 1.
    pub(crate) fn new((store_id, product_id): Key, rule: Rule, now: DateTime<Utc>) -> Self {
        let Rule {
            min,
            max,
            multiple,
            lead_days,
            cover_days,
            source_store_id,
        } = rule;
        Self {
            store_id,
            product_id,
            id: Uuid::now_v7(),
            min_quantity: min,
            max_quantity: max,
            multiple,
            lead_days,
            cover_days,
            source_store_id,
            version: 1,
            created_at: now,
            updated_at: now,
        }
    }

    pub(crate) fn key(&self) -> Key {
        (self.store_id, self.product_id)
    }

    pub(crate) fn rule(&self) -> Rule {
        Rule {
            min: self.min_quantity,
            max: self.max_quantity,
            multiple: self.multiple,
            lead_days: self.lead_days,
            cover_days: self.cover_days,
            source_store_id: self.source_store_id,
        }
    }
}

/// What a list of rules is limited to.
#[derive(Debug)]
pub(crate) struct RuleFilter {
    pub(crate) scope: Scope,
    pub(crate) product_id: Option<ProductId>,
    pub(crate) after: Option<Key>,
    pub(crate) limit: Limit,
}

/// Rules by store and product; one more than `limit`, if there is one.
pub(crate) fn list(conn: &mut PgConnection, filter: RuleFilter) -> QueryResult<Vec<RuleRow>> {
    let RuleFilter {
        scope,
        product_id,
        after,
        limit,
    } = filter;
    let mut query = reorder_rules::table
        .select(RuleRow::as_select())
        .into_boxed();
    if let Some(stores) = scope.as_filter() {
        query = query.filter(reorder_rules::store_id.eq_any(stores));
    }
    if let Some(product) = product_id {
        query = query.filter(reorder_rules::product_id.eq(product));
    }
    if let Some((store, product)) = after {
        query = query.filter(
            reorder_rules::store_id.gt(store).or(reorder_rules::store_id
                .eq(store)
                .and(reorder_rules::product_id.gt(product))),
        );
    }
    query
        .order((reorder_rules::store_id, reorder_rules::product_id))
        .limit(limit.plus_one())
        .load(conn)
}

pub(crate) fn find(conn: &mut PgConnection, key: Key) -> QueryResult<Option<RuleRow>> {
    reorder_rules::table
        .find(key)
        .select(RuleRow::as_select())
        .first(conn)
        .optional()
}

/// The rules of these products at every store.
pub(crate) fn of_products(
    conn: &mut PgConnection,
    products: &[ProductId],
) -> QueryResult<Vec<RuleRow>> {
    reorder_rules::table
        .filter(reorder_rules::product_id.eq_any(products))
        .select(RuleRow::as_select())
        .load(conn)
}

statement! {
    struct InsertMissing {
        stores: Vec<StoreId> => sql_types::Array<sql_types::Uuid>,
        products: Vec<ProductId> => sql_types::Array<sql_types::Uuid>,
        ids: Vec<Uuid> => sql_types::Array<sql_types::Uuid>,
        mins: Vec<i64> => sql_types::Array<sql_types::BigInt>,
        maxs: Vec<Option<i64>> => sql_types::Array<sql_types::Nullable<sql_types::BigInt>>,
        multiples: Vec<i64> => sql_types::Array<sql_types::BigInt>,
        leads: Vec<i64> => sql_types::Array<sql_types::BigInt>,
        covers: Vec<Option<i64>> => sql_types::Array<sql_types::Nullable<sql_types::BigInt>>,
        sources: Vec<Option<StoreId>> => sql_types::Array<sql_types::Nullable<sql_types::Uuid>>,
        now: DateTime<Utc> => sql_types::Timestamptz,
    }
    "INSERT INTO reorder_rules (store_id, product_id, id, min_quantity, max_quantity, multiple, \
         lead_days, cover_days, source_store_id, version, created_at, updated_at) \
     SELECT u.*, 1, t.now, t.now FROM unnest({}, {}, {}, {}, {}, {}, {}, {}, {}) AS u(store_id, \
         product_id, id, min_quantity, max_quantity, multiple, lead_days, cover_days, \
         source_store_id), (VALUES ({}::timestamptz)) AS t(now) \
     ORDER BY u.store_id, u.product_id \
     ON CONFLICT (store_id, product_id) DO NOTHING RETURNING *"
}

/// Makes those of `rules` that are not there; answers with them. Whoever makes the same now is
/// waited for.
pub(crate) fn insert_missing(
    conn: &mut PgConnection,
    rules: &[RuleRow],
    now: DateTime<Utc>,
) -> QueryResult<Vec<RuleRow>> {
    InsertMissing {
        stores: rules.iter().map(|r| r.store_id).collect(),
        products: rules.iter().map(|r| r.product_id).collect(),
        ids: rules.iter().map(|r| r.id).collect(),
        mins: rules.iter().map(|r| r.min_quantity).collect(),
        maxs: rules.iter().map(|r| r.max_quantity).collect(),
        multiples: rules.iter().map(|r| r.multiple).collect(),
        leads: rules.iter().map(|r| r.lead_days).collect(),
        covers: rules.iter().map(|r| r.cover_days).collect(),
        sources: rules.iter().map(|r| r.source_store_id).collect(),
        now,
    }
    .get_results(conn)
}

statement! {
    struct Lock {
        stores: Vec<StoreId> => sql_types::Array<sql_types::Uuid>,
        products: Vec<ProductId> => sql_types::Array<sql_types::Uuid>,
    }
    "SELECT r.* FROM unnest({}, {}) AS u(store_id, product_id) \
     JOIN reorder_rules r ON r.store_id = u.store_id AND r.product_id = u.product_id \
     ORDER BY r.store_id, r.product_id FOR NO KEY UPDATE OF r"
}

/// The rules of these keys, locked in their order until the transaction ends.
pub(crate) fn lock(conn: &mut PgConnection, keys: &[Key]) -> QueryResult<Vec<RuleRow>> {
    Lock {
        stores: keys.iter().map(|key| key.0).collect(),
        products: keys.iter().map(|key| key.1).collect(),
    }
    .get_results(conn)
}

statement! {
    struct Update {
        stores: Vec<StoreId> => sql_types::Array<sql_types::Uuid>,
        products: Vec<ProductId> => sql_types::Array<sql_types::Uuid>,
        mins: Vec<i64> => sql_types::Array<sql_types::BigInt>,
        maxs: Vec<Option<i64>> => sql_types::Array<sql_types::Nullable<sql_types::BigInt>>,
        multiples: Vec<i64> => sql_types::Array<sql_types::BigInt>,
        leads: Vec<i64> => sql_types::Array<sql_types::BigInt>,
        covers: Vec<Option<i64>> => sql_types::Array<sql_types::Nullable<sql_types::BigInt>>,
        sources: Vec<Option<StoreId>> => sql_types::Array<sql_types::Nullable<sql_types::Uuid>>,
        versions: Vec<i64> => sql_types::Array<sql_types::BigInt>,
        now: DateTime<Utc> => sql_types::Timestamptz,
    }
    "UPDATE reorder_rules r SET min_quantity = u.min_quantity, max_quantity = u.max_quantity, \
         multiple = u.multiple, lead_days = u.lead_days, cover_days = u.cover_days, \
         source_store_id = u.source_store_id, version = u.version, updated_at = t.now \
     FROM unnest({}, {}, {}, {}, {}, {}, {}, {}, {}) AS u(store_id, product_id, min_quantity, \
         max_quantity, multiple, lead_days, cover_days, source_store_id, version), \
         (VALUES ({}::timestamptz)) AS t(now) \
     WHERE r.store_id = u.store_id AND r.product_id = u.product_id AND r.version = u.version - 1"
}

/// Writes the next versions of rules that are locked; answers how many were written.
pub(crate) fn update(
    conn: &mut PgConnection,
    rules: &[RuleRow],
    now: DateTime<Utc>,
) -> QueryResult<usize> {
    Update {
        stores: rules.iter().map(|r| r.store_id).collect(),
        products: rules.iter().map(|r| r.product_id).collect(),
        mins: rules.iter().map(|r| r.min_quantity).collect(),
        maxs: rules.iter().map(|r| r.max_quantity).collect(),
        multiples: rules.iter().map(|r| r.multiple).collect(),
        leads: rules.iter().map(|r| r.lead_days).collect(),
        covers: rules.iter().map(|r| r.cover_days).collect(),
        sources: rules.iter().map(|r| r.source_store_id).collect(),
        versions: rules.iter().map(|r| r.version).collect(),
        now,
    }
    .execute(conn)
}

/// Deletes a rule at this version; answers how many were.
pub(crate) fn delete(conn: &mut PgConnection, key: Key, version: i64) -> QueryResult<usize> {
    diesel::delete(reorder_rules::table.find(key))
        .filter(reorder_rules::version.eq(version))
        .execute(conn)
}

/// A rule with what it is looked at with.
#[derive(Debug, Clone, QueryableByName)]
pub(crate) struct ScannedRule {
    #[diesel(embed)]
    pub(crate) known: RuleRow,
    #[diesel(sql_type = sql_types::Text)]
    pub(crate) sku: String,
    #[diesel(sql_type = sql_types::Text)]
    pub(crate) name: String,
    #[diesel(sql_type = sql_types::Text)]
    pub(crate) unit: Unit,
    #[diesel(sql_type = sql_types::Bool)]
    pub(crate) archived: bool,
    /// Asked for by the store, and not on the way yet.
    #[diesel(sql_type = sql_types::BigInt)]
    pub(crate) ordered: i64,
}

statement! {
    struct Scan {
        store: StoreId => sql_types::Uuid,
        after: Option<ProductId> => sql_types::Nullable<sql_types::Uuid>,
        limit: i64 => sql_types::BigInt,
    }
    "WITH p AS (SELECT {}::uuid AS store, {}::uuid AS after), \
         ordered AS (SELECT product_id, sum(quantity) AS quantity FROM ( \
             SELECT l.product_id, l.quantity FROM p, replenishment_requests r \
             JOIN replenishment_lines l ON l.request_id = r.id \
             WHERE r.store_id = p.store AND r.status IN ('draft', 'requested') \
             UNION ALL \
             SELECT l.product_id, l.quantity FROM p, replenishment_requests r \
             JOIN replenishment_transfers t ON t.request_id = r.id \
             JOIN replenishment_transfer_lines l ON l.transfer_id = t.transfer_id \
             WHERE r.store_id = p.store AND r.status = 'approved' \
                 AND t.status IN ('planned', 'draft', 'requested', 'approved')) o \
             GROUP BY product_id) \
     SELECT r.*, q.sku, q.name, q.unit, q.archived_at IS NOT NULL AS archived, \
         LEAST(coalesce(o.quantity, 0), 1000000000)::bigint AS ordered \
     FROM p JOIN reorder_rules r ON r.store_id = p.store \
         AND (p.after IS NULL OR r.product_id > p.after) \
     JOIN products q ON q.id = r.product_id \
     LEFT JOIN ordered o ON o.product_id = r.product_id \
     ORDER BY r.product_id LIMIT {}"
}

/// Up to `limit` rules of one store, by product.
pub(crate) fn scan(
    conn: &mut PgConnection,
    store: StoreId,
    after: Option<ProductId>,
    limit: i64,
) -> QueryResult<Vec<ScannedRule>> {
    Scan {
        store,
        after,
        limit,
    }
    .get_results(conn)
}
