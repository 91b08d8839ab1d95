//! The life of a count: what may follow what, what an entry does to a line's figure, and what
//! posting does to a level.

use kernel::ids::ProductId;
use serde::{Deserialize, Serialize};
use store_api::CountStatus;
use utoipa::ToSchema;

use super::ledger::{Key, Ledger};

/// The largest figure, in base units.
pub(crate) const MAX_FIGURE: i64 = 1_000_000_000;

/// What an entry does to the figure of its line.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum EntryMode {
    /// More of it was found, in another place.
    #[default]
    Add,
    /// This is all there is: what was entered before does not count.
    Set,
}

/// What becomes of lines that nobody counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Uncounted {
    /// The books stay as they are.
    Keep,
    /// What was on the sheet and nobody found is gone.
    Zero,
}

/// What can be done to a count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    Enter,
    Recount,
    Post,
    Cancel,
}

impl Step {
    /// As in "it cannot be …".
    pub(crate) fn done(self) -> &'static str {
        match self {
            Self::Enter => "counted",
            Self::Recount => "counted again",
            Self::Post => "posted",
            Self::Cancel => "cancelled",
        }
    }

    /// # Errors
    ///
    /// [`Refusal::Status`] where this may not be done to a count that stands there.
    pub(crate) fn check(self, status: CountStatus) -> Result<(), Refusal> {
        use CountStatus as S;
        let allowed = match self {
            Self::Enter | Self::Cancel => {
                matches!(status, S::Open | S::Counting | S::Recounting)
            }
            Self::Recount => matches!(status, S::Counting | S::Recounting),
            Self::Post => status == S::Counting,
        };
        if allowed {
            Ok(())
        } else {
            Err(Refusal::Status { step: self, status })
        }
    }
}

/// Who looks at a count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sight {
    /// Those who count.
    Counter,
    /// Those who judge what was counted.
    Judge,
}

impl Sight {
    /// Whether what the books say of something that was counted may be shown.
    pub(crate) fn shows_found(self, blind: bool, status: CountStatus) -> bool {
        self == Self::Judge || Self::shows_sought(blind, status)
    }

    /// Whether what the books say of something that nobody has counted may be shown. Whoever judges
    /// may count as well, so that a blind count hides it from everybody until it is over.
    pub(crate) fn shows_sought(blind: bool, status: CountStatus) -> bool {
        !blind || matches!(status, CountStatus::Posted | CountStatus::Cancelled)
    }
}

/// A level as an entry met it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) version: i64,
    pub(crate) on_hand: i64,
}

/// What was counted of a product.
///
/// It is a statement about one moment, the one where it began: from there on the ledger is followed.
/// A later entry that adds to it tells of goods that were there at that moment, too, so it changes
/// neither the moment nor what the books said then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Figure {
    pub(crate) counted: i64,
    /// The level when the figure began.
    pub(crate) begun: Seen,
    /// The level's version at the last entry.
    pub(crate) last_version: i64,
}

impl Figure {
    /// What was found more than the books said; below zero, less.
    pub(crate) fn variance(self) -> i64 {
        self.counted - self.begun.on_hand
    }

    /// Whether goods moved between its first entry and its last, so that it rests on the belief
    /// that they were among those counted already.
    pub(crate) fn moved(self) -> bool {
        self.last_version != self.begun.version
    }
}

/// One product of a count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) product_id: ProductId,
    pub(crate) sku: String,
    pub(crate) name: String,
    /// The level when the line came onto the sheet.
    pub(crate) sheet: Seen,
    pub(crate) pass: i64,
    pub(crate) awaits_recount: bool,
    pub(crate) entries: i64,
    /// `None` until somebody counts it.
    pub(crate) figure: Option<Figure>,
    /// What posting moved.
    pub(crate) posted: Option<i64>,
}

impl Line {
    /// Counts `quantity` of it while the level is as `seen`, and answers the new figure. The first
    /// entry of a pass begins the figure anew, and so does one that sets it.
    ///
    /// `None` where the figure would be larger than can be meant; nothing changed then.
    pub(crate) fn enter(&mut self, mode: EntryMode, quantity: i64, seen: Seen) -> Option<i64> {
        let (before, begun) = match (mode, self.figure) {
            (EntryMode::Add, Some(figure)) if !self.awaits_recount => {
                (figure.counted, figure.begun)
            }
            (EntryMode::Add | EntryMode::Set, _) => (0, seen),
        };
        let counted = before.saturating_add(quantity);
        if counted > MAX_FIGURE {
            return None;
        }
        self.figure = Some(Figure {
            counted,
            begun,
            last_version: seen.version,
        });
        self.awaits_recount = false;
        self.entries += 1;
        Some(counted)
    }

    /// What posting does to the level, which has `on_hand` by now.
    ///
    /// What nobody found was counted as none when it came onto the sheet, but no more is taken than
    /// is left: what was sold since was there after all.
    fn settlement(&self, uncounted: Uncounted, on_hand: i64) -> i64 {
        match (self.figure, uncounted) {
            (Some(figure), _) => figure.variance(),
            (None, Uncounted::Keep) => 0,
            (None, Uncounted::Zero) if self.sheet.on_hand > 0 => {
                -self.sheet.on_hand.min(on_hand.max(0))
            }
            (None, Uncounted::Zero) => -self.sheet.on_hand,
        }
    }

    /// Whether posting may move it.
    pub(crate) fn moves(&self, uncounted: Uncounted) -> bool {
        self.settlement(uncounted, i64::MAX) != 0
    }
}

/// A line whose goods were sold since, more than were counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Outsold {
    pub(crate) product_id: ProductId,
    pub(crate) sku: String,
    pub(crate) counted: i64,
    /// Base units that have left since it was counted.
    pub(crate) left_since: i64,
}

/// Decides what posting moves, and notes it in the lines. `ledger` has the level of each line that
/// [`moves`](Line::moves).
///
/// # Errors
///
/// [`Refusal::Outsold`] with every line that would take a level below zero where it may not go.
pub(crate) fn settle(
    lines: &mut [Line],
    uncounted: Uncounted,
    ledger: &Ledger,
    key: impl Fn(ProductId) -> Key,
) -> Result<(), Refusal> {
    let mut outsold = Vec::new();
    for line in lines {
        let key = key(line.product_id);
        let on_hand = ledger.level(key).on_hand;
        let by = line.settlement(uncounted, on_hand);
        line.posted = Some(by);
        if let (true, Some(figure)) = (by < 0, line.figure)
            && ledger.can_take(key, -by).is_err()
        {
            outsold.push(Outsold {
                product_id: line.product_id,
                sku: line.sku.clone(),
                counted: figure.counted,
                left_since: figure.begun.on_hand - on_hand,
            });
        }
    }
    if outsold.is_empty() {
        Ok(())
    } else {
        Err(Refusal::Outsold(outsold))
    }
}

/// Why nothing was done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    /// Its state does not allow it.
    #[error("a count that is {status:?} cannot be {}", .step.done())]
    Status { step: Step, status: CountStatus },
    /// Another open count covers a product of it.
    #[error("count {number} is open")]
    Covered { number: i64 },
    /// It would have too many lines.
    #[error("it has too many lines")]
    TooLarge,
    /// More was sold since than was counted.
    #[error("{} lines were outsold", .0.len())]
    Outsold(Vec<Outsold>),
}

#[cfg(test)]
mod tests;
