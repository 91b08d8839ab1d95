//! The life of a replenishment request: what may follow what, and what becomes of it.

use serde::{Deserialize, Serialize};
use store_api::TransferStatus;
use utoipa::ToSchema;

/// Where a request stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RequestStatus {
    /// The store looks over it first.
    Draft,
    /// Logistics is asked.
    Requested,
    /// Logistics has said yes: there is a transfer from each source.
    Approved,
    /// Logistics has said no.
    Rejected,
    /// The store has given it up before it was decided.
    Cancelled,
    /// Its transfers are over, and goods came.
    Fulfilled,
    /// Its transfers are over, and nothing came.
    Unfulfilled,
}

/// What can be done to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    Submit,
    Approve,
    Reject,
    Cancel,
}

impl Step {
    /// As in "it cannot be …".
    pub(crate) fn done(self) -> &'static str {
        match self {
            Self::Submit => "submitted",
            Self::Approve => "approved",
            Self::Reject => "rejected",
            Self::Cancel => "cancelled",
        }
    }

    /// In the audit trail.
    pub(crate) fn action(self) -> &'static str {
        match self {
            Self::Submit => "replenishment.submit",
            Self::Approve => "replenishment.approve",
            Self::Reject => "replenishment.reject",
            Self::Cancel => "replenishment.cancel",
        }
    }

    /// Whether this may be done to a request that stands there.
    pub(crate) fn is_allowed_in(self, status: RequestStatus) -> bool {
        use RequestStatus as S;
        match self {
            Self::Submit => status == S::Draft,
            Self::Approve | Self::Reject => status == S::Requested,
            Self::Cancel => matches!(status, S::Draft | S::Requested),
        }
    }
}

impl RequestStatus {
    /// The state in words, and what can be done in it.
    pub(crate) fn instead(self) -> (&'static str, &'static str) {
        match self {
            Self::Draft => ("a draft", "submit or cancel it"),
            Self::Requested => (
                "requested",
                "logistics approves or rejects it, or the store cancels it",
            ),
            Self::Approved => ("approved", "its transfers go on, or are cancelled"),
            Self::Rejected => ("rejected", "make a new one"),
            Self::Cancelled => ("cancelled", "make a new one"),
            Self::Fulfilled => ("fulfilled", "make a new one"),
            Self::Unfulfilled => ("over, and nothing came", "make a new one"),
        }
    }
}

/// What is known here of a transfer that an approval makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SupplyStatus {
    /// It is about to be made.
    Planned,
    /// The store module would not make it: see the reason.
    Refused,
    /// Its lines may still change.
    Draft,
    /// The source is asked for the goods.
    Requested,
    /// The source has promised them.
    Approved,
    /// They have left the source.
    InTransit,
    /// Some have arrived, or are known not to.
    PartiallyReceived,
    /// Every one of them has arrived or is known not to.
    Received,
    /// It was closed by hand.
    Closed,
    /// It was given up before anything left.
    Cancelled,
    /// The source has refused.
    Rejected,
}

impl From<TransferStatus> for SupplyStatus {
    fn from(status: TransferStatus) -> Self {
        match status {
            TransferStatus::Draft => Self::Draft,
            TransferStatus::Requested => Self::Requested,
            TransferStatus::Approved => Self::Approved,
            TransferStatus::InTransit => Self::InTransit,
            TransferStatus::PartiallyReceived => Self::PartiallyReceived,
            TransferStatus::Received => Self::Received,
            TransferStatus::Closed => Self::Closed,
            TransferStatus::Cancelled => Self::Cancelled,
            TransferStatus::Rejected => Self::Rejected,
        }
    }
}

impl SupplyStatus {
    /// Whether nothing more will come of it.
    pub(crate) fn is_over(self) -> bool {
        match self {
            Self::Refused | Self::Received | Self::Closed | Self::Cancelled | Self::Rejected => {
                true
            }
            Self::Planned
            | Self::Draft
            | Self::Requested
            | Self::Approved
            | Self::InTransit
            | Self::PartiallyReceived => false,
        }
    }
}

/// What becomes of an approved request: `arrived` is how much of its goods is there. `None` while
/// something may still come.
pub(crate) fn outcome(transfers: &[SupplyStatus], arrived: i64) -> Option<RequestStatus> {
    if !transfers.iter().all(|status| status.is_over()) {
        return None;
    }
    Some(if arrived > 0 {
        RequestStatus::Fulfilled
    } else {
        RequestStatus::Unfulfilled
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_over_when_all_of_its_transfers_are() {
        use SupplyStatus as S;
        assert_eq!(outcome(&[S::Received, S::InTransit], 5), None);
        assert_eq!(outcome(&[S::Planned], 0), None);
        assert_eq!(
            outcome(&[S::Received, S::Rejected], 5),
            Some(RequestStatus::Fulfilled)
        );
        assert_eq!(
            outcome(&[S::Refused, S::Cancelled], 0),
            Some(RequestStatus::Unfulfilled)
        );
    }

    #[test]
    fn what_is_decided_stays_decided() {
        use RequestStatus as S;
        for status in [
            S::Approved,
            S::Rejected,
            S::Cancelled,
            S::Fulfilled,
            S::Unfulfilled,
        ] {
            for step in [Step::Submit, Step::Approve, Step::Reject, Step::Cancel] {
                assert!(!step.is_allowed_in(status), "{step:?} in {status:?}");
            }
        }
    }
}
