//! Decides what a block of rows changes, given what stands; nothing is written here.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use kernel::{ids::ProductId, money::Currency};
use uuid::Uuid;

use super::{RowProblem, merge::merge, row::Draft};
use crate::domain::{
    category::CategoryPath,
    product::{Change, Product},
};

/// What stands, as far as the rows can touch it.
#[derive(Debug, Default)]
pub(crate) struct Known {
    /// By SKU: the products of the rows, and their templates.
    pub(crate) products: HashMap<String, Product>,
    /// Whose each barcode is.
    pub(crate) barcodes: HashMap<String, ProductId>,
    /// By path.
    pub(crate) categories: HashMap<String, Uuid>,
    /// Products that others name as their template.
    pub(crate) templates: HashSet<ProductId>,
    /// Of those that rows name, the ones that there are.
    pub(crate) tax_classes: HashSet<String>,
}

/// A category that a row needs and that is not there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MissingCategory {
    pub(crate) id: Uuid,
    pub(crate) parent_id: Option<Uuid>,
    pub(crate) name: String,
    pub(crate) path: String,
    pub(crate) depth: usize,
}

/// What is to be written, and what became of each row.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    /// Parents before children.
    pub(crate) categories: Vec<MissingCategory>,
    /// One per product, however many rows it has.
    pub(crate) changes: Vec<Change>,
    /// Rows, as the next two.
    pub(crate) created: u64,
    pub(crate) updated: u64,
    pub(crate) unchanged: u64,
    /// At most one per row here.
    pub(crate) problems: Vec<RowProblem>,
}

/// Plans `drafts` in their order: a later row finds what an earlier one made.
pub(crate) fn plan(
    drafts: &[Draft],
    mut known: Known,
    currency: Option<Currency>,
    now: DateTime<Utc>,
) -> Plan {
    let mut plan = Plan::default();
    let mut places = HashMap::new();
    for draft in drafts {
        let current = known.products.get(&draft.sku).cloned();
        let mut facts = match merge(draft, current.as_ref(), &known, currency) {
            Ok(facts) => facts,
            Err(problem) => {
                plan.problems.push(problem);
                continue;
            }
        };
        if let Some(category) = &draft.category {
            facts.category_id = category
                .as_ref()
                .and_then(|path| place(path, &mut known.categories, &mut plan.categories));
        }
        match &current {
            Some(current) if current.facts == facts => {
                plan.unchanged += 1;
                continue;
            }
            Some(current) => {
                plan.updated += 1;
                for barcode in &current.facts.barcodes {
                    known.barcodes.remove(barcode);
                }
            }
            None => plan.created += 1,
        }
        let place = places.get(&draft.sku).copied();
        let after = match place.and_then(|place: usize| plan.changes.get_mut(place)) {
            // Rows of the same product make one new version together.
            Some(earlier) => {
                earlier.after.facts = facts;
                earlier.after.clone()
            }
            None => {
                let after = match &current {
                    Some(current) => current.changed(facts, now),
                    None => Product::new(ProductId::new(), facts, now),
                };
                places.insert(draft.sku.clone(), plan.changes.len());
                plan.changes.push(Change {
                    before: current,
                    after: after.clone(),
                });
                after
            }
        };
        let owned = after.facts.barcodes.iter().cloned();
        known
            .barcodes
            .extend(owned.map(|barcode| (barcode, after.id)));
        known.templates.extend(after.facts.template_id);
        known.products.insert(draft.sku.clone(), after);
    }
    plan
}

/// The category at `path`; what is missing of it is added to `missing`.
fn place(
    path: &CategoryPath,
    known: &mut HashMap<String, Uuid>,
    missing: &mut Vec<MissingCategory>,
) -> Option<Uuid> {
    let mut parent_id = None;
    for (index, (path, name)) in path.levels().into_iter().enumerate() {
        let id = known.get(&path).copied().unwrap_or_else(|| {
            let id = Uuid::now_v7();
            missing.push(MissingCategory {
                id,
                parent_id,
                name,
                path: path.clone(),
                depth: index + 1,
            });
            known.insert(path, id);
            id
        });
        parent_id = Some(id);
    }
    parent_id
}

#[cfg(test)]
mod tests {
    use kernel::money::Minor;

    use super::*;
    use crate::domain::{import::row, product::tests::facts};

    fn draft(line: u64, cells: &[(&'static str, &'static str)]) -> Draft {
        row::parse(line, &row::Cells(cells.to_vec())).unwrap()
    }

    fn run(drafts: &[Draft], known: Known) -> Plan {
        plan(drafts, known, None, kernel::time::now())
    }

    fn known(products: &[Product]) -> Known {
        let mut known = Known::default();
        for product in products {
            for barcode in &product.facts.barcodes {
                known.barcodes.insert(barcode.clone(), product.id);
            }
            known.templates.extend(product.facts.template_id);
            known
                .products
                .insert(product.facts.sku.clone(), product.clone());
        }
        known
    }

