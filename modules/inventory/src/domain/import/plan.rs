//! Decides what a block of rows changes, given what stands; nothing is written here.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use kernel::{
    ids::ProductId,
    money::{BasisPoints, Currency, Minor, Money, Quantity},
};
use uuid::Uuid;

use super::{RowProblem, row::Draft};
use crate::domain::{
    category::CategoryPath,
    decimal::Decimal,
    product::{self, Change, Facts, Product, Unit},
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

/// The facts that a row asks for, but for the category.
fn merge(
    draft: &Draft,
    before: Option<&Product>,
    known: &Known,
    default_currency: Option<Currency>,
) -> Result<Facts, RowProblem> {
    let problem = |column: &str, code: &str, detail: &str| {
        RowProblem::new(draft.line, Some(column), code, detail)
    };
    let old = before.map(|b| &b.facts);
    let (price, cost_minor) = amounts(draft, old, default_currency)?;
    let barcodes = draft
        .barcodes
        .clone()
        .or_else(|| old.map(|o| o.barcodes.clone()))
        .unwrap_or_default();
    let own = before.map(|b| b.id);
    if let Some(taken) = barcodes.iter().find(|code| {
        known
            .barcodes
            .get(*code)
            .is_some_and(|owner| Some(*owner) != own)
    }) {
        let detail = format!("{taken} is the barcode of another product");
        return Err(problem("barcodes", "barcode-taken", &detail));
    }
    let facts = Facts {
        sku: draft.sku.clone(),
        name: draft.name.clone(),
        unit: draft.unit.or(old.map(|o| o.unit)).unwrap_or(Unit::Each),
        barcodes,
        category_id: old.and_then(|o| o.category_id),
        price,
        price_per: draft
            .price_per
            .or(old.map(|o| o.price_per))
            .or(Quantity::new(1))
            .ok_or_else(|| problem("price_per", "required", "must not be empty"))?,
        tax_rate: draft
            .tax_rate
            .or(old.map(|o| o.tax_rate))
            .or(BasisPoints::new(0))
            .ok_or_else(|| problem("tax_rate", "required", "must not be empty"))?,
        cost_minor,
        template_id: template(draft, before, known)?,
        attributes: draft
            .attributes
            .clone()
            .or_else(|| old.map(|o| o.attributes.clone()))
            .unwrap_or_default(),
    };
    match product::check(&facts).into_iter().next() {
        None => Ok(facts),
        Some(fault) => {
            let column = fault.pointer.split('/').nth(1).unwrap_or_default();
            Err(problem(column, "invalid", &fault.detail))
        }
    }
}

fn amounts(
    draft: &Draft,
    old: Option<&Facts>,
    default_currency: Option<Currency>,
) -> Result<(Money, Option<Minor>), RowProblem> {
    let problem = |column: &str, code: &str, detail: &str| {
        RowProblem::new(draft.line, Some(column), code, detail)
    };
    let old_currency = old.map(|o| o.price.currency);
    let currency = match draft.price {
        None => old_currency,
        Some(_) => draft
            .currency
            .or(default_currency)
            .or(old_currency)
            .or(Currency::new("USD")),
    };
    let currency =
        currency.ok_or_else(|| problem("price", "required", "a new product needs a price"))?;
    let minor = |column: &str, decimal: Decimal| {
        decimal
            .scaled(currency.exponent())
            .and_then(Minor::new)
            .ok_or_else(|| {
                let digits = currency.exponent();
                let detail =
                    format!("is too large, or has more than {digits} decimals ({currency})");
                problem(column, "invalid", &detail)
            })
    };
    let amount = match (draft.price, old) {
        (Some(price), _) => minor("price", price)?,
        (None, Some(old)) => old.price.amount,
        (None, None) => return Err(problem("price", "required", "a new product needs a price")),
    };
    let cost = match draft.cost {
        Some(cost) => cost.map(|c| minor("cost", c)).transpose()?,
        None => old.and_then(|o| o.cost_minor),
    };
    // An old cost is in the old currency, and only the file can say what it is in the new one.
    if draft.cost.is_none() && cost.is_some() && old_currency != Some(currency) {
        let detail = "a change of currency needs the cost in the new currency, or an empty cost";
        return Err(problem("currency", "currency-change", detail));
    }
    Ok((Money { amount, currency }, cost))
}

fn template(
    draft: &Draft,
    before: Option<&Product>,
    known: &Known,
) -> Result<Option<ProductId>, RowProblem> {
    let Some(asked) = &draft.template_sku else {
        return Ok(before.and_then(|b| b.facts.template_id));
    };
    let Some(sku) = asked else { return Ok(None) };
    let problem =
        |code: &str, detail: &str| RowProblem::new(draft.line, Some("template_sku"), code, detail);
    let Some(template) = known.products.get(sku).filter(|_| *sku != draft.sku) else {
        let detail = "names no other product; a template stands before its variants";
        return Err(problem("unknown-template", detail));
    };
    let is_template = before.is_some_and(|b| known.templates.contains(&b.id));
    if template.facts.template_id.is_some() || is_template {
        return Err(problem("nested-template", "a variant cannot be a template"));
    }
    Ok(Some(template.id))
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
