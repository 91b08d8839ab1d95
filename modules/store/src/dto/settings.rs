//! A store's settings on the wire.

use chrono_tz::Tz;
use kernel::{
    money::{Currency, Money},
    text::{Code, Text},
};
use serde::{Deserialize, Serialize};
use store_api::{NegativeStock, TaxMode};
use utoipa::ToSchema;

use super::present;
use crate::{
    domain::settings::{CashRounding, Cutoff, Settings},
    error::Error,
};

/// What a store decides for itself.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct StoreSettings {
    /// IANA time zone.
    #[schema(value_type = String, example = "Europe/Paris")]
    pub(crate) timezone: Tz,
    /// Local time at which the business day turns, `HH:MM`.
    pub(crate) day_cutoff: Cutoff,
    /// The only currency it sells in.
    pub(crate) currency: Currency,
    /// Whether shelf prices contain the tax.
    pub(crate) tax_mode: TaxMode,
    /// Which of the catalogue's tax rates hold here; `null`: each product's own.
    pub(crate) tax_region: Option<Code>,
    /// What is owed in cash is rounded to a multiple of so many minor units; `null`: not at all.
    pub(crate) cash_rounding_minor: Option<CashRounding>,
    /// What happens when more is sold than the books say is there.
    pub(crate) negative_stock: NegativeStock,
    /// The largest refund that a cashier may give alone; `null` is no limit.
    pub(crate) return_limit: Option<Money>,
    /// Printed on every receipt.
    pub(crate) receipt_text: Option<String>,
}

impl From<Settings> for StoreSettings {
    fn from(settings: Settings) -> Self {
        let Settings {
            timezone,
            day_cutoff,
            currency,
            tax_mode,
            tax_region,
            cash_rounding,
            negative_stock,
            return_limit,
            receipt_text,
        } = settings;
        Self {
            timezone,
            day_cutoff,
            currency,
            tax_mode,
            tax_region,
            cash_rounding_minor: cash_rounding,
            negative_stock,
            return_limit: return_limit.map(|amount| Money { amount, currency }),
            receipt_text,
        }
    }
}

/// A merge patch of the settings: what is left out stays as it is.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateStoreSettings {
    /// IANA time zone; a store starts with `UTC`.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>, nullable = false, example = "Europe/Paris")]
    pub timezone: Option<Tz>,
    /// Local time at which the business day turns; a store starts with `00:00`.
    #[serde(default, deserialize_with = "present")]
    #[schema(nullable = false)]
    pub day_cutoff: Option<Cutoff>,
    /// The only currency it sells in; fixed once stock has moved. A store starts with `EUR`.
    #[serde(default, deserialize_with = "present")]
    #[schema(nullable = false)]
    pub currency: Option<Currency>,
    /// Whether shelf prices contain the tax; a store starts with `included`.
    #[serde(default, deserialize_with = "present")]
    #[schema(nullable = false)]
    pub tax_mode: Option<TaxMode>,
    /// Which of the catalogue's tax rates hold here, for example `FR`; `null`: each product's own.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<Code>)]
    pub tax_region: Option<Option<Code>>,
    /// What is owed in cash is rounded to the nearest multiple of so many minor units of the
    /// currency: 5 where the smallest coin is 5 cents; `null`: not at all.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<CashRounding>)]
    pub cash_rounding_minor: Option<Option<CashRounding>>,
    /// What happens at zero; a store starts with `refuse`.
    #[serde(default, deserialize_with = "present")]
    #[schema(nullable = false)]
    pub negative_stock: Option<NegativeStock>,
    /// The largest refund that a cashier may give alone; `null` is no limit.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<Money>)]
    pub return_limit: Option<Option<Money>>,
    /// Printed on every receipt; `null` for none.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>, max_length = 2000)]
    pub receipt_text: Option<Option<Text<2000>>>,
}

