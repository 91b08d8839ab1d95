//! The sheet of a count, one line per product, and what was entered on it.

use diesel::{PgConnection, QueryResult, QueryableByName, RunQueryDsl, result::Error, sql_types};
use kernel::{
    ids::{CountId, ProductId, StoreId},
    statement,
};

use super::counts::CountRow;
use crate::domain::count::{Figure, Line, Seen};

/// A product that is to be counted, as the catalogue describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SheetProduct {
    pub(crate) id: ProductId,
    pub(crate) sku: String,
    pub(crate) name: String,
    /// Only where the store has some of it.
    pub(crate) only_stocked: bool,
}

impl SheetProduct {
    /// A product that the store has, whether or not the catalogue still knows it.
    pub(crate) fn or_unknown(id: ProductId, named: Option<Self>) -> Self {
        named.unwrap_or_else(|| Self {
            id,
            sku: id.to_string(),
            name: id.to_string(),
            only_stocked: false,
        })
    }
}

statement! {
    struct Add {
        store: StoreId => sql_types::Uuid,
        count: CountId => sql_types::Uuid,
        products: Vec<ProductId> => sql_types::Array<sql_types::Uuid>,
        skus: Vec<String> => sql_types::Array<sql_types::Text>,
        names: Vec<String> => sql_types::Array<sql_types::Text>,
        only_stocked: Vec<bool> => sql_types::Array<sql_types::Bool>,
    }
    "INSERT INTO count_lines (store_id, count_id, product_id, sku, name, sheet_version, \
         sheet_on_hand) \
     SELECT c.store_id, c.count_id, p.product_id, p.sku, p.name, coalesce(v.version, 0), \
         coalesce(v.on_hand, 0) \
     FROM (SELECT {}::uuid AS store_id, {}::uuid AS count_id) c \
     CROSS JOIN unnest({}, {}, {}, {}) AS p(product_id, sku, name, only_stocked) \
     LEFT JOIN levels v ON v.store_id = c.store_id AND v.product_id = p.product_id \
     WHERE NOT p.only_stocked OR coalesce(v.on_hand, 0) <> 0 \
     ON CONFLICT (store_id, count_id, product_id) DO NOTHING"
}

/// Puts `products` on the sheet, with the levels as they are now, and answers how many that are.
/// Those that are on it stay as they are.
pub(crate) fn add(
    conn: &mut PgConnection,
    store: StoreId,
    count: CountId,
    products: Vec<SheetProduct>,
) -> QueryResult<usize> {
    let mut add = Add {
        store,
        count,
        products: Vec::new(),
        skus: Vec::new(),
        names: Vec::new(),
        only_stocked: Vec::new(),
    };
    for product in products {
        let SheetProduct {
            id,
            sku,
            name,
            only_stocked,
        } = product;
        add.products.push(id);
        add.skus.push(sku);
        add.names.push(name);
        add.only_stocked.push(only_stocked);
    }
    add.execute(conn)
}

// Statements over many lines have the whole key in their arrays, the same count in each row: with it
// as a constant, the planner would take all lines of the count one by one, for it knows nothing yet
// of a count that was opened a minute ago, and look through the arrays for each.

/// A line, and the level as it is now.
#[derive(Debug, QueryableByName)]
pub(super) struct Row {
    #[diesel(sql_type = sql_types::Uuid)]
    product_id: ProductId,
    #[diesel(sql_type = sql_types::Text)]
    sku: String,
    #[diesel(sql_type = sql_types::Text)]
    name: String,
    #[diesel(sql_type = sql_types::BigInt)]
    sheet_version: i64,
    #[diesel(sql_type = sql_types::BigInt)]
    sheet_on_hand: i64,
    #[diesel(sql_type = sql_types::BigInt)]
    pass: i64,
    #[diesel(sql_type = sql_types::Bool)]
    awaits_recount: bool,
    #[diesel(sql_type = sql_types::BigInt)]
    entries: i64,
    #[diesel(sql_type = sql_types::Nullable<sql_types::BigInt>)]
    counted: Option<i64>,
    #[diesel(sql_type = sql_types::Nullable<sql_types::BigInt>)]
    expected: Option<i64>,
    #[diesel(sql_type = sql_types::Nullable<sql_types::BigInt>)]
    level_version: Option<i64>,
    #[diesel(sql_type = sql_types::Nullable<sql_types::BigInt>)]
    last_version: Option<i64>,
    #[diesel(sql_type = sql_types::Nullable<sql_types::BigInt>)]
    posted: Option<i64>,
}

