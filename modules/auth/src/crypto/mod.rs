//! Everything with a key: password hashes, access tokens, refresh tokens.

pub(crate) mod bcrypt_pool;
pub(crate) mod hasher;
pub(crate) mod refresh;
pub(crate) mod signer;

use rand::{TryRng, rngs::SysRng};

/// The operating system gave no randomness.
pub(crate) type NoEntropy = rand::rngs::SysError;

/// `N` random bytes from the operating system.
pub(crate) fn random<const N: usize>() -> Result<[u8; N], NoEntropy> {
    let mut bytes = [0; N];
    SysRng.try_fill_bytes(&mut bytes)?;
    Ok(bytes)
}

/// A password for a person to copy once: 100 bits in groups of five.
pub(crate) fn random_password() -> Result<String, NoEntropy> {
    // 32 characters that are hard to confuse, so that each byte's low five bits pick one evenly.
    const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    let bytes = random::<20>()?;
    let mut text = String::with_capacity(23);
    for (at, byte) in bytes.iter().enumerate() {
        if at > 0 && at % 5 == 0 {
            text.push('-');
        }
        let index = usize::from(byte & 31);
        text.extend(ALPHABET.get(index).copied().map(char::from));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_random_password_passes_its_own_policy() {
        let (one, two) = (random_password().unwrap(), random_password().unwrap());
        assert_ne!(one, two);
        assert_eq!(one.len(), 23);
        let password = crate::domain::password::Password::parse(&one).unwrap();
        assert_eq!(
            crate::domain::policy::check(&password, "a@b.de", "A"),
            Ok(())
        );
    }
}
