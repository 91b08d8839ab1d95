//! How names and SKUs are cut into words for the text search: the same for what is stored and
//! for what is asked, and independent of the server's locale.

use std::collections::BTreeSet;

/// The distinct words of `texts` in lower case, separated by one space.
pub(crate) fn of(texts: &[&str]) -> String {
    let words: BTreeSet<String> = texts.iter().flat_map(|text| cut(text)).collect();
    words.into_iter().collect::<Vec<_>>().join(" ")
}

/// A `tsquery` that asks for every word of `text`, each as a prefix. `None` without any word.
pub(crate) fn query(text: &str) -> Option<String> {
    let terms: BTreeSet<String> = cut(text).map(|word| format!("'{word}':*")).collect();
    (!terms.is_empty()).then(|| terms.into_iter().collect::<Vec<_>>().join(" & "))
}

// Only letters and digits are left, so that no word can hold a quote or an operator.
fn cut(text: &str) -> impl Iterator<Item = String> {
    text.split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn punctuation_separates_words() {
        assert_eq!(
            of(&["BREAD:ITALIAN/FRENCH bread", "SKU-1"]),
            "1 bread french italian sku"
        );
        assert_eq!(of(&["--"]), "");
    }

    #[test]
    fn every_word_asked_for_is_a_prefix() {
        assert_eq!(query("Ital bre").as_deref(), Some("'bre':* & 'ital':*"));
        assert_eq!(query("é'|!&").as_deref(), Some("'é':*"));
        assert_eq!(query(" ':* "), None);
    }
}
