//! The life of a transfer: what may follow what, and how much of each line.

use kernel::ids::ProductId;
use serde::{Deserialize, Serialize};
use store_api::TransferStatus;
use utoipa::ToSchema;

/// One product of a transfer, in base units.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Line {
    pub(crate) product_id: ProductId,
    pub(crate) sku: String,
    pub(crate) name: String,
    pub(crate) requested: i64,
    pub(crate) approved: i64,
    pub(crate) sent: i64,
    pub(crate) received: i64,
    pub(crate) damaged: i64,
    pub(crate) lost: i64,
    /// What transfers in the other direction bring back, or have asked to.
    pub(crate) returned: i64,
}

impl Line {
    /// Asks for `quantity` of a product.
    pub(crate) fn new(product_id: ProductId, sku: String, name: String, quantity: i64) -> Self {
        Self {
            product_id,
            sku,
            name,
            requested: quantity,
            approved: 0,
            sent: 0,
            received: 0,
            damaged: 0,
            lost: 0,
            returned: 0,
        }
    }

    /// Sent, and neither arrived nor lost.
    pub(crate) fn in_transit(&self) -> i64 {
        self.sent - self.received - self.damaged - self.lost
    }
}

/// What can be done to a transfer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    Edit,
    Request,
    Approve,
    Reject,
    Dispatch,
    Receive,
    Close,
    Cancel,
    Return,
}

impl Step {
    /// As in "it cannot be …".
    pub(crate) fn done(self) -> &'static str {
        match self {
            Self::Edit => "changed",
            Self::Request => "requested",
            Self::Approve => "approved",
            Self::Reject => "rejected",
            Self::Dispatch => "dispatched",
            Self::Receive => "received",
            Self::Close => "closed",
            Self::Cancel => "cancelled",
            Self::Return => "returned",
        }
    }

    /// In the audit trail.
    pub(crate) fn action(self) -> &'static str {
        match self {
            Self::Edit => "transfer.update",
            Self::Request => "transfer.request",
            Self::Approve => "transfer.approve",
            Self::Reject => "transfer.reject",
            Self::Dispatch => "transfer.dispatch",
            Self::Receive => "transfer.receive",
            Self::Close => "transfer.close",
            Self::Cancel => "transfer.cancel",
            Self::Return => "transfer.return",
        }
    }

    fn is_allowed_in(self, status: TransferStatus) -> bool {
        use TransferStatus as S;
        match self {
            Self::Edit | Self::Request => status == S::Draft,
            Self::Approve | Self::Reject => status == S::Requested,
            Self::Dispatch => status == S::Approved,
            Self::Receive => matches!(status, S::InTransit | S::PartiallyReceived),
            Self::Close => matches!(status, S::InTransit | S::PartiallyReceived | S::Received),
            Self::Cancel => matches!(status, S::Draft | S::Requested | S::Approved),
            Self::Return => matches!(status, S::PartiallyReceived | S::Received | S::Closed),
        }
    }

    /// # Errors
    ///
    /// [`Refusal::Status`] where this may not be done to a transfer that stands there.
    pub(crate) fn check(self, status: TransferStatus) -> Result<(), Refusal> {
        if self.is_allowed_in(status) {
            Ok(())
        } else {
            Err(Refusal::Status { step: self, status })
        }
    }
}

/// How much of a product somebody named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pick {
    pub(crate) product_id: ProductId,
    pub(crate) quantity: i64,
}

/// What became of the goods of one line, at one time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Arrival {
    pub(crate) product_id: ProductId,
    pub(crate) received: i64,
    pub(crate) damaged: i64,
    pub(crate) lost: i64,
}

impl Arrival {
    /// What is not in transit any more.
    pub(crate) fn total(&self) -> i64 {
        let arrived = self.received.saturating_add(self.damaged);
        arrived.saturating_add(self.lost)
    }
}

/// Why something was said about goods in transit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ReceiptKind {
    /// They arrived, whole or not, or are known not to.
    Receipt,
    /// The transfer was closed without them.
    WriteOff,
}

/// What a quantity is measured against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Of {
    Requested,
    Approved,
    InTransit,
    Received,
}

impl Of {
    fn limit(self, line: &Line) -> i64 {
        match self {
            Self::Requested => line.requested,
            Self::Approved => line.approved,
            Self::InTransit => line.in_transit(),
            Self::Received => line.received - line.returned,
        }
    }
}

/// A quantity that is too large. `index`: where the body names it, if it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Excess {
    pub(crate) index: Option<usize>,
    pub(crate) product_id: ProductId,
    pub(crate) limit: i64,
}

