//! The closed vocabularies of sales: the same words in JSON, in the database and in Rust.

use diesel::{
    deserialize::{self, FromSql, FromSqlRow},
    expression::AsExpression,
    pg::{Pg, PgValue},
    serialize::{self, Output, ToSql},
    sql_types::Text,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

macro_rules! words {
    ($(#[$meta:meta])* pub enum $name:ident { $($(#[$about:meta])* $variant:ident = $word:literal),* $(,)? }) => {
        $(#[$meta])*
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema,
            AsExpression, FromSqlRow,
        )]
        #[diesel(sql_type = Text)]
        #[serde(rename_all = "snake_case")]
        pub enum $name {
            $($(#[$about])* $variant),*
        }

        impl $name {
            /// Every word.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The word.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),* }
            }
        }

        impl ToSql<Text, Pg> for $name {
            fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
                <str as ToSql<Text, Pg>>::to_sql(self.as_str(), out)
            }
        }

        impl FromSql<Text, Pg> for $name {
            fn from_sql(bytes: PgValue<'_>) -> deserialize::Result<Self> {
                let word = <String as FromSql<Text, Pg>>::from_sql(bytes)?;
                let known = Self::ALL.iter().copied().find(|w| w.as_str() == word);
                known.ok_or_else(|| format!("not a {}: {word}", stringify!($name)).into())
            }
        }
    };
}

words! {
    /// What stands under a sale's id.
    pub enum SaleStatus {
        /// It was recorded.
        Recorded = "recorded",
        /// It was recorded and voided since; its goods are back on the shelf.
        Voided = "voided",
    }
}

words! {
    /// How money changes hands.
    pub enum Tender {
        /// Coins and notes: the only tender that change is given out of.
        Cash = "cash",
        /// A payment card.
        Card = "card",
        /// A voucher or gift card.
        Voucher = "voucher",
        /// Anything else.
        Other = "other",
        /// What an exchange offsets: a payment of its sale and a refund of its return. No client may
        /// name it.
        Exchange = "exchange",
    }
}

/// A tender that a client may name.
pub(crate) fn tender_of_client<'de, D: serde::Deserializer<'de>>(d: D) -> Result<Tender, D::Error> {
    match Tender::deserialize(d)? {
        Tender::Exchange => Err(serde::de::Error::custom(
            "`exchange` is booked by POST /api/sales/exchanges alone",
        )),
        tender => Ok(tender),
    }
}

words! {
    /// What became of a sale of a batch.
    pub enum BatchStatus {
        /// It was recorded now.
        Recorded = "recorded",
        /// It stood already.
        Replayed = "replayed",
        /// It is not recorded.
        Failed = "failed",
    }
}

words! {
    /// What became of a parked basket.
    pub enum ParkedState {
        /// It waits.
        Parked = "parked",
        /// A till has it.
        Resumed = "resumed",
        /// The customer did not come back.
        Discarded = "discarded",
    }
}

words! {
    /// Whether a register's session still runs.
    pub enum ShiftStatus {
        /// What is sold at the register counts in it.
        Open = "open",
        /// Counted; its Z report never changes.
        Closed = "closed",
    }
}

words! {
    /// Which way cash goes that no sale or return moves.
    pub enum CashDirection {
        /// Into the drawer.
        In = "in",
        /// Out of it.
        Out = "out",
    }
}

words! {
    /// Why goods came back.
    pub enum ReturnReason {
        /// It does not work, or is broken.
        Defective = "defective",
        /// Another article than was wanted.
        WrongItem = "wrong_item",
        /// The customer changed their mind.
        Unwanted = "unwanted",
        /// It was sold past its date.
        Expired = "expired",
        /// Anything else; the note says what.
        Other = "other",
    }
}

impl ReturnReason {
    /// What a till shows.
    pub fn title(self) -> &'static str {
        match self {
            Self::Defective => "Defective",
            Self::WrongItem => "Wrong item",
            Self::Unwanted => "No longer wanted",
            Self::Expired => "Past its date",
            Self::Other => "Other",
        }
    }
}

words! {
    /// What becomes of returned goods.
    pub enum Disposition {
        /// Back on the shelf.
        Restock = "restock",
        /// Kept, but not sold.
        Damaged = "damaged",
    }
}

impl From<Disposition> for sales_api::Disposition {
    fn from(disposition: Disposition) -> Self {
        match disposition {
            Disposition::Restock => Self::Restock,
            Disposition::Damaged => Self::Damaged,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_and_the_database_use_the_same_words() {
        for reason in ReturnReason::ALL {
            let json = serde_json::to_value(reason).unwrap();
            assert_eq!(json, reason.as_str());
            assert_eq!(
                serde_json::from_value::<ReturnReason>(json).unwrap(),
                *reason
            );
        }
        assert!(serde_json::from_str::<SaleStatus>("\"aborted\"").is_err());
    }
}
