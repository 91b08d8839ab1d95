//! Compares the file, less what was rejected, with the database as the API tells it.

use std::collections::{BTreeMap, HashMap};

use chrono::NaiveDate;
use serde::Serialize;

use super::{
    ImportOptions,
    figures::Figures,
    readback::{self, Span},
    replay::{Day, Replayed},
    stores::Stores,
};
use crate::{
    client::Api,
    operator::Failure,
    progress::{PhaseTime, Progress},
};

/// Whether file and database agree.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Reconciliation {
    /// What was read from the file.
    pub file: Figures,
    /// What of it was rejected, as reported.
    pub rejected: Figures,
    /// The file less the rejected: what the database must have.
    pub expected: Figures,
    /// What the list of sales has of this import.
    pub database: Figures,
    /// `database` less `expected`; all zero when they agree.
    pub difference: Figures,
    /// Other sales in the same stores on the same days: none in a whole import.
    pub others: Figures,
    /// What the revenue report says of the same stores and days; it has neither lines nor units.
    pub revenue_report: Figures,
    /// Pairs of store and business day that were compared with the revenue report.
    pub days_compared: usize,
    /// Pairs that differ.
    pub days_differing: Vec<DayDifference>,
    /// Three of the pairs.
    pub samples: Vec<SampleDay>,
}

/// A store's business day on which file and revenue report differ.
#[derive(Debug, Clone, Serialize)]
pub struct DayDifference {
    /// The store's code.
    pub store: String,
    /// The business day.
    pub business_date: NaiveDate,
    /// By the file.
    pub expected: Figures,
    /// By the report.
    pub revenue_report: Figures,
}

/// One store's business day, for the reader to look at.
#[derive(Debug, Clone, Serialize)]
pub struct SampleDay {
    /// Why it was chosen.
    pub chosen_as: &'static str,
    /// The store's code.
    pub store: String,
    /// The business day.
    pub business_date: NaiveDate,
    /// Sales by the file.
    pub sales: i64,
    /// Revenue by the file.
    pub expected_cents: i64,
    /// Revenue by the report.
    pub reported_cents: i64,
}

impl Reconciliation {
    /// Whether nothing but the rejected rows differs. `whole`: the file was imported to its end,
    /// so the database may hold nothing else.
    pub fn agrees(&self, whole: bool) -> bool {
        let alone = self.others == Figures::default();
        self.difference == Figures::default()
            && counted(self.database + self.others) == self.revenue_report
            && (alone || !whole)
            && self.days_differing.is_empty()
    }
}

/// What the revenue report counts.
fn counted(figures: Figures) -> Figures {
    Figures {
        lines: 0,
        units: 0,
        ..figures
    }
}

/// Reads the database back and compares.
pub(super) async fn run(
    api: &Api,
    options: &ImportOptions,
    stores: &Stores,
    replayed: &Replayed,
    progress: &Progress,
) -> Result<(Reconciliation, PhaseTime), Failure> {
    let phase = progress.phase("reconciliation", Some(replayed.ids.len()));
    let (file, rejected) = (replayed.file, replayed.rejections.figures);
    let mut result = Reconciliation {
        file,
        rejected,
        expected: file - rejected,
        ..Reconciliation::default()
    };
    let dates = || replayed.days.keys().map(|(_, date)| *date);
    if let (Some(from), Some(to)) = (dates().min(), dates().max()) {
        let span = Span { from, to };
        let codes: HashMap<_, _> = stores.iter().map(|(code, id)| (*id, code)).collect();
        readback::sales(api, span, &phase, |id, store, figures| {
            if replayed.ids.contains(&id) {
                result.database += figures;
            } else if codes.contains_key(&store) {
                result.others += figures;
            }
        })
        .await?;
        let reported = readback::by_store(api, span).await?;
        result.revenue_report = reported
            .iter()
            .filter(|(id, _)| codes.contains_key(id))
            .map(|(_, f)| *f)
            .sum();
        // Where other sales are among them, days cannot be compared.
        if result.others == Figures::default() {
            let all = stores
                .iter()
                .map(|(code, id)| (code.clone(), *id))
                .collect();
            let days = readback::by_day(api, span, all, options.concurrency).await?;
            result.days(&replayed.days, &days);
        }
    }
    result.difference = result.database - result.expected;
    Ok((result, phase.finish()))
}

type Key = (String, NaiveDate);

