//! How failed sign-ins slow down the next ones, and what they are counted by.

use std::net::IpAddr;

use sha2::{Digest, Sha256};

/// Seconds to wait after the n-th failure in a row: none for four, then doubling up to a minute.
pub(crate) const DELAYS_SECONDS: [i32; 11] = [0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 60];
/// An account without a failure for so long starts anew.
pub(crate) const ACCOUNT_MEMORY_SECONDS: i32 = 3_600;
/// Failures from one address within [`ADDRESS_WINDOW_SECONDS`] before it has to wait.
pub(crate) const ADDRESS_FAILURES: i32 = 100;
/// The window of an address.
pub(crate) const ADDRESS_WINDOW_SECONDS: i32 = 900;

/// What failures of one kind are counted by.
pub(crate) type Key = Vec<u8>;

/// The counter of an account. Someone at an address from which the account has signed in before
/// has a counter of their own, so that guesses from elsewhere cannot lock them out.
pub(crate) fn account_key(email: &str, known_address: Option<&str>) -> Key {
    match known_address {
        None => hash(&["account", email]),
        Some(address) => hash(&["account", email, address]),
    }
}

/// The counter of an address. Of IPv6 the first 64 bits: whoever has one has them all.
pub(crate) fn address_key(address: Option<IpAddr>) -> Key {
    let text = match address.map(|a| a.to_canonical()) {
        None => "none".to_owned(),
        Some(IpAddr::V4(v4)) => v4.to_string(),
        Some(IpAddr::V6(v6)) => format!("{}/64", v6.to_bits() >> 64),
    };
    hash(&["address", &text])
}

fn hash(parts: &[&str]) -> Key {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part.as_bytes());
        hasher.update([0]);
    }
    hasher.finalize().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fifth_failure_is_the_first_that_costs_time() {
        assert!(DELAYS_SECONDS[..4].iter().all(|s| *s == 0));
        assert_eq!((DELAYS_SECONDS[4], DELAYS_SECONDS[10]), (1, 60));
        assert!(DELAYS_SECONDS.windows(2).all(|w| w[0] <= w[1]));
    }

    #[test]
    fn a_network_of_ipv6_counts_as_one_address_and_a_mapped_ipv4_as_itself() {
        let key = |text: &str| address_key(Some(text.parse().unwrap()));
        assert_eq!(key("2001:db8::1"), key("2001:db8::ffff:1"));
        assert_ne!(key("2001:db8::1"), key("2001:db8:0:1::1"));
        assert_eq!(key("::ffff:192.0.2.1"), key("192.0.2.1"));
        assert_ne!(key("192.0.2.1"), key("192.0.2.2"));
    }

    #[test]
    fn a_known_address_has_a_counter_of_its_own() {
        assert_ne!(
            account_key("a@b.de", None),
            account_key("a@b.de", Some("192.0.2.1"))
        );
        assert_ne!(account_key("a@b.de", None), account_key("b@b.de", None));
    }
}
