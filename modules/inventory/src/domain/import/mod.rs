//! CSV import without I/O: cutting bytes into records, reading a record, deciding what changes.

pub(crate) mod columns;
mod merge;
pub(crate) mod plan;
pub(crate) mod row;
pub(crate) mod split;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Why one row was not imported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RowProblem {
    /// The line of the file on which the row begins; the header is line 1.
    pub line: u64,
    /// The column at fault; `null` where the whole row is.
    pub column: Option<String>,
    /// Stable, for a program: `invalid`, `required`, `barcode-taken`,
    /// `unknown-template`, `unknown-tax-class`, `nested-template`, `currency-change`, `column-count`, `not-utf8`, `conflict`.
    pub code: String,
    /// For a person.
    pub detail: String,
}

impl RowProblem {
    pub(crate) fn new(
        line: u64,
        column: Option<&str>,
        code: &str,
        detail: impl std::fmt::Display,
    ) -> Self {
        Self {
            line,
            column: column.map(str::to_owned),
            code: code.to_owned(),
            detail: detail.to_string(),
        }
    }
}
