//! What a sale costs: gross, discounts, tax and totals, in integers from end to end.
//!
//! A promotion comes off first, then the line's own discount, then its share of the sale's.
//! Rounding is half away from zero, once per line; the sale's sums are sums of its lines, and a
//! discount on the whole sale is split over them by largest remainder, so no cent is left over.

use kernel::money::{BasisPoints, Minor, Quantity, mul_div_round, split};
use store_api::TaxMode;

/// One line, before anything is computed. Prices are not below zero.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Item {
    pub(crate) unit_price: Minor,
    pub(crate) price_per: Quantity,
    pub(crate) quantity: Quantity,
    pub(crate) tax_rate: BasisPoints,
    /// What a promotion takes off the gross amount; at most all of it.
    pub(crate) promotion: Minor,
    pub(crate) discount: Option<Cut>,
}

/// A discount.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Cut {
    Amount(Minor),
    Rate(BasisPoints),
}

/// One line, computed. `discount` holds the promotion's, the line's own and its share of the sale's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PricedLine {
    pub(crate) gross: Minor,
    pub(crate) discount: Minor,
    pub(crate) tax: Minor,
    pub(crate) total: Minor,
}

/// The sale's sums, and its lines in the order they were given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Priced {
    pub(crate) lines: Vec<PricedLine>,
    pub(crate) subtotal: Minor,
    pub(crate) discount: Minor,
    pub(crate) tax: Minor,
    pub(crate) total: Minor,
}

/// Why there is no price. `line` counts from zero; `None` is the sale as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    TooLarge { line: Option<usize> },
    DiscountTooLarge { line: Option<usize> },
}

/// Computes a sale.
pub(crate) fn price(
    mode: TaxMode,
    items: &[Item],
    discount: Option<Cut>,
) -> Result<Priced, Refusal> {
    let mut nets = Vec::with_capacity(items.len());
    let mut grosses = Vec::with_capacity(items.len());
    for (line, item) in items.iter().enumerate() {
        let line = Some(line);
        let gross = scale(item.unit_price, item.quantity.get(), item.price_per.get())
            .ok_or(Refusal::TooLarge { line })?;
        let too_large = Refusal::DiscountTooLarge { line };
        let promoted = Minor::new(gross.get() - item.promotion.get())
            .filter(|promoted| promoted.get() >= 0)
            .ok_or(too_large)?;
        let cut = amount_of(item.discount, promoted).ok_or(too_large)?;
        grosses.push(gross);
        nets.push(promoted.get() - cut.get());
    }
    let net_sum = sum(nets.iter().copied())?;
    let cut = amount_of(discount, net_sum).ok_or(Refusal::DiscountTooLarge { line: None })?;
    let shares = split(cut.get(), &nets);
    let lines = grosses
        .iter()
        .zip(nets.iter().zip(shares))
        .zip(items)
        .enumerate()
        .map(|(line, ((gross, (net, share)), item))| {
            finish(mode, *gross, net - share, item.tax_rate)
                .ok_or(Refusal::TooLarge { line: Some(line) })
        })
        .collect::<Result<Vec<_>, _>>()?;
    Ok(Priced {
        subtotal: sum(lines.iter().map(|l| l.gross.get()))?,
        discount: sum(lines.iter().map(|l| l.discount.get()))?,
        tax: sum(lines.iter().map(|l| l.tax.get()))?,
        total: sum(lines.iter().map(|l| l.total.get()))?,
        lines,
    })
}

/// What `quantity` costs at `price` per `per`; `None` when that is more than [`Minor::MAX`].
pub(crate) fn scale(price: Minor, quantity: i64, per: i64) -> Option<Minor> {
    Minor::try_from(mul_div_round(price.get(), quantity, per)?).ok()
}

/// `None` when the discount is more than there is to take it from.
fn amount_of(cut: Option<Cut>, from: Minor) -> Option<Minor> {
    let amount = match cut {
        None => Minor::new(0)?,
        Some(Cut::Amount(amount)) => amount,
        Some(Cut::Rate(rate)) => scale(from, rate.get(), BasisPoints::MAX)?,
    };
    (0..=from.get()).contains(&amount.get()).then_some(amount)
}

fn finish(mode: TaxMode, gross: Minor, net: i64, rate: BasisPoints) -> Option<PricedLine> {
    let rate = rate.get();
    let (tax, total) = match mode {
        TaxMode::Included => {
            let untaxed = mul_div_round(net, BasisPoints::MAX, BasisPoints::MAX + rate)?;
            (i128::from(net) - untaxed, i128::from(net))
        }
        TaxMode::Added => {
            let tax = mul_div_round(net, rate, BasisPoints::MAX)?;
            (tax, i128::from(net) + tax)
        }
    };
    Some(PricedLine {
        gross,
        discount: Minor::new(gross.get() - net)?,
        tax: Minor::try_from(tax).ok()?,
        total: Minor::try_from(total).ok()?,
    })
}

fn sum(parts: impl Iterator<Item = i64>) -> Result<Minor, Refusal> {
    Minor::try_from(parts.map(i128::from).sum::<i128>())
        .map_err(|_| Refusal::TooLarge { line: None })
}

#[cfg(test)]
mod tests;
