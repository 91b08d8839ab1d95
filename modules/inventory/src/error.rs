//! What can go wrong in inventory, and what each caller is told.

mod pricing;

use actix_web::http::StatusCode;
use diesel::result::{DatabaseErrorKind, Error as Query};
use kernel::{
    answers::KeyReused,
    call::NoAnswer,
    db::{DbError, Failure},
    problem::{FieldError, Problem},
};

pub use pricing::PricingError;

/// Why a use case of inventory failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such thing.
    #[error("no such {0}")]
    NotFound(&'static str),
    /// Fields are out of bounds.
    #[error("fields are out of bounds")]
    Invalid(Vec<FieldError>),
    /// A category that was named is not there.
    #[error("There is no such category.")]
    UnknownCategory,
    /// The parent that was named is not there.
    #[error("There is no such parent category.")]
    UnknownParent,
    /// A template that was named is not there, or is the product itself.
    #[error("There is no such template, or it is the product itself.")]
    UnknownTemplate,
    /// A variant would become a template, or the other way round.
    #[error("A variant cannot be a template: a product has either variants or a template.")]
    NestedTemplate,
    /// Another product has the SKU.
    #[error("Another product has this SKU.")]
    SkuTaken,
    /// The id that the client chose is in use.
    #[error("this id is in use: leave it out, or choose another")]
    IdTaken,
    /// Another product has the barcode.
    #[error("Another product has one of these barcodes.")]
    BarcodeTaken,
    /// The name is taken under this parent.
    #[error("There is a category of this name under this parent.")]
    CategoryTaken,
    /// A category would lie within itself.
    #[error("A category cannot lie below itself.")]
    CategoryCycle,
    /// Products or other categories are in it.
    #[error("Products or categories are in this category: move them first.")]
    CategoryInUse,
    /// More than eight levels.
    #[error("A category lies at most 8 levels deep.")]
    CategoryTooDeep,
    /// `If-Match` names another version than this one.
    #[error("the resource is at version {0}")]
    VersionMismatch(i64),
    /// The first line of an import does not name the columns.
    #[error("{0}")]
    Header(String),
    /// A row cannot be read, and nothing after it.
    #[error(
        "The row that begins on line {line} is longer than 65,536 bytes or has more than 200 \
         cells: most likely a quote is not closed. Blocks of rows before it may have been imported."
    )]
    RowTooLong {
        /// The header is line 1.
        line: u64,
    },
    /// The file is too large.
    #[error(
        "The file is larger than 64 MiB. Blocks of rows at its beginning may have been imported."
    )]
    FileTooLarge,
    /// The file broke off. Blocks of rows at its beginning may have been imported.
    #[error("The file could not be read to its end: {0}.")]
    Upload(String),
    /// The file is not declared as CSV.
    #[error("Send the file as text/csv.")]
    NotCsv,
    /// A price, tax or promotion is refused.
    #[error(transparent)]
    Pricing(#[from] PricingError),
    /// As many imports are running as may at once.
    #[error("Other imports are running: repeat the request later.")]
    ImportsBusy,
    /// The idempotency key was used for another request.
    #[error("this idempotency key was used for another request")]
    KeyReused,
    /// A replenishment request does not stand where this may be done.
    #[error("{0}")]
    RequestStatus(String),
    /// No store can give these goods.
    #[error("No store can give these goods: see `errors`, and name a source or approve none.")]
    NoSource(Vec<FieldError>),
    /// What was suggested is not free any more.
    #[error(
        "Others have asked for these goods meanwhile: see `errors`, and look at the suggestions again."
    )]
    SuggestionOutdated(Vec<FieldError>),
    /// A store is archived.
    #[error("The store is archived.")]
    StoreArchived,
    /// Only logistics decides on requests.
    #[error(
        "Requests are decided by an admin of the store, or a manager of a store of the kind logistics."
    )]
    NotLogistics,
    /// A stored answer could not be written or read.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    /// Another module did not answer.
    #[error(transparent)]
    NoAnswer(#[from] NoAnswer),
    /// The database failed.
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

impl Error {
    /// One field is out of bounds.
    pub(crate) fn invalid(pointer: &str, detail: impl std::fmt::Display) -> Self {
        Self::Invalid(vec![FieldError::new(pointer, "invalid", detail)])
    }
}

impl From<KeyReused> for Error {
    fn from(_: KeyReused) -> Self {
        Self::KeyReused
    }
}

impl From<Query> for Error {
    fn from(error: Query) -> Self {
        let Query::DatabaseError(
            DatabaseErrorKind::UniqueViolation | DatabaseErrorKind::ForeignKeyViolation,
            info,
        ) = &error
        else {
            return Self::Db(error.into());
        };
        match info.constraint_name() {
            Some("products_pkey" | "categories_pkey") => Self::IdTaken,
            Some("products_sku_key") => Self::SkuTaken,
            Some("barcodes_pkey") => Self::BarcodeTaken,
            Some("categories_path_key") => Self::CategoryTaken,
            Some("products_category_id_fkey" | "promotion_categories_category_id_fkey") => {
                Self::UnknownCategory
            }
            Some("categories_parent_id_fkey") => Self::UnknownParent,
            Some("products_template_id_fkey") => Self::UnknownTemplate,
            Some(name) => match PricingError::of_constraint(name) {
                Some(refused) => refused.into(),
                None => Self::Db(error.into()),
            },
            None => Self::Db(error.into()),
        }
    }
}

impl From<&Error> for Problem {
    fn from(error: &Error) -> Self {
        let new = |status, code| Self::new(status, code, error);
        let reference = |pointer: &str, code| {
            let fault = FieldError::new(pointer, code, error);
            Self::new(StatusCode::BAD_REQUEST, code, error).with_errors(vec![fault])
        };
        match error {
            Error::NotFound(what) => Self::not_found(what),
            Error::Invalid(errors) => {
                let detail: Vec<String> = errors
                    .iter()
                    .map(|e| format!("{}: {}", e.pointer, e.detail))
                    .collect();
                Self::invalid(format!("{}.", detail.join("; "))).with_errors(errors.clone())
            }
            Error::UnknownCategory => reference("/category_id", "unknown-category"),
            Error::UnknownParent => reference("/parent_id", "unknown-category"),
            Error::UnknownTemplate => reference("/template_id", "unknown-template"),
            Error::NestedTemplate => Self::conflict("nested-template", error),
            Error::IdTaken => Self::conflict("id-taken", error),
            Error::SkuTaken => Self::conflict("sku-taken", error),
            Error::BarcodeTaken => Self::conflict("barcode-taken", error),
            Error::CategoryTaken => Self::conflict("category-taken", error),
            Error::CategoryCycle => Self::conflict("category-cycle", error),
            Error::CategoryInUse => Self::conflict("category-in-use", error),
            Error::CategoryTooDeep => Self::conflict("category-too-deep", error),
            Error::VersionMismatch(current) => Self::version_mismatch(*current),
            Error::Header(_) => new(StatusCode::BAD_REQUEST, "invalid-header"),
            Error::RowTooLong { line: _ } => new(StatusCode::BAD_REQUEST, "row-too-long"),
            Error::FileTooLarge => new(StatusCode::PAYLOAD_TOO_LARGE, "body-too-large"),
            Error::Upload(_) => new(StatusCode::BAD_REQUEST, "upload-failed"),
            Error::NotCsv => new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported-media-type"),
            Error::ImportsBusy => {
                new(StatusCode::SERVICE_UNAVAILABLE, "imports-busy").retry_after(10)
            }
            Error::KeyReused => Self::key_reused(),
            Error::RequestStatus(_) => Self::conflict("replenishment-status", error),
            Error::NoSource(errors) => {
                Self::conflict("no-source", error).with_errors(errors.clone())
            }
            Error::SuggestionOutdated(errors) => {
                Self::conflict("suggestion-outdated", error).with_errors(errors.clone())
            }
            Error::StoreArchived => Self::conflict("store-archived", error),
            Error::NotLogistics => new(StatusCode::FORBIDDEN, "forbidden"),
            Error::Pricing(refused) => refused.into(),
            Error::Json(cause) => Self::internal(cause),
            Error::NoAnswer(cause) => Self::unavailable(cause),
            Error::Db(cause) => cause.into(),
        }
    }
}

kernel::problem_response!(Error);
