//! Promotions: made with everything that they name, read, and ended under a lock.

use chrono::{DateTime, Utc};
use diesel::{
    PgConnection, QueryableByName,
    prelude::*,
    result::Error,
    sql_types::{Array, BigInt, Bool, Nullable, Text, Timestamptz, Uuid as SqlUuid},
};
use kernel::{
    auth::Scope,
    ids::{ProductId, StoreId, UserId},
    money::{BasisPoints, Currency, Minor, Money, Quantity},
    statement,
};
use uuid::Uuid;

use crate::{domain::dated::Dates, dto::promotions::PromotionDiscount};

/// A promotion with what it names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Promotion {
    pub(crate) id: Uuid,
    pub(crate) name: String,
    pub(crate) discount: PromotionDiscount,
    pub(crate) min_quantity: Quantity,
    /// `None` is every store.
    pub(crate) stores: Option<Vec<StoreId>>,
    pub(crate) products: Vec<ProductId>,
    pub(crate) categories: Vec<Uuid>,
    pub(crate) dates: Dates,
    pub(crate) version: i64,
    pub(crate) created_by: UserId,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) updated_at: DateTime<Utc>,
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Nullable<BigInt>)]
    rate: Option<BasisPoints>,
    #[diesel(sql_type = Nullable<BigInt>)]
    amount_minor: Option<Minor>,
    #[diesel(sql_type = Nullable<Text>)]
    currency: Option<Currency>,
    #[diesel(sql_type = BigInt)]
    min_quantity: Quantity,
    #[diesel(sql_type = Bool)]
    every_store: bool,
    #[diesel(sql_type = Array<SqlUuid>)]
    stores: Vec<StoreId>,
    #[diesel(sql_type = Array<SqlUuid>)]
    products: Vec<ProductId>,
    #[diesel(sql_type = Array<SqlUuid>)]
    categories: Vec<Uuid>,
    #[diesel(sql_type = Timestamptz)]
    valid_from: DateTime<Utc>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    valid_until: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    withdrawn_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = BigInt)]
    version: i64,
    #[diesel(sql_type = SqlUuid)]
    created_by: UserId,
    #[diesel(sql_type = Timestamptz)]
    created_at: DateTime<Utc>,
    #[diesel(sql_type = Timestamptz)]
    updated_at: DateTime<Utc>,
}

impl TryFrom<Row> for Promotion {
    type Error = Error;

    fn try_from(row: Row) -> QueryResult<Self> {
        let Row {
            id,
            name,
            rate,
            amount_minor,
            currency,
            min_quantity,
            every_store,
            stores,
            products,
            categories,
            valid_from,
            valid_until,
            withdrawn_at,
            version,
            created_by,
            created_at,
            updated_at,
        } = row;
        let discount = match (rate, amount_minor.zip(currency)) {
            (Some(rate), None) => PromotionDiscount::BasisPoints(rate),
            (None, Some((amount, currency))) => {
                PromotionDiscount::Amount(Money { amount, currency })
            }
            _ => {
                let detail = "a promotion takes off a rate or an amount";
                return Err(Error::DeserializationError(detail.into()));
            }
        };
        Ok(Self {
            id,
            name,
            discount,
            min_quantity,
            stores: (!every_store).then_some(stores),
            products,
            categories,
            dates: Dates {
                from: valid_from,
                until: valid_until,
                withdrawn: withdrawn_at,
            },
            version,
            created_by,
            created_at,
            updated_at,
        })
    }
}

statement! {
    struct Insert<'a> {
        id: Uuid => SqlUuid,
        name: &'a str => Text,
        rate: Option<BasisPoints> => Nullable<BigInt>,
        amount_minor: Option<Minor> => Nullable<BigInt>,
        currency: Option<Currency> => Nullable<Text>,
        min_quantity: Quantity => BigInt,
        every_store: bool => Bool,
        valid_from: DateTime<Utc> => Timestamptz,
        valid_until: Option<DateTime<Utc>> => Nullable<Timestamptz>,
        created_by: UserId => SqlUuid,
        created_at: DateTime<Utc> => Timestamptz,
        stores: &'a [StoreId] => Array<SqlUuid>,
        products: &'a [ProductId] => Array<SqlUuid>,
        categories: &'a [Uuid] => Array<SqlUuid>,
    }
    "WITH made AS ( \
         INSERT INTO promotions (id, name, rate, amount_minor, currency, min_quantity, every_store, \
             valid_from, valid_until, created_by, created_at, updated_at, version) \
         SELECT p.*, p.created_at, 1 FROM (VALUES ({}::uuid, {}::text, {}::bigint, {}::bigint, \
             {}::text, {}::bigint, {}::boolean, {}::timestamptz, {}::timestamptz, {}::uuid, \
             {}::timestamptz)) AS p(id, name, rate, amount_minor, currency, min_quantity, \
             every_store, valid_from, valid_until, created_by, created_at) RETURNING id), \
     at_stores AS ( \
         INSERT INTO promotion_stores (store_id, promotion_id) \
         SELECT s, made.id FROM made, unnest({}::uuid[]) AS s), \
     of_products AS ( \
         INSERT INTO promotion_products (product_id, promotion_id) \
         SELECT o, made.id FROM made, unnest({}::uuid[]) AS o) \
     INSERT INTO promotion_categories (category_id, promotion_id) \
     SELECT c, made.id FROM made, unnest({}::uuid[]) AS c"
}

