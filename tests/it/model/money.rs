//! What a sale costs, worked out once more and in another way than the product does.

/// `n / d`, half away from zero; neither is below zero.
pub fn rounded(n: i64, d: i64) -> i64 {
    (2 * n + d) / (2 * d)
}

/// What is left for cash to pay is rounded to the nearest coin: by so much.
pub fn rounding(total: i64, amounts: &[(&str, i64)], coin: i64) -> i64 {
    let in_cash = amounts.iter().any(|(tender, _)| *tender == "cash");
    let other = amounts.iter().filter(|(tender, _)| *tender != "cash");
    let left = total - other.map(|(_, amount)| amount).sum::<i64>();
    if in_cash && left > 0 {
        rounded(left, coin) * coin - left
    } else {
        0
    }
}

/// A discount.
#[derive(Debug, Clone, Copy)]
pub enum Cut {
    Amount(i64),
    /// In basis points.
    Share(i64),
}

impl Cut {
    /// `None` where it is more than there is to take it from.
    pub fn of(cut: Option<Self>, amount: i64) -> Option<i64> {
        let cut = match cut {
            None => 0,
            Some(Self::Amount(cut)) => cut,
            Some(Self::Share(share)) => rounded(amount * share, 10_000),
        };
        (cut <= amount).then_some(cut)
    }
}

/// Deals `total` out in proportion to `weights`: one cent at a time to whoever is furthest below
/// their due, the first of equals.
pub fn dealt(total: i64, weights: &[i64]) -> Vec<i64> {
    let sum: i64 = weights.iter().sum();
    if sum == 0 {
        return (0..weights.len())
            .map(|n| if n == 0 { total } else { 0 })
            .collect();
    }
    let mut parts: Vec<i64> = weights.iter().map(|weight| total * weight / sum).collect();
    for _ in 0..total - parts.iter().sum::<i64>() {
        let due = |n: &usize| (total * weights[*n] - parts[*n] * sum, std::cmp::Reverse(*n));
        let neediest = (0..parts.len()).max_by_key(due).unwrap();
        parts[neediest] += 1;
    }
    parts
}

/// What is asked for on a line, before discounts on the whole.
#[derive(Debug, Clone, Copy)]
pub struct Line {
    pub gross: i64,
    /// What a promotion takes off before anything else does.
    pub promotion: i64,
    pub cut: Option<Cut>,
    pub tax_rate: i64,
}

/// What a line comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Priced {
    pub discount: i64,
    pub tax: i64,
    pub total: i64,
}

/// `None` where a discount is too large.
pub fn priced(lines: &[Line], cut: Option<Cut>, tax_added: bool) -> Option<Vec<Priced>> {
    let nets = lines.iter().map(|line| {
        let promoted = line.gross - line.promotion;
        Some(promoted - Cut::of(line.cut, promoted)?)
    });
    let nets = nets.collect::<Option<Vec<i64>>>()?;
    let cut = Cut::of(cut, nets.iter().sum())?;
    let shares = dealt(cut, &nets);
    let of = |((line, net), share): ((&Line, &i64), i64)| {
        let net = net - share;
        let (tax, total) = if tax_added {
            let tax = rounded(net * line.tax_rate, 10_000);
            (tax, net + tax)
        } else {
            (net - rounded(net * 10_000, 10_000 + line.tax_rate), net)
        };
        Priced {
            discount: line.gross - net,
            tax,
            total,
        }
    };
    Some(lines.iter().zip(&nets).zip(shares).map(of).collect())
}
