//! What the container's image says about itself is true.

use std::{collections::BTreeSet, fs, process::Command};

use serde_json::Value;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

fn bill(features: &str) -> Value {
    let output = Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/deploy/sbom"))
        .arg(features)
        .env("CARGO_NET_OFFLINE", "true")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    serde_json::from_slice(&output.stdout).unwrap()
}

fn strings(of: &Value, field: &str) -> BTreeSet<String> {
    let strings = of.as_array().unwrap().iter();
    strings
        .filter_map(|entry| entry[field].as_str())
        .map(str::to_owned)
        .collect()
}

#[test]
fn the_bill_of_materials_lists_what_is_linked_and_nothing_else() {
    let (one, whole) = (bill("sales"), bill("auth,store,inventory,sales"));
    let names = strings(&one["components"], "name");
    for linked in ["sales", "store-api", "kernel", "actix-web", "pq-src"] {
        assert!(names.contains(linked), "{linked} is missing");
    }
    for apart in ["auth", "store", "inventory", "testkit", "serde_derive"] {
        assert!(!names.contains(apart), "{apart} is not linked");
    }
    let more = &strings(&whole["components"], "name") - &names;
    for module in ["auth", "store", "inventory", "bcrypt"] {
        assert!(more.contains(module), "{module} in {more:?}");
    }
}

#[test]
fn the_bill_of_materials_is_complete() {
    let bill = bill("sales");
    let mut refs = strings(&bill["components"], "bom-ref");
    for component in bill["components"].as_array().unwrap() {
        assert!(
            component["licenses"][0]["expression"].is_string(),
            "{component}"
        );
        let sum = component["hashes"][0]["content"].as_str();
        let ours = component["version"] == env!("CARGO_PKG_VERSION");
        assert!(
            sum.is_some_and(|sum| sum.len() == 64) || ours,
            "{component}"
        );
    }
    refs.insert(
        bill["metadata"]["component"]["bom-ref"]
            .as_str()
            .unwrap()
            .to_owned(),
    );
    assert_eq!(strings(&bill["dependencies"], "ref"), refs);
    for dependency in bill["dependencies"].as_array().unwrap() {
        for needed in dependency["dependsOn"].as_array().unwrap() {
            assert!(refs.contains(needed.as_str().unwrap()), "{needed}");
        }
    }
}

#[test]
fn a_bill_of_what_does_not_exist_is_refused() {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/deploy/sbom");
    let output = Command::new(script).arg("salse").output().unwrap();
    assert!(!output.status.success());
    assert!(output.stdout.is_empty());
}

#[test]
fn the_image_is_of_this_version_and_this_rust() {
    let file = fs::read_to_string(format!("{ROOT}/Dockerfile")).unwrap();
    for line in [
        concat!("ARG VERSION=", env!("CARGO_PKG_VERSION"), "\n"),
        concat!(
            "FROM rust:",
            env!("CARGO_PKG_RUST_VERSION"),
            "-bookworm AS rust\n"
        ),
    ] {
        assert!(file.contains(line), "{line}");
    }
}