impl UpdateStoreSettings {
    /// What `base` becomes. `at` is where the settings stand in the body.
    pub(crate) fn onto(self, base: Settings, at: &str) -> Result<Settings, Error> {
        let Self {
            timezone,
            day_cutoff,
            currency,
            tax_mode,
            tax_region,
            cash_rounding_minor,
            negative_stock,
            return_limit,
            receipt_text,
        } = self;
        let currency = currency.unwrap_or(base.currency);
        let in_old = currency != base.currency;
        let refuse = |field: &str, detail: &str| Error::Invalid {
            pointer: format!("{at}/{field}"),
            detail: detail.to_owned(),
        };
        let invalid = |detail: &str| Err(refuse("return_limit", detail));
        if in_old && cash_rounding_minor.is_none() && base.cash_rounding.is_some() {
            let detail = "is in the old currency: send a new one, or null";
            return Err(refuse("cash_rounding_minor", detail));
        }
        let return_limit = match return_limit {
            Some(Some(money)) if money.currency != currency => {
                return invalid("must be in the store's currency");
            }
            Some(Some(money)) if money.amount.get() < 0 => {
                return invalid("must not be negative");
            }
            Some(limit) => limit.map(|money| money.amount),
            None if base.return_limit.is_some() && in_old => {
                return invalid("is in the old currency: send a new one, or null");
            }
            None => base.return_limit,
        };
        Ok(Settings {
            timezone: timezone.unwrap_or(base.timezone),
            day_cutoff: day_cutoff.unwrap_or(base.day_cutoff),
            currency,
            tax_mode: tax_mode.unwrap_or(base.tax_mode),
            tax_region: tax_region.unwrap_or(base.tax_region),
            cash_rounding: cash_rounding_minor.unwrap_or(base.cash_rounding),
            negative_stock: negative_stock.unwrap_or(base.negative_stock),
            return_limit,
            receipt_text: match receipt_text {
                Some(text) => text.map(Text::into_string),
                None => base.receipt_text,
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patch(json: &str) -> Result<UpdateStoreSettings, serde_json::Error> {
        serde_json::from_str(json)
    }

    #[test]
    fn absent_leaves_and_null_clears_only_what_can_be_empty() {
        let base = Settings::initial().unwrap();
        let limited = patch(r#"{"return_limit":{"amount":500,"currency":"EUR"}}"#)
            .unwrap()
            .onto(base, "")
            .unwrap();
        assert_eq!(
            limited.return_limit.map(kernel::money::Minor::get),
            Some(500)
        );
        let same = patch("{}").unwrap().onto(limited.clone(), "").unwrap();
        assert_eq!(same, limited);
        let cleared = patch(r#"{"return_limit":null}"#)
            .unwrap()
            .onto(limited, "")
            .unwrap();
        assert_eq!(cleared.return_limit, None);
        assert!(patch(r#"{"timezone":null}"#).is_err());
        for good in [r#"{"tax_region":"US-CA"}"#, r#"{"cash_rounding_minor":5}"#] {
            let base = Settings::initial().unwrap();
            let set = patch(good).unwrap().onto(base.clone(), "").unwrap();
            assert_ne!(set, base);
            let none = patch(r#"{"tax_region":null,"cash_rounding_minor":null}"#).unwrap();
            assert_eq!(none.onto(set, "").unwrap(), base);
        }
        assert!(patch(r#"{"cash_rounding_minor":0}"#).is_err());
        assert!(patch(r#"{"timezone":"Mars/Phobos"}"#).is_err());
    }

    #[test]
    fn the_limit_is_in_the_store_s_currency() {
        let mut base = Settings::initial().unwrap();
        let usd = r#"{"return_limit":{"amount":500,"currency":"USD"}}"#;
        assert!(patch(usd).unwrap().onto(base.clone(), "").is_err());
        base.return_limit = kernel::money::Minor::new(500);
        let change = patch(r#"{"currency":"USD"}"#).unwrap();
        assert!(change.onto(base.clone(), "").is_err());
        let both = patch(r#"{"currency":"USD","return_limit":null}"#).unwrap();
        assert!(both.onto(base, "").is_ok());
        let mut rounded = Settings::initial().unwrap();
        rounded.cash_rounding = CashRounding::new(5);
        let change = patch(r#"{"currency":"CHF"}"#).unwrap();
        assert!(change.onto(rounded, "").is_err());
    }
}
