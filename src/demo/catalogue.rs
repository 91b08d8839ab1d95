//! The categories and products of the demo chain.

use futures::{StreamExt, TryStreamExt, stream};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    ensure::{Made, ensure},
    ids,
    taxes::class_of,
};
use crate::{
    client::Api,
    operator::Failure,
    progress::{PhaseTime, Progress},
};

/// Requests at once.
const CONCURRENCY: usize = 16;
/// Prices of weighed goods are for so many grams.
const GRAMS: i64 = 1000;

/// A product of the demo chain; its SKU is its place in the file.
#[derive(Debug, Clone)]
pub(super) struct Product {
    pub(super) number: u32,
    row: Row,
}

/// A row of `products.csv`: prices in cents with tax, the rate in basis points.
#[derive(Debug, Clone, Deserialize)]
struct Row {
    department: String,
    category: String,
    name: String,
    unit: String,
    price: i64,
    tax_rate: i64,
    cost: i64,
}

impl Product {
    pub(super) fn id(&self) -> Uuid {
        ids::product(self.number)
    }

    pub(super) fn is_weighed(&self) -> bool {
        self.row.unit == "g"
    }

    /// Cents for so much of it, as a till computes them.
    pub(super) fn price_of(&self, quantity: i64) -> Option<i64> {
        let per = if self.is_weighed() { GRAMS } else { 1 };
        let cents = kernel::money::mul_div_round(self.row.price, quantity, per)?;
        i64::try_from(cents).ok()
    }

    fn body(&self, category: Uuid) -> Value {
        let Row {
            name,
            unit,
            price,
            tax_rate,
            cost,
            ..
        } = &self.row;
        json!({
            "id": self.id(),
            "sku": format!("DEMO-{:04}", self.number),
            "name": name,
            "unit": unit,
            "barcodes": [barcode(self.number)],
            "category_id": category,
            "price": {"amount": price, "currency": "EUR"},
            "price_per": if self.is_weighed() { GRAMS } else { 1 },
            "tax_rate": tax_rate,
            "tax_class": class_of(*tax_rate),
            "cost": {"amount": cost, "currency": "EUR"},
        })
    }
}

/// The products, in the order of their SKUs.
///
/// # Errors
///
/// When the file in this binary cannot be read, which a test rules out.
pub(super) fn products() -> Result<Vec<Product>, csv::Error> {
    let text = include_str!("products.csv");
    let rows = csv::Reader::from_reader(text.as_bytes()).into_deserialize();
    (1..)
        .zip(rows)
        .map(|(number, row)| Ok(Product { number, row: row? }))
        .collect()
}

/// A barcode of the range that shops may use for themselves (GS1 prefix 200).
fn barcode(number: u32) -> String {
    with_check_digit(&format!("20000000{number:04}"))
}

/// EAN-13: from the right, digits count three times and once in turn (GS1 General
/// Specifications, section 7.9).
fn with_check_digit(twelve: &str) -> String {
    let weighted = |(digit, weight): (char, u32)| digit.to_digit(10).unwrap_or(0) * weight;
    let sum: u32 = twelve
        .chars()
        .rev()
        .zip([3, 1].into_iter().cycle())
        .map(weighted)
        .sum();
    format!("{twelve}{}", (10 - sum % 10) % 10)
}

/// The tree: each department with its categories, in the order in which they first appear.
fn tree(products: &[Product]) -> Vec<(&str, Vec<&str>)> {
    let mut tree: Vec<(&str, Vec<&str>)> = Vec::new();
    for Product { row, .. } in products {
        let (department, category) = (row.department.as_str(), row.category.as_str());
        match tree.iter_mut().find(|(name, _)| *name == department) {
            Some((_, categories)) if categories.contains(&category) => {}
            Some((_, categories)) => categories.push(category),
            None => tree.push((department, vec![category])),
        }
    }
    tree
}

/// Makes the categories, then the products.
pub(super) async fn load(
    api: &Api,
    products: &[Product],
    progress: &Progress,
) -> Result<(Made, PhaseTime), Failure> {
    let phase = progress.phase("catalogue", None);
    let mut all = Made::default();
    let mut numbers = 1..;
    let mut placed = Vec::new();
    for (department, categories) in tree(products) {
        let parent = numbers.next().map(ids::category);
        all += category(api, parent, department, None).await?;
        for name in categories {
            let id = numbers.next().map(ids::category);
            all += category(api, id, name, parent).await?;
            placed.push((department, name, id));
        }
    }
    phase.add(all.made + all.found);
    let place = |row: &Row| {
        let found = placed.iter().find(|(department, name, _)| {
            (*department, *name) == (&*row.department, &*row.category)
        });
        found.and_then(|(.., id)| *id).unwrap_or_default()
    };
    let made: Vec<Made> = stream::iter(products)
        .map(|product| {
            let body = product.body(place(&product.row));
            async move { ensure(api, "/api/inventory/products", product.id(), &body).await }
        })
        .buffer_unordered(CONCURRENCY)
        .inspect_ok(|_| phase.add(1))
        .try_collect()
        .await?;
    for made in made {
        all += made;
    }
    Ok((all, phase.finish()))
}

async fn category(
    api: &Api,
    id: Option<Uuid>,
    name: &str,
    parent: Option<Uuid>,
) -> Result<Made, Failure> {
    let id = id.unwrap_or_default();
    let body = json!({"id": id, "name": name, "parent_id": parent});
    ensure(api, "/api/inventory/categories", id, &body).await
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn there_are_two_hundred_products_with_names_of_their_own() {
        let products = products().unwrap();
        assert_eq!(products.len(), 200);
        let names: HashSet<_> = products.iter().map(|product| &product.row.name).collect();
        assert_eq!(names.len(), 200);
        for Product { row, .. } in &products {
            assert!(row.price > row.cost && row.cost > 0, "{}", row.name);
            assert!(
                [550, 2000].contains(&row.tax_rate) && ["each", "g"].contains(&row.unit.as_str()),
                "{}",
                row.name
            );
        }
    }

    #[test]
    fn the_first_product_is_the_one_of_the_examples() {
        let first = products().unwrap().swap_remove(0);
        let body = first.body(Uuid::nil());
        assert_eq!(
            (&body["sku"], &body["price"]["amount"], &body["tax_rate"]),
            (&json!("DEMO-0001"), &json!(249), &json!(550))
        );
        assert_eq!(first.price_of(2), Some(498));
    }

    #[test]
    fn the_tree_has_departments_and_fits_the_ids() {
        let products = products().unwrap();
        let tree = tree(&products);
        let all: usize = tree
            .iter()
            .map(|(_, categories)| 1 + categories.len())
            .sum();
        assert!(
            tree.len() >= 8 && all < 100,
            "{} departments, {all} categories",
            tree.len()
        );
    }

    #[test]
    fn check_digits_are_those_of_ean_13() {
        assert_eq!(with_check_digit("400638133393"), "4006381333931");
        assert_eq!(with_check_digit("761234567890"), "7612345678900");
        assert_eq!(barcode(1), "2000000000015");
    }

    #[test]
    fn weighed_goods_are_priced_by_the_kilogram() {
        let products = products().unwrap();
        let apples = products
            .iter()
            .find(|product| product.row.name == "Apples Gala")
            .unwrap();
        assert_eq!(apples.price_of(850), Some(229));
    }
}
