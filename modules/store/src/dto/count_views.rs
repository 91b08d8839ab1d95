//! Counts on the wire: what a client is shown.

use chrono::{DateTime, Utc};
use kernel::ids::{CountId, ProductId, StoreId, UserId};
use serde::{Deserialize, Serialize};
use store_api::{CountKind, CountStatus};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    domain::count::{EntryMode, Figure, Line, Sight, Uncounted},
    repo::{
        count_entries::EntryRow,
        counts::{Count, CountRow, Summary},
    },
};

/// A count without its lines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct CountHead {
    /// Its id: the document of its movements.
    pub(crate) id: CountId,
    /// Its number, for people: 1, 2, 3 … per store.
    pub(crate) number: i64,
    /// Where.
    pub(crate) store_id: StoreId,
    /// What it covers.
    pub(crate) kind: CountKind,
    /// Of which category, where it is one's.
    pub(crate) category_id: Option<Uuid>,
    /// Whether those who count are not shown what the books say.
    pub(crate) blind: bool,
    /// Where it stands.
    pub(crate) status: CountStatus,
    /// For those who count.
    pub(crate) note: Option<String>,
    /// What posting did with what nobody counted.
    pub(crate) uncounted: Option<Uncounted>,
    /// Why it was cancelled.
    pub(crate) reason: Option<String>,
    /// By whom it was opened.
    pub(crate) opened_by: UserId,
    /// When.
    pub(crate) opened_at: DateTime<Utc>,
    /// When it last changed.
    pub(crate) updated_at: DateTime<Utc>,
    /// By whom it was posted or cancelled.
    pub(crate) ended_by: Option<UserId>,
    /// When.
    pub(crate) ended_at: Option<DateTime<Utc>>,
}

impl From<CountRow> for CountHead {
    fn from(row: CountRow) -> Self {
        let CountRow {
            id,
            number,
            store_id,
            kind,
            category_id,
            blind,
            status,
            note,
            uncounted,
            reason,
            opened_by,
            opened_at,
            updated_at,
            ended_by,
            ended_at,
        } = row;
        Self {
            id,
            number,
            store_id,
            kind: kind.0,
            category_id,
            blind,
            status: status.0,
            note,
            uncounted: uncounted.map(|word| word.0),
            reason,
            opened_by,
            opened_at,
            updated_at,
            ended_by,
            ended_at,
        }
    }
}

/// A count with its sums.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct CountView {
    /// The count itself.
    #[serde(flatten)]
    pub(crate) head: CountHead,
    /// Sums over its lines.
    pub(crate) summary: CountSummary,
}

/// Sums over the lines of a count. Of a blind one that is not over, `null` for those who count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct CountSummary {
    /// Products on the sheet.
    pub(crate) lines: i64,
    /// Of these, the ones that somebody counted.
    pub(crate) counted: i64,
    /// Of these, the ones that are to be counted again.
    pub(crate) awaiting_recount: i64,
    /// Lines whose goods moved between their first entry and their last.
    pub(crate) moved: i64,
    /// Lines where something else was found than expected.
    pub(crate) deviations: Option<i64>,
    /// Base units found beyond what was expected, over all products.
    pub(crate) units_up: Option<i64>,
    /// Base units that were expected and not found.
    pub(crate) units_down: Option<i64>,
}

impl CountView {
    pub(crate) fn new(count: Count, sight: Sight) -> Self {
        let Count { head: row, summary } = count;
        let Summary {
            lines,
            counted,
            awaiting_recount,
            moved,
            deviations,
            units_up,
            units_down,
        } = summary;
        let shown = sight.shows_found(row.blind, row.status.0);
        let shown = |figure: i64| shown.then_some(figure);
        Self {
            summary: CountSummary {
                lines,
                counted,
                awaiting_recount,
                moved,
                deviations: shown(deviations),
                units_up: shown(units_up),
                units_down: shown(units_down),
            },
            head: row.into(),
        }
    }
}

/// One product of a count, in base units.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct CountLineView {
    /// What.
    pub(crate) product_id: ProductId,
    /// Its SKU when it came onto the sheet.
    pub(crate) sku: String,
    /// Its name then.
    pub(crate) name: String,
    /// What was found; `null` until somebody counts it.
    pub(crate) counted: Option<i64>,
    /// How often something was entered.
    pub(crate) entries: i64,
    /// 1, and one more each time that it is to be counted again.
    pub(crate) pass: i64,
    /// Whether it is to be counted again: the next entry stands in the place of what was found.
    pub(crate) awaits_recount: bool,
    /// Whether its goods moved between the first entry of the figure and the last. The figure holds
    /// where they were among those that had been counted; a recount tells.
    pub(crate) moved: bool,
    /// What the books said when the figure began, or when the line came onto the sheet. `null` where
    /// the count is blind and it would tell too much.
    pub(crate) expected: Option<i64>,
    /// What was found more than expected; below zero, less.
    pub(crate) variance: Option<i64>,
    /// What posting moved: the variance, or what nobody counted and is gone.
    pub(crate) posted: Option<i64>,
}

impl CountLineView {
    pub(crate) fn new(line: Line, blind: bool, status: CountStatus, sight: Sight) -> Self {
        let Line {
            product_id,
            sku,
            name,
            sheet,
            pass,
            awaits_recount,
            entries,
            figure,
            posted,
        } = line;
        let shown = match figure {
            Some(_) => sight.shows_found(blind, status),
            None => Sight::shows_sought(blind, status),
        };
        let expected = figure.map_or(sheet.on_hand, |figure| figure.begun.on_hand);
        Self {
            product_id,
            sku,
            name,
            counted: figure.map(|figure| figure.counted),
            entries,
            pass,
            awaits_recount,
            moved: figure.is_some_and(Figure::moved),
            expected: shown.then_some(expected),
            variance: figure.map(Figure::variance).filter(|_| shown),
            posted,
        }
    }
}

/// The lines that were entered, as they are now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct CountedLines {
    /// Where the count stands.
    pub(crate) status: CountStatus,
    /// Each once, by SKU.
    pub(crate) lines: Vec<CountLineView>,
}

/// What was entered once. It is never changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct CountEntryView {
    /// What.
    pub(crate) product_id: ProductId,
    /// 1, 2, 3 … per product of the count.
    pub(crate) seq: i64,
    /// In which pass.
    pub(crate) pass: i64,
    /// Whether it came on top of what was counted before, or stood in its place.
    pub(crate) mode: EntryMode,
    /// How much, in base units.
    pub(crate) quantity: i64,
    /// What was counted of the product after it.
    pub(crate) figure: i64,
    /// The level's version then.
    pub(crate) level_version: i64,
    /// What the books said then; `null` where the count is blind and it would tell too much.
    pub(crate) on_hand: Option<i64>,
    /// Who.
    pub(crate) actor_id: UserId,
    /// When.
    pub(crate) recorded_at: DateTime<Utc>,
}

impl CountEntryView {
    pub(crate) fn new(row: &EntryRow, sight: Sight) -> Self {
        let EntryRow {
            store_id: _,
            product_id,
            seq,
            pass,
            mode,
            quantity,
            figure,
            level_version,
            on_hand,
            actor_id,
            recorded_at,
            blind,
            status,
        } = *row;
        let shown = sight.shows_found(blind, status.0);
        Self {
            product_id,
            seq,
            pass,
            mode: mode.0,
            quantity,
            figure,
            level_version,
            on_hand: shown.then_some(on_hand),
            actor_id,
            recorded_at,
        }
    }
}
