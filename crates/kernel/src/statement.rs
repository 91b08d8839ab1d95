//! Fixed SQL that stays prepared on the connection.
//!
//! Diesel parses `sql_query` anew at every call. Hot statements are declared once with
//! [`statement!`](crate::statement) instead: typed binds, a static query id, one plan.

/// Declares a statement: `{}` in the text stands for the next field, in order.
///
/// ```ignore
/// statement! {
///     /// Takes the level rows of a batch, in key order.
///     struct LockLevels<'a> { stores: &'a [Uuid] => Array<Uuid>, products: &'a [Uuid] => Array<Uuid> }
///     "SELECT … FROM unnest({}, {}) …"
/// }
/// ```
///
/// Load it into `QueryableByName` structs with `get_results`, or `execute` it.
#[macro_export]
macro_rules! statement {
    (
        $(#[$meta:meta])*
        $vis:vis struct $name:ident <'a> { $($field:ident : $ty:ty => $sql:ty),* $(,)? }
        $text:expr
    ) => {
        $(#[$meta])*
        $vis struct $name<'a> { $($vis $field: $ty,)* }
        $crate::statement! { @impl ($name<'_>) ($name<'static>) { $($field => $sql),* } $text }
    };
    (
        $(#[$meta:meta])*
        $vis:vis struct $name:ident { $($field:ident : $ty:ty => $sql:ty),* $(,)? }
        $text:expr
    ) => {
        $(#[$meta])*
        $vis struct $name { $($vis $field: $ty,)* }
        $crate::statement! { @impl ($name) ($name) { $($field => $sql),* } $text }
    };
    (@impl ($name:ty) ($id:ty) { $($field:ident => $sql:ty),* } $text:expr) => {
        impl ::diesel::query_builder::QueryId for $name {
            type QueryId = $id;
            const HAS_STATIC_QUERY_ID: bool = true;
        }

        impl ::diesel::query_builder::Query for $name {
            type SqlType = ::diesel::sql_types::Untyped;
        }

        impl ::diesel::RunQueryDsl<::diesel::PgConnection> for $name {}

        impl ::diesel::query_builder::QueryFragment<::diesel::pg::Pg> for $name {
            fn walk_ast<'b>(
                &'b self,
                mut out: ::diesel::query_builder::AstPass<'_, 'b, ::diesel::pg::Pg>,
            ) -> ::diesel::QueryResult<()> {
                let text: &str = $text;
                let mut parts = text.split("{}");
                out.push_sql(parts.next().unwrap_or_default());
                $(
                    out.push_bind_param::<$sql, _>(&self.$field)?;
                    out.push_sql(parts.next().unwrap_or_default());
                )*
                debug_assert!(parts.next().is_none(), "every {{}} needs a field");
                Ok(())
            }
        }
    };
}
