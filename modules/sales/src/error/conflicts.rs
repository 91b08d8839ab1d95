//! States that do not allow what was asked, which need no figures to be told.

use kernel::problem::Problem;

/// Why the state does not allow it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Conflict {
    #[error("the sale is part of an exchange")]
    PartOfExchange,
    #[error("the sale changed in the meantime")]
    Overtaken,
    #[error("the basket was resumed")]
    BasketResumed,
    #[error("the basket was discarded")]
    BasketDiscarded,
    #[error("the basket expired")]
    BasketExpired,
}

impl From<&Conflict> for Problem {
    fn from(conflict: &Conflict) -> Self {
        let (code, detail) = match conflict {
            Conflict::PartOfExchange => (
                "part-of-exchange",
                "The sale is part of an exchange, which is not taken back as a whole: record a return.",
            ),
            Conflict::Overtaken => (
                "overtaken",
                "Other goods of the sale came back at this moment, and nothing was recorded: repeat with the same key.",
            ),
            Conflict::BasketResumed => ("basket-resumed", "A till has the basket already."),
            Conflict::BasketDiscarded => ("basket-discarded", "The basket was discarded."),
            Conflict::BasketExpired => (
                "basket-expired",
                "The basket was parked for too long: ring the goods up again.",
            ),
        };
        Self::conflict(code, detail)
    }
}