impl From<Row> for Line {
    fn from(row: Row) -> Self {
        let Row {
            product_id,
            sku,
            name,
            sheet_version,
            sheet_on_hand,
            pass,
            awaits_recount,
            entries,
            counted,
            expected,
            level_version,
            last_version,
            posted,
        } = row;
        let figure = match (counted, expected, level_version, last_version) {
            (Some(counted), Some(on_hand), Some(version), Some(last_version)) => Some(Figure {
                counted,
                begun: Seen { version, on_hand },
                last_version,
            }),
            _ => None,
        };
        Self {
            product_id,
            sku,
            name,
            sheet: Seen {
                version: sheet_version,
                on_hand: sheet_on_hand,
            },
            pass,
            awaits_recount,
            entries,
            figure,
            posted,
        }
    }
}

#[derive(QueryableByName)]
struct Met {
    #[diesel(embed)]
    line: Row,
    #[diesel(sql_type = sql_types::BigInt)]
    version: i64,
    #[diesel(sql_type = sql_types::BigInt)]
    on_hand: i64,
}

statement! {
    struct Meet<'a> {
        stores: Vec<StoreId> => sql_types::Array<sql_types::Uuid>,
        counts: Vec<CountId> => sql_types::Array<sql_types::Uuid>,
        products: &'a [ProductId] => sql_types::Array<sql_types::Uuid>,
    }
    "SELECT l.*, coalesce(v.version, 0) AS version, coalesce(v.on_hand, 0) AS on_hand \
     FROM unnest({}, {}, {}) AS p(store_id, count_id, product_id) \
     JOIN count_lines l USING (store_id, count_id, product_id) \
     LEFT JOIN levels v ON v.store_id = l.store_id AND v.product_id = l.product_id"
}

/// The lines of `products`, each with its level as it is now. A level's version and its goods are
/// of one row, so they belong together without a lock that sales would wait for.
pub(crate) fn meet(
    conn: &mut PgConnection,
    store: StoreId,
    count: CountId,
    products: &[ProductId],
) -> QueryResult<Vec<(Line, Seen)>> {
    let meet = Meet {
        stores: vec![store; products.len()],
        counts: vec![count; products.len()],
        products,
    };
    let rows: Vec<Met> = meet.get_results(conn)?;
    let met = rows.into_iter().map(|row| {
        let Met {
            line,
            version,
            on_hand,
        } = row;
        (line.into(), Seen { version, on_hand })
    });
    Ok(met.collect())
}

statement! {
    struct All {
        store: StoreId => sql_types::Uuid,
        count: CountId => sql_types::Uuid,
    }
    "SELECT * FROM count_lines WHERE store_id = {} AND count_id = {} ORDER BY product_id"
}

/// Every line, by product.
pub(crate) fn all(conn: &mut PgConnection, row: &CountRow) -> QueryResult<Vec<Line>> {
    let all = All {
        store: row.store_id,
        count: row.id,
    };
    let rows: Vec<Row> = all.get_results(conn)?;
    Ok(rows.into_iter().map(Line::from).collect())
}

statement! {
    struct SaveFigures {
        stores: Vec<StoreId> => sql_types::Array<sql_types::Uuid>,
        counts: Vec<CountId> => sql_types::Array<sql_types::Uuid>,
        products: Vec<ProductId> => sql_types::Array<sql_types::Uuid>,
        entries: Vec<i64> => sql_types::Array<sql_types::BigInt>,
        counted: Vec<Option<i64>> => sql_types::Array<sql_types::Nullable<sql_types::BigInt>>,
        expected: Vec<Option<i64>> => sql_types::Array<sql_types::Nullable<sql_types::BigInt>>,
        versions: Vec<Option<i64>> => sql_types::Array<sql_types::Nullable<sql_types::BigInt>>,
        last_versions: Vec<Option<i64>> => sql_types::Array<sql_types::Nullable<sql_types::BigInt>>,
    }
    "UPDATE count_lines l SET awaits_recount = false, entries = d.entries, counted = d.counted, \
         expected = d.expected, level_version = d.version, last_version = d.last_version \
     FROM unnest({}, {}, {}, {}, {}, {}, {}, {}) AS d(store_id, count_id, product_id, entries, \
         counted, expected, version, last_version) \
     WHERE l.store_id = d.store_id AND l.count_id = d.count_id AND l.product_id = d.product_id \
         AND l.is_open"
}

/// Writes the figures of `lines`, which were entered by now.
///
/// # Errors
///
/// [`Error::RollbackTransaction`] where one of them is not open, which the lock of the count
/// excludes.
pub(crate) fn save_figures(
    conn: &mut PgConnection,
    row: &CountRow,
    lines: &[Line],
) -> QueryResult<()> {
    let of = |field: fn(Figure) -> i64| lines.iter().map(|l| l.figure.map(field)).collect();
    let save = SaveFigures {
        stores: vec![row.store_id; lines.len()],
        counts: vec![row.id; lines.len()],
        products: lines.iter().map(|l| l.product_id).collect(),
        entries: lines.iter().map(|l| l.entries).collect(),
        counted: of(|f| f.counted),
        expected: of(|f| f.begun.on_hand),
        versions: of(|f| f.begun.version),
        last_versions: of(|f| f.last_version),
    };
    if save.execute(conn)? == lines.len() {
        Ok(())
    } else {
        Err(Error::RollbackTransaction)
    }
}

