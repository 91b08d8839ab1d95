//! A store as other modules see it, and how it reads the clock.

use chrono::{DateTime, Days, NaiveDate, NaiveTime, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;
use kernel::{
    ids::StoreId,
    money::{Currency, Minor},
    uuid::Uuid,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What a store is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum StoreKind {
    /// A shop.
    Sales,
    /// A warehouse.
    Logistics,
    /// The head office.
    Headquarters,
}

/// Whether shelf prices contain the tax.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TaxMode {
    /// Prices contain it (usual in Europe).
    Included,
    /// It is added at the till (usual in the United States).
    Added,
}

/// What happens when more is sold than the books say is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum NegativeStock {
    /// The sale is refused.
    Refuse,
    /// The sale is recorded and the level goes below zero, a discrepancy to resolve.
    Allow,
}

/// A register of a store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegisterRef {
    /// Its id.
    pub id: Uuid,
    /// What people call it, for example `T1`.
    pub code: String,
}

/// A store and its settings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoreProfile {
    /// Its id.
    pub id: StoreId,
    /// Its code, for people.
    pub code: String,
    /// Its name.
    pub name: String,
    /// Where it is, as it is printed on receipts.
    #[serde(default)]
    pub address: Option<String>,
    /// What it is for.
    pub kind: StoreKind,
    /// Its IANA time zone.
    pub timezone: Tz,
    /// Local time at which the business day turns; before it, yesterday goes on.
    pub day_cutoff: NaiveTime,
    /// The only currency it sells in.
    pub currency: Currency,
    /// Whether prices contain the tax.
    pub tax_mode: TaxMode,
    /// Which of the catalogue's tax rates hold here, for example `FR`; `None`: each product's own.
    pub tax_region: Option<String>,
    /// What is owed in cash is rounded to a multiple of so many minor units; `None`: not at all.
    pub cash_rounding: Option<Minor>,
    /// What happens at zero.
    pub negative_stock: NegativeStock,
    /// The largest refund, in minor units, that a cashier may give alone; `None` is no limit.
    pub return_limit: Option<Minor>,
    /// Printed on every receipt.
    #[serde(default)]
    pub receipt_text: Option<String>,
    /// Its registers that are in use.
    pub registers: Vec<RegisterRef>,
    /// Archived stores neither sell nor move stock.
    pub archived: bool,
}

impl StoreProfile {
    /// The business day that `at` belongs to here: the local date, or the one before until
    /// [`day_cutoff`](Self::day_cutoff).
    pub fn business_date(&self, at: DateTime<Utc>) -> NaiveDate {
        let local = at.with_timezone(&self.timezone).naive_local();
        if local.time() < self.day_cutoff {
            local
                .date()
                .checked_sub_days(Days::new(1))
                .unwrap_or(local.date())
        } else {
            local.date()
        }
    }

    /// When the business day `date` is over here: the first moment of the next one.
    pub fn day_end(&self, date: NaiveDate) -> DateTime<Utc> {
        let next = date.succ_opt().unwrap_or(date);
        let turn = next.and_time(self.day_cutoff);
        // Where the clock jumps over the cutoff, the day turns as it lands.
        let moment = (0..=180)
            .filter_map(|minutes| turn.checked_add_signed(TimeDelta::minutes(minutes)))
            .find_map(|local| self.timezone.from_local_datetime(&local).latest());
        moment.map_or_else(|| turn.and_utc(), |at| at.with_timezone(&Utc))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profile(timezone: Tz, cutoff: &str) -> StoreProfile {
        StoreProfile {
            id: StoreId::new(),
            code: "S1".into(),
            name: "Shop".into(),
            address: None,
            kind: StoreKind::Sales,
            timezone,
            day_cutoff: cutoff.parse().unwrap(),
            currency: Currency::new("EUR").unwrap(),
            tax_mode: TaxMode::Included,
            tax_region: None,
            cash_rounding: None,
            negative_stock: NegativeStock::Refuse,
            return_limit: None,
            receipt_text: None,
            registers: Vec::new(),
            archived: false,
        }
    }

    fn date(profile: &StoreProfile, at: &str) -> String {
        profile.business_date(at.parse().unwrap()).to_string()
    }

    #[test]
    fn a_sale_after_midnight_belongs_to_the_day_before_until_the_cutoff() {
        let shop = profile(Tz::Europe__Paris, "04:00:00");
        assert_eq!(date(&shop, "2026-01-10T02:59:59Z"), "2026-01-09");
        assert_eq!(date(&shop, "2026-01-10T03:00:00Z"), "2026-01-10");
    }

    #[test]
    fn a_day_ends_where_the_next_one_begins() {
        let ends = |zone, cutoff, date: &str| {
            let shop = profile(zone, cutoff);
            let end = shop.day_end(date.parse().unwrap());
            let before = end - TimeDelta::seconds(1);
            let days = [before, end].map(|at| shop.business_date(at).to_string());
            (end.to_rfc3339(), days)
        };
        let days = |a: &str, b: &str| [a.to_owned(), b.to_owned()];
        let (end, around) = ends(Tz::Europe__Paris, "04:00:00", "2026-01-10");
        assert_eq!(end, "2026-01-11T03:00:00+00:00");
        assert_eq!(around, days("2026-01-10", "2026-01-11"));
        // The clock jumps from 02:00 to 03:00, over the cutoff.
        let (end, around) = ends(Tz::Europe__Paris, "02:30:00", "2026-03-28");
        assert_eq!(end, "2026-03-29T01:00:00+00:00");
        assert_eq!(around, days("2026-03-28", "2026-03-29"));
    }

    #[test]
    fn the_shop_s_clock_counts_and_not_the_server_s() {
        assert_eq!(
            date(
                &profile(Tz::Asia__Tokyo, "00:00:00"),
                "2026-01-09T15:00:00Z"
            ),
            "2026-01-10"
        );
        assert_eq!(
            date(
                &profile(Tz::America__New_York, "00:00:00"),
                "2026-01-10T04:59:00Z"
            ),
            "2026-01-09"
        );
    }
}
