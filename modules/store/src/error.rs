//! What can go wrong in the store module, and what a client is told.

use actix_web::http::StatusCode;
use chrono::{DateTime, Utc};
use diesel::result::{DatabaseErrorKind, Error as Query};
use kernel::{
    answers::KeyReused,
    call::NoAnswer,
    db::{DbError, Failure},
    problem::{FieldError, Problem},
};

use crate::domain::{adjustment::Refusal, count, transfer};

mod counts;
mod transfers;

/// Why a use case did not succeed; it changed nothing then, unless a commit got no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The guard said no.
    #[error(transparent)]
    Guard(#[from] Problem),
    /// A value is not acceptable.
    #[error("{pointer}: {detail}")]
    Invalid {
        /// Where in the body.
        pointer: String,
        /// What is wrong with it.
        detail: String,
    },
    /// It does not exist.
    #[error("there is no such {0}")]
    NotFound(&'static str),
    /// A body names a store that does not exist.
    #[error("{pointer}: there is no such store")]
    UnknownStore {
        /// Where in the body.
        pointer: &'static str,
    },
    /// Another store has the code.
    #[error("the code is taken")]
    StoreCodeTaken,
    /// The id that the client chose is in use.
    #[error("the id is in use: leave it out, or choose another")]
    IdTaken,
    /// Another register of the store has the code.
    #[error("the code is taken")]
    RegisterCodeTaken,
    /// An archived store does not change.
    #[error("the store is archived")]
    StoreArchived,
    /// A store with stock cannot be archived.
    #[error("the store has stock left")]
    StockLeft,
    /// Stock has moved, so amounts exist in the old currency.
    #[error("the currency is in use")]
    CurrencyInUse,
    /// `If-Match` names another version.
    #[error("the store is at version {current}")]
    VersionMismatch {
        /// The one it has.
        current: i64,
    },
    /// The idempotency key was used for another request.
    #[error("the key was used for another request")]
    KeyReused,
    /// Items of an atomic adjustment were refused.
    #[error("{} items were refused", .0.len())]
    Refused(Vec<RefusedItem>),
    /// A transfer's state or quantities do not allow it.
    #[error(transparent)]
    Transfer(#[from] TransferRefused),
    /// A count's state or figures do not allow it.
    #[error(transparent)]
    Count(#[from] CountRefused),
    /// A blind count does not show those who count where it deviates.
    #[error("the count is blind")]
    CountBlind,
    /// The discrepancy was explained before.
    #[error("resolved at {at}")]
    DiscrepancyResolved {
        /// When.
        at: DateTime<Utc>,
    },
    /// The catalogue gave no answer.
    #[error(transparent)]
    Catalog(#[from] NoAnswer),
    /// Something could not be written as JSON, or read back.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    /// The database could not do it.
    #[error(transparent)]
    Db(#[from] DbError),
}

impl Failure for Error {
    fn of_database(&self) -> Option<&DbError> {
        match self {
            Self::Db(error) => Some(error),
            _ => None,
        }
    }
}

/// An item of an adjustment, and why it was refused.
#[derive(Debug, Clone, Copy)]
pub struct RefusedItem {
    pub(crate) index: usize,
    pub(crate) refusal: Refusal,
}

/// Why nothing was done to a transfer.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct TransferRefused(pub(crate) transfer::Refusal);

impl From<KeyReused> for Error {
    fn from(_: KeyReused) -> Self {
        Self::KeyReused
    }
}

impl From<transfer::Refusal> for Error {
    fn from(refusal: transfer::Refusal) -> Self {
        Self::Transfer(TransferRefused(refusal))
    }
}

/// Why nothing was done to a count.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct CountRefused(pub(crate) count::Refusal);

impl From<count::Refusal> for Error {
    fn from(refusal: count::Refusal) -> Self {
        Self::Count(CountRefused(refusal))
    }
}

impl Error {
    pub(crate) fn invalid(pointer: &str, detail: &str) -> Self {
        Self::Invalid {
            pointer: pointer.to_owned(),
            detail: detail.to_owned(),
        }
    }
}

impl From<Query> for Error {
    fn from(error: Query) -> Self {
        if let Query::DatabaseError(DatabaseErrorKind::UniqueViolation, info) = &error {
            match info.constraint_name() {
                Some("stores_pkey" | "registers_pkey") => return Self::IdTaken,
                Some("stores_code") => return Self::StoreCodeTaken,
                Some("registers_code") => return Self::RegisterCodeTaken,
                _ => {}
            }
        }
        Self::Db(error.into())
    }
}

impl From<&Error> for Problem {
    fn from(error: &Error) -> Self {
        match error {
            Error::Guard(problem) => problem.clone(),
            Error::Invalid { pointer, detail } => Self::invalid_field(pointer, detail),
            Error::NotFound(what) => Self::not_found(what),
            Error::UnknownStore { pointer } => {
                Self::invalid_field(pointer, "there is no such store")
            }
            Error::IdTaken => Self::conflict(
                "id-taken",
                "This id is in use: leave it out, or choose another.",
            ),
            Error::StoreCodeTaken => {
                Self::conflict("store-code-taken", "Another store has this code.")
            }
            Error::RegisterCodeTaken => Self::conflict(
                "register-code-taken",
                "Another register of this store has this code.",
            ),
            Error::StoreArchived => Self::conflict(
                "store-archived",
                "The store is archived: restore it to change it.",
            ),
            Error::StockLeft => Self::conflict(
                "stock-left",
                "The store still has stock, or goods held for sales: bring every level to zero first.",
            ),
            Error::CurrencyInUse => Self::conflict(
                "currency-in-use",
                "Stock has moved in this store, so its currency is fixed.",
            ),
            Error::VersionMismatch { current } => Self::version_mismatch(*current),
            Error::KeyReused => Self::key_reused(),
            Error::Refused(items) => refused(items),
            Error::Transfer(refused) => refused.0.problem(),
            Error::Count(refused) => refused.0.problem(),
            Error::CountBlind => Self::new(
                StatusCode::FORBIDDEN,
                "count-blind",
                "The count is blind: until it is over, those who count are not shown where it \
                 deviates.",
            ),
            Error::DiscrepancyResolved { at } => Self::conflict(
                "discrepancy-resolved",
                format!("The discrepancy was resolved at {}.", at.to_rfc3339()),
            ),
            Error::Catalog(cause) => Self::unavailable(cause),
            Error::Json(cause) => Self::internal(cause),
            Error::Db(cause) => cause.into(),
        }
    }
}

/// 409 under the code of the first refusal, with every refused item in `errors`.
fn refused(items: &[RefusedItem]) -> Problem {
    let code = items
        .first()
        .map_or("adjustment-refused", |item| item.refusal.code());
    let errors = items.iter().map(|item| {
        let pointer = format!("/items/{}", item.index);
        let error = FieldError::new(pointer, item.refusal.code(), item.refusal);
        match item.refusal {
            Refusal::Insufficient { available } => error.with("available", available),
            Refusal::Unexpected { current } => error.with("current", current),
            Refusal::OutOfRange
            | Refusal::UnknownProduct
            | Refusal::UnknownStore
            | Refusal::StoreArchived => error,
        }
    });
    let detail = format!(
        "{} of the changes cannot be made, so none was: see `errors`.",
        items.len()
    );
    Problem::conflict(code, detail).with_errors(errors.collect())
}

kernel::problem_response!(Error);
