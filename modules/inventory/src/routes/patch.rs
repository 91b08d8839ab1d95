//! Merge patch (RFC 7396): a field that is absent is left, and `null` clears what can be clear.

use serde::{Deserialize, Deserializer};

/// For `#[serde(default, deserialize_with = "some")]`: tells `null` from absent. On a field that
/// cannot be clear, `null` is an error.
pub(super) fn some<'de, D, T>(d: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    T::deserialize(d).map(Some)
}
