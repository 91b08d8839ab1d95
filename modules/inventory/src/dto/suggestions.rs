//! Suggestions on the wire, with the figures that they rest on.

use chrono::NaiveDate;
use kernel::{
    ids::{ProductId, StoreId},
    money::Quantity,
    text::Text,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Day;
use crate::domain::{product::Unit, supply::SourceReason};

/// What a store should ask for of one product, and why.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct SuggestionView {
    pub(crate) store_id: StoreId,
    pub(crate) product_id: ProductId,
    pub(crate) sku: String,
    pub(crate) name: String,
    pub(crate) unit: Unit,
    /// What to ask the source for, in base units: never more than it can do without. Where nobody
    /// can give any, it is what is needed.
    pub(crate) quantity: i64,
    /// What is needed, in whole multiples.
    pub(crate) needed: i64,
    /// Who should give it; `null` where nobody can do without any: then it has to be bought.
    pub(crate) source: Option<SuggestedSource>,
    /// Why, in words for a program.
    pub(crate) reasons: Vec<SuggestionReason>,
    /// What it was computed from.
    pub(crate) figures: Figures,
}

/// Who should give goods.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct SuggestedSource {
    pub(crate) store_id: StoreId,
    pub(crate) code: String,
    pub(crate) name: String,
    /// Why this one.
    pub(crate) reason: SourceReason,
}

/// Why something is suggested.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SuggestionReason {
    /// There is less than the minimum, with all that comes.
    BelowMin,
    /// There will be, before new goods can be here.
    BelowMinWithinLeadTime,
    /// It is filled up to the maximum.
    ToMax,
    /// There is no maximum: it is filled to the minimum and the sales of the days to cover.
    ToCover,
    /// The source has less than is needed.
    LessThanNeeded,
    /// Nobody can give any.
    NoSource,
}

/// The figures of a suggestion, in base units.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Figures {
    /// What is there.
    pub(crate) on_hand: i64,
    /// Of that, promised to other stores.
    pub(crate) reserved: i64,
    /// On the way here.
    pub(crate) incoming: i64,
    /// Asked for by requests that are not decided, or whose goods have not left their source.
    pub(crate) ordered: i64,
    /// What will be there when new goods can be: `on_hand` − `reserved` + `incoming` + `ordered`,
    /// less what is sold in `lead_days`.
    pub(crate) projected: i64,
    /// What should be there then.
    pub(crate) target: i64,
    /// Of the rule.
    pub(crate) min: i64,
    /// Of the rule.
    pub(crate) max: Option<i64>,
    /// Of the rule.
    pub(crate) multiple: i64,
    /// Of the rule.
    pub(crate) lead_days: i64,
    /// Of the rule.
    pub(crate) cover_days: Option<i64>,
    /// What was sold from `sold_from` to `sold_to`, less what came back.
    pub(crate) sold: i64,
    /// The first business day that was looked at.
    pub(crate) sold_from: NaiveDate,
    /// The last one.
    pub(crate) sold_to: NaiveDate,
    /// Units a day, to two decimals.
    #[schema(example = "1.25")]
    pub(crate) velocity: String,
}

/// Suggestions that are taken up.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AcceptSuggestions {
    /// The store that they are for: one of yours.
    pub(crate) store_id: StoreId,
    /// 1 to 200, one per product.
    #[schema(min_items = 1, max_items = 200)]
    pub(crate) suggestions: Vec<AcceptedSuggestion>,
    /// For those who decide.
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 500)]
    pub(crate) note: Option<Text<500>>,
    /// By when the goods are needed.
    #[serde(default)]
    #[schema(value_type = Option<NaiveDate>)]
    pub(crate) needed_by: Option<Day>,
}

/// One of them, as it was suggested or as you changed it.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AcceptedSuggestion {
    /// What.
    pub(crate) product_id: ProductId,
    /// How much, in base units: at most what the source can do without.
    pub(crate) quantity: Quantity,
    /// Who should give it; without it, that is left to logistics.
    #[serde(default)]
    pub(crate) source_store_id: Option<StoreId>,
}
