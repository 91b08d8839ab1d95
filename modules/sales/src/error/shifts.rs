//! What a client is told when the state of a shift does not allow what was asked.

use kernel::{
    money::{Currency, Money},
    problem::Problem,
};

use crate::domain::payment::in_words;

/// Why nothing was done to a shift.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ShiftRefusal {
    #[error("the register has an open shift")]
    Open,
    #[error("the shift is closed")]
    Closed,
    #[error("the shift is not closed yet")]
    NotClosed,
    #[error("{} cannot be taken out of the drawer", .asked.amount)]
    NotEnoughCash { asked: Money, expected: i64 },
}

impl ShiftRefusal {
    pub(super) fn problem(self) -> Problem {
        match self {
            Self::Open => Problem::conflict(
                "shift-open",
                "A shift is open at this register: close it first.",
            ),
            Self::Closed => {
                Problem::conflict("shift-closed", "The shift is closed: read its Z report.")
            }
            Self::NotClosed => Problem::conflict(
                "shift-not-closed",
                "The shift is still open: close it, or read its X report.",
            ),
            Self::NotEnoughCash { asked, expected } => not_enough(asked, expected, asked.currency),
        }
    }
}

fn not_enough(asked: Money, expected: i64, currency: Currency) -> Problem {
    let detail = format!(
        "{} cannot be taken out: there should be {} in the drawer.",
        in_words(asked.amount.get().into(), currency),
        in_words(expected.into(), currency),
    );
    Problem::conflict("not-enough-cash", detail)
}
