//! What can go wrong with a sale or a return, and what each caller is told.

mod shifts;

use actix_web::http::StatusCode;
use kernel::{
    answers::KeyReused,
    call::NoAnswer,
    db::{DbError, Failure},
    money::{Currency, Money},
    problem::{FieldError, Problem},
};

pub(crate) use shifts::ShiftRefusal;

use crate::domain::payment::in_words;

mod conflicts;

pub(crate) use conflicts::Conflict;

/// Why a use case did not succeed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error(transparent)]
    Problem(#[from] Problem),
    #[error("the request is not valid")]
    Invalid(Vec<FieldError>),
    #[error("no such product")]
    UnknownProduct(Vec<FieldError>),
    #[error("a product is archived")]
    ProductArchived(Vec<FieldError>),
    #[error("the store is archived")]
    StoreArchived,
    #[error("no such {0}")]
    NotFound(&'static str),
    #[error("the store sells in {store}")]
    CurrencyMismatch { pointer: String, store: Currency },
    #[error("prices may not be overridden")]
    PriceOverride(Vec<FieldError>),
    #[error("the payments are not the total")]
    PaymentMismatch { expected: Money, paid: i128 },
    #[error("not enough stock")]
    InsufficientStock(Vec<FieldError>),
    #[error("the idempotency key was used for another request")]
    KeyReused,
    #[error("an earlier attempt with this key was given up")]
    SaleAborted,
    #[error("the sale is voided already")]
    AlreadyVoided,
    #[error("the sale has returns")]
    HasReturns,
    #[error(transparent)]
    Conflict(#[from] Conflict),
    #[error("someone else made this sale")]
    NotOwnSale,
    #[error(transparent)]
    Shift(#[from] ShiftRefusal),
    #[error("the sale's business day is over")]
    VoidTooLate,
    #[error("the sale is voided")]
    SaleVoided,
    #[error("more would come back than was sold")]
    ReturnExceedsSale(Vec<FieldError>),
    #[error("the refunds are not what is due")]
    RefundMismatch { expected: Money, refunds: i128 },
    #[error("more would be paid back than the goods cost")]
    RefundAbovePrice(Vec<FieldError>),
    #[error("the refund is above the limit")]
    ReturnLimit { refund: Money, limit: Money },
    #[error(transparent)]
    NoAnswer(#[from] NoAnswer),
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

impl From<KeyReused> for Error {
    fn from(_: KeyReused) -> Self {
        Self::KeyReused
    }
}

impl From<serde_json::Error> for Error {
    fn from(error: serde_json::Error) -> Self {
        Self::Problem(Problem::internal(&error))
    }
}

impl From<diesel::result::Error> for Error {
    fn from(error: diesel::result::Error) -> Self {
        Self::Db(error.into())
    }
}

impl Error {
    /// The same, where lines and their discount stand under `owner` in the body.
    pub(crate) fn under(mut self, owner: &str) -> Self {
        let moved = |pointer: &mut String| {
            if pointer.starts_with("/lines") || pointer.starts_with("/discount") {
                pointer.insert_str(0, owner);
            }
        };
        match &mut self {
            Self::Invalid(fields)
            | Self::UnknownProduct(fields)
            | Self::ProductArchived(fields)
            | Self::PriceOverride(fields)
            | Self::InsufficientStock(fields)
            | Self::ReturnExceedsSale(fields) => {
                fields
                    .iter_mut()
                    .for_each(|field| moved(&mut field.pointer));
            }
            Self::CurrencyMismatch { pointer, .. } => moved(pointer),
            _ => {}
        }
        self
    }

    /// 400 with the one field at fault.
    pub(crate) fn invalid(pointer: impl Into<String>, detail: impl std::fmt::Display) -> Self {
        Self::Invalid(vec![FieldError::new(pointer, "invalid", detail)])
    }
}

impl From<&Error> for Problem {
    fn from(error: &Error) -> Self {
        match error {
            Error::Problem(problem) => problem.clone(),
            Error::Invalid(fields) => named(StatusCode::BAD_REQUEST, "invalid-request", fields),
            Error::UnknownProduct(fields) => {
                named(StatusCode::BAD_REQUEST, "unknown-product", fields)
            }
            Error::ProductArchived(fields) => {
                named(StatusCode::CONFLICT, "product-archived", fields)
            }
            Error::InsufficientStock(fields) => {
                named(StatusCode::CONFLICT, "insufficient-stock", fields)
            }
            Error::ReturnExceedsSale(fields) => {
                named(StatusCode::CONFLICT, "return-exceeds-sale", fields)
            }
            Error::RefundAbovePrice(fields) => {
                named(StatusCode::CONFLICT, "refund-above-price", fields)
            }
            Error::PriceOverride(fields) => named(StatusCode::FORBIDDEN, "price-override", fields),
            Error::NotFound(what) => Self::not_found(what),
            Error::CurrencyMismatch { pointer, store } => currency_mismatch(pointer, *store),
            Error::PaymentMismatch { expected, paid } => {
                let what = "The payments must sum to the total (only cash may exceed it)";
                mismatch("payment-mismatch", "/payments", what, *expected, *paid)
            }
            Error::RefundMismatch { expected, refunds } => {
                let what = "The refunds must sum to what is due";
                mismatch("refund-mismatch", "/refunds", what, *expected, *refunds)
            }
            Error::ReturnLimit { refund, limit } => return_limit(*refund, *limit),
            Error::KeyReused => Self::key_reused(),
            Error::NotOwnSale => Self::new(
                StatusCode::FORBIDDEN,
                "not-own-sale",
                "Cashiers void only sales that they made: ask a manager.",
            ),
            Error::VoidTooLate => Self::new(
                StatusCode::FORBIDDEN,
                "void-too-late",
                "Cashiers void only on the business day of the sale: ask a manager, or record a return.",
            ),
            Error::Shift(refusal) => refusal.problem(),
            Error::StoreArchived => Self::conflict("store-archived", "The store is archived."),
            Error::SaleAborted => Self::conflict(
                "sale-aborted",
                "An earlier attempt with this Idempotency-Key was given up, and nothing was sold: use a new key.",
            ),
            Error::AlreadyVoided => Self::conflict("already-voided", "The sale is voided already."),
            Error::HasReturns => Self::conflict(
                "has-returns",
                "Goods of this sale came back already: record a return for the rest.",
            ),
            Error::Conflict(conflict) => conflict.into(),
            Error::SaleVoided => Self::conflict(
                "sale-voided",
                "The sale is voided: its goods and money went back already.",
            ),
            Error::NoAnswer(cause) => Self::unavailable(cause),
            Error::Db(cause) => cause.into(),
        }
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        Self::from(&error)
    }
}

kernel::problem_response!(Error);

/// A problem whose detail is the first field's, with where it stands.
fn named(status: StatusCode, code: &'static str, fields: &[FieldError]) -> Problem {
    let detail = fields.first().map_or_else(String::new, |first| {
        let more = match fields.len() {
            0 | 1 => String::new(),
            n => format!(" ({} more in `errors`)", n - 1),
        };
        format!("{}: {}{more}.", first.pointer, first.detail)
    });
    Problem::new(status, code, detail).with_errors(fields.to_vec())
}

fn currency_mismatch(pointer: &str, store: Currency) -> Problem {
    let detail = format!("the store sells in {store} only");
    let field = FieldError::new(pointer, "currency-mismatch", &detail)
        .with("currency", store.as_str().to_owned());
    Problem::conflict("currency-mismatch", format!("{pointer}: {detail}.")).with_errors(vec![field])
}

fn mismatch(
    code: &'static str,
    pointer: &str,
    what: &str,
    expected: Money,
    given: i128,
) -> Problem {
    let currency = expected.currency;
    let detail = format!(
        "{what}: {} ({} in minor units) are expected, {} were given",
        in_words(expected.amount.get().into(), currency),
        expected.amount,
        in_words(given, currency),
    );
    let field = FieldError::new(pointer, code, &detail).with(
        "expected",
        serde_json::json!({"amount": expected.amount, "currency": currency}),
    );
    Problem::new(StatusCode::BAD_REQUEST, code, format!("{detail}.")).with_errors(vec![field])
}

fn return_limit(refund: Money, limit: Money) -> Problem {
    let detail = format!(
        "The refund of {} is above what a cashier may give alone here, {}: ask a manager.",
        in_words(refund.amount.get().into(), refund.currency),
        in_words(limit.amount.get().into(), limit.currency),
    );
    Problem::new(StatusCode::FORBIDDEN, "return-limit", detail)
}
