//! What one row asks for, on top of what stands.

use kernel::{
    ids::ProductId,
    money::{BasisPoints, Currency, Minor, Money, Quantity},
};

use super::{RowProblem, plan::Known, row::Draft};
use crate::domain::{
    decimal::Decimal,
    product::{self, Facts, Product, Unit},
};

/// The facts that a row asks for, but for the category.
pub(super) fn merge(
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
        tax_class: tax_class(draft, old, known)?,
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

fn tax_class(
    draft: &Draft,
    old: Option<&Facts>,
    known: &Known,
) -> Result<Option<String>, RowProblem> {
    match &draft.tax_class {
        None => Ok(old.and_then(|o| o.tax_class.clone())),
        Some(Some(class)) if !known.tax_classes.contains(class) => {
            let (column, code) = (Some("tax_class"), "unknown-tax-class");
            let detail = "there is no such tax class";
            Err(RowProblem::new(draft.line, column, code, detail))
        }
        Some(class) => Ok(class.clone()),
    }
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