/// Makes a promotion, at version 1.
pub(crate) fn insert(conn: &mut PgConnection, new: &Promotion) -> QueryResult<()> {
    let (rate, amount) = match new.discount {
        PromotionDiscount::BasisPoints(rate) => (Some(rate), None),
        PromotionDiscount::Amount(money) => (None, Some(money)),
    };
    Insert {
        id: new.id,
        name: &new.name,
        rate,
        amount_minor: amount.map(|money| money.amount),
        currency: amount.map(|money| money.currency),
        min_quantity: new.min_quantity,
        every_store: new.stores.is_none(),
        valid_from: new.dates.from,
        valid_until: new.dates.until,
        created_by: new.created_by,
        created_at: new.created_at,
        stores: new.stores.as_deref().unwrap_or_default(),
        products: &new.products,
        categories: &new.categories,
    }
    .execute(conn)
    .map(drop)
}

statement! {
    struct Lock { id: Uuid => SqlUuid }
    "SELECT id FROM promotions WHERE id = {} FOR NO KEY UPDATE"
}

/// The promotion, locked until the transaction ends.
pub(crate) fn lock(conn: &mut PgConnection, id: Uuid) -> QueryResult<Option<Promotion>> {
    Lock { id }.execute(conn)?;
    find(conn, id, &Scope::All)
}

statement! {
    struct Save {
        valid_until: Option<DateTime<Utc>> => Nullable<Timestamptz>,
        withdrawn_at: Option<DateTime<Utc>> => Nullable<Timestamptz>,
        version: i64 => BigInt,
        updated_at: DateTime<Utc> => Timestamptz,
        id: Uuid => SqlUuid,
    }
    "UPDATE promotions SET valid_until = {}, withdrawn_at = {}, version = {}, updated_at = {} \
     WHERE id = {}"
}

/// Writes the end of a promotion that is locked.
pub(crate) fn save(conn: &mut PgConnection, promotion: &Promotion) -> QueryResult<()> {
    Save {
        valid_until: promotion.dates.until,
        withdrawn_at: promotion.dates.withdrawn,
        version: promotion.version,
        updated_at: promotion.updated_at,
        id: promotion.id,
    }
    .execute(conn)
    .map(drop)
}

/// What a list of promotions is limited to.
#[derive(Debug)]
pub(crate) struct PromotionFilter {
    pub(crate) scope: Scope,
    pub(crate) id: Option<Uuid>,
    /// Those that hold at this store.
    pub(crate) store_id: Option<StoreId>,
    /// Those that hold for this product, by itself or by its category.
    pub(crate) product_id: Option<ProductId>,
    /// Within their dates at this moment.
    pub(crate) at: Option<DateTime<Utc>>,
    pub(crate) after: Option<(DateTime<Utc>, Uuid)>,
    pub(crate) limit: i64,
}

