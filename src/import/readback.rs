//! Reads what the database has, through the API: the list of sales, and the revenue report.

use std::collections::{BTreeMap, HashMap};

use chrono::NaiveDate;
use futures::{StreamExt, TryStreamExt, stream};
use serde::Deserialize;
use uuid::Uuid;

use super::figures::Figures;
use crate::{
    client::{Api, ClientError},
    operator::Failure,
    progress::Phase,
};

/// The first and the last business day, both included.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span {
    pub(super) from: NaiveDate,
    pub(super) to: NaiveDate,
}

#[derive(Deserialize)]
struct Head {
    id: Uuid,
    store_id: Uuid,
    line_count: i64,
    unit_count: i64,
    total: Money,
}

#[derive(Deserialize)]
struct Money {
    amount: i64,
}

#[derive(Deserialize)]
struct Revenue {
    rows: Vec<RevenueRow>,
}

#[derive(Deserialize)]
struct RevenueRow {
    store_id: Option<Uuid>,
    business_date: Option<NaiveDate>,
    sales: i64,
    gross: Money,
}

/// Calls `sale` for every recorded sale of the span, with its id, store and sums.
pub(super) async fn sales(
    api: &Api,
    span: Span,
    phase: &Phase,
    mut sale: impl FnMut(Uuid, Uuid, Figures),
) -> Result<(), ClientError> {
    let Span { from, to } = span;
    let path = format!("/api/sales?status=recorded&from={from}&to={to}&limit=200");
    api.each(&path, |head: Head| {
        phase.add(1);
        let Head {
            id,
            store_id,
            line_count,
            unit_count,
            total,
        } = head;
        let figures = Figures {
            sales: 1,
            lines: line_count,
            units: unit_count,
            revenue_cents: total.amount,
        };
        sale(id, store_id, figures);
    })
    .await
}

/// Number and revenue of the sales per store, by the revenue report.
pub(super) async fn by_store(api: &Api, span: Span) -> Result<HashMap<Uuid, Figures>, ClientError> {
    let Span { from, to } = span;
    let path = format!("/api/sales/reports/revenue?from={from}&to={to}&group_by=store");
    let revenue: Revenue = api.get(&path).await?;
    let mut stores: HashMap<Uuid, Figures> = HashMap::new();
    for row in revenue.rows {
        if let Some(store) = row.store_id {
            *stores.entry(store).or_default() += row.figures();
        }
    }
    Ok(stores)
}

/// Number and revenue of the sales of each of these stores per day, by the revenue report.
pub(super) async fn by_day(
    api: &Api,
    span: Span,
    stores: Vec<(String, Uuid)>,
    concurrency: usize,
) -> Result<BTreeMap<(String, NaiveDate), Figures>, Failure> {
    let Span { from, to } = span;
    let days = |(code, id): (String, Uuid)| async move {
        let path =
            format!("/api/sales/reports/revenue?from={from}&to={to}&store_id={id}&group_by=day");
        let revenue: Revenue = api.get(&path).await?;
        let rows = revenue
            .rows
            .into_iter()
            .filter_map(|row| Some((row.business_date?, row.figures())));
        Ok::<_, Failure>((code, rows.collect::<Vec<_>>()))
    };
    let answers: Vec<(String, Vec<_>)> = stream::iter(stores)
        .map(days)
        .buffer_unordered(concurrency.max(1))
        .try_collect()
        .await?;
    let mut all: BTreeMap<_, Figures> = BTreeMap::new();
    for (code, rows) in answers {
        for (date, figures) in rows {
            *all.entry((code.clone(), date)).or_default() += figures;
        }
    }
    Ok(all)
}

impl RevenueRow {
    fn figures(&self) -> Figures {
        Figures {
            sales: self.sales,
            revenue_cents: self.gross.amount,
            ..Figures::default()
        }
    }
}