statement! {
    struct AskAgain {
        units: Option<i64> => sql_types::Nullable<sql_types::BigInt>,
        basis_points: Option<i64> => sql_types::Nullable<sql_types::BigInt>,
        moved: bool => sql_types::Bool,
        store: StoreId => sql_types::Uuid,
        count: CountId => sql_types::Uuid,
    }
    "UPDATE count_lines l SET pass = l.pass + 1, awaits_recount = true \
     FROM (SELECT {}::bigint AS units, {}::bigint AS basis_points, {}::boolean AS moved) p \
     WHERE l.store_id = {} AND l.count_id = {} AND l.counted IS NOT NULL AND NOT l.awaits_recount \
         AND (abs(l.counted - l.expected) > p.units \
             OR abs(l.counted - l.expected) * 10000 > p.basis_points * abs(l.expected) \
             OR (p.moved AND l.last_version <> l.level_version))"
}

#[derive(QueryableByName)]
struct Awaits {
    #[diesel(sql_type = sql_types::Bool)]
    found: bool,
}

statement! {
    struct AnyAwaits {
        store: StoreId => sql_types::Uuid,
        count: CountId => sql_types::Uuid,
    }
    "SELECT EXISTS (SELECT FROM count_lines WHERE store_id = {} AND count_id = {} \
         AND awaits_recount) AS found"
}

/// Whether a line is to be counted again.
pub(crate) fn any_awaits_recount(conn: &mut PgConnection, row: &CountRow) -> QueryResult<bool> {
    let any = AnyAwaits {
        store: row.store_id,
        count: row.id,
    };
    any.get_result::<Awaits>(conn).map(|awaits| awaits.found)
}

/// Which lines are to be counted again: those over any of the limits, of those that were counted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Doubt {
    pub(crate) over_units: Option<i64>,
    pub(crate) over_basis_points: Option<i64>,
    pub(crate) moved: bool,
}

/// Asks for the lines in `doubt` once more, and answers how many that are.
pub(crate) fn ask_again(
    conn: &mut PgConnection,
    row: &CountRow,
    doubt: Doubt,
) -> QueryResult<usize> {
    AskAgain {
        units: doubt.over_units,
        basis_points: doubt.over_basis_points,
        moved: doubt.moved,
        store: row.store_id,
        count: row.id,
    }
    .execute(conn)
}

statement! {
    struct Close {
        stores: Vec<StoreId> => sql_types::Array<sql_types::Uuid>,
        counts: Vec<CountId> => sql_types::Array<sql_types::Uuid>,
        products: Vec<ProductId> => sql_types::Array<sql_types::Uuid>,
        posted: Vec<Option<i64>> => sql_types::Array<sql_types::Nullable<sql_types::BigInt>>,
    }
    "UPDATE count_lines l SET is_open = false, posted = d.posted \
     FROM unnest({}, {}, {}, {}) AS d(store_id, count_id, product_id, posted) \
     WHERE l.store_id = d.store_id AND l.count_id = d.count_id AND l.product_id = d.product_id \
         AND l.is_open"
}

/// Closes `lines`, which are all that the count has, with what posting moved.
///
/// # Errors
///
/// [`Error::RollbackTransaction`] where one of them is not open, which the lock of the count
/// excludes.
pub(crate) fn close(conn: &mut PgConnection, row: &CountRow, lines: &[Line]) -> QueryResult<()> {
    let close = Close {
        stores: vec![row.store_id; lines.len()],
        counts: vec![row.id; lines.len()],
        products: lines.iter().map(|l| l.product_id).collect(),
        posted: lines.iter().map(|l| l.posted).collect(),
    };
    if close.execute(conn)? == lines.len() {
        Ok(())
    } else {
        Err(Error::RollbackTransaction)
    }
}

statement! {
    struct Free {
        store: StoreId => sql_types::Uuid,
        count: CountId => sql_types::Uuid,
    }
    "UPDATE count_lines SET is_open = false, awaits_recount = false \
     WHERE store_id = {} AND count_id = {}"
}

/// Closes every line without moving anything: another count may cover its product.
pub(crate) fn free(conn: &mut PgConnection, row: &CountRow) -> QueryResult<()> {
    Free {
        store: row.store_id,
        count: row.id,
    }
    .execute(conn)
    .map(drop)
}
