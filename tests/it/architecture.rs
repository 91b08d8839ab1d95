//! The dependency rule, read from Cargo and checked edge by edge.

use std::{collections::BTreeSet, process::Command};

/// Every allowed edge between workspace crates. A new edge is a design decision: add it here.
const ALLOWED: &[(&str, &[&str])] = &[
    (
        "comptoir",
        &[
            "kernel",
            "embedded-postgres",
            "auth",
            "store",
            "inventory",
            "sales",
            "auth-api",
            "store-api",
            "inventory-api",
            "sales-api",
        ],
    ),
    (
        "sales",
        &["kernel", "sales-api", "inventory-api", "store-api"],
    ),
    ("inventory", &["kernel", "inventory-api", "store-api"]),
    (
        "store",
        &["kernel", "store-api", "sales-api", "inventory-api"],
    ),
    ("auth", &["kernel", "auth-api"]),
    ("auth-api", &["kernel"]),
    ("store-api", &["kernel"]),
    ("inventory-api", &["kernel"]),
    ("sales-api", &["kernel"]),
    ("kernel", &[]),
    ("embedded-postgres", &[]),
    ("testkit", &["embedded-postgres"]),
];

type Edges = BTreeSet<(String, String)>;

#[test]
fn crates_depend_only_on_what_they_may() {
    let edges = workspace_edges();
    assert!(edges.len() > 20, "the metadata was not read: {edges:?}");
    assert_eq!(unexpected(&edges), Edges::new());
}

#[test]
fn the_check_catches_a_forbidden_edge() {
    let bad: Edges = [
        ("sales".into(), "store".into()),
        ("kernel".into(), "auth-api".into()),
    ]
    .into();
    assert_eq!(unexpected(&bad), bad);
}

#[test]
fn a_single_module_holds_no_code_of_another() {
    for (feature, others) in [
        ("auth", ["store", "inventory", "sales"]),
        ("store", ["auth", "inventory", "sales"]),
        ("inventory", ["auth", "store", "sales"]),
        ("sales", ["auth", "store", "inventory"]),
    ] {
        let tree = tree(feature);
        assert!(
            tree.contains(&format!("\n{feature} ")),
            "{feature} is not in its own build: {tree}"
        );
        for other in others {
            assert!(
                !tree.contains(&format!("\n{other} ")),
                "{feature} drags {other} along"
            );
        }
    }
}

/// The packages of a build with one feature, a line each.
fn tree(feature: &str) -> String {
    let output = Command::new(env!("CARGO"))
        .args([
            "tree",
            "-p",
            "comptoir",
            "--no-default-features",
            "--features",
            feature,
        ])
        .args(["--offline", "--prefix", "none", "-e", "normal"])
        .output()
        .expect("cargo runs");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

fn unexpected(edges: &Edges) -> Edges {
    let allowed =
        |from: &str, to: &str| ALLOWED.iter().any(|(f, ts)| *f == from && ts.contains(&to));
    edges
        .iter()
        .filter(|(from, to)| !allowed(from, to))
        .cloned()
        .collect()
}

fn workspace_edges() -> Edges {
    let output = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--no-deps",
            "--offline",
            "--format-version",
            "1",
        ])
        .output()
        .expect("cargo runs");
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).expect("json");
    let mut edges = Edges::new();
    for package in metadata["packages"].as_array().expect("packages") {
        for dependency in package["dependencies"].as_array().expect("dependencies") {
            // Tests may reach further than the product.
            let shipped = dependency["kind"].is_null() && dependency["path"].is_string();
            if let (true, Some(from), Some(to)) = (
                shipped,
                package["name"].as_str(),
                dependency["name"].as_str(),
            ) {
                edges.insert((from.into(), to.into()));
            }
        }
    }
    edges
}
