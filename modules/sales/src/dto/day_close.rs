//! The close of a store's day.

use chrono::{DateTime, NaiveDate, Utc};
use kernel::{
    ids::{StoreId, UserId},
    money::{Currency, Money},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{Amount, DrawerView, ReportFormat, ShiftReport, ShiftView, Takings};
use crate::domain::words::ShiftStatus;

/// Which day is closed.
#[derive(Debug, Clone, Copy, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct DayCloseQuery {
    /// The store.
    #[param(example = "0198c0de-0000-7000-8000-000000000001")]
    pub(crate) store_id: StoreId,
    /// The business day.
    #[param(example = "2026-01-15")]
    pub(crate) date: NaiveDate,
    /// `json` unless told.
    #[param(inline)]
    pub(crate) format: Option<ReportFormat>,
}

/// The close of a store's day. `day` is what the documents of the day come to, which the reports of
/// revenue and taxes say as well; it is the sum of `shifts` and `outside` less `other_days`.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct DayClose {
    /// The store.
    pub store_id: StoreId,
    /// The business day.
    pub date: NaiveDate,
    /// The currency of every amount in it.
    pub currency: Currency,
    /// Whether no shift of this day, or of one before, is open.
    pub complete: bool,
    /// The shifts of this day and of those before that are open; the first 200.
    pub open_shifts: Vec<ShiftView>,
    /// The shifts that were opened on this day, by register; the first 200, and `day` counts all.
    pub shifts: Vec<DayShift>,
    /// Documents of the day that none of its shifts counted: made without a register, while no
    /// shift was open, or in a shift of another day; and voids that none of its drawers paid.
    pub outside: Takings,
    /// Documents of other days that shifts of this day counted: made after the day turned, or with
    /// a till's clock that was off; and voids of other days' sales that its drawers paid.
    pub other_days: Takings,
    /// Every document of the day; what was sold that day and voided since, whenever, is in `voids`.
    pub day: Takings,
    /// The cash of the shifts together.
    pub drawers: DayDrawers,
}

/// A shift of the day.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct DayShift {
    /// Whether it is closed.
    pub status: ShiftStatus,
    /// When it was closed.
    pub closed_at: Option<DateTime<Utc>>,
    /// Who closed it.
    pub closed_by: Option<UserId>,
    /// The number of its Z report.
    pub z_number: Option<i64>,
    /// What was counted in its drawer.
    pub counted: Option<Money>,
    /// `counted` − `drawer.expected`.
    pub variance: Option<Amount>,
    /// What it comes to.
    #[serde(flatten)]
    pub report: ShiftReport,
}

/// The cash of several shifts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct DayDrawers {
    /// What should be in them.
    #[serde(flatten)]
    pub all: DrawerView,
    /// What was counted in those that are closed.
    pub counted: Amount,
    /// `counted` − what was expected in those that are closed.
    pub variance: Amount,
}
