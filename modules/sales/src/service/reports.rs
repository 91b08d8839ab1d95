//! Reports in business days. Each reads one statement; the hour of a day needs the stores' clocks,
//! too.

use chrono::NaiveDate;
use kernel::{
    auth::Scope,
    call::Cx,
    ids::StoreId,
    page::{self, Page},
};

use super::validate;
use crate::{
    Sales,
    dto::{
        Amount, ExceptionView, ExceptionsQuery, ProductEnd, ProductOrder, ProductReport,
        ProductRow, ProductsQuery, ReportQuery, RevenueGroup, RevenueQuery, RevenueReport,
        RevenueRow, TaxReport, TaxRow,
    },
    error::Error,
    repo::{
        reports::{self, ExceptionPlace, ExceptionRow, ProductSums, Ranking, TaxSums},
        revenue::{self, Clocks, RevenueSums, Span},
    },
};

/// The longest report, in days.
const REPORT_DAYS: i64 = 400;
/// The longest report, in rows.
pub(super) const REPORT_ROWS: usize = 10_000;

impl Sales {
    /// Revenue of the stores in `scope`.
    pub(crate) async fn revenue(
        &self,
        cx: &Cx,
        scope: &Scope,
        query: &RevenueQuery,
    ) -> Result<RevenueReport, Error> {
        let (from, to) = (query.from, query.to);
        let span = span(from, to, scope, query.store_id)?;
        let group_by = query.group_by.unwrap_or(RevenueGroup::Day);
        let clocks = match group_by {
            RevenueGroup::Hour => self.clocks(cx, span.clone()).await?,
            _ => Clocks::default(),
        };
        // One more than there may be, to see whether there are more.
        let limit = i64::try_from(REPORT_ROWS).unwrap_or(i64::MAX) + 1;
        let mut rows = self
            .db
            .run(move |conn| {
                revenue::revenue(conn, group_by, span, &clocks, limit).map_err(Error::from)
            })
            .await?;
        let truncated = rows.len() > REPORT_ROWS;
        rows.truncate(REPORT_ROWS);
        Ok(RevenueReport {
            from,
            to,
            group_by,
            rows: rows.into_iter().map(revenue_row).collect(),
            truncated,
        })
    }

    /// The time zones of the stores in which anything happened.
    async fn clocks(&self, cx: &Cx, span: Span) -> Result<Clocks, Error> {
        let ids = self
            .db
            .run(move |conn| revenue::stores(conn, span).map_err(Error::from))
            .await?;
        let profiles = self.needs.stores.profiles(cx, ids).await?;
        Ok(Clocks {
            stores: profiles.iter().map(|p| p.id).collect(),
            zones: profiles
                .iter()
                .map(|p| p.timezone.name().to_owned())
                .collect(),
        })
    }

    /// The taxes of the stores in `scope`.
    pub(crate) async fn taxes(
        &self,
        scope: &Scope,
        query: ReportQuery,
    ) -> Result<TaxReport, Error> {
        let ReportQuery {
            from,
            to,
            store_id,
            format: _,
        } = query;
        let span = span(from, to, scope, store_id)?;
        let rows = self
            .db
            .run(move |conn| reports::taxes(conn, span).map_err(Error::from))
            .await?;
        Ok(TaxReport {
            from,
            to,
            rows: rows.iter().map(tax_row).collect(),
        })
    }

    /// The products that sold most or least in the stores in `scope`.
    pub(crate) async fn top_products(
        &self,
        scope: &Scope,
        query: &ProductsQuery,
    ) -> Result<ProductReport, Error> {
        let (from, to) = (query.from, query.to);
        let span = span(from, to, scope, query.store_id)?;
        let ranking = Ranking {
            by_quantity: query.order_by.unwrap_or_default() == ProductOrder::Quantity,
            most_first: query.end.unwrap_or_default() == ProductEnd::Top,
            limit: query.limit.unwrap_or_default().get(),
        };
        let rows = self
            .db
            .run(move |conn| reports::products(conn, span, ranking).map_err(Error::from))
            .await?;
        Ok(ProductReport {
            from,
            to,
            rows: rows.into_iter().map(product_row).collect(),
        })
    }

