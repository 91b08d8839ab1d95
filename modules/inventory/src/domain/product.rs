//! A product as the catalogue's rules see it.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use diesel::{
    deserialize::{self, FromSqlRow},
    expression::AsExpression,
    pg::{Pg, PgValue},
    serialize,
    sql_types::Text,
};
use kernel::{
    ids::ProductId,
    money::{BasisPoints, Minor, Money, Quantity},
    problem::FieldError,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// Barcodes of one product at most.
pub(crate) const MAX_BARCODES: usize = 20;
/// Attributes of one product at most.
pub(crate) const MAX_ATTRIBUTES: usize = 20;
const MAX_ATTRIBUTE_NAME: usize = 50;
const MAX_ATTRIBUTE_VALUE: usize = 200;

/// The base unit that quantities of a product are counted in.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema, AsExpression, FromSqlRow,
)]
#[serde(rename_all = "snake_case")]
#[diesel(sql_type = Text)]
pub(crate) enum Unit {
    /// Pieces.
    Each,
    /// Grams.
    G,
    /// Millilitres.
    Ml,
}

impl Unit {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Each => "each",
            Self::G => "g",
            Self::Ml => "ml",
        }
    }

    pub(crate) fn parse(raw: &str) -> Option<Self> {
        [Self::Each, Self::G, Self::Ml]
            .into_iter()
            .find(|unit| unit.as_str() == raw)
    }
}

impl serialize::ToSql<Text, Pg> for Unit {
    fn to_sql<'b>(&'b self, out: &mut serialize::Output<'b, '_, Pg>) -> serialize::Result {
        <str as serialize::ToSql<Text, Pg>>::to_sql(self.as_str(), out)
    }
}

impl deserialize::FromSql<Text, Pg> for Unit {
    fn from_sql(bytes: PgValue<'_>) -> deserialize::Result<Self> {
        let raw = <String as deserialize::FromSql<Text, Pg>>::from_sql(bytes)?;
        Self::parse(&raw).ok_or_else(|| format!("not a unit: {raw}").into())
    }
}

/// What people maintain of a product.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Facts {
    pub(crate) sku: String,
    pub(crate) name: String,
    pub(crate) unit: Unit,
    pub(crate) barcodes: Vec<String>,
    pub(crate) category_id: Option<Uuid>,
    /// The price of `price_per` base units.
    pub(crate) price: Money,
    pub(crate) price_per: Quantity,
    pub(crate) tax_rate: BasisPoints,
    /// Whose rate of the store's region holds instead, where there is one.
    pub(crate) tax_class: Option<String>,
    /// What `price_per` base units cost, in minor units of the price's currency.
    pub(crate) cost_minor: Option<Minor>,
    pub(crate) template_id: Option<ProductId>,
    pub(crate) attributes: BTreeMap<String, String>,
}

/// A product as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Product {
    pub(crate) id: ProductId,
    #[serde(flatten)]
    pub(crate) facts: Facts,
    pub(crate) archived_at: Option<DateTime<Utc>>,
    pub(crate) version: i64,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) updated_at: DateTime<Utc>,
}

/// One change of a product; without a `before` it is new.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) before: Option<Product>,
    pub(crate) after: Product,
}

impl Product {
    /// A new product, at version 1.
    pub(crate) fn new(id: ProductId, facts: Facts, now: DateTime<Utc>) -> Self {
        Self {
            id,
            facts,
            archived_at: None,
            version: 1,
            created_at: now,
            updated_at: now,
        }
    }

    /// The product's next version.
    pub(crate) fn changed(&self, facts: Facts, now: DateTime<Utc>) -> Self {
        Self {
            facts,
            version: self.version + 1,
            updated_at: now,
            ..self.clone()
        }
    }
}

/// What the types do not already rule out: bounds of lists, repeats, amounts below zero.
pub(crate) fn check(facts: &Facts) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let mut refuse = |pointer: &str, detail: &str| {
        errors.push(FieldError::new(pointer, "invalid", detail));
    };
    if facts.price.amount.get() < 0 {
        refuse("/price/amount", "must not be below zero");
    }
    if facts.cost_minor.is_some_and(|cost| cost.get() < 0) {
        refuse("/cost/amount", "must not be below zero");
    }
    if facts.barcodes.len() > MAX_BARCODES {
        refuse("/barcodes", "a product has 20 barcodes at most");
    }
    let distinct: BTreeSet<&String> = facts.barcodes.iter().collect();
    if distinct.len() != facts.barcodes.len() {
        refuse("/barcodes", "names a barcode twice");
    }
    if let Err(detail) = check_attributes(&facts.attributes) {
        refuse("/attributes", &detail);
    }
    errors
}

/// The error is for a person.
pub(crate) fn check_attributes(attributes: &BTreeMap<String, String>) -> Result<(), String> {
    if attributes.len() > MAX_ATTRIBUTES {
        return Err(format!("a product has {MAX_ATTRIBUTES} attributes at most"));
    }
    let bad = |text: &str, max: usize| {
        text.is_empty() || text.chars().count() > max || text.chars().any(char::is_control)
    };
    for (name, value) in attributes {
        if bad(name, MAX_ATTRIBUTE_NAME) {
            return Err(format!(
                "names are 1 to {MAX_ATTRIBUTE_NAME} characters without control characters"
            ));
        }
        if bad(value, MAX_ATTRIBUTE_VALUE) {
            return Err(format!(
                "values are 1 to {MAX_ATTRIBUTE_VALUE} characters without control characters"
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
pub(crate) mod tests {
    use kernel::money::Currency;

    use super::*;

    pub(crate) fn facts(sku: &str) -> Facts {
        Facts {
            sku: sku.into(),
            name: format!("Product {sku}"),
            unit: Unit::Each,
            barcodes: Vec::new(),
            category_id: None,
            price: Money {
                amount: Minor::new(349).unwrap(),
                currency: Currency::new("USD").unwrap(),
            },
            price_per: Quantity::new(1).unwrap(),
            tax_rate: BasisPoints::new(0).unwrap(),
            tax_class: None,
            cost_minor: None,
            template_id: None,
            attributes: BTreeMap::new(),
        }
    }

    #[test]
    fn bounds_that_the_types_do_not_hold_are_checked() {
        let good = facts("A");
        assert!(check(&good).is_empty());
        let mut bad = good.clone();
        bad.price.amount = Minor::new(-1).unwrap();
        bad.barcodes = vec!["1".into(), "1".into()];
        bad.attributes.insert("colour".into(), "a\u{0}".into());
        let pointers: Vec<_> = check(&bad).into_iter().map(|e| e.pointer).collect();
        assert_eq!(pointers, ["/price/amount", "/barcodes", "/attributes"]);
        let mut many = good;
        many.barcodes = (0..21).map(|n| n.to_string()).collect();
        assert_eq!(check(&many).len(), 1);
    }

    #[test]
    fn a_change_is_the_next_version_of_the_same_product() {
        let now = kernel::time::now();
        let first = Product::new(ProductId::new(), facts("A"), now);
        let second = first.changed(facts("B"), now);
        assert_eq!((second.id, second.version), (first.id, 2));
    }
}
