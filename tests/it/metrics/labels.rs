//! The values of labels: the page lists them, and their series are there from the start.

use std::collections::{BTreeMap, BTreeSet};

use super::{Scrape, page};
use crate::app::{TOPOLOGIES, TestApp};

/// Labels whose values the page lists.
const LISTED: [&str; 10] = [
    "by",
    "cache",
    "cause",
    "kind",
    "outcome",
    "port",
    "reason",
    "result",
    "state",
    "transport",
];
/// Only with NATS, which these tests do without.
const APART: [&str; 1] = ["nats"];

/// By metric, the words in code font of its meaning that are values of labels: no names of labels,
/// and nothing with dots or slashes.
fn listed() -> BTreeMap<String, BTreeSet<String>> {
    let values = |(name, (_, labels, meaning)): (String, (_, BTreeSet<String>, String))| {
        let quoted = meaning.split('`').skip(1).step_by(2);
        let words = quoted.filter(|word| {
            let plain = |c: char| c.is_ascii_lowercase() || c == '_' || c == '-';
            word.chars().all(plain) && !labels.contains(*word) && !APART.contains(word)
        });
        let words: BTreeSet<String> = words.map(str::to_owned).collect();
        let lists = labels.iter().any(|l| is_listed(l));
        (name, if lists { words } else { BTreeSet::new() })
    };
    page().into_iter().map(values).collect()
}

fn is_listed(label: &str) -> bool {
    LISTED.contains(&label) || label == "worker"
}

/// By metric, the values that its listed labels have.
fn seen(scrape: &Scrape) -> BTreeMap<String, BTreeSet<String>> {
    let mut seen: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for series in scrape.names() {
        let Some((name, labels)) = series.split_once('{') else {
            continue;
        };
        let stem = ["_bucket", "_sum", "_count"]
            .iter()
            .find_map(|suffix| name.strip_suffix(suffix));
        let mut parts = labels.split('"');
        while let (Some(label), Some(value)) = (parts.next(), parts.next()) {
            if is_listed(label.trim_start_matches(',').trim_end_matches('=')) {
                let name = stem.unwrap_or(name).to_owned();
                seen.entry(name).or_default().insert(value.to_owned());
            }
        }
    }
    seen
}

#[actix_web::test]
async fn what_is_known_beforehand_is_there_from_the_start() {
    let (page, listed) = (page(), listed());
    assert!(listed["comptoir_db_failures_total"].contains("busy"));
    for topology in TOPOLOGIES {
        let app = TestApp::start(topology).await;
        let scrape = Scrape::of(&app).await;
        let seen = seen(&scrape);
        for (name, (kind, labels, meaning)) in &page {
            let apart = meaning.contains("(with NATS only)")
                || meaning.contains("(split only)") && app.services.is_empty();
            // A port comes with its first call, and what a database says with its first answer.
            let later = ["port", "route", "currency", "operation"];
            if apart || later.iter().any(|label| labels.contains(*label)) {
                continue;
            }
            let nothing = BTreeSet::new();
            let (there, values) = (seen.get(name).unwrap_or(&nothing), &listed[name]);
            assert!(values.is_subset(there), "{values:?} of {name}: {there:?}");
            let of_a_database = name.starts_with("comptoir_outbox_")
                || ["comptoir_holds_o", "comptoir_transfer"]
                    .iter()
                    .any(|stem| name.starts_with(stem));
            if !of_a_database {
                let name = if kind == "histogram" {
                    format!("{name}_count")
                } else {
                    name.clone()
                };
                assert!(scrape.get(&name, &[]).is_some(), "{name} in {topology:?}");
            }
        }
        for module in ["auth", "store", "inventory", "sales"] {
            for kind in ["query", "begin", "commit", "rollback"] {
                let labels = [("module", module), ("kind", kind)];
                scrape.value("comptoir_db_statement_duration_seconds_count", &labels);
            }
        }
    }
}

/// Holds what a test has seen against the page.
pub fn assert_listed(scrape: &Scrape) {
    let listed = listed();
    for (name, values) in seen(scrape) {
        let Some(on_page) = listed.get(&name).filter(|values| !values.is_empty()) else {
            continue;
        };
        let unknown: Vec<_> = values.difference(on_page).collect();
        assert_eq!(unknown, Vec::<&String>::new(), "{name} and the page");
    }
}
