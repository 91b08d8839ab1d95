//! Counts how signing in and refreshing end.

use kernel::metrics::{Counter, Family, Metrics};

use crate::error::Error;

/// The counters of [`Auth`](crate::Auth).
#[derive(Debug)]
pub(crate) struct Meter {
    logins: Family<Counter, 1>,
    refreshes: Family<Counter, 1>,
}

impl Meter {
    pub(crate) fn new(metrics: &Metrics) -> Self {
        let meter = Self {
            logins: metrics.counter(
                "comptoir_logins_total",
                "Attempts to sign in: `ok`, `wrong` (address or password), `throttled` (account or address has to wait), `busy` (the queue for bcrypt is full), `failed` (our fault)",
                ["outcome"],
            ),
            refreshes: metrics.counter(
                "comptoir_refreshes_total",
                "Attempts to refresh a session: `ok`, `refused`, `reused` (a token came twice: the session was ended), `failed`",
                ["outcome"],
            ),
        };
        for outcome in ["ok", "wrong", "throttled", "busy", "failed"] {
            meter.logins.with([outcome]);
        }
        for outcome in ["ok", "refused", "reused", "failed"] {
            meter.refreshes.with([outcome]);
        }
        meter
    }

    pub(crate) fn login<T>(&self, result: &Result<T, Error>) {
        let outcome = match result {
            Ok(_) => "ok",
            Err(Error::InvalidCredentials) => "wrong",
            Err(Error::TooManyAttempts { .. }) => "throttled",
            Err(Error::Busy) => "busy",
            Err(_) => "failed",
        };
        self.logins.with([outcome]).inc();
    }

    pub(crate) fn refresh<T>(&self, result: &Result<T, Error>, reused: bool) {
        let outcome = match result {
            Ok(_) => "ok",
            Err(Error::InvalidRefreshToken) if reused => "reused",
            Err(Error::InvalidRefreshToken) => "refused",
            Err(_) => "failed",
        };
        self.refreshes.with([outcome]).inc();
    }
}

#[cfg(test)]
mod tests {
    use kernel::{db::DbError, metrics::CLASSIC};

    use super::*;

    #[test]
    fn every_result_has_its_outcome() {
        let metrics = Metrics::default();
        let meter = Meter::new(&metrics);
        let failed = || Error::Db(DbError::Full);
        let many = Error::TooManyAttempts { retry_after: 1 };
        for (result, outcome) in [
            (Ok(()), "ok"),
            (Err(Error::InvalidCredentials), "wrong"),
            (Err(many), "throttled"),
            (Err(Error::Busy), "busy"),
            (Err(failed()), "failed"),
        ] {
            meter.login(&result);
            let series = format!("comptoir_logins_total{{outcome=\"{outcome}\"}} 1\n");
            assert!(metrics.text(CLASSIC).contains(&series), "{series}");
        }
        for (result, reused, outcome) in [
            (Ok(()), false, "ok"),
            (Err(Error::InvalidRefreshToken), true, "reused"),
            (Err(Error::InvalidRefreshToken), false, "refused"),
            (Err(failed()), false, "failed"),
        ] {
            meter.refresh(&result, reused);
            let series = format!("comptoir_refreshes_total{{outcome=\"{outcome}\"}} 1\n");
            assert!(metrics.text(CLASSIC).contains(&series), "{series}");
        }
    }
}
