//! A receipt as a till prints it: plain text, 42 characters wide.

use std::fmt::Write as _;

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use kernel::money::Money;

use crate::{
    domain::{payment::in_words, words::Tender},
    dto::{ReceiptKind, ReceiptLine, ReceiptTax, ReceiptView},
};

/// Characters on a line.
const WIDTH: usize = 42;
/// A sale that was recorded later than this after it happened shows both times.
const LATE: TimeDelta = TimeDelta::minutes(5);

/// The text, with a line break after every line.
pub(crate) fn print(receipt: &ReceiptView) -> String {
    let mut paper = Paper::default();
    head(&mut paper, receipt);
    paper.rule();
    for line in &receipt.lines {
        goods(&mut paper, line);
    }
    paper.rule();
    sums(&mut paper, receipt);
    paper.rule();
    taxes(&mut paper, &receipt.taxes);
    if let Some(text) = &receipt.store.text {
        paper.rule();
        paper.centred(text);
    }
    paper.0
}

fn head(paper: &mut Paper, receipt: &ReceiptView) {
    paper.centred(&receipt.store.name);
    if let Some(address) = &receipt.store.address {
        paper.centred(address);
    }
    paper.rule();
    let zone = receipt.store.timezone;
    if receipt.kind == ReceiptKind::Return {
        paper.centred("RETURN");
    }
    if let Some(at) = receipt.voided_at {
        paper.centred("VOIDED");
        paper.pair("Voided", &local(at, zone));
    }
    if let Some(number) = receipt.receipt_number {
        paper.pair("Receipt", &number.to_string());
    }
    if let Some(code) = &receipt.register_code {
        paper.pair("Register", code);
    }
    paper.pair("Number", &receipt.number);
    if let Some(sale) = &receipt.sale_number {
        paper.pair("Of sale", sale);
    }
    // The end of a time-ordered id is what tells people apart.
    let cashier = receipt.cashier_id.0.simple().to_string();
    paper.pair("Cashier", cashier.get(20..).unwrap_or(&cashier));
    if let Some(customer) = &receipt.customer_ref {
        paper.pair("Customer", customer);
    }
    paper.pair("Date", &local(receipt.occurred_at, zone));
    if let Some(at) = receipt.recorded_at
        && at - receipt.occurred_at > LATE
    {
        paper.pair("Recorded", &local(at, zone));
    }
}

fn goods(paper: &mut Paper, line: &ReceiptLine) {
    paper.wrapped(&line.name);
    let mut count = format!("  {}", line.quantity.get());
    if let Some(price) = line.unit_price {
        count.push_str(&format!(" x {}", plain(price)));
    }
    if let Some(per) = line.price_per.filter(|per| per.get() != 1) {
        count.push_str(&format!("/{}", per.get()));
    }
    paper.pair(&count, &plain(line.gross));
    if line.discount.amount.get() != 0 {
        paper.pair("  Discount", &format!("-{}", plain(line.discount)));
    }
    if let Some(promotion) = &line.promotion {
        paper.wrapped(&format!("  {promotion}"));
    }
    if let Some(note) = &line.note {
        paper.wrapped(&format!("  {note}"));
    }
}

fn sums(paper: &mut Paper, receipt: &ReceiptView) {
    if receipt.discount.amount.get() != 0 {
        paper.pair("Subtotal", &plain(receipt.subtotal));
        paper.pair("Discount", &format!("-{}", plain(receipt.discount)));
    }
    let total = match receipt.kind {
        ReceiptKind::Sale => "TOTAL",
        ReceiptKind::Return => "REFUND",
    };
    let with_currency = in_words(receipt.total.amount.get().into(), receipt.currency);
    paper.pair(total, &with_currency);
    if receipt.rounding.amount.get() != 0 {
        paper.pair("Rounding", &plain(receipt.rounding));
    }
    for payment in &receipt.payments {
        let tender = match payment.tender {
            Tender::Cash => "Cash",
            Tender::Card => "Card",
            Tender::Voucher => "Voucher",
            Tender::Other => "Other",
            Tender::Exchange => "Exchange",
        };
        paper.pair(tender, &plain(payment.amount));
        if let Some(reference) = &payment.reference {
            paper.wrapped(&format!("  {reference}"));
        }
    }
    if receipt.change.amount.get() != 0 {
        paper.pair("Change", &plain(receipt.change));
    }
}

