//! The number of a sale or return, for people: read aloud, printed, typed in again.

use kernel::uuid::Uuid;

/// Douglas Crockford's base 32: <https://www.crockford.com/base32.html>.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const DIGITS: usize = 10;

/// Ten digits from the low 50 bits of `id`, written `XXXXX-XXXXX`.
///
/// There is no counter to wait for. Two of a million documents share a number with a chance of
/// 1 in 2,000, so a number finds documents but does not identify one.
pub(crate) fn of(id: Uuid) -> String {
    let bits = id.as_u128();
    let digits = (0..DIGITS).rev().filter_map(|place| {
        let digit = usize::try_from((bits >> (5 * place)) & 31).ok()?;
        ALPHABET.get(digit).copied().map(char::from)
    });
    group(digits)
}

/// A number as someone typed it: any case, with or without the hyphen, `O` for 0, `I` or `L`
/// for 1. What cannot be a number finds nothing.
pub(crate) fn normalise(typed: &str) -> String {
    let digits = typed
        .chars()
        .filter(|c| *c != '-' && !c.is_whitespace())
        .map(|c| match c.to_ascii_uppercase() {
            'O' => '0',
            'I' | 'L' => '1',
            other => other,
        });
    group(digits)
}

fn group(digits: impl Iterator<Item = char>) -> String {
    let mut text = String::with_capacity(DIGITS + 1);
    for (place, digit) in digits.enumerate() {
        if place == DIGITS / 2 {
            text.push('-');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_ten_digits_of_the_id() {
        assert_eq!(of(Uuid::from_u128(0)), "00000-00000");
        assert_eq!(of(Uuid::from_u128(u128::MAX)), "ZZZZZ-ZZZZZ");
        assert_eq!(of(Uuid::from_u128(32)), "00000-00010");
        let id = Uuid::now_v7();
        assert_eq!(of(id), of(id));
    }

    #[test]
    fn a_typed_number_is_read_generously() {
        let number = of(Uuid::from_u128(0x1234_5678_9abc));
        let typed = number.to_lowercase().replace('-', " ").replace('0', "o");
        assert_eq!(normalise(&typed), number);
        assert_eq!(normalise("iloIL-00000"), "11011-00000");
    }
}