    /// What happened out of the ordinary in the stores in `scope`, the newest first.
    pub(crate) async fn exceptions(
        &self,
        scope: &Scope,
        query: ExceptionsQuery,
    ) -> Result<Page<ExceptionView>, Error> {
        let span = span(query.from, query.to, scope, query.store_id)?;
        let limit = query.limit.unwrap_or_default();
        let after: Option<ExceptionPlace> = page::after(query.cursor.as_ref())?;
        if after
            .as_ref()
            .is_some_and(|(at, ..)| !validate::is_plausible(*at))
        {
            let detail = "is not one that this list gave: start again without it";
            return Err(Error::invalid("cursor", detail));
        }
        let rows = self
            .db
            .run(move |conn| {
                reports::exceptions(conn, span, after, limit.plus_one()).map_err(Error::from)
            })
            .await?;
        let key = |row: &ExceptionRow| (row.at, row.document_id, row.kind.clone());
        Ok(Page::build(rows, limit, key, exception))
    }
}

pub(super) fn span(
    from: NaiveDate,
    to: NaiveDate,
    scope: &Scope,
    store_id: Option<StoreId>,
) -> Result<Span, Error> {
    validate::dates(Some(from), Some(to))?;
    if (to - from).num_days() >= REPORT_DAYS {
        let detail = format!("must be at most {REPORT_DAYS} days, from and to included");
        return Err(Error::invalid("to", detail));
    }
    Ok(Span {
        from,
        to,
        scope: scope.as_filter(),
        store_id,
    })
}

fn revenue_row(sums: RevenueSums) -> RevenueRow {
    let RevenueSums {
        store_id,
        business_date,
        hour,
        cashier_id,
        category_id,
        product_id,
        sku,
        name,
        tender,
        currency,
        sales,
        returns,
        gross,
        refunds,
        tax,
        rounding,
    } = sums;
    let amount = |amount| Amount { amount, currency };
    RevenueRow {
        store_id,
        business_date,
        hour,
        cashier_id,
        category_id,
        product_id,
        sku,
        name,
        tender,
        currency,
        sales,
        returns,
        gross: amount(gross),
        refunds: amount(refunds),
        net: amount(gross.saturating_sub(refunds)),
        tax: tax.map(amount),
        rounding: rounding.map(amount),
    }
}

fn tax_row(sums: &TaxSums) -> TaxRow {
    let TaxSums {
        tax_rate,
        currency,
        sold,
        sold_tax,
        returned,
        returned_tax,
    } = *sums;
    let amount = |amount| Amount { amount, currency };
    TaxRow {
        tax_rate,
        currency,
        sold: amount(sold),
        sold_tax: amount(sold_tax),
        returned: amount(returned),
        returned_tax: amount(returned_tax),
        tax: amount(sold_tax.saturating_sub(returned_tax)),
    }
}

fn product_row(sums: ProductSums) -> ProductRow {
    let ProductSums {
        product_id,
        sku,
        name,
        currency,
        quantity,
        net,
        last_sold_on,
    } = sums;
    ProductRow {
        product_id,
        sku,
        name,
        quantity,
        revenue: Amount {
            amount: net,
            currency,
        },
        last_sold_on,
    }
}

fn exception(row: ExceptionRow) -> ExceptionView {
    let ExceptionRow {
        kind,
        document_id,
        number,
        store_id,
        actor_id,
        at,
        currency,
        amount,
        reason,
    } = row;
    ExceptionView {
        kind,
        document_id,
        number,
        store_id,
        actor_id,
        at,
        amount: Amount { amount, currency },
        reason,
    }
}
