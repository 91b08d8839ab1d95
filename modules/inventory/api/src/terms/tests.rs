//! The rule by hand, case by case.

use kernel::ids::ProductId;

use super::*;

fn at(time: &str) -> DateTime<Utc> {
    format!("2026-03-10T{time}Z").parse().unwrap()
}

fn money(amount: i64, currency: &str) -> Money {
    Money {
        amount: Minor::new(amount).unwrap(),
        currency: Currency::new(currency).unwrap(),
    }
}

fn quantity(n: i64) -> Quantity {
    Quantity::new(n).unwrap()
}

fn rate(n: i64) -> BasisPoints {
    BasisPoints::new(n).unwrap()
}

fn span(from: &str, until: Option<&str>) -> Span {
    Span {
        from: at(from),
        until: until.map(at),
    }
}

/// Kilograms at 2.99.
fn product() -> ProductSnapshot {
    ProductSnapshot {
        id: ProductId::new(),
        sku: "A".into(),
        name: "A".into(),
        category_id: None,
        price: money(299, "EUR"),
        price_per: quantity(1000),
        tax_rate: rate(2000),
        cost: None,
        archived: false,
    }
}

fn dated(own: bool, price: Money, span: Span) -> DatedPrice {
    DatedPrice {
        own,
        price,
        price_per: quantity(1000),
        span,
    }
}

fn promotion(id: u128, off: Off, min_quantity: i64, span: Span) -> Promotion {
    Promotion {
        id: Uuid::from_u128(id),
        name: format!("P{id}"),
        off,
        min_quantity: quantity(min_quantity),
        span,
    }
}

fn terms(prices: Vec<DatedPrice>, promotions: Vec<Promotion>) -> Terms {
    Terms {
        prices,
        tax_rates: Vec::new(),
        promotions,
    }
}

#[test]
fn the_store_s_price_beats_the_chain_s_and_the_later_one_the_earlier() {
    let terms = terms(
        vec![
            dated(true, money(250, "EUR"), span("08:00:00", Some("12:00:00"))),
            dated(true, money(240, "EUR"), span("09:00:00", Some("10:00:00"))),
            dated(false, money(280, "EUR"), span("08:30:00", None)),
            dated(false, money(320, "CHF"), span("08:30:00", None)),
        ],
        Vec::new(),
    );
    let of = |time: &str, currency: &str| {
        let currency = Currency::new(currency).unwrap();
        let price = terms.price(&product(), currency, at(time));
        (price.price.amount.get(), price.source)
    };
    for (time, currency, expected) in [
        ("07:59:59.999999", "EUR", (299, PriceSource::Product)),
        ("08:00:00", "EUR", (250, PriceSource::Store)),
        ("08:59:59.999999", "EUR", (250, PriceSource::Store)),
        ("09:00:00", "EUR", (240, PriceSource::Store)),
        ("09:59:59.999999", "EUR", (240, PriceSource::Store)),
        ("10:00:00", "EUR", (250, PriceSource::Store)),
        ("11:59:59.999999", "EUR", (250, PriceSource::Store)),
        ("12:00:00", "EUR", (280, PriceSource::Chain)),
        ("08:29:59", "CHF", (299, PriceSource::Product)),
        ("08:30:00", "CHF", (320, PriceSource::Chain)),
    ] {
        assert_eq!(of(time, currency), expected, "{time} {currency}");
    }
}

#[test]
fn the_region_s_rate_holds_from_its_moment_and_before_it_the_product_s_own() {
    let terms = Terms {
        tax_rates: vec![
            DatedRate {
                rate: rate(1000),
                from: at("08:00:00"),
            },
            DatedRate {
                rate: rate(550),
                from: at("12:00:00"),
            },
        ],
        ..terms(Vec::new(), Vec::new())
    };
    for (time, expected) in [
        ("07:59:59", 2000),
        ("08:00:00", 1000),
        ("11:59:59", 1000),
        ("12:00:00", 550),
    ] {
        let found = terms.tax_rate(&product(), at(time));
        assert_eq!(found.get(), expected, "{time}");
    }
}

#[test]
fn the_best_single_promotion_applies_and_of_equals_the_oldest() {
    let day = || span("08:00:00", Some("20:00:00"));
    let tenth = promotion(3, Off::Rate(rate(1000)), 1, day());
    let forty_off = promotion(2, Off::Amount(money(40, "EUR")), 500, day());
    let francs = promotion(1, Off::Amount(money(900, "CHF")), 1, day());
    let also_tenth = promotion(9, Off::Rate(rate(1000)), 1, day());
    let free = promotion(7, Off::Amount(money(1_000, "EUR")), 2_000, day());
    let terms = terms(Vec::new(), vec![also_tenth, tenth, forty_off, francs, free]);
    let product = product();
    let price = terms.price(&product, Currency::new("EUR").unwrap(), at("09:00:00"));
    let of = |grams: i64, gross: i64, time: &str| {
        let gross = Minor::new(gross).unwrap();
        let found = terms.promotion(price, quantity(grams), gross, at(time));
        found.map(|(p, discount)| (p.id.as_u128(), discount.get()))
    };
    for (grams, gross, time, expected) in [
        // 10 % of 0.75 is 0.075, half a cent away from zero.
        (250, 75, "09:00:00", Some((3, 8))),
        // 0.40 per kilogram is 0.20 for 500 g, 10 % only 0.15.
        (500, 150, "09:00:00", Some((2, 20))),
        (333, 100, "08:00:00", Some((3, 10))),
        (500, 150, "07:59:59.999999", None),
        (500, 150, "20:00:00", None),
        // More off than the price: it is free, and not less.
        (2_000, 598, "09:00:00", Some((7, 598))),
        (1, 0, "09:00:00", None),
    ] {
        assert_eq!(of(grams, gross, time), expected, "{grams} g at {time}");
    }
}

#[test]
fn a_day_has_its_first_moment_and_not_that_of_the_next() {
    let (start, end) = bounds(NaiveDate::from_ymd_opt(2026, 3, 10).unwrap());
    assert_eq!(start, at("00:00:00"));
    assert_eq!((end - start).num_hours(), 24);
}
