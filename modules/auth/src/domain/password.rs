//! A password as a client sends it: never printed, and the same however its accents were typed.

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer, de::Error};
use unicode_normalization::UnicodeNormalization;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        RefOr,
        schema::{KnownFormat, ObjectBuilder, Schema, SchemaFormat, Type},
    },
};

/// The longest password that is read, in characters. Far more than anybody types.
pub(crate) const MAX_CHARS: usize = 256;

/// In Unicode normalisation form C: composed and decomposed accents are the same password.
#[derive(Debug, Clone)]
pub(crate) struct Password(SecretString);

impl Password {
    pub(crate) fn parse(raw: &str) -> Result<Self, String> {
        let text: String = raw.nfc().take(MAX_CHARS + 1).collect();
        if text.chars().count() > MAX_CHARS {
            return Err(format!("must be at most {MAX_CHARS} characters long"));
        }
        Ok(Self(text.into()))
    }

    pub(crate) fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl<'de> Deserialize<'de> for Password {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let raw = SecretString::deserialize(d)?;
        Self::parse(raw.expose_secret()).map_err(D::Error::custom)
    }
}

impl PartialSchema for Password {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::Password)))
            .max_length(Some(MAX_CHARS))
            .into()
    }
}

impl ToSchema for Password {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn composed_and_decomposed_accents_are_the_same_password() {
        let (nfc, nfd) = (Password::parse("caf\u{e9}"), Password::parse("cafe\u{301}"));
        assert_eq!(nfc.unwrap().expose(), nfd.unwrap().expose());
    }

    #[test]
    fn a_password_is_never_printed() {
        let shown = format!("{:?}", Password::parse("shelf-candle-42-river").unwrap());
        assert!(!shown.contains("candle"), "{shown}");
    }

    #[test]
    fn one_character_too_many_is_refused() {
        assert!(Password::parse(&"ä".repeat(MAX_CHARS)).is_ok());
        assert!(Password::parse(&"ä".repeat(MAX_CHARS + 1)).is_err());
    }
}
