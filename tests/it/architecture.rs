//! The dependency rule, read from Cargo and checked edge by edge.

use std::{collections::BTreeSet, process::Command};

use comptoir::process::Module;
use kernel::telemetry;

/// Every allowed edge between workspace crates. A new edge is a design decision: add it here.
const ALLOWED: &[(&str, &[&str])] = &[
    (
        "comptoir",
        &[
            "kernel",
            "embedded-postgres",
            "jetstream",
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
    (
        "inventory",
        &["kernel", "inventory-api", "store-api", "sales-api"],
    ),
    (
        "store",
        &["kernel", "store-api", "sales-api", "inventory-api"],
    ),
    ("auth", &["kernel", "auth-api"]),
    ("auth-api", &["kernel"]),
    ("store-api", &["kernel"]),
    ("inventory-api", &["kernel"]),
    ("sales-api", &["kernel"]),
    ("jetstream", &["kernel"]),
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

/// The domain modules in a build: their crates' names are the modules'.
fn modules_in(features: &str) -> BTreeSet<String> {
    packages(&[
        "-p",
        "comptoir",
        "--no-default-features",
        "--features",
        features,
        "-e",
        "normal",
    ])
    .iter()
    .filter_map(|package| package.split(' ').next())
    .filter(|name| Module::ALL.iter().any(|module| module.name() == *name))
    .map(str::to_owned)
    .collect()
}

#[test]
fn a_build_holds_the_code_of_its_own_modules_only() {
    for features in ["auth", "store", "inventory", "sales", "store,inventory"] {
        let asked: BTreeSet<String> = features.split(',').map(str::to_owned).collect();
        assert_eq!(modules_in(features), asked);
    }
    // The check can fail: the product itself holds them all.
    assert_eq!(modules_in("default").len(), Module::ALL.len());
}

/// What would be compiled once more, with other features, for `selection` alone.
fn compiled_again(selection: &[&str]) -> Vec<String> {
    let whole = packages(&["--workspace", "-e", "normal,build,dev"]);
    let alone = packages(&[selection, &["-e", "normal,build"]].concat());
    let again = alone.difference(&whole).cloned();
    again
        .filter(|line| !line.starts_with("comptoir "))
        .collect()
}

/// Otherwise the services of the split topology would take minutes to build, not seconds.
#[test]
fn a_single_module_is_built_from_the_dependencies_of_the_whole() {
    for module in Module::ALL {
        let again = compiled_again(&[
            "-p",
            "comptoir",
            "--no-default-features",
            "--features",
            module.name(),
        ]);
        assert_eq!(again, Vec::<String>::new(), "{module}: see Cargo.toml");
    }
    // The check can fail: nothing was done about this crate.
    assert!(!compiled_again(&["-p", "embedded-postgres"]).is_empty());
}

/// The packages of a build with their features, a line each.
fn packages(selection: &[&str]) -> BTreeSet<String> {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--offline", "--locked", "--prefix", "none"])
        .args(["--no-dedupe", "--format", "{p} [{f}]"])
        .args(selection)
        .output()
        .expect("cargo runs");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(str::to_owned).collect()
}

/// What a crate says at `debug` and `trace` is only logged where it is one of ours.
#[test]
fn every_part_of_the_product_may_log_its_details() {
    let edges = workspace_edges();
    let parts = edges.iter().flat_map(|(from, to)| [from, to]);
    let parts: BTreeSet<String> = parts.map(|name| name.replace('-', "_")).collect();
    let may: BTreeSet<String> = telemetry::OWN.iter().map(ToString::to_string).collect();
    assert!(parts.len() > 10);
    let missing: Vec<_> = parts.difference(&may).filter(|p| *p != "testkit").collect();
    assert!(missing.is_empty(), "{missing:?}");
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
