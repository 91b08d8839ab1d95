//! One page of products in one statement; its text names only the filters that are asked for, so
//! that each combination is prepared with a plan of its own.

use diesel::{
    PgConnection, QueryableByName,
    pg::Pg,
    prelude::*,
    query_builder::{AstPass, Query, QueryFragment, QueryId},
    sql_types::{BigInt, Nullable, Text, Untyped, Uuid as SqlUuid},
};
use kernel::{ids::ProductId, page::Limit};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::products::{Row, columns};
use crate::domain::product::Product;

/// Which products by their state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Status {
    /// Those that can be sold.
    #[default]
    Active,
    /// Those that were taken off the list.
    Archived,
    /// Both.
    All,
}

/// What a list is limited to.
#[derive(Debug, Clone, Default)]
pub(crate) struct Filter {
    /// A `tsquery`.
    pub(crate) search: Option<String>,
    pub(crate) sku: Option<String>,
    pub(crate) barcode: Option<String>,
    /// With everything below it.
    pub(crate) category_id: Option<Uuid>,
    pub(crate) template_id: Option<ProductId>,
    pub(crate) status: Status,
}

impl Filter {
    /// Whether the category is the only thing that narrows the list.
    fn by_category_alone(&self) -> Option<&Uuid> {
        let Self {
            search: None,
            sku: None,
            barcode: None,
            category_id,
            template_id: None,
            status: _,
        } = self
        else {
            return None;
        };
        category_id.as_ref()
    }
}

const TREE: &str = "SELECT c.id FROM categories r JOIN categories c \
    ON c.path = r.path OR starts_with(c.path, r.path || '/') WHERE r.id = ";

/// The sort key of the last product of the page before.
pub(crate) type After = (String, ProductId);

struct PageQuery<'a> {
    filter: &'a Filter,
    after: Option<&'a After>,
    limit: i64,
    count: bool,
}

impl QueryId for PageQuery<'_> {
    // Diesel then looks the prepared statement up by its text.
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl Query for PageQuery<'_> {
    type SqlType = Untyped;
}

impl diesel::RunQueryDsl<PgConnection> for PageQuery<'_> {}

impl QueryFragment<Pg> for PageQuery<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql(concat!("SELECT ", columns!()));
        if self.count {
            out.push_sql(", (SELECT count(*) FROM products p WHERE true");
            self.conditions(&mut out, true)?;
            out.push_sql(") AS total");
        } else {
            out.push_sql(", NULL::bigint AS total");
        }
        if let Some(category) = self.filter.by_category_alone() {
            // A few rows of each category below, merged: never a sort of them all.
            out.push_sql(" FROM (SELECT q.id FROM (");
            out.push_sql(TREE);
            out.push_bind_param::<SqlUuid, _>(category)?;
            out.push_sql(
                ") c CROSS JOIN LATERAL (SELECT p.name, p.id FROM products p \
                 WHERE p.category_id = c.id",
            );
            self.conditions(&mut out, false)?;
            self.page(&mut out)?;
            out.push_sql(") q ORDER BY q.name, q.id LIMIT ");
            out.push_bind_param::<BigInt, _>(&self.limit)?;
            out.push_sql(") k JOIN products p ON p.id = k.id ORDER BY p.name, p.id");
        } else {
            out.push_sql(" FROM products p WHERE true");
            self.conditions(&mut out, true)?;
            self.page(&mut out)?;
        }
        Ok(())
    }
}

impl PageQuery<'_> {
    fn conditions<'b>(&'b self, out: &mut AstPass<'_, 'b, Pg>, category: bool) -> QueryResult<()> {
        let filter = self.filter;
        match filter.status {
            Status::Active => out.push_sql(" AND p.archived_at IS NULL"),
            Status::Archived => out.push_sql(" AND p.archived_at IS NOT NULL"),
            Status::All => {}
        }
        if let Some(search) = &filter.search {
            // Planned anew for its words: for rare ones by their index, for common ones by name.
            out.unsafe_to_cache_prepared();
            out.push_sql(" AND p.search @@ ");
            out.push_bind_param::<Text, _>(search)?;
            out.push_sql("::tsquery");
        }
        if let Some(sku) = &filter.sku {
            out.push_sql(" AND p.sku = ");
            out.push_bind_param::<Text, _>(sku)?;
        }
        if let Some(barcode) = &filter.barcode {
            out.push_sql(" AND p.id = (SELECT b.product_id FROM barcodes b WHERE b.barcode = ");
            out.push_bind_param::<Text, _>(barcode)?;
            out.push_sql(")");
        }
        if let Some(template) = &filter.template_id {
            out.push_sql(" AND p.template_id = ");
            out.push_bind_param::<SqlUuid, _>(template)?;
        }
        if let Some(id) = filter.category_id.as_ref().filter(|_| category) {
            // An array, and not a join, so that it can be combined with the index of the words.
            out.push_sql(" AND p.category_id = ANY(ARRAY(");
            out.push_sql(TREE);
            out.push_bind_param::<SqlUuid, _>(id)?;
            out.push_sql("))");
        }
        Ok(())
    }

    fn page<'b>(&'b self, out: &mut AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        if let Some((name, id)) = self.after {
            out.push_sql(" AND (p.name, p.id) > (");
            out.push_bind_param::<Text, _>(name)?;
            out.push_sql(", ");
            out.push_bind_param::<SqlUuid, _>(id)?;
            out.push_sql(")");
        }
        out.push_sql(" ORDER BY p.name, p.id LIMIT ");
        out.push_bind_param::<BigInt, _>(&self.limit)
    }
}

#[derive(QueryableByName)]
struct Found {
    #[diesel(embed)]
    product: Row,
    #[diesel(sql_type = Nullable<BigInt>)]
    total: Option<i64>,
}

/// One page by name and id, and with `count` how many products there are in all. The total is
/// `None` where no product is on the page.
pub(crate) fn list(
    conn: &mut PgConnection,
    filter: &Filter,
    after: Option<&After>,
    limit: Limit,
    count: bool,
) -> QueryResult<(Vec<Product>, Option<i64>)> {
    let query = PageQuery {
        filter,
        after,
        limit: limit.plus_one(),
        count,
    };
    let rows: Vec<Found> = query.get_results(conn)?;
    let total = rows.first().and_then(|row| row.total);
    let products = rows.into_iter().map(|row| row.product.into()).collect();
    Ok((products, total))
}
