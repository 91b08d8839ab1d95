//! Which products there are, many at a time.

use diesel::{PgConnection, QueryResult, prelude::*};
use kernel::ids::ProductId;

use crate::schema::products;

/// Those of `ids` that are there, and whether they are archived.
pub(crate) fn find(
    conn: &mut PgConnection,
    ids: &[ProductId],
) -> QueryResult<Vec<(ProductId, bool)>> {
    products::table
        .filter(products::id.eq_any(ids))
        .select((products::id, products::archived_at.is_not_null()))
        .load(conn)
}
