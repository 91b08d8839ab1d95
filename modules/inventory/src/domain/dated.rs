//! When prices, rates and promotions begin and end. What has held is history and stays as it was:
//! nothing begins in the past, and nothing ends there.

use chrono::{DateTime, TimeDelta, Utc};

/// How far a client's clock may be behind.
const GRACE: TimeDelta = TimeDelta::minutes(5);

/// From when until when something holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Dates {
    pub(crate) from: DateTime<Utc>,
    pub(crate) until: Option<DateTime<Utc>>,
    pub(crate) withdrawn: Option<DateTime<Utc>>,
}

/// Why dates do not do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// It would begin in the past.
    BeginsInPast,
    /// It would end before it begins.
    EndsBeforeBeginning,
    /// It would end in the past.
    EndsInPast,
    /// It is over already, or was withdrawn.
    Over,
    /// It ends earlier already.
    EndsEarlier,
}

impl Dates {
    /// What begins at `from`, or now.
    pub(crate) fn new(
        now: DateTime<Utc>,
        from: Option<DateTime<Utc>>,
        until: Option<DateTime<Utc>>,
    ) -> Result<Self, Refusal> {
        let from = from.unwrap_or(now);
        if from < now - GRACE {
            return Err(Refusal::BeginsInPast);
        }
        if until.is_some_and(|until| until <= from) {
            return Err(Refusal::EndsBeforeBeginning);
        }
        Ok(Self {
            from,
            until,
            withdrawn: None,
        })
    }

    /// The dates when it ends at `at`, or now: what has not begun by then is withdrawn.
    pub(crate) fn ended(
        self,
        now: DateTime<Utc>,
        at: Option<DateTime<Utc>>,
    ) -> Result<Self, Refusal> {
        if self.withdrawn.is_some() || self.until.is_some_and(|until| until <= now) {
            return Err(Refusal::Over);
        }
        let at = at.unwrap_or(now);
        if at < now - GRACE {
            return Err(Refusal::EndsInPast);
        }
        let at = at.max(now);
        if self.until.is_some_and(|until| until <= at) {
            return Err(Refusal::EndsEarlier);
        }
        if at <= self.from {
            return Ok(Self {
                withdrawn: Some(now),
                ..self
            });
        }
        Ok(Self {
            until: Some(at),
            ..self
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minute: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::minutes(minute)
    }

    fn dates(from: i64, until: Option<i64>, withdrawn: Option<i64>) -> Dates {
        Dates {
            from: at(from),
            until: until.map(at),
            withdrawn: withdrawn.map(at),
        }
    }

    #[test]
    fn nothing_begins_in_the_past_or_ends_before_it_begins() {
        for (from, until, expected) in [
            (None, None, Ok(dates(100, None, None))),
            (Some(95), None, Ok(dates(95, None, None))),
            (Some(94), None, Err(Refusal::BeginsInPast)),
            (Some(200), Some(201), Ok(dates(200, Some(201), None))),
            (Some(200), Some(200), Err(Refusal::EndsBeforeBeginning)),
            (None, Some(99), Err(Refusal::EndsBeforeBeginning)),
        ] {
            let made = Dates::new(at(100), from.map(at), until.map(at));
            assert_eq!(made, expected, "{from:?} {until:?}");
        }
    }

    #[test]
    fn what_holds_ends_from_now_on_and_what_has_not_begun_is_withdrawn() {
        let running = dates(50, None, None);
        let limited = dates(50, Some(150), None);
        let coming = dates(120, None, None);
        for (of, end, expected) in [
            (running, None, Ok(dates(50, Some(100), None))),
            (running, Some(97), Ok(dates(50, Some(100), None))),
            (running, Some(94), Err(Refusal::EndsInPast)),
            (running, Some(130), Ok(dates(50, Some(130), None))),
            (limited, Some(149), Ok(dates(50, Some(149), None))),
            (limited, Some(150), Err(Refusal::EndsEarlier)),
            (coming, None, Ok(dates(120, None, Some(100)))),
            (coming, Some(120), Ok(dates(120, None, Some(100)))),
            (coming, Some(121), Ok(dates(120, Some(121), None))),
            (dates(50, Some(100), None), None, Err(Refusal::Over)),
            (dates(120, None, Some(90)), None, Err(Refusal::Over)),
        ] {
            assert_eq!(of.ended(at(100), end.map(at)), expected, "{of:?} {end:?}");
        }
    }
}