    #[test]
    fn a_new_product_needs_a_price_and_makes_its_categories_once() {
        let plan = run(
            &[
                draft(
                    2,
                    &[
                        ("sku", "A"),
                        ("name", "a"),
                        ("price", "1.5"),
                        ("category", "X/Y"),
                    ],
                ),
                draft(
                    3,
                    &[
                        ("sku", "B"),
                        ("name", "b"),
                        ("price", "2"),
                        ("category", "X/Z"),
                    ],
                ),
                draft(4, &[("sku", "C"), ("name", "c"), ("category", "Q")]),
            ],
            Known::default(),
        );
        let paths: Vec<_> = plan.categories.iter().map(|c| c.path.as_str()).collect();
        assert_eq!(paths, ["X", "X/Y", "X/Z"]);
        assert_eq!(plan.changes.len(), 2);
        assert_eq!(plan.changes[0].after.facts.price.amount.get(), 150);
        assert_eq!(plan.problems[0].code, "required");
        assert_eq!(plan.problems[0].line, 4);
    }

    #[test]
    fn a_row_that_says_what_stands_changes_nothing() {
        let a = Product::new(ProductId::new(), facts("A"), kernel::time::now());
        let same = draft(2, &[("sku", "A"), ("name", "Product A"), ("price", "3.49")]);
        let plan = run(&[same], known(&[a]));
        assert_eq!((plan.unchanged, plan.changes.len()), (1, 0));
    }

    #[test]
    fn rows_of_one_product_build_on_each_other_and_make_one_version() {
        let a = Product::new(ProductId::new(), facts("A"), kernel::time::now());
        let rows = [
            draft(2, &[("sku", "A"), ("name", "x"), ("barcodes", "1")]),
            draft(3, &[("sku", "A"), ("name", "y"), ("barcodes", "2")]),
            draft(
                4,
                &[
                    ("sku", "N"),
                    ("name", "n"),
                    ("price", "1"),
                    ("barcodes", "1"),
                ],
            ),
            draft(5, &[("sku", "N"), ("name", "n"), ("price", "2")]),
            draft(6, &[("sku", "N"), ("name", "n"), ("price", "2")]),
        ];
        let plan = run(&rows, known(&[a]));
        assert_eq!((plan.created, plan.updated, plan.unchanged), (1, 3, 1));
        assert_eq!(plan.changes.len(), 2);
        let first = &plan.changes[0];
        assert_eq!(
            (first.after.version, first.after.facts.name.as_str()),
            (2, "y")
        );
        assert_eq!(first.before.as_ref().unwrap().facts.name, "Product A");
        assert_eq!(plan.changes[1].after.version, 1);
        assert_eq!(plan.changes[1].after.facts.price.amount.get(), 200);
    }

    #[test]
    fn a_barcode_can_move_when_its_owner_gives_it_up_first() {
        let mut a = Product::new(ProductId::new(), facts("A"), kernel::time::now());
        a.facts.barcodes = vec!["1".into()];
        let b = Product::new(ProductId::new(), facts("B"), kernel::time::now());
        let gives = draft(2, &[("sku", "A"), ("name", "a"), ("barcodes", "")]);
        let takes = draft(3, &[("sku", "B"), ("name", "b"), ("barcodes", "1")]);
        let good = run(
            &[gives.clone(), takes.clone()],
            known(&[a.clone(), b.clone()]),
        );
        assert_eq!((good.changes.len(), good.problems.len()), (2, 0));
        let bad = run(&[takes, gives], known(&[a, b]));
        assert_eq!(bad.problems[0].code, "barcode-taken");
        assert_eq!(bad.changes.len(), 1);
    }

    #[test]
    fn templates_stand_before_variants_and_do_not_nest() {
        let rows = [
            draft(2, &[("sku", "T"), ("name", "t"), ("price", "1")]),
            draft(
                3,
                &[
                    ("sku", "V"),
                    ("name", "v"),
                    ("price", "1"),
                    ("template_sku", "T"),
                ],
            ),
            draft(
                4,
                &[
                    ("sku", "W"),
                    ("name", "w"),
                    ("price", "1"),
                    ("template_sku", "V"),
                ],
            ),
            draft(
                5,
                &[
                    ("sku", "U"),
                    ("name", "u"),
                    ("price", "1"),
                    ("template_sku", "N"),
                ],
            ),
        ];
        let plan = run(&rows, Known::default());
        let codes: Vec<_> = plan.problems.iter().map(|p| p.code.as_str()).collect();
        assert_eq!(codes, ["nested-template", "unknown-template"]);
        assert_eq!(
            plan.changes[1].after.facts.template_id,
            Some(plan.changes[0].after.id)
        );
    }

    #[test]
    fn a_cost_never_changes_its_currency_silently() {
        let mut a = Product::new(ProductId::new(), facts("A"), kernel::time::now());
        a.facts.cost_minor = Minor::new(200);
        let eur = [
            ("sku", "A"),
            ("name", "a"),
            ("price", "3"),
            ("currency", "EUR"),
        ];
        let plan = run(&[draft(2, &eur)], known(&[a]));
        assert_eq!(plan.problems[0].code, "currency-change");
    }
}
