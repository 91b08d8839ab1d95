//! Decimal text of major units and percents, to and from whole minor units, without floats.

/// A number as written, such as `3.49` or `19`: digits without trailing zeros, and how many of
/// them stand after the point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Decimal {
    digits: i64,
    scale: u32,
}

impl Decimal {
    /// At most 15 digits, not below zero. The error is for a person.
    pub(crate) fn parse(raw: &str) -> Result<Self, &'static str> {
        const REFUSED: &str = "must be a decimal number such as 3.49, without thousands separators";
        let (whole, fraction) = raw.split_once('.').unwrap_or((raw, ""));
        let fraction_digits = fraction.trim_end_matches('0');
        let written = whole.len() + fraction_digits.len();
        let digits_only = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
        if !digits_only(whole) || !digits_only(fraction) || raw.ends_with('.') || whole.is_empty() {
            return Err(REFUSED);
        }
        if written > 15 {
            return Err("has more than 15 digits");
        }
        let digits = format!("{whole}{fraction_digits}")
            .parse()
            .map_err(|_| REFUSED)?;
        let scale = u32::try_from(fraction_digits.len()).map_err(|_| REFUSED)?;
        Ok(Self { digits, scale })
    }

    /// In units of 10^-`exponent`. `None` where digits would be lost, or the result is too large.
    pub(crate) fn scaled(self, exponent: u32) -> Option<i64> {
        let factor = 10_i64.checked_pow(exponent.checked_sub(self.scale)?)?;
        self.digits.checked_mul(factor)
    }
}

/// `349` at exponent 2 is `3.49`; `1900` is `19` where `fixed` is false and `19.00` where it is true.
pub(crate) fn format(minor: i64, exponent: u32, fixed: bool) -> String {
    let width = usize::try_from(exponent).unwrap_or(0);
    let unit = 10_u64.checked_pow(exponent).unwrap_or(1);
    let sign = if minor < 0 { "-" } else { "" };
    let value = minor.unsigned_abs();
    let (whole, rest) = (value / unit, value % unit);
    if width == 0 {
        return format!("{sign}{whole}");
    }
    let fraction = format!("{rest:0width$}");
    let shown = if fixed {
        &fraction
    } else {
        fraction.trim_end_matches('0')
    };
    if shown.is_empty() {
        format!("{sign}{whole}")
    } else {
        format!("{sign}{whole}.{shown}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scaled(raw: &str, exponent: u32) -> Option<i64> {
        Decimal::parse(raw).ok()?.scaled(exponent)
    }

    #[test]
    fn decimals_become_minor_units_exactly() {
        assert_eq!(scaled("3.49", 2), Some(349));
        assert_eq!(scaled("3", 2), Some(300));
        assert_eq!(scaled("3.4900", 2), Some(349));
        assert_eq!(scaled("0.00", 0), Some(0));
        assert_eq!(scaled("120", 0), Some(120));
        assert_eq!(scaled("1.234", 3), Some(1234));
    }

    #[test]
    fn what_would_lose_digits_or_is_no_number_is_refused() {
        for bad in [
            "3.499", "", ".5", "5.", "-1", "+1", "1e3", "1,50", "NaN", "1 ", "٣", "1.2.3",
        ] {
            assert_eq!(scaled(bad, 2), None, "{bad:?}");
        }
        assert_eq!(scaled("9999999999999999999999", 2), None);
        assert_eq!(scaled("1.5", 0), None);
    }

    #[test]
    fn formatting_is_the_reverse() {
        assert_eq!(format(349, 2, true), "3.49");
        assert_eq!(format(5, 2, true), "0.05");
        assert_eq!(format(300, 2, true), "3.00");
        assert_eq!(format(120, 0, true), "120");
        assert_eq!(format(1900, 2, false), "19");
        assert_eq!(format(550, 2, false), "5.5");
        assert_eq!(format(-5, 2, true), "-0.05");
    }
}
