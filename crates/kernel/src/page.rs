//! Keyset paging: `?limit=` and `?cursor=` in, `{"items", "next_cursor"}` out, stable under writes.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use utoipa::ToSchema;

use crate::problem::Problem;

/// How many items a page holds: 1 to 200, 50 unless told.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Limit(i64);

impl Limit {
    /// The number of items.
    pub fn get(self) -> i64 {
        self.0
    }

    /// One more than a page, to see whether another follows.
    pub fn plus_one(self) -> i64 {
        self.0 + 1
    }
}

impl Default for Limit {
    fn default() -> Self {
        Self(50)
    }
}

impl<'de> Deserialize<'de> for Limit {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        match i64::deserialize(d)? {
            n @ 1..=200 => Ok(Self(n)),
            _ => Err(serde::de::Error::custom("limit must be from 1 to 200")),
        }
    }
}

impl utoipa::PartialSchema for Limit {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        utoipa::openapi::schema::ObjectBuilder::new()
            .schema_type(utoipa::openapi::schema::Type::Integer)
            .minimum(Some(1))
            .maximum(Some(200))
            .default(Some(50.into()))
            .into()
    }
}
impl ToSchema for Limit {}

/// Where the next page starts. Opaque: take it from `next_cursor`, never build one.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
#[schema(value_type = String, max_length = 1000)]
pub struct Cursor(String);

impl Cursor {
    /// Packs the sort key of the last item.
    pub fn encode<K: Serialize>(key: &K) -> Self {
        Self(BASE64_URL_SAFE_NO_PAD.encode(serde_json::to_vec(key).unwrap_or_default()))
    }

    /// # Errors
    ///
    /// 400 for a cursor that this list never gave.
    pub fn decode<K: DeserializeOwned>(&self) -> Result<K, Problem> {
        BASE64_URL_SAFE_NO_PAD
            .decode(&self.0)
            .ok()
            .filter(|bytes| !bytes.contains(&0) && !bytes.windows(6).any(|w| w == b"\\u0000"))
            .and_then(|bytes| serde_json::from_slice(&bytes).ok())
            .ok_or_else(|| {
                Problem::invalid_field(
                    "cursor",
                    "is not one that this list gave: start again without it",
                )
            })
    }
}

/// One page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct Page<T> {
    /// The items, in the list's order.
    pub items: Vec<T>,
    /// Pass it as `cursor` to get the next page; `null` on the last page.
    #[schema(value_type = Option<String>)]
    pub next_cursor: Option<Cursor>,
    /// How many items there are in all; only with `?count=true`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total: Option<i64>,
}

impl<T> Page<T> {
    /// Builds a page from `limit.plus_one()` rows; `key` gives the sort key of a row.
    pub fn build<R, K: Serialize>(
        mut rows: Vec<R>,
        limit: Limit,
        key: impl Fn(&R) -> K,
        view: impl FnMut(R) -> T,
    ) -> Self {
        let size = usize::try_from(limit.get()).unwrap_or(usize::MAX);
        let more = rows.len() > size;
        rows.truncate(size);
        let next_cursor = rows
            .last()
            .filter(|_| more)
            .map(|last| Cursor::encode(&key(last)));
        Self {
            items: rows.into_iter().map(view).collect(),
            next_cursor,
            total: None,
        }
    }
}

/// Reads an optional cursor.
///
/// # Errors
///
/// 400 for a cursor that this list never gave.
pub fn after<K: DeserializeOwned>(cursor: Option<&Cursor>) -> Result<Option<K>, Problem> {
    cursor.map(Cursor::decode).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_stands_only_where_more_follows() {
        let limit = Limit(2);
        let page = Page::build(vec![1, 2, 3], limit, |n| *n, |n| n);
        assert_eq!(page.items, [1, 2]);
        assert_eq!(page.next_cursor.unwrap().decode::<i32>().unwrap(), 2);
        assert!(
            Page::build(vec![1, 2], limit, |n| *n, |n| n)
                .next_cursor
                .is_none()
        );
    }

    #[test]
    fn a_made_up_cursor_is_refused() {
        assert!(Cursor("abc!".into()).decode::<i32>().is_err());
        assert!(Cursor::encode(&"x").decode::<i32>().is_err());
    }
}
