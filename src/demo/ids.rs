//! The fixed ids of the demo chain, readable at a glance; the documentation's examples use them.

use uuid::Uuid;

const BASE: u128 = 0x0198_c0de_0000_7000_8000_0000_0000_0000;

/// `0198c0de-0000-7000-8000-` and twelve digits: `number` in decimal.
fn id(number: u128) -> Uuid {
    let mut rest = number;
    let mut digits = 0;
    for place in 0..12 {
        digits |= (rest % 10) << (4 * place);
        rest /= 10;
    }
    Uuid::from_u128(BASE | digits)
}

/// Shops are 1 to 5, the warehouse is 6.
pub(super) fn store(number: u32) -> Uuid {
    id(number.into())
}

/// A register of a store; both count from 1.
pub(super) fn register(store: u32, number: u32) -> Uuid {
    id(100 + u128::from(store) * 10 + u128::from(number))
}

/// Categories count from 1, departments before what is in them.
pub(super) fn category(number: u32) -> Uuid {
    id(200 + u128::from(number))
}

/// Users count from 1.
pub(super) fn user(number: u32) -> Uuid {
    id(300 + u128::from(number))
}

/// Products have the number of their SKU.
pub(super) fn product(number: u32) -> Uuid {
    id(10_000 + u128::from(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_read_as_their_numbers() {
        let table = [
            (store(1), "0198c0de-0000-7000-8000-000000000001"),
            (store(6), "0198c0de-0000-7000-8000-000000000006"),
            (register(1, 2), "0198c0de-0000-7000-8000-000000000112"),
            (category(47), "0198c0de-0000-7000-8000-000000000247"),
            (user(7), "0198c0de-0000-7000-8000-000000000307"),
            (product(200), "0198c0de-0000-7000-8000-000000010200"),
        ];
        for (id, text) in table {
            assert_eq!(id.to_string(), text);
        }
    }
}
