//! What was earned on goods, for those who may know what they cost.

use kernel::auth::Scope;

use super::reports::{REPORT_ROWS, span};
use crate::{
    Sales,
    dto::{Amount, MarginGroup, MarginQuery, MarginReport, MarginRow},
    error::Error,
    repo::margin::{self, MarginSums},
};

impl Sales {
    /// Margins of the stores in `scope`.
    pub(crate) async fn margins(
        &self,
        scope: &Scope,
        query: &MarginQuery,
    ) -> Result<MarginReport, Error> {
        let (from, to) = (query.from, query.to);
        let span = span(from, to, scope, query.store_id)?;
        let group_by = query.group_by.unwrap_or(MarginGroup::Day);
        // One more than there may be, to see whether there are more.
        let limit = i64::try_from(REPORT_ROWS).unwrap_or(i64::MAX) + 1;
        let mut rows = self
            .db
            .run(move |conn| margin::margins(conn, group_by, span, limit).map_err(Error::from))
            .await?;
        let truncated = rows.len() > REPORT_ROWS;
        rows.truncate(REPORT_ROWS);
        Ok(MarginReport {
            from,
            to,
            group_by,
            rows: rows.into_iter().map(row).collect(),
            truncated,
        })
    }
}

fn row(sums: MarginSums) -> MarginRow {
    let MarginSums {
        store_id,
        business_date,
        category_id,
        product_id,
        sku,
        name,
        currency,
        revenue,
        cost,
        uncosted_lines,
        uncosted_revenue,
    } = sums;
    let amount = |amount| Amount { amount, currency };
    MarginRow {
        store_id,
        business_date,
        category_id,
        product_id,
        sku,
        name,
        currency,
        revenue: amount(revenue),
        cost: amount(cost),
        margin: amount(revenue.saturating_sub(cost)),
        uncosted_lines,
        uncosted_revenue: amount(uncosted_revenue),
    }
}
