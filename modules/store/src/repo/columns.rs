//! How values that are words in the database are read and written.

use chrono_tz::Tz;
use diesel::{
    deserialize::{self, FromSql, FromSqlRow},
    expression::AsExpression,
    pg::{Pg, PgValue},
    serialize::{self, Output, ToSql},
    sql_types::Text,
};
use store_api::{CountKind, CountStatus, NegativeStock, StoreKind, TaxMode, TransferStatus};

use crate::domain::{
    count::{EntryMode, Uncounted},
    discrepancy::{DiscrepancyState, Resolution},
    reason::{HoldState, MovementReason},
    transfer::ReceiptKind,
};

macro_rules! words {
    ($(#[$meta:meta])* $name:ident for $inner:ident { $($variant:ident = $text:literal),* $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, AsExpression, FromSqlRow)]
        #[diesel(sql_type = Text)]
        pub(crate) struct $name(pub(crate) $inner);

        impl $name {
            pub(crate) fn text(self) -> &'static str {
                match self.0 {
                    $($inner::$variant => $text,)*
                }
            }
        }

        impl ToSql<Text, Pg> for $name {
            fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
                <str as ToSql<Text, Pg>>::to_sql(self.text(), out)
            }
        }

        impl FromSql<Text, Pg> for $name {
            fn from_sql(bytes: PgValue<'_>) -> deserialize::Result<Self> {
                let text = <String as FromSql<Text, Pg>>::from_sql(bytes)?;
                match text.as_str() {
                    $($text => Ok(Self($inner::$variant)),)*
                    _ => Err(format!("not one of the words of {}: {text}", stringify!($inner)).into()),
                }
            }
        }
    };
}

words! {
    /// `stores.kind`.
    Kind for StoreKind { Sales = "sales", Logistics = "logistics", Headquarters = "headquarters" }
}
words! {
    /// `stores.tax_mode`.
    Tax for TaxMode { Included = "included", Added = "added" }
}
words! {
    /// `stores.negative_stock`.
    Negative for NegativeStock { Refuse = "refuse", Allow = "allow" }
}
words! {
    /// `holds.state`.
    State for HoldState { Held = "held", Consumed = "consumed", Released = "released" }
}
words! {
    /// `movements.reason`.
    Reason for MovementReason {
        Sale = "sale", SaleAborted = "sale_aborted", Void = "void", Return = "return",
        Opening = "opening", Delivery = "delivery", Correction = "correction",
        Damaged = "damaged", Shrinkage = "shrinkage", Found = "found", Expired = "expired",
        Other = "other", TransferOut = "transfer_out", TransferIn = "transfer_in",
        Count = "count",
    }
}
words! {
    /// `transfers.status`.
    Status for TransferStatus {
        Draft = "draft", Requested = "requested", Approved = "approved", InTransit = "in_transit",
        PartiallyReceived = "partially_received", Received = "received", Closed = "closed",
        Cancelled = "cancelled", Rejected = "rejected",
    }
}
words! {
    /// `transfer_receipts.kind`.
    Receipt for ReceiptKind { Receipt = "receipt", WriteOff = "write_off" }
}

words! {
    /// `discrepancies.state`.
    Standing for DiscrepancyState { Open = "open", Resolved = "resolved" }
}
words! {
    /// `discrepancies.resolution`.
    Answer for Resolution {
        Counted = "counted", DeliveredLate = "delivered_late", SoldTwice = "sold_twice",
        Other = "other", SaleAborted = "sale_aborted",
    }
}

words! {
    /// `counts.kind`.
    CountKindText for CountKind { Full = "full", Category = "category", Products = "products" }
}
words! {
    /// `counts.status`.
    CountStatusText for CountStatus {
        Open = "open", Counting = "counting", Recounting = "recounting", Posted = "posted",
        Cancelled = "cancelled",
    }
}
words! {
    /// `counts.uncounted`.
    UncountedText for Uncounted { Keep = "keep", Zero = "zero" }
}
words! {
    /// `count_entries.mode`.
    EntryModeText for EntryMode { Add = "add", Set = "set" }
}

/// `stores.timezone`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, AsExpression, FromSqlRow)]
#[diesel(sql_type = Text)]
pub(crate) struct Zone(pub(crate) Tz);

impl ToSql<Text, Pg> for Zone {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        <str as ToSql<Text, Pg>>::to_sql(self.0.name(), out)
    }
}

impl FromSql<Text, Pg> for Zone {
    fn from_sql(bytes: PgValue<'_>) -> deserialize::Result<Self> {
        let name = <String as FromSql<Text, Pg>>::from_sql(bytes)?;
        Ok(Self(name.parse::<Tz>().map_err(|e| e.to_string())?))
    }
}
