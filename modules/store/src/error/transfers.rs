//! What a client is told when a transfer's state or quantities do not allow what was asked.

use kernel::problem::{FieldError, Problem};
use store_api::TransferStatus;

use crate::domain::transfer::{Excess, Of, Refusal};

impl Refusal {
    pub(super) fn problem(&self) -> Problem {
        match self {
            Self::Status { step, status } => {
                let (word, instead) = instead(*status);
                let done = step.done();
                let detail = format!("The transfer is {word}, so it cannot be {done}: {instead}.");
                Problem::conflict("transfer-status", detail)
            }
            Self::NotOnIt { index } => at(*index, "product_id", "is not on the transfer"),
            Self::Repeated { index } => at(*index, "product_id", "is named twice"),
            Self::Empty { index } => Problem::invalid_field(
                &format!("/lines/{index}"),
                "must say of at least one unit what became of it",
            ),
            Self::Nothing => {
                Problem::invalid_field("/lines", "must name at least one unit of the transfer")
            }
            Self::TooMuch { of, lines } => {
                let (code, what) = limit(*of);
                let detail = format!("More than {what}, so nothing was done: see `errors`.");
                Problem::conflict(code, detail).with_errors(errors(lines, code, what, "limit"))
            }
            Self::Short(lines) => Problem::conflict(
                "insufficient-stock",
                "The source has too little, or promised it elsewhere, so nothing was done: see \
                 `errors`, and name lower quantities.",
            )
            .with_errors(errors(
                lines,
                "insufficient-stock",
                "is there, or free",
                "available",
            )),
            Self::InTransit => Problem::conflict(
                "goods-in-transit",
                "Goods are still in transit: receive them, or send `write_off` to give them up as \
                 lost.",
            ),
        }
    }
}

fn at(index: usize, field: &str, detail: &str) -> Problem {
    Problem::invalid_field(&format!("/lines/{index}/{field}"), detail)
}

fn limit(of: Of) -> (&'static str, &'static str) {
    match of {
        Of::Requested => ("more-than-requested", "was requested"),
        Of::Approved => ("more-than-approved", "was approved"),
        Of::InTransit => ("more-than-in-transit", "is in transit"),
        Of::Received => ("more-than-received", "was received and not sent back yet"),
    }
}

fn errors(lines: &[Excess], code: &str, what: &str, member: &str) -> Vec<FieldError> {
    let error = |line: &Excess| {
        let pointer = match line.index {
            Some(index) => format!("/lines/{index}"),
            None => "/lines".to_owned(),
        };
        FieldError::new(
            pointer,
            code,
            format!("{} is the most: no more {what}.", line.limit),
        )
        .with("product_id", line.product_id.to_string())
        .with(member, line.limit)
    };
    lines.iter().map(error).collect()
}

/// The state in words, and what can be done in it.
fn instead(status: TransferStatus) -> (&'static str, &'static str) {
    match status {
        TransferStatus::Draft => ("a draft", "request or cancel it"),
        TransferStatus::Requested => (
            "requested",
            "the source approves or rejects it, or it is cancelled",
        ),
        TransferStatus::Approved => ("approved", "dispatch or cancel it"),
        TransferStatus::InTransit => ("in transit", "receive or close it"),
        TransferStatus::PartiallyReceived => (
            "partially received",
            "receive the rest or close it, or return what came",
        ),
        TransferStatus::Received => ("received", "close it, or return what came"),
        TransferStatus::Closed => ("closed", "return what came, or make a new one"),
        TransferStatus::Cancelled => ("cancelled", "make a new one"),
        TransferStatus::Rejected => ("rejected", "make a new one"),
    }
}
