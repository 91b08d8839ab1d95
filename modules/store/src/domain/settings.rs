//! The settings of a store, and the time of day at which its business day turns.

use std::{fmt, str::FromStr};

use chrono::NaiveTime;
use chrono_tz::Tz;
use kernel::{
    money::{Currency, Minor},
    text::Code,
};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};
use store_api::{NegativeStock, TaxMode};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        RefOr,
        schema::{ObjectBuilder, Schema, Type},
    },
};

kernel::bounded_integer! {
    /// What cash is rounded to, in minor units: 5 where the smallest coin is 5 cents.
    pub CashRounding, 1, 100_000
}

/// What a store decides for itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Settings {
    pub(crate) timezone: Tz,
    pub(crate) day_cutoff: Cutoff,
    pub(crate) currency: Currency,
    pub(crate) tax_mode: TaxMode,
    /// Which of the catalogue's tax rates hold; `None`: each product's own.
    pub(crate) tax_region: Option<Code>,
    /// `None` is to the minor unit.
    pub(crate) cash_rounding: Option<CashRounding>,
    pub(crate) negative_stock: NegativeStock,
    /// In minor units of `currency`; `None` is no limit.
    pub(crate) return_limit: Option<Minor>,
    pub(crate) receipt_text: Option<String>,
}

impl Settings {
    /// What a store starts with where nothing else was said. `None` is never the answer, as EUR
    /// is a currency.
    pub(crate) fn initial() -> Option<Self> {
        Some(Self {
            timezone: Tz::UTC,
            day_cutoff: Cutoff(NaiveTime::MIN),
            currency: Currency::new("EUR")?,
            tax_mode: TaxMode::Included,
            tax_region: None,
            cash_rounding: None,
            negative_stock: NegativeStock::Refuse,
            return_limit: None,
            receipt_text: None,
        })
    }
}

/// A local time of day, in whole minutes: `04:00`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cutoff(pub(crate) NaiveTime);

impl FromStr for Cutoff {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let shape = text.len() == 5
            && text.bytes().enumerate().all(|(at, b)| match at {
                2 => b == b':',
                _ => b.is_ascii_digit(),
            });
        NaiveTime::parse_from_str(text, "%H:%M")
            .ok()
            .filter(|_| shape)
            .map(Self)
            .ok_or_else(|| "must be a time of day such as 04:00".to_owned())
    }
}

impl fmt::Display for Cutoff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.format("%H:%M"))
    }
}

impl Serialize for Cutoff {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Cutoff {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d)?.parse().map_err(D::Error::custom)
    }
}

impl PartialSchema for Cutoff {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .pattern(Some("^([01][0-9]|2[0-3]):[0-5][0-9]$"))
            .examples(["04:00"])
            .into()
    }
}

impl ToSchema for Cutoff {}

#[cfg(test)]
mod tests {
    use super::{Cutoff, Settings};

    #[test]
    fn a_cutoff_is_a_whole_minute() {
        assert_eq!("04:30".parse::<Cutoff>().unwrap().to_string(), "04:30");
        for bad in ["24:00", "4:00", "04:00:00", "", "04.00", "+4:00"] {
            assert!(bad.parse::<Cutoff>().is_err(), "{bad}");
        }
    }

    #[test]
    fn there_is_always_something_to_start_with() {
        assert!(Settings::initial().is_some());
    }
}