/// Why nothing was done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    /// Its state does not allow it.
    #[error("a transfer that is {status:?} cannot be {}", .step.done())]
    Status { step: Step, status: TransferStatus },
    /// A product that is not on the transfer.
    #[error("the product of line {index} is not on the transfer")]
    NotOnIt { index: usize },
    /// A product that is named twice.
    #[error("the product of line {index} is named twice")]
    Repeated { index: usize },
    /// A line without any goods.
    #[error("line {index} is about nothing")]
    Empty { index: usize },
    /// No goods at all.
    #[error("it is about nothing")]
    Nothing,
    /// More than there can be.
    #[error("{} quantities are too large", .lines.len())]
    TooMuch { of: Of, lines: Vec<Excess> },
    /// The source has too little.
    #[error("{} products are short", .0.len())]
    Short(Vec<Excess>),
    /// Goods are still on their way.
    #[error("goods are still in transit")]
    InTransit,
}

/// How much of each line `picks` name; all that is possible where they are left out. A product
/// that they do not name is not chosen.
///
/// # Errors
///
/// Where they name what is not there, something twice, too much, or nothing at all.
pub(crate) fn chosen(
    lines: &[Line],
    picks: Option<&[Pick]>,
    of: Of,
) -> Result<Vec<(Option<usize>, Pick)>, Refusal> {
    let chosen: Vec<(Option<usize>, Pick)> = match picks {
        None => lines
            .iter()
            .map(|line| {
                let (product_id, quantity) = (line.product_id, of.limit(line));
                let pick = Pick {
                    product_id,
                    quantity,
                };
                (None, pick)
            })
            .collect(),
        Some(picks) => picks
            .iter()
            .enumerate()
            .map(|(index, pick)| (Some(index), *pick))
            .collect(),
    };
    let named = chosen
        .iter()
        .map(|(index, pick)| (*index, pick.product_id, pick.quantity));
    check(lines, named, of)?;
    if chosen.iter().all(|(_, pick)| pick.quantity == 0) {
        return Err(Refusal::Nothing);
    }
    Ok(chosen)
}

fn check(
    lines: &[Line],
    named: impl Iterator<Item = (Option<usize>, ProductId, i64)>,
    of: Of,
) -> Result<(), Refusal> {
    let mut seen = std::collections::BTreeSet::new();
    let mut excesses = Vec::new();
    for (index, product_id, quantity) in named {
        let at = index.unwrap_or_default();
        if !seen.insert(product_id) {
            return Err(Refusal::Repeated { index: at });
        }
        let Some(line) = lines.iter().find(|line| line.product_id == product_id) else {
            return Err(Refusal::NotOnIt { index: at });
        };
        let limit = of.limit(line);
        if quantity > limit {
            excesses.push(Excess {
                index,
                product_id,
                limit,
            });
        }
    }
    if excesses.is_empty() {
        return Ok(());
    }
    let lines = excesses;
    Err(Refusal::TooMuch { of, lines })
}

/// Counts what arrived; answers where the transfer stands then.
///
/// # Errors
///
/// Where more is said to have become of a line than is in transit of it.
pub(crate) fn receive(lines: &mut [Line], arrivals: &[Arrival]) -> Result<TransferStatus, Refusal> {
    if arrivals.is_empty() {
        return Err(Refusal::Nothing);
    }
    if let Some(index) = arrivals.iter().position(|arrival| arrival.total() == 0) {
        return Err(Refusal::Empty { index });
    }
    let named = arrivals
        .iter()
        .enumerate()
        .map(|(index, arrival)| (Some(index), arrival.product_id, arrival.total()));
    check(lines, named, Of::InTransit)?;
    for line in lines.iter_mut() {
        let of_line = |arrival: &&Arrival| arrival.product_id == line.product_id;
        if let Some(arrival) = arrivals.iter().find(of_line) {
            line.received += arrival.received;
            line.damaged += arrival.damaged;
            line.lost += arrival.lost;
        }
    }
    Ok(if lines.iter().all(|line| line.in_transit() == 0) {
        TransferStatus::Received
    } else {
        TransferStatus::PartiallyReceived
    })
}

/// Gives up what is still in transit, and answers what that was.
///
/// # Errors
///
/// [`Refusal::InTransit`] where there is something, and `write_off` does not say so.
pub(crate) fn close(lines: &mut [Line], write_off: bool) -> Result<Vec<Arrival>, Refusal> {
    let missing: Vec<Arrival> = lines
        .iter()
        .filter(|line| line.in_transit() > 0)
        .map(|line| Arrival {
            product_id: line.product_id,
            received: 0,
            damaged: 0,
            lost: line.in_transit(),
        })
        .collect();
    if !missing.is_empty() && !write_off {
        return Err(Refusal::InTransit);
    }
    for line in lines {
        line.lost += line.in_transit();
    }
    Ok(missing)
}

#[cfg(test)]
mod tests;
