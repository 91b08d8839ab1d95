//! Tax classes and rates on the wire.

use chrono::{DateTime, Utc};
use kernel::{
    ids::UserId,
    money::BasisPoints,
    text::{Code, Text},
    time::Moment,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::repo::taxes::{ClassRow, RateRow};

/// What products are for the tax.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct TaxClassView {
    /// Its id.
    pub(crate) id: Uuid,
    /// What products and rates name it by.
    #[schema(example = "reduced")]
    pub(crate) code: String,
    /// For people.
    pub(crate) name: String,
    /// When it was made.
    pub(crate) created_at: DateTime<Utc>,
}

impl From<ClassRow> for TaxClassView {
    fn from(row: ClassRow) -> Self {
        let ClassRow {
            id,
            code,
            name,
            created_at,
        } = row;
        Self {
            id,
            code,
            name,
            created_at,
        }
    }
}

/// A new tax class.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateTaxClass {
    /// Unique, and fixed: `standard`, `reduced`, …
    pub(crate) code: Code,
    /// For people.
    pub(crate) name: Text<100>,
}

/// The rate of a class in a region, from a moment on until the next one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct TaxRateView {
    /// Its id.
    pub(crate) id: Uuid,
    /// Stores say in their settings which region they are in.
    #[schema(example = "FR")]
    pub(crate) region: String,
    /// Of this class.
    pub(crate) tax_class: String,
    /// In basis points: 550 is 5.5 %.
    pub(crate) rate: BasisPoints,
    /// The first moment at which it holds.
    pub(crate) valid_from: DateTime<Utc>,
    /// When it was withdrawn, before it began: it never held.
    pub(crate) withdrawn_at: Option<DateTime<Utc>>,
    /// Goes up by one with every change.
    pub(crate) version: i64,
    /// Who made it.
    pub(crate) created_by: UserId,
    /// When it was made.
    pub(crate) created_at: DateTime<Utc>,
    /// When it was last changed.
    pub(crate) updated_at: DateTime<Utc>,
}

impl From<RateRow> for TaxRateView {
    fn from(row: RateRow) -> Self {
        let RateRow {
            id,
            region,
            tax_class,
            rate,
            valid_from,
            withdrawn_at,
            version,
            created_by,
            created_at,
            updated_at,
        } = row;
        Self {
            id,
            region,
            tax_class,
            rate,
            valid_from,
            withdrawn_at,
            version,
            created_by,
            created_at,
            updated_at,
        }
    }
}

/// A new rate.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateTaxRate {
    /// For example `FR` or `US-CA`: what stores have as their `tax_region`.
    pub(crate) region: Code,
    /// A tax class that there is.
    pub(crate) tax_class: Code,
    /// In basis points: 550 is 5.5 %.
    pub(crate) rate: BasisPoints,
    /// From when on; now unless told. It may lie in the past, for laws do; sales that are recorded
    /// keep the rate that they were made with.
    pub(crate) valid_from: Option<Moment>,
}
