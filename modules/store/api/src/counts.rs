//! What is published about physical counts.

use kernel::{
    ids::{CountId, StoreId},
    outbox::Event,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What a count covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CountKind {
    /// Everything that the store has.
    Full,
    /// The products of a category, and of all categories below it.
    Category,
    /// The products that were named.
    Products,
}

/// Where a count stands in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CountStatus {
    /// Nothing was counted yet.
    Open,
    /// Something was.
    Counting,
    /// Some lines are to be counted again.
    Recounting,
    /// What was found is in the books.
    Posted,
    /// It was given up, and moved nothing.
    Cancelled,
}

/// A count as it was right after what is reported of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CountState {
    /// Which: the document of its movements.
    pub count_id: CountId,
    /// Its number, for people: 1, 2, 3 … per store.
    pub number: i64,
    /// Where.
    pub store_id: StoreId,
    /// What it covers.
    pub kind: CountKind,
    /// Where it stands.
    pub status: CountStatus,
    /// Products on its sheet.
    pub lines: i64,
    /// Of these, the ones that somebody counted.
    pub counted: i64,
    /// Base units that posting added, over all products.
    pub units_up: i64,
    /// Base units that posting took.
    pub units_down: i64,
}

macro_rules! count_events {
    ($($(#[$meta:meta])* $name:ident = $text:literal)*) => {$(
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub CountState);

        impl Event for $name {
            const TYPE: &'static str = $text;
            const AGGREGATE: &'static str = "count";
        }
    )*};
}

count_events! {
    /// A count was opened; always `seq` 1.
    CountOpened = "count.opened.v1"
    /// What it found is in the books; always `seq` 2.
    CountPosted = "count.posted.v1"
    /// It was given up; always `seq` 2.
    CountCancelled = "count.cancelled.v1"
}
