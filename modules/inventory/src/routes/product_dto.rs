//! Products as requests and answers show them.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use kernel::{
    ids::ProductId,
    money::{BasisPoints, Minor, Money, Quantity},
    problem::FieldError,
    text::{Code, Text},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::patch::some;
use crate::{
    domain::product::{Facts, Product, Unit},
    error::Error,
};

/// A product.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ProductView {
    /// Its id.
    id: ProductId,
    /// What people call it by; unique.
    sku: String,
    name: String,
    /// What quantities are counted in.
    unit: Unit,
    barcodes: Vec<String>,
    category_id: Option<Uuid>,
    /// The price of `price_per` base units.
    price: Money,
    /// Base units that `price` buys: 1 for what is sold each, 1000 for a price per kilogram.
    price_per: Quantity,
    /// In basis points: 1900 is 19 %.
    tax_rate: BasisPoints,
    /// Where the store's region has a rate for this class, it holds instead of `tax_rate`.
    tax_class: Option<String>,
    /// What `price_per` base units cost; `null` when unknown, absent for those who may not see it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Money>, required = false)]
    cost: Option<Option<Money>>,
    /// The product that this one is a variant of.
    template_id: Option<ProductId>,
    /// What tells variants apart, such as `size`.
    attributes: BTreeMap<String, String>,
    status: ProductStatus,
    /// Goes up by one with every change; the `ETag`.
    version: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

/// Whether a product can be sold.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ProductStatus {
    /// It can.
    Active,
    /// It was taken off the list.
    Archived,
}

impl ProductView {
    pub(super) fn new(product: Product, with_cost: bool) -> Self {
        let Product {
            id,
            facts,
            archived_at,
            version,
            created_at,
            updated_at,
        } = product;
        let Facts {
            sku,
            name,
            unit,
            barcodes,
            category_id,
            price,
            price_per,
            tax_rate,
            tax_class,
            cost_minor,
            template_id,
            attributes,
        } = facts;
        let cost = cost_minor.map(|amount| Money {
            amount,
            currency: price.currency,
        });
        Self {
            id,
            sku,
            name,
            unit,
            barcodes,
            category_id,
            price,
            price_per,
            tax_rate,
            tax_class,
            cost: with_cost.then_some(cost),
            template_id,
            attributes,
            status: match archived_at {
                None => ProductStatus::Active,
                Some(_) => ProductStatus::Archived,
            },
            version,
            created_at,
            updated_at,
        }
    }
}

/// A new product.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateProduct {
    /// An id of your choice, which makes the call repeatable; without it one is made.
    #[serde(default)]
    pub(super) id: Option<ProductId>,
    /// Unique in the catalogue.
    sku: Code,
    name: Text<200>,
    /// What quantities are counted in.
    unit: Unit,
    /// GTINs or codes of your own; each belongs to one product only.
    #[serde(default)]
    #[schema(max_items = 20, required = false)]
    barcodes: Vec<Code>,
    category_id: Option<Uuid>,
    /// The price of `price_per` base units; not below zero.
    price: Money,
    /// 1 unless told.
    #[schema(required = false)]
    price_per: Option<Quantity>,
    /// In basis points: 1900 is 19 %.
    tax_rate: BasisPoints,
    /// A tax class that there is: where the store's region has a rate for it, that one holds.
    tax_class: Option<Code>,
    /// What `price_per` base units cost, in the currency of the price.
    cost: Option<Money>,
    /// The product that this one is a variant of.
    template_id: Option<ProductId>,
    /// What tells variants apart: at most 20, names up to 50 characters, values up to 200.
    #[serde(default)]
    #[schema(required = false)]
    attributes: BTreeMap<String, String>,
}

impl CreateProduct {
    pub(super) fn into_facts(self) -> Result<Facts, Error> {
        let Self {
            id: _,
            sku,
            name,
            unit,
            barcodes,
            category_id,
            price,
            price_per,
            tax_rate,
            tax_class,
            cost,
            template_id,
            attributes,
        } = self;
        let one = Quantity::try_from(1_i128);
        Ok(Facts {
            sku: sku.into_string(),
            name: name.into_string(),
            unit,
            barcodes: barcodes.into_iter().map(Code::into_string).collect(),
            category_id,
            price,
            price_per: price_per
                .map_or(one, Ok)
                .map_err(|e| fault("/price_per", &e))?,
            tax_rate,
            tax_class: tax_class.map(Code::into_string),
            cost_minor: cost.map(|cost| minor(cost, price)).transpose()?,
            template_id,
            attributes,
        })
    }
}

