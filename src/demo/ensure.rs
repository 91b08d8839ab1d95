//! Makes what is not there yet, and tells the two apart.

use serde::{Serialize, de::IgnoredAny};
use serde_json::Value;
use uuid::Uuid;

use crate::{
    client::{Api, ClientError},
    operator::Failure,
};

/// How much was made, and how much was there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Made {
    /// Made by this load.
    pub made: usize,
    /// Made by an earlier one.
    pub found: usize,
}

impl Made {
    pub(super) const MADE: Self = Self { made: 1, found: 0 };
    pub(super) const FOUND: Self = Self { made: 0, found: 1 };
}

impl std::ops::AddAssign for Made {
    fn add_assign(&mut self, other: Self) {
        self.made += other.made;
        self.found += other.found;
    }
}

/// Creates `body` in `collection` under its fixed id. A conflict (or, for a product's id, a failed
/// precondition) is fine where that very id stands, and a failure where another resource has its
/// code.
pub(super) async fn ensure(
    api: &Api,
    collection: &str,
    id: Uuid,
    body: &Value,
) -> Result<Made, Failure> {
    match api.post::<_, IgnoredAny>(collection, None, body).await {
        Ok(_) => Ok(Made::MADE),
        Err(ClientError::Refused(refusal)) if matches!(refusal.status, 409 | 412) => {
            match api.get::<IgnoredAny>(&format!("{collection}/{id}")).await {
                Ok(_) => Ok(Made::FOUND),
                Err(ClientError::Refused(missing)) if missing.status == 404 => Err(format!(
                    "the demo chain cannot be loaded beside other data: {refusal}"
                )
                .into()),
                Err(error) => Err(error.into()),
            }
        }
        Err(error) => Err(error.into()),
    }
}
