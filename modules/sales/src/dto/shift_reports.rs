//! The X and Z reports of a shift.

use chrono::{DateTime, NaiveDate, Utc};
use kernel::{
    ids::{StoreId, UserId},
    money::{Currency, Money},
    uuid::Uuid,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Amount, CashPieces};
use crate::domain::words::Tender;

/// What a shift comes to. `sales` are all that were recorded in it, those that were voided later
/// too; `voids` and `returns` are those that its drawer gave money back for, whenever the goods
/// were sold.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ShiftReport {
    /// The shift.
    pub shift_id: Uuid,
    /// Where.
    pub store_id: StoreId,
    /// At which register.
    pub register_id: Uuid,
    /// What people called the register then.
    #[schema(example = "T1")]
    pub register_code: String,
    /// Who opened it.
    pub cashier_id: UserId,
    /// The currency of every amount in it.
    pub currency: Currency,
    /// The store's business day when it was opened.
    pub business_date: NaiveDate,
    /// When it was opened.
    pub opened_at: DateTime<Utc>,
    /// The first receipt of the shift; absent where there is none.
    pub first_receipt: Option<i64>,
    /// The last receipt of the shift; absent where there is none.
    pub last_receipt: Option<i64>,
    /// Its sums.
    #[serde(flatten)]
    pub takings: Takings,
    /// What the drawer should hold.
    pub drawer: DrawerView,
}

/// What documents come to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Takings {
    /// What was sold.
    pub sales: DocumentSums,
    /// What was voided.
    pub voids: DocumentSums,
    /// What came back.
    pub returns: DocumentSums,
    /// `sales` − `voids` − `returns`.
    pub revenue: Amount,
    /// The tax within `revenue`.
    pub tax: Amount,
    /// Every discount on what was sold and not voided.
    pub discounts: Amount,
    /// What cash was rounded by: `tenders` come to `revenue` and this.
    pub rounding: Amount,
    /// One per tender that was used.
    pub tenders: Vec<ShiftTender>,
    /// One per tax rate that was used.
    pub taxes: Vec<ShiftTax>,
}

/// Documents of one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DocumentSums {
    /// How many.
    pub count: i64,
    /// What they come to.
    pub total: Amount,
    /// The tax within.
    pub tax: Amount,
}

/// One means of payment. Change is taken off `received` cash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ShiftTender {
    /// How.
    pub tender: Tender,
    /// For sales.
    pub received: Amount,
    /// Given back for voids.
    pub voided: Amount,
    /// Given back for returns.
    pub refunded: Amount,
    /// `received` − `voided` − `refunded`.
    pub net: Amount,
}

/// One tax rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ShiftTax {
    /// The rate in basis points: 1900 is 19 %.
    pub tax_rate: i64,
    /// What was sold at this rate less what was voided and came back, tax included.
    pub net: Amount,
    /// The tax on it.
    pub tax: Amount,
}

/// The cash of a shift.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DrawerView {
    /// What was in the drawer to begin with.
    pub opening_float: Amount,
    /// Cash payments less change, voids and refunds.
    pub takings: Amount,
    /// Put in besides.
    pub cash_in: Amount,
    /// Taken out besides.
    pub cash_out: Amount,
    /// `opening_float` + `takings` + `cash_in` − `cash_out`.
    pub expected: Amount,
}

/// How a shift stands.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct XReport {
    /// When.
    pub taken_at: DateTime<Utc>,
    /// What it comes to so far.
    #[serde(flatten)]
    pub report: ShiftReport,
}

/// What a closed shift came to, for ever.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ZReport {
    /// From 1 per register, without gaps.
    pub z_number: i64,
    /// When it was closed.
    pub closed_at: DateTime<Utc>,
    /// Who closed it.
    pub closed_by: UserId,
    /// What was counted in the drawer.
    pub counted: Money,
    /// `counted` − `drawer.expected`.
    pub variance: Amount,
    /// The coins and notes, where they were named.
    pub pieces: Option<Vec<CashPieces>>,
    /// What was noted.
    pub note: Option<String>,
    /// What it came to.
    #[serde(flatten)]
    pub report: ShiftReport,
}
