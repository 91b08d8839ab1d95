//! What a client is told when a count's state or figures do not allow what was asked.

use kernel::problem::{FieldError, Problem};
use store_api::CountStatus;

use crate::domain::count::{Outsold, Refusal};

/// Lines that a refusal names at most.
const NAMED: usize = 100;

impl Refusal {
    pub(super) fn problem(&self) -> Problem {
        match self {
            Self::Status { step, status } => {
                let (word, instead) = instead(*status);
                let done = step.done();
                let detail = format!("The count is {word}, so it cannot be {done}: {instead}.");
                Problem::conflict("count-status", detail)
            }
            Self::Covered { number } => Problem::conflict(
                "count-open",
                format!(
                    "Count {number} of this store is open and covers what this one would: post or \
                     cancel it first."
                ),
            ),
            Self::TooLarge => Problem::conflict(
                "count-too-large",
                "The count would have more than 20,000 lines: count by category.",
            ),
            Self::Outsold(lines) => Problem::conflict(
                "count-outsold",
                format!(
                    "Of {} products more has left since than was counted, so they were \
                     miscounted, and nothing was posted: count them once more, with `set`.",
                    lines.len()
                ),
            )
            .with_errors(lines.iter().take(NAMED).map(error).collect()),
        }
    }
}

fn error(line: &Outsold) -> FieldError {
    let detail = format!(
        "{}: {} were counted, and {} have left since.",
        line.sku, line.counted, line.left_since
    );
    FieldError::new("/lines".to_owned(), "count-outsold", detail)
        .with("product_id", line.product_id.to_string())
        .with("counted", line.counted)
        .with("left_since", line.left_since)
}

/// The state in words, and what can be done in it.
fn instead(status: CountStatus) -> (&'static str, &'static str) {
    match status {
        CountStatus::Open => ("open", "enter what is counted, or cancel it"),
        CountStatus::Counting => ("being counted", "enter, post or cancel it"),
        CountStatus::Recounting => (
            "being counted again",
            "enter the lines that await a recount, or cancel it",
        ),
        CountStatus::Posted => ("posted", "open another one"),
        CountStatus::Cancelled => ("cancelled", "open another one"),
    }
}
