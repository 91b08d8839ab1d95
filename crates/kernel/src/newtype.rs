//! Macros for ids and bounded integers that are types of their own in Rust, JSON, OpenAPI and
//! PostgreSQL, so that a store's id can never be passed for a product's.

/// Declares a UUID newtype: `uuid_newtype! { /// A sale. pub SaleId }`.
#[macro_export]
macro_rules! uuid_newtype {
    ($(#[$meta:meta])* $vis:vis $name:ident) => {
        $(#[$meta])*
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash,
            $crate::serde::Serialize, $crate::serde::Deserialize,
            ::diesel::expression::AsExpression, ::diesel::deserialize::FromSqlRow,
        )]
        #[serde(crate = "kernel::serde", transparent)]
        #[diesel(sql_type = ::diesel::sql_types::Uuid)]
        $vis struct $name(pub $crate::uuid::Uuid);
        $crate::newtype_impls!($name, $crate::uuid::Uuid, Uuid);

        impl $name {
            /// A new, time-ordered id (UUIDv7).
            #[must_use]
            pub fn new() -> Self {
                Self($crate::uuid::Uuid::now_v7())
            }
        }

        impl Default for $name {
            fn default() -> Self {
                Self::new()
            }
        }

        impl From<$name> for $crate::uuid::Uuid {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl ::std::str::FromStr for $name {
            type Err = $crate::uuid::Error;
            fn from_str(s: &str) -> Result<Self, Self::Err> {
                s.parse().map(Self)
            }
        }

        impl $crate::utoipa::PartialSchema for $name {
            fn schema() -> $crate::utoipa::openapi::RefOr<$crate::utoipa::openapi::schema::Schema> {
                use $crate::utoipa::openapi::schema::{KnownFormat, ObjectBuilder, SchemaFormat, Type};
                ObjectBuilder::new()
                    .schema_type(Type::String)
                    .format(Some(SchemaFormat::KnownFormat(KnownFormat::Uuid)))
                    .into()
            }
        }
        impl $crate::utoipa::ToSchema for $name {}
    };
}

/// Declares an `i64` newtype with inclusive bounds, refused at parse time when outside.
#[macro_export]
macro_rules! bounded_integer {
    ($(#[$meta:meta])* $vis:vis $name:ident, $min:expr, $max:expr) => {
        $(#[$meta])*
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash,
            $crate::serde::Serialize,
            ::diesel::expression::AsExpression, ::diesel::deserialize::FromSqlRow,
        )]
        #[serde(crate = "kernel::serde", transparent)]
        #[diesel(sql_type = ::diesel::sql_types::BigInt)]
        $vis struct $name(i64);
        $crate::newtype_impls!($name, i64, BigInt);

        impl $name {
            /// The smallest value.
            pub const MIN: i64 = $min;
            /// The largest value.
            pub const MAX: i64 = $max;

            /// `None` outside the bounds.
            #[must_use]
            pub const fn new(value: i64) -> Option<Self> {
                if value < Self::MIN || value > Self::MAX { None } else { Some(Self(value)) }
            }

            /// The plain number.
            #[must_use]
            pub const fn get(self) -> i64 {
                self.0
            }
        }

        impl TryFrom<i128> for $name {
            type Error = String;
            fn try_from(value: i128) -> Result<Self, String> {
                i64::try_from(value).ok().and_then(Self::new).ok_or_else(|| {
                    format!("must be a whole number from {} to {}", Self::MIN, Self::MAX)
                })
            }
        }

        impl<'de> $crate::serde::Deserialize<'de> for $name {
            fn deserialize<D: $crate::serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                let value = <i64 as $crate::serde::Deserialize>::deserialize(d)?;
                Self::try_from(i128::from(value)).map_err($crate::serde::de::Error::custom)
            }
        }

        impl $crate::utoipa::PartialSchema for $name {
            fn schema() -> $crate::utoipa::openapi::RefOr<$crate::utoipa::openapi::schema::Schema> {
                use $crate::utoipa::openapi::schema::{KnownFormat, ObjectBuilder, SchemaFormat, Type};
                ObjectBuilder::new()
                    .schema_type(Type::Integer)
                    .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int64)))
                    .minimum(Some(Self::MIN))
                    .maximum(Some(Self::MAX))
                    .into()
            }
        }
        impl $crate::utoipa::ToSchema for $name {}
    };
}

/// Display and the PostgreSQL mapping, shared by the macros above.
#[doc(hidden)]
#[macro_export]
macro_rules! newtype_impls {
    ($name:ident, $inner:ty, $sql:ident) => {
        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                self.0.fmt(f)
            }
        }

        impl ::diesel::serialize::ToSql<::diesel::sql_types::$sql, ::diesel::pg::Pg> for $name {
            fn to_sql<'b>(
                &'b self,
                out: &mut ::diesel::serialize::Output<'b, '_, ::diesel::pg::Pg>,
            ) -> ::diesel::serialize::Result {
                <$inner as ::diesel::serialize::ToSql<
                    ::diesel::sql_types::$sql,
                    ::diesel::pg::Pg,
                >>::to_sql(&self.0, out)
            }
        }

        impl ::diesel::deserialize::FromSql<::diesel::sql_types::$sql, ::diesel::pg::Pg> for $name {
            fn from_sql(bytes: ::diesel::pg::PgValue<'_>) -> ::diesel::deserialize::Result<Self> {
                <$inner as ::diesel::deserialize::FromSql<
                    ::diesel::sql_types::$sql,
                    ::diesel::pg::Pg,
                >>::from_sql(bytes)
                .map(Self)
            }
        }
    };
}