statement! {
    struct List {
        scope: Option<Vec<StoreId>> => Nullable<Array<SqlUuid>>,
        id: Option<Uuid> => Nullable<SqlUuid>,
        store_id: Option<StoreId> => Nullable<SqlUuid>,
        product_id: Option<ProductId> => Nullable<SqlUuid>,
        at: Option<DateTime<Utc>> => Nullable<Timestamptz>,
        after_from: Option<DateTime<Utc>> => Nullable<Timestamptz>,
        after_id: Option<Uuid> => Nullable<SqlUuid>,
        limit: i64 => BigInt,
    }
    "SELECT m.*, \
         ARRAY(SELECT s.store_id FROM promotion_stores s WHERE s.promotion_id = m.id \
             AND (p.scope IS NULL OR s.store_id = ANY(p.scope)) ORDER BY 1) AS stores, \
         ARRAY(SELECT o.product_id FROM promotion_products o WHERE o.promotion_id = m.id \
             ORDER BY 1) AS products, \
         ARRAY(SELECT o.category_id FROM promotion_categories o WHERE o.promotion_id = m.id \
             ORDER BY 1) AS categories \
     FROM (SELECT {}::uuid[] AS scope, {}::uuid AS id, {}::uuid AS store, {}::uuid AS product, \
         {}::timestamptz AS at, {}::timestamptz AS after_from, {}::uuid AS after_id) p, promotions m \
     WHERE (p.id IS NULL OR m.id = p.id) \
         AND (p.scope IS NULL OR m.every_store OR EXISTS (SELECT FROM promotion_stores s \
             WHERE s.promotion_id = m.id AND s.store_id = ANY(p.scope))) \
         AND (p.store IS NULL OR m.every_store OR EXISTS (SELECT FROM promotion_stores s \
             WHERE s.promotion_id = m.id AND s.store_id = p.store)) \
         AND (p.product IS NULL OR EXISTS (SELECT FROM promotion_products o \
                 WHERE o.promotion_id = m.id AND o.product_id = p.product) \
             OR EXISTS (SELECT FROM promotion_categories o JOIN categories r ON r.id = o.category_id, \
                     products q JOIN categories c ON c.id = q.category_id \
                 WHERE o.promotion_id = m.id AND q.id = p.product \
                     AND (c.path = r.path OR starts_with(c.path, r.path || '/')))) \
         AND (p.at IS NULL OR (m.withdrawn_at IS NULL AND m.valid_from <= p.at \
             AND (m.valid_until IS NULL OR m.valid_until > p.at))) \
         AND (p.after_from IS NULL OR (m.valid_from, m.id) < (p.after_from, p.after_id)) \
     ORDER BY m.valid_from DESC, m.id DESC LIMIT {}"
}

/// Promotions of every store and those of the stores in scope, the one that begins last first.
pub(crate) fn list(
    conn: &mut PgConnection,
    filter: PromotionFilter,
) -> QueryResult<Vec<Promotion>> {
    let PromotionFilter {
        scope,
        id,
        store_id,
        product_id,
        at,
        after,
        limit,
    } = filter;
    let rows: Vec<Row> = List {
        scope: scope.as_filter(),
        id,
        store_id,
        product_id,
        at,
        after_from: after.map(|(from, _)| from),
        after_id: after.map(|(_, id)| id),
        limit,
    }
    .get_results(conn)?;
    rows.into_iter().map(Promotion::try_from).collect()
}

/// The promotion, where it may be seen, with those of its stores that may be.
pub(crate) fn find(
    conn: &mut PgConnection,
    id: Uuid,
    scope: &Scope,
) -> QueryResult<Option<Promotion>> {
    let filter = PromotionFilter {
        scope: scope.clone(),
        id: Some(id),
        store_id: None,
        product_id: None,
        at: None,
        after: None,
        limit: 1,
    };
    Ok(list(conn, filter)?.pop())
}

#[derive(QueryableByName)]
struct Named {
    #[diesel(sql_type = BigInt)]
    place: i64,
}

statement! {
    struct UnknownProducts<'a> { ids: &'a [ProductId] => Array<SqlUuid> }
    "SELECT u.place FROM unnest({}) WITH ORDINALITY AS u(id, place) \
     WHERE NOT EXISTS (SELECT FROM products p WHERE p.id = u.id) ORDER BY 1"
}

/// The places, from 1, of those that are no products.
pub(crate) fn unknown_products(
    conn: &mut PgConnection,
    ids: &[ProductId],
) -> QueryResult<Vec<i64>> {
    let rows: Vec<Named> = UnknownProducts { ids }.get_results(conn)?;
    Ok(rows.into_iter().map(|row| row.place).collect())
}

statement! {
    struct UnknownCategories<'a> { ids: &'a [Uuid] => Array<SqlUuid> }
    "SELECT u.place FROM unnest({}) WITH ORDINALITY AS u(id, place) \
     WHERE NOT EXISTS (SELECT FROM categories c WHERE c.id = u.id) ORDER BY 1"
}

/// The places, from 1, of those that are no categories.
pub(crate) fn unknown_categories(conn: &mut PgConnection, ids: &[Uuid]) -> QueryResult<Vec<i64>> {
    let rows: Vec<Named> = UnknownCategories { ids }.get_results(conn)?;
    Ok(rows.into_iter().map(|row| row.place).collect())
}