fn taxes(paper: &mut Paper, taxes: &[ReceiptTax]) {
    let mut row = |rate: &str, net: &str, tax: &str, gross: &str| {
        paper.line(&format!("{rate:<8}{net:>12}{tax:>10}{gross:>12}"));
    };
    row("Tax %", "Net", "Tax", "Gross");
    for tax in taxes {
        let points = tax.tax_rate.get();
        let rate = format!("{}.{:02}", points / 100, points % 100);
        row(&rate, &plain(tax.net), &plain(tax.tax), &plain(tax.gross));
    }
}

fn local(at: DateTime<Utc>, zone: Tz) -> String {
    at.with_timezone(&zone).format("%Y-%m-%d %H:%M").to_string()
}

/// Without the currency, which the total names once.
fn plain(money: Money) -> String {
    let text = in_words(money.amount.get().into(), money.currency);
    match text.split_once(' ') {
        Some((amount, _)) => amount.to_owned(),
        None => text,
    }
}

/// Lines of at most [`WIDTH`] characters.
#[derive(Default)]
struct Paper(String);

impl Paper {
    fn line(&mut self, text: &str) {
        // Writing to a string does not fail.
        let _ = writeln!(self.0, "{}", text.trim_end());
    }

    fn rule(&mut self) {
        self.line(&"-".repeat(WIDTH));
    }

    /// One text at the left, the other at the right; on lines of their own where they do not fit.
    fn pair(&mut self, left: &str, right: &str) {
        let (taken, needed) = (left.chars().count(), right.chars().count());
        if taken + 1 + needed <= WIDTH {
            let gap = WIDTH - taken - needed;
            self.line(&format!("{left}{}{right}", " ".repeat(gap)));
        } else {
            self.wrapped(left);
            for part in wrap(right) {
                self.line(&format!("{part:>WIDTH$}"));
            }
        }
    }

    fn wrapped(&mut self, text: &str) {
        for part in wrap(text) {
            self.line(&part);
        }
    }

    fn centred(&mut self, text: &str) {
        for part in wrap(text) {
            self.line(&format!("{part:^WIDTH$}"));
        }
    }
}

/// The text in lines that fit: broken at spaces where there are any, its own line breaks kept. An
/// indent stands on every line.
fn wrap(text: &str) -> Vec<String> {
    let mut lines = Vec::new();
    for paragraph in text.split('\n') {
        let indent: String = paragraph.chars().take_while(|c| *c == ' ').collect();
        let mut line = indent.clone();
        for word in paragraph.split_whitespace() {
            let mut word = word.to_owned();
            let begun = line.len() > indent.len();
            if begun && line.chars().count() + 1 + word.chars().count() > WIDTH {
                lines.push(std::mem::replace(&mut line, indent.clone()));
            } else if begun {
                line.push(' ');
            }
            while line.chars().count() + word.chars().count() > WIDTH {
                let room = WIDTH - line.chars().count();
                let rest = word.chars().skip(room).collect();
                line.extend(word.chars().take(room));
                lines.push(std::mem::replace(&mut line, indent.clone()));
                word = rest;
            }
            line.push_str(&word);
        }
        lines.push(line);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_broken_at_spaces_and_never_wider_than_the_paper() {
        let long = "a".repeat(100);
        for text in [
            "",
            "short",
            "one two three four five six seven eight nine ten eleven twelve",
            "  indented text that is too long for one line and goes on on the next",
            "a shop\nin a street\n\nin a town",
            &long,
            &format!("word {long} word"),
            &format!("{}é", "é".repeat(41)),
        ] {
            let lines = wrap(text);
            assert!(
                lines.iter().all(|line| line.chars().count() <= WIDTH),
                "{lines:?}"
            );
            let kept = |text: &str| text.split_whitespace().collect::<String>();
            assert_eq!(kept(&lines.concat()), kept(text));
        }
        assert_eq!(wrap("a shop\nin a street"), ["a shop", "in a street"]);
        let indented = wrap("  indented text that is too long for one line of paper");
        assert!(indented.iter().all(|line| line.starts_with("  ")));
        assert_eq!(indented.len(), 2);
    }

    #[test]
    fn a_pair_that_does_not_fit_takes_two_lines() {
        let mut paper = Paper::default();
        paper.pair("Left", "Right");
        assert_eq!(paper.0.trim_end().chars().count(), WIDTH);
        paper.pair(&"x".repeat(30), &"y".repeat(30));
        let widths: Vec<usize> = paper.0.lines().map(|l| l.chars().count()).collect();
        assert_eq!(widths, [42, 30, 42]);
    }
}
