//! Which new passwords are good enough: length, no known ones, none of the user's own words.
//!
//! After NIST SP 800-63B-4 §3.1.1.2: no composition rules, a blocklist, and advice.

use std::{collections::HashSet, sync::LazyLock};

use zxcvbn::{Score, zxcvbn};

use super::password::Password;

/// The shortest new password, in characters.
pub(crate) const MIN_CHARS: usize = 12;
/// Shorter words stand in too many good passwords by chance.
const MIN_WORD: usize = 4;
const PRODUCT: &str = "comptoir";

static COMMON: LazyLock<HashSet<&str>> =
    LazyLock::new(|| include_str!("common-passwords.txt").lines().collect());

/// Why a new password is refused, for the person who chose it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Weakness {
    /// Fewer than 12 characters.
    #[error(
        "must be at least {MIN_CHARS} characters long; several unrelated words make a good one"
    )]
    Short,
    /// On the list of common passwords.
    #[error("is among the most common passwords: choose another")]
    Common,
    /// Contains the name or the address of its owner, or of the product.
    #[error("must not contain your name, your e-mail address or `{PRODUCT}`")]
    OwnWord,
    /// Guessed within 10^6 tries, as zxcvbn reckons.
    #[error("is too easy to guess: {0}")]
    Guessable(String),
}

impl Weakness {
    /// Stable, for a program.
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::Short => "password-short",
            Self::Common => "password-common",
            Self::OwnWord => "password-own-word",
            Self::Guessable(_) => "password-guessable",
        }
    }
}

/// Decides on a new password of the user with this address and name. Takes milliseconds.
pub(crate) fn check(password: &Password, email: &str, name: &str) -> Result<(), Weakness> {
    let text = password.expose();
    if text.chars().count() < MIN_CHARS {
        return Err(Weakness::Short);
    }
    let lower = text.to_lowercase();
    if COMMON.contains(lower.as_str()) {
        return Err(Weakness::Common);
    }
    let words = own_words(email, name);
    if words.iter().any(|word| lower.contains(word)) {
        return Err(Weakness::OwnWord);
    }
    let inputs: Vec<&str> = words.iter().map(String::as_str).collect();
    let entropy = zxcvbn(text, &inputs);
    if entropy.score() <= Score::One {
        return Err(Weakness::Guessable(advice(&entropy)));
    }
    Ok(())
}

fn own_words(email: &str, name: &str) -> Vec<String> {
    let local = email.rsplit_once('@').map_or(email, |(local, _)| local);
    let parts = |text: &str| -> Vec<String> {
        let split = text.split(|c: char| !c.is_alphanumeric());
        split.map(str::to_lowercase).collect()
    };
    let mut words = parts(name);
    words.extend(parts(local));
    words.push(local.to_lowercase());
    words.push(PRODUCT.to_owned());
    words.retain(|word| word.chars().count() >= MIN_WORD);
    words
}

fn advice(entropy: &zxcvbn::Entropy) -> String {
    let Some(feedback) = entropy.feedback() else {
        return "add another word or two".to_owned();
    };
    let warning = feedback.warning().map(|w| w.to_string());
    let suggestions = feedback.suggestions().iter().map(ToString::to_string);
    warning
        .into_iter()
        .chain(suggestions)
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_as_jane(text: &str) -> Result<(), Weakness> {
        check(
            &Password::parse(text).unwrap(),
            "jane.doe@example.com",
            "Jane Quintessa Doe",
        )
    }

    #[test]
    fn length_counts_characters_and_long_ones_are_welcome() {
        assert_eq!(check_as_jane("fjord-mzlp7"), Err(Weakness::Short));
        assert_eq!(check_as_jane("fjord-mzlp7q"), Ok(()));
        assert_eq!(check_as_jane("žluťoučký kůň"), Ok(()));
        assert_eq!(check_as_jane(&"kettle-orbit-93 ".repeat(8)), Ok(()));
        assert_eq!(check_as_jane(&"kettle-orbit-93 ".repeat(16)), Ok(()));
    }

    #[test]
    fn the_demo_password_is_good_enough() {
        assert_eq!(check_as_jane("shelf-candle-42-river"), Ok(()));
        let demo = Password::parse("shelf-candle-42-river").unwrap();
        assert_eq!(
            check(&demo, "admin@demo.comptoir.test", "Demo Admin"),
            Ok(())
        );
    }

    #[test]
    fn common_ones_are_refused_in_any_case() {
        assert_eq!(check_as_jane("password1234"), Err(Weakness::Common));
        assert_eq!(check_as_jane("PassWord1234"), Err(Weakness::Common));
        assert_eq!(
            check_as_jane("correcthorsebatterystaple"),
            Err(Weakness::Common)
        );
    }

    #[test]
    fn the_users_own_words_are_refused() {
        for own in [
            "quintessa-fjord-93",
            "fjord-JANE.DOE-kettle",
            "my-comptoir-kettle-93",
            "kettle-jane-orbit",
        ] {
            assert_eq!(check_as_jane(own), Err(Weakness::OwnWord), "{own}");
        }
        // `Doe` is too short to be looked for.
        assert_eq!(check_as_jane("kettle-doesnt-orbit"), Ok(()));
    }

    #[test]
    fn guessable_ones_are_refused_with_advice() {
        let refused = check_as_jane("aaaaaaaaaaaaaaa").unwrap_err();
        assert!(
            matches!(&refused, Weakness::Guessable(advice) if !advice.is_empty()),
            "{refused}"
        );
    }

    #[test]
    fn the_list_is_in_lower_case_and_only_of_allowed_lengths() {
        assert!(COMMON.len() > 300);
        assert!(
            COMMON
                .iter()
                .all(|p| *p == p.to_lowercase() && p.chars().count() >= MIN_CHARS)
        );
    }
}
