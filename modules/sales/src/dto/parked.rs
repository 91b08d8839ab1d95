//! Baskets that a till puts aside.

use chrono::{DateTime, Utc};
use kernel::{
    ids::{StoreId, UserId},
    page::{Cursor, Limit},
    text::Text,
    uuid::Uuid,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{CreateSale, CreateSaleLine, Discount};
use crate::domain::words::ParkedState;

/// A basket to be put aside: a sale without payments.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ParkSale {
    /// Where.
    pub store_id: StoreId,
    /// The register that parks it, of that store.
    pub register_id: Option<Uuid>,
    /// What the till shows in the list, for example "blue coat".
    pub label: Option<Text<100>>,
    /// What is in it.
    pub basket: Basket,
}

/// What is parked: as a sale has it.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Basket {
    /// The lines.
    #[schema(min_items = 1, max_items = 200)]
    pub lines: Vec<CreateSaleLine>,
    /// A discount on the whole.
    pub discount: Option<Discount>,
    /// A customer's number or name, as the shop has it.
    pub customer_ref: Option<Text<100>>,
}

impl ParkSale {
    /// As the sale that it may become.
    pub(crate) fn sale(&self) -> CreateSale {
        let Basket {
            lines,
            discount,
            customer_ref,
        } = self.basket.clone();
        CreateSale {
            store_id: self.store_id,
            register_id: self.register_id,
            occurred_at: None,
            customer_ref,
            lines,
            discount,
            payments: Vec::new(),
        }
    }
}

/// A parked basket in a list.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ParkedHead {
    /// Its id.
    pub id: Uuid,
    /// Where.
    pub store_id: StoreId,
    /// The register that parked it.
    pub register_id: Option<Uuid>,
    /// What became of it.
    pub status: ParkedState,
    /// What the till shows.
    pub label: Option<String>,
    /// How many lines it has.
    pub line_count: i32,
    /// Who parked it.
    pub parked_by: UserId,
    /// When.
    pub parked_at: DateTime<Utc>,
    /// From then on nobody gets it: at the end of the store's next business day.
    pub expires_at: DateTime<Utc>,
}

/// A parked basket.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ParkedView {
    /// As in the list.
    #[serde(flatten)]
    pub head: ParkedHead,
    /// What is in it, as it was sent.
    pub basket: Basket,
    /// Who resumed or discarded it.
    pub ended_by: Option<UserId>,
    /// When.
    pub ended_at: Option<DateTime<Utc>>,
}

/// Which parked baskets are listed.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ParkedQuery {
    /// Of this store.
    pub store_id: Option<StoreId>,
    /// How many.
    pub limit: Option<Limit>,
    /// Where to go on.
    pub cursor: Option<Cursor>,
}
