//! An e-mail address as it is stored and compared: trimmed and in lower case.

use serde::{Deserialize, Deserializer, Serialize, de::Error};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        RefOr,
        schema::{KnownFormat, ObjectBuilder, Schema, SchemaFormat, Type},
    },
};

/// RFC 5321 §4.5.3.1: 64 octets before the `@`, 254 in all.
const MAX_LOCAL: usize = 64;
const MAX_TOTAL: usize = 254;

/// A plausible address. Whether mail arrives there is not asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub(crate) struct Email(String);

impl Email {
    pub(crate) fn parse(raw: &str) -> Result<Self, &'static str> {
        const BAD: &str = "must be an e-mail address such as `name@example.com`";
        let text = raw.trim().to_lowercase();
        let (local, domain) = text.rsplit_once('@').ok_or(BAD)?;
        let local_fits = (1..=MAX_LOCAL).contains(&local.len()) && text.len() <= MAX_TOTAL;
        let plain = |c: char| c.is_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(c);
        let label = |l: &str| !l.is_empty() && l.chars().all(|c| c.is_alphanumeric() || c == '-');
        if local_fits && local.chars().all(plain) && domain.split('.').all(label) {
            Ok(Self(text))
        } else {
            Err(BAD)
        }
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn into_string(self) -> String {
        self.0
    }
}

impl<'de> Deserialize<'de> for Email {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(d)?).map_err(D::Error::custom)
    }
}

impl PartialSchema for Email {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::Email)))
            .max_length(Some(MAX_TOTAL))
            .into()
    }
}

impl ToSchema for Email {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_trimmed_and_in_lower_case() {
        let email = Email::parse("  Jane.Doe+Till@Example.COM ").unwrap();
        assert_eq!(email.as_str(), "jane.doe+till@example.com");
        assert!(Email::parse("admin@localhost").is_ok());
    }

    #[test]
    fn what_is_no_address_is_refused() {
        let long = format!("{}@example.com", "a".repeat(65));
        for bad in [
            "",
            "jane",
            "@example.com",
            "jane@",
            "a b@c.de",
            "a@b@c.de",
            "a@b..de",
            "a\n@b.de",
            &long,
        ] {
            assert!(Email::parse(bad).is_err(), "{bad:?}");
        }
    }
}