impl Reconciliation {
    fn days(&mut self, file: &BTreeMap<Key, Day>, report: &BTreeMap<Key, Figures>) {
        let of_file = |key: &Key| {
            file.get(key)
                .map_or_else(Figures::default, |day| counted(day.figures))
        };
        let of_report = |key: &Key| report.get(key).copied().unwrap_or_default();
        let mut keys: Vec<_> = file.keys().chain(report.keys()).collect();
        keys.sort();
        keys.dedup();
        self.days_compared = keys.len();
        for key in keys {
            let (expected, revenue_report) = (of_file(key), of_report(key));
            if expected != revenue_report {
                let (store, business_date) = key.clone();
                self.days_differing.push(DayDifference {
                    store,
                    business_date,
                    expected,
                    revenue_report,
                });
            }
        }
        let sample = |(chosen_as, key): (_, &Key)| {
            let (expected, reported) = (of_file(key), of_report(key));
            SampleDay {
                chosen_as,
                store: key.0.clone(),
                business_date: key.1,
                sales: expected.sales,
                expected_cents: expected.revenue_cents,
                reported_cents: reported.revenue_cents,
            }
        };
        self.samples = choose(file).into_iter().map(sample).collect();
    }
}

/// The day with the most revenue, another one with the most of those that sold after midnight,
/// and the one in the middle.
fn choose(file: &BTreeMap<Key, Day>) -> Vec<(&'static str, &Key)> {
    let best = |wanted: &dyn Fn(&Key, &Day) -> bool| {
        let days = file.iter().filter(|(key, day)| wanted(key, day));
        days.max_by_key(|(_, day)| day.figures.revenue_cents)
            .map(|(key, _)| key)
    };
    let first = best(&|_, _| true);
    let late = best(&|key, day| day.after_midnight && Some(key) != first);
    [
        ("most revenue", first),
        ("most of the others with sales after midnight", late),
        ("in the middle", file.keys().nth(file.len() / 2)),
    ]
    .into_iter()
    .filter_map(|(chosen_as, key)| Some((chosen_as, key?)))
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures(sales: i64, revenue_cents: i64) -> Figures {
        Figures {
            sales,
            lines: sales * 2,
            units: sales * 3,
            revenue_cents,
        }
    }

    fn key(store: &str, day: u32) -> Key {
        (
            store.to_owned(),
            NaiveDate::from_ymd_opt(2017, 1, day).unwrap(),
        )
    }

    fn agreeing() -> Reconciliation {
        Reconciliation {
            file: figures(3, 500),
            rejected: figures(1, 100),
            expected: figures(2, 400),
            database: figures(2, 400),
            revenue_report: counted(figures(2, 400)),
            ..Reconciliation::default()
        }
    }

    #[test]
    fn it_agrees_only_when_nothing_differs() {
        assert!(agreeing().agrees(true));
        let one_cent = Figures {
            revenue_cents: 1,
            ..Figures::default()
        };
        assert!(
            !Reconciliation {
                difference: one_cent,
                ..agreeing()
            }
            .agrees(true)
        );
        assert!(
            !Reconciliation {
                revenue_report: counted(figures(2, 401)),
                ..agreeing()
            }
            .agrees(true)
        );
    }

    #[test]
    fn other_sales_are_allowed_only_beside_a_part_of_the_file() {
        let with_others = Reconciliation {
            others: figures(1, 50),
            revenue_report: counted(figures(3, 450)),
            ..agreeing()
        };
        assert!(!with_others.agrees(true));
        assert!(with_others.agrees(false));
    }

    #[test]
    fn days_are_compared_both_ways() {
        let day = |revenue, after_midnight| Day {
            figures: figures(1, revenue),
            after_midnight,
        };
        let file = BTreeMap::from([
            (key("2", 1), day(100, false)),
            (key("2", 2), day(80, true)),
            (key("3", 1), day(7, false)),
        ]);
        let report = BTreeMap::from([
            (key("2", 1), counted(figures(1, 100))),
            (key("2", 2), counted(figures(1, 81))),
            (key("9", 9), counted(figures(1, 5))),
        ]);
        let mut result = Reconciliation::default();
        result.days(&file, &report);
        assert_eq!(result.days_compared, 4);
        let differing: Vec<_> = result
            .days_differing
            .iter()
            .map(|d| (d.store.as_str(), d.business_date))
            .collect();
        let dates = [key("2", 2), key("3", 1), key("9", 9)];
        assert_eq!(
            differing,
            dates
                .iter()
                .map(|(s, d)| (s.as_str(), *d))
                .collect::<Vec<_>>()
        );
        let chosen: Vec<_> = result
            .samples
            .iter()
            .map(|s| (s.store.as_str(), s.expected_cents))
            .collect();
        assert_eq!(chosen, [("2", 100), ("2", 80), ("2", 80)]);
    }
}
