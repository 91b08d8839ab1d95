//! Decimal text to whole cents and back, without floats.

/// `"0.5"` is 50. `None` for what is no plain decimal number, or no whole number of cents.
pub(super) fn parse(raw: &str) -> Option<i64> {
    let (sign, digits) = match raw.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, raw),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let plain = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
    if !plain(whole) || !plain(fraction) {
        return None;
    }
    let fraction = fraction.trim_end_matches('0');
    let cents: i64 = match fraction.len() {
        0 => 0,
        1 => fraction.parse::<i64>().ok()? * 10,
        2 => fraction.parse().ok()?,
        _ => return None,
    };
    whole
        .parse::<i64>()
        .ok()?
        .checked_mul(100)?
        .checked_add(cents)
        .map(|cents| sign * cents)
}

/// 1234567 is `"12,345.67"`.
pub(super) fn format(cents: i64) -> String {
    let sign = if cents < 0 { "-" } else { "" };
    let cents = cents.unsigned_abs();
    format!("{sign}{}.{:02}", thousands(cents / 100), cents % 100)
}

/// 12345 is `"12,345"`.
pub(super) fn format_count(count: i64) -> String {
    let sign = if count < 0 { "-" } else { "" };
    format!("{sign}{}", thousands(count.unsigned_abs()))
}

fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_become_whole_cents() {
        let table = [
            ("0.5", 50),
            ("1.8", 180),
            ("12.34", 1234),
            ("7", 700),
            ("0.0", 0),
            ("3.4900", 349),
            ("-1.25", -125),
        ];
        for (raw, cents) in table {
            assert_eq!(parse(raw), Some(cents), "{raw}");
        }
    }

    #[test]
    fn what_is_not_whole_cents_is_none() {
        for raw in [
            "1.776357e-15",
            "0.125",
            "",
            ".",
            "1.",
            ".5",
            "1,5",
            "NaN",
            "--1",
            "99999999999999999999",
        ] {
            assert_eq!(parse(raw), None, "{raw:?}");
        }
    }

    #[test]
    fn figures_are_readable() {
        assert_eq!(format(123_456_789), "1,234,567.89");
        assert_eq!(format(5), "0.05");
        assert_eq!(format(-100_000), "-1,000.00");
        assert_eq!(format_count(999), "999");
        assert_eq!(format_count(-1_000), "-1,000");
    }
}
