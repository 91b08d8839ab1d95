//! Money in integer minor units, quantities in base units, and splitting without a lost cent.

use std::fmt;

use diesel::{
    deserialize::{self, FromSqlRow},
    expression::AsExpression,
    pg::{Pg, PgValue},
    serialize,
    sql_types::Text,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

crate::bounded_integer! {
    /// An amount in minor units (cents for EUR), at most ±10¹³: no sum of a sale can overflow.
    pub Minor, -10_000_000_000_000, 10_000_000_000_000
}
crate::bounded_integer! {
    /// How much of a product, in its base unit (each, g, ml): 1 to 1,000,000,000.
    pub Quantity, 1, 1_000_000_000
}
crate::bounded_integer! {
    /// A change or level of stock in base units, at most ±1,000,000,000.
    pub StockDelta, -1_000_000_000, 1_000_000_000
}
crate::bounded_integer! {
    /// A rate in basis points: 1900 is 19 %. From 0 to 10,000.
    pub BasisPoints, 0, 10_000
}

/// An ISO 4217 currency code.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, AsExpression, FromSqlRow)]
#[diesel(sql_type = Text)]
pub struct Currency([u8; 3]);

/// Currencies whose minor unit is not a hundredth (ISO 4217, table A.1).
const EXPONENTS: &[(&str, u32)] = &[
    ("BIF", 0),
    ("CLP", 0),
    ("DJF", 0),
    ("GNF", 0),
    ("ISK", 0),
    ("JPY", 0),
    ("KMF", 0),
    ("KRW", 0),
    ("PYG", 0),
    ("RWF", 0),
    ("UGX", 0),
    ("VND", 0),
    ("VUV", 0),
    ("XAF", 0),
    ("XOF", 0),
    ("XPF", 0),
    ("BHD", 3),
    ("IQD", 3),
    ("JOD", 3),
    ("KWD", 3),
    ("LYD", 3),
    ("OMR", 3),
    ("TND", 3),
];

impl Currency {
    /// Three capital letters; `None` for anything else.
    pub fn new(code: &str) -> Option<Self> {
        let bytes: [u8; 3] = code.as_bytes().try_into().ok()?;
        bytes
            .iter()
            .all(u8::is_ascii_uppercase)
            .then_some(Self(bytes))
    }

    /// The code, for example `EUR`.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// Digits after the decimal point of the major unit.
    pub fn exponent(&self) -> u32 {
        let code = self.as_str();
        EXPONENTS
            .iter()
            .find(|(c, _)| *c == code)
            .map_or(2, |(_, e)| *e)
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Currency {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let code = String::deserialize(d)?;
        Self::new(&code).ok_or_else(|| {
            serde::de::Error::custom(
                "must be an ISO 4217 code of three capital letters, such as EUR",
            )
        })
    }
}

impl serialize::ToSql<Text, Pg> for Currency {
    fn to_sql<'b>(&'b self, out: &mut serialize::Output<'b, '_, Pg>) -> serialize::Result {
        <str as serialize::ToSql<Text, Pg>>::to_sql(self.as_str(), out)
    }
}

impl deserialize::FromSql<Text, Pg> for Currency {
    fn from_sql(bytes: PgValue<'_>) -> deserialize::Result<Self> {
        let code = <String as deserialize::FromSql<Text, Pg>>::from_sql(bytes)?;
        Self::new(&code).ok_or_else(|| format!("not a currency: {code}").into())
    }
}

impl utoipa::PartialSchema for Currency {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        utoipa::openapi::schema::ObjectBuilder::new()
            .schema_type(utoipa::openapi::schema::Type::String)
            .pattern(Some("^[A-Z]{3}$"))
            .examples(["EUR"])
            .into()
    }
}
impl ToSchema for Currency {}

/// An amount with its currency: `{"amount": 1299, "currency": "EUR"}` is 12.99 euros.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"amount": 1299, "currency": "EUR"}))]
pub struct Money {
    /// Integer minor units.
    pub amount: Minor,
    /// ISO 4217 code.
    pub currency: Currency,
}

/// `value * numerator / denominator`, half away from zero. `None` when `denominator` is not positive.
pub fn mul_div_round(value: i64, numerator: i64, denominator: i64) -> Option<i128> {
    if denominator <= 0 {
        return None;
    }
    let product = i128::from(value).checked_mul(i128::from(numerator))?;
    let (den, half) = (i128::from(denominator), i128::from(denominator / 2));
    let rounded = if product >= 0 {
        product.checked_add(half)?
    } else {
        product.checked_sub(half)?
    };
    // For an odd denominator `half` is rounded down, which still sends exact halves (there are
    // none) and everything above to the right side.
    rounded.checked_div(den)
}

/// Splits `total` over `weights` by largest remainder, so that the parts sum to `total`.
///
/// Equal remainders go to the earlier part. All weights zero: everything goes to the first part.
/// Negative weights count as zero.
pub fn split(total: i64, weights: &[i64]) -> Vec<i64> {
    let positive: Vec<i128> = weights.iter().map(|w| i128::from(*w.max(&0))).collect();
    let sum: i128 = positive.iter().sum();
    if sum == 0 {
        let mut parts = vec![0; weights.len()];
        if let Some(first) = parts.first_mut() {
            *first = total;
        }
        return parts;
    }
    let (sign, whole) = (total.signum(), i128::from(total).abs());
    let mut parts: Vec<i128> = positive.iter().map(|w| whole * w / sum).collect();
    let mut order: Vec<usize> = (0..parts.len()).collect();
    let remainders: Vec<i128> = positive.iter().map(|w| whole * w % sum).collect();
    order.sort_by_key(|i| std::cmp::Reverse(remainders.get(*i).copied()));
    let missing = whole - parts.iter().sum::<i128>();
    for (index, _) in order.into_iter().zip(0..missing) {
        if let Some(part) = parts.get_mut(index) {
            *part += 1;
        }
    }
    // Each part is at most |total|, which is an i64.
    parts
        .into_iter()
        .map(|p| i64::try_from(p).unwrap_or(0) * sign)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_sum_to_the_whole() {
        assert_eq!(split(100, &[1, 1, 1]), [34, 33, 33]);
        assert_eq!(split(-100, &[1, 1, 1]), [-34, -33, -33]);
        assert_eq!(split(5, &[0, 0]), [5, 0]);
        assert_eq!(split(7, &[3, 0, 4]), [3, 0, 4]);
        assert_eq!(split(1, &[]), Vec::<i64>::new());
        for total in [0, 1, 99, 12_345, i64::MAX] {
            assert_eq!(split(total, &[7, 11, 13]).iter().sum::<i64>(), total);
        }
    }

    #[test]
    fn rounding_goes_half_away_from_zero() {
        assert_eq!(mul_div_round(5, 1, 2), Some(3));
        assert_eq!(mul_div_round(-5, 1, 2), Some(-3));
        assert_eq!(mul_div_round(10, 1, 3), Some(3));
        assert_eq!(mul_div_round(11, 1, 3), Some(4));
        assert_eq!(mul_div_round(1, 1, 0), None);
    }
}
