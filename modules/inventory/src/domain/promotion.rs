//! What a promotion must be, as far as it says so itself.

use std::collections::HashSet;

use kernel::problem::FieldError;

use crate::dto::promotions::{CreatePromotion, PromotionDiscount};

const MAX_STORES: usize = 200;
const MAX_PRODUCTS: usize = 200;
const MAX_CATEGORIES: usize = 50;

/// Everything that is wrong with it.
pub(crate) fn check(promotion: &CreatePromotion) -> Vec<FieldError> {
    let mut faults = Vec::new();
    let mut refuse = |pointer: &str, detail: String| {
        faults.push(FieldError::new(pointer, "invalid", detail));
    };
    let (pointer, off) = match promotion.discount {
        PromotionDiscount::BasisPoints(rate) => ("/discount/basis_points", rate.get()),
        PromotionDiscount::Amount(money) => ("/discount/amount/amount", money.amount.get()),
    };
    if off <= 0 {
        refuse(pointer, "must be above zero".to_owned());
    }
    let stores = promotion.store_ids.as_deref();
    if stores.is_some_and(<[_]>::is_empty) {
        let detail = "names no store: leave it out for every store";
        refuse("/store_ids", detail.to_owned());
    }
    if promotion.product_ids.is_empty() && promotion.category_ids.is_empty() {
        let detail = "names no product, and category_ids no category";
        refuse("/product_ids", detail.to_owned());
    }
    for (pointer, size, distinct, max) in [
        list("/store_ids", stores.unwrap_or_default(), MAX_STORES),
        list("/product_ids", &promotion.product_ids, MAX_PRODUCTS),
        list("/category_ids", &promotion.category_ids, MAX_CATEGORIES),
    ] {
        if size > max {
            refuse(pointer, format!("must have at most {max} items"));
        } else if distinct != size {
            refuse(pointer, "names something twice".to_owned());
        }
    }
    faults
}

fn list<'a, T: std::hash::Hash + Eq>(
    pointer: &'a str,
    items: &[T],
    max: usize,
) -> (&'a str, usize, usize, usize) {
    let distinct: HashSet<&T> = items.iter().collect();
    (pointer, items.len(), distinct.len(), max)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use uuid::Uuid;

    use super::*;

    fn faults(patch: &Value) -> Vec<String> {
        let mut body = json!({
            "name": "P", "discount": {"basis_points": 1000}, "product_ids": [Uuid::nil()],
        });
        for (field, value) in patch.as_object().unwrap() {
            body[field] = value.clone();
        }
        let promotion: CreatePromotion = serde_json::from_value(body).unwrap();
        check(&promotion).into_iter().map(|f| f.pointer).collect()
    }

    #[test]
    fn a_promotion_takes_something_off_something_somewhere() {
        let many: Vec<Uuid> = (0..201).map(Uuid::from_u128).collect();
        let euros = |amount: i64| json!({"amount": {"amount": amount, "currency": "EUR"}});
        for (patch, expected) in [
            (json!({}), vec![]),
            (json!({"discount": euros(1)}), vec![]),
            (
                json!({"discount": euros(0)}),
                vec!["/discount/amount/amount"],
            ),
            (
                json!({"discount": {"basis_points": 0}}),
                vec!["/discount/basis_points"],
            ),
            (json!({"store_ids": []}), vec!["/store_ids"]),
            (json!({"store_ids": null}), vec![]),
            (json!({"product_ids": []}), vec!["/product_ids"]),
            (
                json!({"product_ids": [], "category_ids": [Uuid::nil()]}),
                vec![],
            ),
            (json!({"product_ids": many}), vec!["/product_ids"]),
            (
                json!({"category_ids": [Uuid::nil(), Uuid::nil()]}),
                vec!["/category_ids"],
            ),
        ] {
            assert_eq!(faults(&patch), expected, "{patch}");
        }
    }
}