/// What is to change of a product (RFC 7396): absent fields are left as they are.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UpdateProduct {
    #[serde(default, deserialize_with = "some")]
    #[schema(value_type = Code, required = false)]
    sku: Option<Code>,
    #[serde(default, deserialize_with = "some")]
    #[schema(value_type = Text<200>, required = false)]
    name: Option<Text<200>>,
    #[serde(default, deserialize_with = "some")]
    #[schema(value_type = Unit, required = false)]
    unit: Option<Unit>,
    /// Replaces the whole list; `null` clears it.
    #[serde(default, deserialize_with = "some")]
    #[schema(value_type = Option<Vec<Code>>, max_items = 20, required = false)]
    barcodes: Option<Option<Vec<Code>>>,
    /// `null` takes it out of its category.
    #[serde(default, deserialize_with = "some")]
    #[schema(value_type = Option<Uuid>, required = false)]
    category_id: Option<Option<Uuid>>,
    /// A change of currency needs `cost` too, where there is a cost.
    #[serde(default, deserialize_with = "some")]
    #[schema(value_type = Money, required = false)]
    price: Option<Money>,
    #[serde(default, deserialize_with = "some")]
    #[schema(value_type = Quantity, required = false)]
    price_per: Option<Quantity>,
    #[serde(default, deserialize_with = "some")]
    #[schema(value_type = BasisPoints, required = false)]
    tax_rate: Option<BasisPoints>,
    /// `null` leaves the product its own rate everywhere.
    #[serde(default, deserialize_with = "some")]
    #[schema(value_type = Option<Code>, required = false)]
    tax_class: Option<Option<Code>>,
    /// `null` makes it unknown.
    #[serde(default, deserialize_with = "some")]
    #[schema(value_type = Option<Money>, required = false)]
    cost: Option<Option<Money>>,
    /// `null` makes it a product of its own.
    #[serde(default, deserialize_with = "some")]
    #[schema(value_type = Option<ProductId>, required = false)]
    template_id: Option<Option<ProductId>>,
    /// Merged by name: a value of `null` removes one, `null` instead of the object all.
    #[serde(default, deserialize_with = "some")]
    #[schema(value_type = Option<BTreeMap<String, Option<String>>>, required = false)]
    attributes: Option<Option<BTreeMap<String, Option<String>>>>,
}

impl UpdateProduct {
    pub(super) fn apply(self, old: Facts) -> Result<Facts, Error> {
        let Self {
            sku,
            name,
            unit,
            barcodes,
            category_id,
            price,
            price_per,
            tax_rate,
            tax_class,
            cost,
            template_id,
            attributes,
        } = self;
        let price = price.unwrap_or(old.price);
        let cost_minor = match cost {
            Some(cost) => cost.map(|cost| minor(cost, price)).transpose()?,
            None if price.currency != old.price.currency && old.cost_minor.is_some() => {
                return Err(fault("/cost", "is needed in the new currency, or as null"));
            }
            None => old.cost_minor,
        };
        let codes = |codes: Option<Vec<Code>>| {
            let codes = codes.unwrap_or_default();
            codes.into_iter().map(Code::into_string).collect()
        };
        Ok(Facts {
            sku: sku.map_or(old.sku, Code::into_string),
            name: name.map_or(old.name, Text::into_string),
            unit: unit.unwrap_or(old.unit),
            barcodes: barcodes.map_or(old.barcodes, codes),
            category_id: category_id.unwrap_or(old.category_id),
            price,
            price_per: price_per.unwrap_or(old.price_per),
            tax_rate: tax_rate.unwrap_or(old.tax_rate),
            tax_class: match tax_class {
                Some(class) => class.map(Code::into_string),
                None => old.tax_class,
            },
            cost_minor,
            template_id: template_id.unwrap_or(old.template_id),
            attributes: merge(old.attributes, attributes),
        })
    }
}

#[expect(
    clippy::option_option,
    reason = "absent, null and an object are three things"
)]
fn merge(
    mut old: BTreeMap<String, String>,
    patch: Option<Option<BTreeMap<String, Option<String>>>>,
) -> BTreeMap<String, String> {
    match patch {
        None => old,
        Some(None) => BTreeMap::new(),
        Some(Some(changes)) => {
            for (name, value) in changes {
                match value {
                    Some(value) => old.insert(name, value),
                    None => old.remove(&name),
                };
            }
            old
        }
    }
}

fn minor(cost: Money, price: Money) -> Result<Minor, Error> {
    if cost.currency == price.currency {
        Ok(cost.amount)
    } else {
        Err(fault("/cost/currency", "must be the currency of the price"))
    }
}

fn fault(pointer: &str, detail: &str) -> Error {
    Error::Invalid(vec![FieldError::new(pointer, "invalid", detail)])
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::product::tests::facts;

    fn patch(json: serde_json::Value, old: Facts) -> Facts {
        serde_json::from_value::<UpdateProduct>(json)
            .unwrap()
            .apply(old)
            .unwrap()
    }

    #[test]
    fn absent_is_left_and_null_clears() {
        let mut old = facts("A");
        old.barcodes = vec!["1".into()];
        old.category_id = Some(Uuid::nil());
        old.attributes = [("a", "1"), ("b", "2")]
            .map(|(k, v)| (k.to_owned(), v.to_owned()))
            .into();
        assert_eq!(patch(json!({}), old.clone()), old);
        let new = patch(
            json!({"category_id": null, "barcodes": null, "attributes": {"a": null, "c": "3"}}),
            old,
        );
        assert_eq!(new.category_id, None);
        assert!(new.barcodes.is_empty());
        assert_eq!(new.attributes.into_keys().collect::<Vec<_>>(), ["b", "c"]);
    }

    #[test]
    fn null_is_refused_where_nothing_can_be_clear() {
        for field in ["sku", "name", "unit", "price", "price_per", "tax_rate"] {
            let refused = serde_json::from_value::<UpdateProduct>(json!({ field: null }));
            assert!(refused.is_err(), "{field}");
        }
    }
}
