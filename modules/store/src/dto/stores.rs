//! Stores on the wire.

use chrono::{DateTime, Utc};
use kernel::{
    ids::StoreId,
    text::{Code, Text},
};
use serde::{Deserialize, Serialize};
use store_api::StoreKind;
use utoipa::ToSchema;

use super::{StoreSettings, UpdateStoreSettings, present};
use crate::repo::stores::StoreRow;

/// Whether a store is in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum StoreStatus {
    /// It is.
    Active,
    /// It neither sells nor moves stock any more.
    Archived,
}

/// A store.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct StoreView {
    /// Its id.
    pub(crate) id: StoreId,
    /// Its code, for people.
    pub(crate) code: String,
    /// Its name.
    pub(crate) name: String,
    /// What it is for.
    pub(crate) kind: StoreKind,
    /// Where it is.
    pub(crate) address: Option<String>,
    /// Whether it is in use.
    pub(crate) status: StoreStatus,
    /// What it decides for itself.
    pub(crate) settings: StoreSettings,
    /// Counts its changes; the `ETag`.
    pub(crate) version: i64,
    /// When it was created.
    pub(crate) created_at: DateTime<Utc>,
    /// When it was last changed.
    pub(crate) updated_at: DateTime<Utc>,
}

impl From<StoreRow> for StoreView {
    fn from(row: StoreRow) -> Self {
        let settings = row.settings().into();
        let StoreRow {
            id,
            code,
            name,
            kind,
            address,
            version,
            created_at,
            updated_at,
            archived_at,
            timezone: _,
            day_cutoff: _,
            currency: _,
            tax_mode: _,
            negative_stock: _,
            return_limit_minor: _,
            receipt_text: _,
            tax_region: _,
            cash_rounding_minor: _,
        } = row;
        Self {
            id,
            code,
            name,
            kind: kind.0,
            address,
            status: match archived_at {
                None => StoreStatus::Active,
                Some(_) => StoreStatus::Archived,
            },
            settings,
            version,
            created_at,
            updated_at,
        }
    }
}

/// A new store.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateStore {
    /// An id of your choice, which makes the call repeatable; without it one is made.
    #[serde(default)]
    pub id: Option<StoreId>,
    /// Unique in the chain, and fixed.
    pub code: Code,
    /// Its name.
    pub name: Text<200>,
    /// What it is for.
    pub kind: StoreKind,
    /// Where it is.
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 500)]
    pub address: Option<Text<500>>,
    /// What differs from the settings that a store starts with.
    #[serde(default)]
    pub settings: UpdateStoreSettings,
}

/// A merge patch of a store: what is left out stays as it is.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UpdateStore {
    /// Its name.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>, nullable = false, min_length = 1, max_length = 200)]
    pub(crate) name: Option<Text<200>>,
    /// What it is for.
    #[serde(default, deserialize_with = "present")]
    #[schema(nullable = false)]
    pub(crate) kind: Option<StoreKind>,
    /// Where it is; `null` clears it.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>, max_length = 500)]
    pub(crate) address: Option<Option<Text<500>>>,
}
