//! Registers on the wire.

use chrono::{DateTime, Utc};
use kernel::{
    ids::StoreId,
    text::{Code, Text},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::StoreStatus;
use crate::repo::registers::RegisterRow;

/// A register of a store.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct RegisterView {
    /// Its id.
    pub(crate) id: Uuid,
    /// Its store.
    pub(crate) store_id: StoreId,
    /// Its code, for people.
    pub(crate) code: String,
    /// Its name.
    pub(crate) name: String,
    /// Whether it is in use.
    pub(crate) status: StoreStatus,
    /// When it was created.
    pub(crate) created_at: DateTime<Utc>,
}

impl From<RegisterRow> for RegisterView {
    fn from(row: RegisterRow) -> Self {
        let RegisterRow {
            store_id,
            id,
            code,
            name,
            created_at,
            archived_at,
        } = row;
        Self {
            id,
            store_id,
            code,
            name,
            status: match archived_at {
                None => StoreStatus::Active,
                Some(_) => StoreStatus::Archived,
            },
            created_at,
        }
    }
}

/// A new register.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateRegister {
    /// An id of your choice, which makes the call repeatable; without it one is made.
    #[serde(default)]
    pub id: Option<Uuid>,
    /// Unique in the store.
    pub code: Code,
    /// Its name.
    pub name: Text<200>,
}
