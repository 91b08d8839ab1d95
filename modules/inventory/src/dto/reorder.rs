//! Reorder rules on the wire.

use chrono::{DateTime, Utc};
use kernel::{
    ids::{ProductId, StoreId},
    money::Quantity,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{CoverDays, LeadDays, StockCount};
use crate::{domain::reorder::Rule, error::Error, repo::reorder_rules::RuleRow};

/// What a store wants to have of a product, in base units; `max` or `cover_days`, or both.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PutRule {
    /// Below it, with all that comes, more is wanted.
    pub(crate) min: StockCount,
    /// Up to where the store is filled; at least `min`.
    #[serde(default)]
    pub(crate) max: Option<Quantity>,
    /// Goods come in whole multiples of it, for example in boxes of 12; 1 unless told.
    #[serde(default)]
    pub(crate) multiple: Option<Quantity>,
    /// How long goods are on their way: what is sold until then is wanted too. 0 unless told.
    #[serde(default)]
    pub(crate) lead_days: Option<LeadDays>,
    /// Without `max`, the store is filled to `min` and what it sells in so many days.
    #[serde(default)]
    pub(crate) cover_days: Option<CoverDays>,
    /// Who is asked first: another store.
    #[serde(default)]
    pub(crate) source_store_id: Option<StoreId>,
}

/// The fields of a rule, wherever they were sent.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RuleFields {
    pub(crate) store_id: StoreId,
    pub(crate) product_id: ProductId,
    pub(crate) rule: Rule,
}

impl PutRule {
    /// The rule, if it is one for `store`.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] with the field at fault.
    pub(crate) fn rule(self, store: StoreId) -> Result<Rule, Error> {
        let rule = Rule {
            min: self.min.get(),
            max: self.max.map(Quantity::get),
            multiple: self.multiple.map_or(1, Quantity::get),
            lead_days: self.lead_days.map_or(0, LeadDays::get),
            cover_days: self.cover_days.map(CoverDays::get),
            source_store_id: self.source_store_id,
        };
        if rule.max.is_some_and(|max| max < rule.min) {
            return Err(Error::invalid("/max", "must be at least `min`"));
        }
        if rule.max.is_none() && rule.cover_days.is_none() {
            let detail = "is needed where there is no `cover_days`";
            return Err(Error::invalid("/max", detail));
        }
        if rule.source_store_id == Some(store) {
            let detail = "must be another store";
            return Err(Error::invalid("/source_store_id", detail));
        }
        Ok(rule)
    }
}

/// A rule.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(crate) struct RuleView {
    store_id: StoreId,
    product_id: ProductId,
    /// Below it, with all that comes, more is wanted.
    min: i64,
    /// Up to where the store is filled.
    max: Option<i64>,
    /// Goods come in whole multiples of it.
    multiple: i64,
    /// How long goods are on their way.
    lead_days: i64,
    /// Without `max`, the store is filled to `min` and what it sells in so many days.
    cover_days: Option<i64>,
    /// Who is asked first.
    source_store_id: Option<StoreId>,
    /// Goes up with every change; the `ETag`.
    pub(crate) version: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl From<RuleRow> for RuleView {
    fn from(row: RuleRow) -> Self {
        let RuleRow {
            store_id,
            product_id,
            id: _,
            min_quantity,
            max_quantity,
            multiple,
            lead_days,
            cover_days,
            source_store_id,
            version,
            created_at,
            updated_at,
        } = row;
        Self {
            store_id,
            product_id,
            min: min_quantity,
            max: max_quantity,
            multiple,
            lead_days,
            cover_days,
            source_store_id,
            version,
            created_at,
            updated_at,
        }
    }
}

/// Rules of several stores and products.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PutRules {
    /// 1 to 200, one per store and product.
    #[schema(min_items = 1, max_items = 200)]
    pub(crate) rules: Vec<PutRuleOf>,
}

/// A rule, and what it is for.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PutRuleOf {
    /// The store that wants to have it.
    pub(crate) store_id: StoreId,
    /// Of what.
    pub(crate) product_id: ProductId,
    /// Below it, with all that comes, more is wanted.
    pub(crate) min: StockCount,
    /// Up to where the store is filled; at least `min`.
    #[serde(default)]
    pub(crate) max: Option<Quantity>,
    /// Goods come in whole multiples of it; 1 unless told.
    #[serde(default)]
    pub(crate) multiple: Option<Quantity>,
    /// How long goods are on their way; 0 unless told.
    #[serde(default)]
    pub(crate) lead_days: Option<LeadDays>,
    /// Without `max`, the store is filled to `min` and what it sells in so many days.
    #[serde(default)]
    pub(crate) cover_days: Option<CoverDays>,
    /// Who is asked first: another store.
    #[serde(default)]
    pub(crate) source_store_id: Option<StoreId>,
}

impl PutRuleOf {
    pub(crate) fn fields(self) -> Result<RuleFields, Error> {
        let Self {
            store_id,
            product_id,
            min,
            max,
            multiple,
            lead_days,
            cover_days,
            source_store_id,
        } = self;
        let put = PutRule {
            min,
            max,
            multiple,
            lead_days,
            cover_days,
            source_store_id,
        };
        Ok(RuleFields {
            store_id,
            product_id,
            rule: put.rule(store_id)?,
        })
    }
}

/// What became of each rule.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(crate) struct RulesView {
    /// In the order in which they were sent.
    pub(crate) results: Vec<RuleResult>,
}

/// What became of one rule.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(crate) struct RuleResult {
    pub(crate) store_id: StoreId,
    pub(crate) product_id: ProductId,
    pub(crate) status: RuleOutcome,
    /// The rule's version now; `null` where it was refused.
    pub(crate) version: Option<i64>,
    /// Why it was refused; `null` where it was not.
    pub(crate) error: Option<RuleProblem>,
}

/// Whether a rule stands now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RuleOutcome {
    /// It is new.
    Created,
    /// It has changed.
    Updated,
    /// It was like that before.
    Unchanged,
    /// It was refused; the others are not concerned.
    Refused,
}

/// Why a rule was refused.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(crate) struct RuleProblem {
    /// A JSON pointer to the field at fault.
    pub(crate) pointer: String,
    /// What is wrong with it.
    pub(crate) detail: String,
}
