//! Shifts as clients open, move and close them, and as they see them.

use chrono::{DateTime, NaiveDate, Utc};
use kernel::{
    ids::{StoreId, UserId},
    money::{Currency, Money},
    page::{Cursor, Limit},
    text::Text,
    uuid::Uuid,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Amount;
use crate::domain::{
    drawer::Pieces,
    words::{CashDirection, ShiftStatus},
};

/// A shift to be opened. Its cashier is the caller.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OpenShift {
    /// Where.
    pub store_id: StoreId,
    /// A register of that store without an open shift.
    pub register_id: Uuid,
    /// What is in the drawer to begin with; not below zero.
    pub opening_float: Money,
}

/// Cash that no sale or return moves.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MoveCash {
    /// Into the drawer, or out of it.
    pub direction: CashDirection,
    /// How much; more than zero, and out at most what is expected to be there.
    pub amount: Money,
    /// Why, for example "To the bank".
    pub reason: Text<200>,
}

/// What was counted in the drawer: `total`, `pieces`, or both where they agree.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CloseShift {
    /// What it comes to; not below zero.
    pub total: Option<Money>,
    /// Coins and notes by their value.
    #[schema(max_items = 100)]
    pub pieces: Option<Vec<CashPieces>>,
    /// About a variance, for example.
    pub note: Option<Text<200>>,
}

/// Coins or notes of one value.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CashPieces {
    /// What each is worth; more than zero.
    pub value: Money,
    /// How many there are.
    pub count: Pieces,
}

/// A register's session.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ShiftView {
    /// Its id.
    pub id: Uuid,
    /// Where.
    pub store_id: StoreId,
    /// At which register.
    pub register_id: Uuid,
    /// What people called the register then.
    #[schema(example = "T1")]
    pub register_code: String,
    /// Who opened it, and whose it is.
    pub cashier_id: UserId,
    /// Whether it still runs.
    pub status: ShiftStatus,
    /// The currency of every amount in it.
    pub currency: Currency,
    /// The store's business day when it was opened.
    pub business_date: NaiveDate,
    /// When it was opened.
    pub opened_at: DateTime<Utc>,
    /// What was in the drawer to begin with.
    pub opening_float: Money,
    /// Cash that was put in since, besides sales.
    pub cash_in: Amount,
    /// Cash that was taken out, besides refunds.
    pub cash_out: Amount,
    /// When it was closed.
    pub closed_at: Option<DateTime<Utc>>,
    /// Who closed it.
    pub closed_by: Option<UserId>,
    /// The number of its Z report, from 1 per register without gaps.
    pub z_number: Option<i64>,
    /// What should have been in the drawer.
    pub expected: Option<Amount>,
    /// What was.
    pub counted: Option<Money>,
    /// `counted` − `expected`.
    pub variance: Option<Amount>,
}

/// Cash that was put in or taken out.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct CashMovementView {
    /// The shift.
    pub shift_id: Uuid,
    /// Its place among the movements of the shift, from 1.
    pub n: i32,
    /// Into the drawer, or out of it.
    pub direction: CashDirection,
    /// How much.
    pub amount: Money,
    /// Why.
    pub reason: String,
    /// Who did it.
    pub actor_id: UserId,
    /// When.
    pub recorded_at: DateTime<Utc>,
}

/// Which shifts are listed: those that fit every filter given.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ShiftsQuery {
    /// Of this store.
    pub store_id: Option<StoreId>,
    /// Of this register.
    pub register_id: Option<Uuid>,
    /// Opened by this user.
    pub cashier_id: Option<UserId>,
    /// Open ones, or closed ones.
    pub status: Option<ShiftStatus>,
    /// From this business day on.
    pub from: Option<NaiveDate>,
    /// Up to and including this business day.
    pub to: Option<NaiveDate>,
    /// How many.
    pub limit: Option<Limit>,
    /// Where to go on.
    pub cursor: Option<Cursor>,
}

/// A page of the cash movements of a shift.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct CashMovementsQuery {
    /// How many.
    pub limit: Option<Limit>,
    /// Where to go on.
    pub cursor: Option<Cursor>,
}
