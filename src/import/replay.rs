//! Sends every basket as the till would have, many at once, and keeps account of the answers.

use std::{
    collections::{BTreeMap, HashSet},
    ops::ControlFlow,
    sync::Arc,
};

use chrono::NaiveDate;
use futures::{StreamExt, stream};
use serde::{Deserialize, Serialize, de::IgnoredAny};
use tokio::sync::mpsc;
use uuid::Uuid;

use super::{
    ImportOptions,
    baskets::{self, Item},
    catalogue::Products,
    clock::Clock,
    figures::Figures,
    rejected::Rejections,
    request::{Prepared, Reading, Sale},
    stores::Stores,
};
use crate::{
    client::{Answer, Api, ClientError},
    operator::Failure,
    progress::{PhaseTime, Progress},
};

/// Baskets that are read ahead of those that are sent.
const AHEAD: usize = 256;
/// Keys that are tried for one basket. A sale that was given up while a server died stays given
/// up, and its key with it.
const KEYS: usize = 5;

/// What the API answered.
#[derive(Debug, Clone, Default, Serialize)]
pub struct SalesReport {
    /// Recorded by this run.
    pub recorded: usize,
    /// Recorded by an earlier run.
    pub replayed: usize,
    /// Refused; the rejected baskets say why.
    pub refused: usize,
    /// Recorded otherwise than asked, which must never be.
    pub wrong: Vec<WrongAnswer>,
}

/// A sale whose answer is not what was asked for.
#[derive(Debug, Clone, Serialize)]
pub struct WrongAnswer {
    /// The basket.
    pub basket: String,
    /// The sale.
    pub sale_id: Uuid,
    /// What differs.
    pub detail: String,
}

/// The sales of one store on one business day, as the file has them.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Day {
    pub(super) figures: Figures,
    /// Whether some of them were before the cutoff, and so on the next day by the calendar.
    pub(super) after_midnight: bool,
}

/// Everything that the comparison needs.
#[derive(Default)]
pub(super) struct Replayed {
    /// Everything that was read.
    pub(super) file: Figures,
    pub(super) rejections: Rejections,
    pub(super) sales: SalesReport,
    pub(super) ids: HashSet<Uuid>,
    /// By the store's code and the business day.
    pub(super) days: BTreeMap<(String, NaiveDate), Day>,
    pub(super) time: Option<PhaseTime>,
}

#[derive(Deserialize)]
struct SaleView {
    id: Uuid,
    business_date: NaiveDate,
    lines: Vec<IgnoredAny>,
    total: Total,
}

#[derive(Deserialize)]
struct Total {
    amount: i64,
}

/// Replays the file, which has so many baskets.
pub(super) async fn run(
    api: &Api,
    options: &ImportOptions,
    clock: Clock,
    stores: &Arc<Stores>,
    products: &Arc<Products>,
    baskets: usize,
    progress: &Progress,
) -> Result<Replayed, Failure> {
    let wanted = options.limit.map_or(baskets, |limit| limit.min(baskets));
    let phase = progress.phase("sales", Some(wanted));
    let reading = Reading {
        clock,
        stores: stores.clone(),
        products: products.clone(),
    };
    let (sender, mut receiver) = mpsc::channel(AHEAD);
    let (folder, limit) = (options.data.clone(), options.limit);
    let reader = tokio::task::spawn_blocking(move || {
        baskets::each(&folder, limit, |item| {
            let prepared = match item {
                Item::Basket(rows) => reading.basket(&rows),
                Item::Scattered(rows) => Prepared::scattered(&rows),
                Item::Malformed(line) => Prepared::malformed(line),
            };
            // The other end is gone when the import was given up.
            match sender.blocking_send(prepared) {
                Ok(()) => ControlFlow::Continue(()),
                Err(_) => ControlFlow::Break(()),
            }
        })
    });
    let answers = stream::poll_fn(move |cx| receiver.poll_recv(cx))
        .map(|prepared| send(api, options, prepared))
        .buffer_unordered(options.concurrency.max(1));
    let mut answers = std::pin::pin!(answers);
    let mut all = Replayed::default();
    while let Some((prepared, outcome)) = answers.next().await {
        if outcome.is_some() {
            phase.add(1);
        }
        all.take(prepared, outcome)?;
    }
    reader.await??;
    all.rejections.sort();
    all.time = Some(phase.finish());
    Ok(all)
}

type Outcome = Option<Result<Answer<SaleView>, ClientError>>;

async fn send(api: &Api, options: &ImportOptions, prepared: Prepared) -> (Prepared, Outcome) {
    let Some(sale) = &prepared.sale else {
        return (prepared, None);
    };
    let mut outcome = None;
    for number in 1..=KEYS {
        let key = match number {
            1 => format!("basket:{}", sale.first.basket),
            _ => format!("basket:{}:{number}", sale.first.basket),
        };
        let answer = api
            .post("/api/sales", Some(&key), &sale.body(&options.currency))
            .await;
        let aborted = matches!(&answer, Err(error) if error.refusal().is_some_and(|r| r.code == "sale-aborted"));
        outcome = Some(answer);
        if !aborted {
            break;
        }
    }
    (prepared, outcome)
}

impl Replayed {
    /// # Errors
    ///
    /// When the outcome is unknown: an import that goes on without its server reports nonsense.
    fn take(&mut self, prepared: Prepared, outcome: Outcome) -> Result<(), Failure> {
        let Prepared {
            file,
            rejections,
            sale,
        } = prepared;
        self.file += file;
        self.rejections.merge(rejections);
        let (Some(sale), Some(outcome)) = (sale, outcome) else {
            return Ok(());
        };
        match outcome {
            Ok(answer) => self.recorded(&sale, answer),
            Err(ClientError::Refused(refusal))
                if refusal.status < 500 && !matches!(refusal.status, 401 | 403 | 429) =>
            {
                self.sales.refused += 1;
                let code = if refusal.code.is_empty() {
                    "refused"
                } else {
                    &refusal.code
                };
                let good = sale.figures - Figures::SALE;
                self.rejections
                    .basket(&sale.first, good, code, refusal.to_string());
            }
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }

    fn recorded(&mut self, sale: &Sale, answer: Answer<SaleView>) {
        let Answer {
            body: view,
            replayed,
        } = answer;
        if replayed {
            self.sales.replayed += 1;
        } else {
            self.sales.recorded += 1;
        }
        let basket = &sale.first.basket;
        let mut wrong = |detail: String| {
            self.sales.wrong.push(WrongAnswer {
                basket: basket.clone(),
                sale_id: view.id,
                detail,
            });
        };
        if view.total.amount != sale.figures.revenue_cents {
            wrong(format!(
                "the total is {} and not {}",
                view.total.amount, sale.figures.revenue_cents
            ));
        }
        if view.lines.len() != sale.lines.len() {
            wrong(format!(
                "it has {} lines and not {}",
                view.lines.len(),
                sale.lines.len()
            ));
        }
        if view.business_date != sale.business_date() {
            wrong(format!(
                "it is on {} and not on {}",
                view.business_date,
                sale.business_date()
            ));
        }
        if !self.ids.insert(view.id) {
            self.sales.wrong.push(WrongAnswer {
                basket: basket.clone(),
                sale_id: view.id,
                detail: "another basket has the same sale".into(),
            });
        }
        let day = self
            .days
            .entry((sale.first.store.clone(), sale.business_date()))
            .or_default();
        day.figures += sale.figures;
        day.after_midnight |= sale.moment.before_cutoff;
    }
}
