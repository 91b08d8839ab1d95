//! Prices by hand, and properties over many generated sales.

use super::*;

fn minor(amount: i64) -> Minor {
    Minor::new(amount).unwrap()
}

fn item(unit_price: i64, price_per: i64, quantity: i64, tax_rate: i64) -> Item {
    Item {
        unit_price: minor(unit_price),
        price_per: Quantity::new(price_per).unwrap(),
        quantity: Quantity::new(quantity).unwrap(),
        tax_rate: BasisPoints::new(tax_rate).unwrap(),
        promotion: minor(0),
        discount: None,
    }
}

#[test]
fn two_at_2_49_with_tax_included_cost_4_98() {
    let sale = price(TaxMode::Included, &[item(249, 1, 2, 1900)], None).unwrap();
    assert_eq!((sale.subtotal.get(), sale.total.get()), (498, 498));
    assert_eq!(sale.tax.get(), 80); // 498 - 498/1.19 = 498 - 418.49
}

#[test]
fn tax_that_is_added_goes_on_top_of_what_is_left_after_discounts() {
    let mut line = item(1000, 1, 3, 825);
    line.discount = Some(Cut::Rate(BasisPoints::new(1000).unwrap()));
    let sale = price(TaxMode::Added, &[line], None).unwrap();
    assert_eq!((sale.subtotal.get(), sale.discount.get()), (3000, 300));
    assert_eq!((sale.tax.get(), sale.total.get()), (223, 2923)); // 2700 × 8.25 % = 222.75
}

#[test]
fn a_weighed_product_is_priced_per_its_unit_and_rounded_half_up() {
    // 333 g at 15.00 per kilogram = 4.995.
    let sale = price(TaxMode::Included, &[item(1500, 1000, 333, 700)], None).unwrap();
    assert_eq!(sale.total.get(), 500);
}

#[test]
fn a_sale_discount_is_split_without_a_lost_cent() {
    let items = [item(100, 1, 1, 0), item(100, 1, 1, 0), item(100, 1, 1, 0)];
    let sale = price(TaxMode::Included, &items, Some(Cut::Amount(minor(100)))).unwrap();
    let parts: Vec<_> = sale.lines.iter().map(|l| l.discount.get()).collect();
    assert_eq!(parts, [34, 33, 33]);
    assert_eq!(sale.total.get(), 200);
}

#[test]
fn a_discount_is_at_most_what_it_is_taken_from() {
    let mut line = item(100, 1, 1, 0);
    line.discount = Some(Cut::Amount(minor(101)));
    let refused = price(TaxMode::Included, &[line], None);
    assert_eq!(refused, Err(Refusal::DiscountTooLarge { line: Some(0) }));
    line.discount = Some(Cut::Amount(minor(100)));
    let free = price(TaxMode::Included, &[line], None).unwrap();
    assert_eq!((free.total.get(), free.tax.get()), (0, 0));
    let refused = price(TaxMode::Included, &[line], Some(Cut::Amount(minor(1))));
    assert_eq!(refused, Err(Refusal::DiscountTooLarge { line: None }));
}

#[test]
fn a_promotion_comes_off_before_the_discounts_by_hand() {
    let mut line = item(1000, 1, 2, 2000);
    line.promotion = minor(500);
    line.discount = Some(Cut::Rate(BasisPoints::new(1000).unwrap()));
    for (mode, tax, total) in [(TaxMode::Included, 225, 1350), (TaxMode::Added, 270, 1620)] {
        let sale = price(mode, &[line], None).unwrap();
        // 20.00, 5.00 off by the promotion, 10 % of the rest by hand.
        assert_eq!((sale.subtotal.get(), sale.discount.get()), (2000, 650));
        assert_eq!((sale.tax.get(), sale.total.get()), (tax, total), "{mode:?}");
    }
    line.promotion = minor(2000);
    line.discount = None;
    let free = price(TaxMode::Included, &[line], None).unwrap();
    assert_eq!((free.discount.get(), free.total.get()), (2000, 0));
    line.promotion = minor(2001);
    let refused = price(TaxMode::Included, &[line], None);
    assert_eq!(refused, Err(Refusal::DiscountTooLarge { line: Some(0) }));
}

#[test]
fn what_is_too_large_is_refused_and_does_not_overflow() {
    let huge = item(Minor::MAX, 1, Quantity::MAX, 10_000);
    let refused = price(TaxMode::Added, &[huge], None);
    assert_eq!(refused, Err(Refusal::TooLarge { line: Some(0) }));
    let large = item(Minor::MAX, 1, 1, 0);
    let refused = price(TaxMode::Included, &[large, large], None);
    assert_eq!(refused, Err(Refusal::TooLarge { line: None }));
    let taxed = price(TaxMode::Added, &[item(Minor::MAX, 1, 1, 1)], None);
    assert_eq!(taxed, Err(Refusal::TooLarge { line: Some(0) }));
}

/// A generator of its own (Marsaglia's xorshift64), so that a failure repeats.
struct Dice(u64);

impl Dice {
    fn up_to(&mut self, limit: i64) -> i64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        i64::try_from(self.0 % (limit.unsigned_abs() + 1)).unwrap()
    }

    fn cut(&mut self, limit: i64) -> Option<Cut> {
        match self.up_to(2) {
            0 => None,
            1 => Some(Cut::Amount(minor(self.up_to(limit)))),
            _ => Some(Cut::Rate(BasisPoints::new(self.up_to(10_000)).unwrap())),
        }
    }
}

#[test]
fn whatever_is_sold_the_parts_sum_to_the_whole() {
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    let mut priced = 0;
    for round in 0..20_000 {
        let mode = [TaxMode::Included, TaxMode::Added][round % 2];
        let items: Vec<Item> = (0..=dice.up_to(6))
            .map(|_| Item {
                promotion: minor(dice.up_to(40)),
                discount: dice.cut(300),
                ..item(
                    dice.up_to(5_000),
                    1 + dice.up_to(999),
                    1 + dice.up_to(2_000),
                    dice.up_to(10_000),
                )
            })
            .collect();
        let Ok(sale) = price(mode, &items, dice.cut(300)) else {
            continue;
        };
        priced += 1;
        let added = if mode == TaxMode::Added {
            sale.tax.get()
        } else {
            0
        };
        assert_eq!(
            sale.total.get(),
            sale.subtotal.get() - sale.discount.get() + added
        );
        for line in &sale.lines {
            assert!(line.discount.get() >= 0 && line.discount <= line.gross);
            assert!(line.tax.get() >= 0 && line.tax <= line.total);
        }
        let total: i64 = sale.lines.iter().map(|l| l.total.get()).sum();
        assert_eq!(total, sale.total.get());
    }
    assert!(priced > 5_000, "only {priced} sales had a price");
}
