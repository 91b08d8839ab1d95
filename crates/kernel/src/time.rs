//! The server's clock, in the precision that PostgreSQL keeps, and times that clients send.

use chrono::{DateTime, Datelike, SubsecRound, Utc};
use serde::{Deserialize, Deserializer, Serialize, de::Error};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        RefOr,
        schema::{KnownFormat, ObjectBuilder, Schema, SchemaFormat, Type},
    },
};

/// Now, in whole microseconds: what is answered equals what is stored.
pub fn now() -> DateTime<Utc> {
    Utc::now().trunc_subsecs(6)
}

/// `at` in whole microseconds.
pub fn micros(at: DateTime<Utc>) -> DateTime<Utc> {
    at.trunc_subsecs(6)
}

/// An RFC 3339 time in the years 2000 to 2100, in whole microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Moment(pub DateTime<Utc>);

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let at = DateTime::<Utc>::deserialize(d)?;
        if (2000..=2100).contains(&at.year()) {
            Ok(Self(micros(at)))
        } else {
            Err(D::Error::custom("must lie in the years 2000 to 2100"))
        }
    }
}

impl PartialSchema for Moment {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
            .into()
    }
}

impl ToSchema for Moment {}

#[cfg(test)]
mod tests {
    use super::Moment;

    #[test]
    fn a_time_outside_our_centuries_is_refused() {
        for (text, good) in [
            ("\"2026-01-01T00:00:00Z\"", true),
            ("\"2100-12-31T23:59:59.9999999Z\"", true),
            ("\"1999-12-31T23:59:59Z\"", false),
            ("\"+262000-01-01T00:00:00Z\"", false),
            ("\"yesterday\"", false),
        ] {
            assert_eq!(serde_json::from_str::<Moment>(text).is_ok(), good, "{text}");
        }
    }
}
