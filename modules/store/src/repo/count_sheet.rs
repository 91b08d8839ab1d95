//! The sheet of a count as it is read: its lines, filtered and by the page.

use diesel::{PgConnection, QueryResult, QueryableByName, RunQueryDsl, sql_types};
use kernel::{
    auth::Scope,
    ids::{CountId, ProductId, StoreId},
    page::Limit,
    statement,
};
use serde::{Deserialize, Serialize};

use super::{columns::CountStatusText, count_lines::Row};
use crate::domain::count::Line;

/// Which lines are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Which {
    /// Those that somebody counted.
    Counted,
    /// Those that nobody has counted yet.
    Uncounted,
    /// Those where something else was found than expected.
    Deviating,
    /// Those that are to be counted again.
    AwaitingRecount,
}

impl Which {
    fn text(self) -> &'static str {
        match self {
            Self::Counted => "counted",
            Self::Uncounted => "uncounted",
            Self::Deviating => "deviating",
            Self::AwaitingRecount => "awaiting_recount",
        }
    }
}

#[derive(QueryableByName)]
struct Listed {
    #[diesel(embed)]
    line: Row,
    #[diesel(sql_type = sql_types::Uuid)]
    store_id: StoreId,
    #[diesel(sql_type = sql_types::Bool)]
    blind: bool,
    #[diesel(sql_type = sql_types::Text)]
    status: CountStatusText,
}

/// A line of a list, and what decides on who sees its figures.
#[derive(Debug)]
pub(crate) struct ListedLine {
    pub(crate) line: Line,
    pub(crate) store_id: StoreId,
    pub(crate) blind: bool,
    pub(crate) status: CountStatusText,
}

statement! {
    struct List<'a> {
        count: CountId => sql_types::Uuid,
        stores: Option<Vec<StoreId>> => sql_types::Nullable<sql_types::Array<sql_types::Uuid>>,
        which: Option<&'a str> => sql_types::Nullable<sql_types::Text>,
        after_sku: Option<&'a str> => sql_types::Nullable<sql_types::Text>,
        after_product: Option<ProductId> => sql_types::Nullable<sql_types::Uuid>,
        page: i64 => sql_types::BigInt,
    }
    "SELECT l.*, c.blind, c.status \
     FROM (SELECT {}::uuid AS id, {}::uuid[] AS stores, {}::text AS which, \
         {}::text AS after_sku, {}::uuid AS after_product) p \
     JOIN counts c ON c.id = p.id AND (p.stores IS NULL OR c.store_id = ANY(p.stores)) \
     JOIN count_lines l ON l.store_id = c.store_id AND l.count_id = c.id \
         AND (p.after_sku IS NULL OR (l.sku, l.product_id) > (p.after_sku, p.after_product)) \
         AND CASE p.which WHEN 'counted' THEN l.counted IS NOT NULL \
             WHEN 'uncounted' THEN l.counted IS NULL \
             WHEN 'deviating' THEN coalesce(l.posted, l.counted - l.expected, 0) <> 0 \
             WHEN 'awaiting_recount' THEN l.awaits_recount ELSE true END \
     ORDER BY l.sku, l.product_id LIMIT {}"
}

/// The lines of a count at a store in `scope`, by SKU; one more than a page, if there is one.
pub(crate) fn list(
    conn: &mut PgConnection,
    count: CountId,
    scope: &Scope,
    which: Option<Which>,
    after: Option<&(String, ProductId)>,
    limit: Limit,
) -> QueryResult<Vec<ListedLine>> {
    let list = List {
        count,
        stores: scope.as_filter(),
        which: which.map(Which::text),
        after_sku: after.map(|(sku, _)| sku.as_str()),
        after_product: after.map(|(_, product)| *product),
        page: limit.plus_one(),
    };
    let rows: Vec<Listed> = list.get_results(conn)?;
    let lines = rows.into_iter().map(|row| {
        let Listed {
            line,
            store_id,
            blind,
            status,
        } = row;
        ListedLine {
            line: line.into(),
            store_id,
            blind,
            status,
        }
    });
    Ok(lines.collect())
}
