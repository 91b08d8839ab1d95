//! The shops' clocks: what a till's local time is in UTC, and which business day it belongs to.
//!
//! The business day is computed here a second time, apart from the product, so that the
//! reconciliation can tell when the two disagree.

use chrono::{DateTime, Days, MappedLocalTime, NaiveDate, NaiveDateTime, NaiveTime, TimeZone, Utc};
use chrono_tz::Tz;

/// How the shops read the time.
#[derive(Debug, Clone, Copy)]
pub(super) struct Clock {
    pub(super) zone: Tz,
    pub(super) day_cutoff: NaiveTime,
}

/// When a sale happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Moment {
    pub(super) utc: DateTime<Utc>,
    pub(super) business_date: NaiveDate,
    /// Before the cutoff, so that it counts for the day before.
    pub(super) before_cutoff: bool,
}

/// Why a time cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BadTime {
    /// It is not of the form `2017-01-31 23:59:59`.
    Form,
    /// The clocks went forward over it: it never was.
    Gap,
}

impl Clock {
    /// Reads a till's local time. Where the clocks went back and it was twice, the first counts.
    pub(super) fn read(self, raw: &str) -> Result<Moment, BadTime> {
        let local =
            NaiveDateTime::parse_from_str(raw, "%Y-%m-%d %H:%M:%S").map_err(|_| BadTime::Form)?;
        let zoned = match self.zone.from_local_datetime(&local) {
            MappedLocalTime::Single(at) | MappedLocalTime::Ambiguous(at, _) => at,
            MappedLocalTime::None => return Err(BadTime::Gap),
        };
        let before_cutoff = local.time() < self.day_cutoff;
        let back = Days::new(u64::from(before_cutoff));
        let business_date = local.date().checked_sub_days(back).ok_or(BadTime::Form)?;
        Ok(Moment {
            utc: zoned.with_timezone(&Utc),
            business_date,
            before_cutoff,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(raw: &str) -> Result<(String, String), BadTime> {
        let clock = Clock {
            zone: Tz::America__New_York,
            day_cutoff: "05:00:00".parse().unwrap(),
        };
        clock
            .read(raw)
            .map(|m| (m.utc.to_rfc3339(), m.business_date.to_string()))
    }

    #[test]
    fn a_sale_after_midnight_belongs_to_the_day_before() {
        let pair = |a: &str, b: &str| Ok((a.to_owned(), b.to_owned()));
        assert_eq!(
            read("2017-02-18 01:06:26"),
            pair("2017-02-18T06:06:26+00:00", "2017-02-17")
        );
        assert_eq!(
            read("2017-02-18 05:00:00"),
            pair("2017-02-18T10:00:00+00:00", "2017-02-18")
        );
        // Daylight saving time: four hours behind UTC.
        assert_eq!(
            read("2017-07-01 12:00:00"),
            pair("2017-07-01T16:00:00+00:00", "2017-07-01")
        );
        assert_eq!(
            read("2017-11-05 01:30:00"),
            pair("2017-11-05T05:30:00+00:00", "2017-11-04")
        );
    }

    #[test]
    fn a_time_that_never_was_is_told_from_one_that_cannot_be_read() {
        assert_eq!(read("2017-03-12 02:30:00"), Err(BadTime::Gap));
        assert_eq!(read("12/03/2017"), Err(BadTime::Form));
        assert_eq!(read(""), Err(BadTime::Form));
    }
}
