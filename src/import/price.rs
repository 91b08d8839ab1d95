//! From what a line brought and the discount it had to a unit price and a discount that give
//! exactly what it brought.

/// What a line is sent as: `unit_price * quantity - discount` is its value, to the cent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct LinePrice {
    /// Cents per unit.
    pub(super) unit_price: i64,
    /// Cents off the whole line.
    pub(super) discount: i64,
}

/// The file has no unit prices, and its line values do not always divide by the quantity: the
/// shelf price is rounded up to a whole cent, and what that is too much is discount.
///
/// `None` for a quantity below one, a negative value, or a product too large to hold.
pub(super) fn line_price(value: i64, retail_discount: i64, quantity: i64) -> Option<LinePrice> {
    if quantity < 1 || value < 0 {
        return None;
    }
    let shelf = value.checked_add(retail_discount.max(0))?;
    let unit_price = shelf / quantity + i64::from(shelf % quantity != 0);
    let discount = unit_price.checked_mul(quantity)? - value;
    Some(LinePrice {
        unit_price,
        discount,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn price(value: i64, discount: i64, quantity: i64) -> (i64, i64) {
        let price = line_price(value, discount, quantity).unwrap();
        (price.unit_price, price.discount)
    }

    #[test]
    fn an_even_line_keeps_its_shelf_price_and_discount() {
        assert_eq!(price(278, 80, 2), (179, 80));
        assert_eq!(price(150, 0, 1), (150, 0));
        assert_eq!(price(0, 0, 3), (0, 0));
        assert_eq!(price(0, 150, 1), (150, 150));
    }

    #[test]
    fn an_uneven_line_is_rounded_up_and_discounted() {
        assert_eq!(price(1000, 0, 3), (334, 2));
        // Fuel: 8,725 units for 20.06.
        assert_eq!(price(2006, 1, 8725), (1, 6719));
    }

    #[test]
    fn the_line_always_brings_what_the_file_says() {
        for value in [0, 1, 99, 2006, 123_457] {
            for discount in [-5, 0, 1, 50] {
                for quantity in [1, 2, 3, 7, 8725] {
                    let (unit_price, off) = price(value, discount, quantity);
                    assert_eq!(unit_price * quantity - off, value);
                    assert!(off >= 0 && off <= unit_price * quantity);
                }
            }
        }
    }

    #[test]
    fn what_cannot_be_sold_has_no_price() {
        assert_eq!(line_price(100, 0, 0), None);
        assert_eq!(line_price(-1, 0, 1), None);
        assert_eq!(line_price(i64::MAX, 1, 1), None);
    }
}
