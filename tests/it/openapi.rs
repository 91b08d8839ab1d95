//! The committed documents are the contract: current, complete, and with examples that work.

use std::collections::BTreeSet;

use comptoir::{
    commands::undriven,
    openapi::{DOCUMENTS, generate},
    process::Module,
};
use serde_json::Value;

fn documents() -> Vec<(&'static str, Value)> {
    DOCUMENTS
        .iter()
        .map(|(name, _, text)| (*name, serde_json::from_str(text).unwrap()))
        .collect()
}

/// Method, path and operation of every route of a document.
pub fn operations(document: &Value) -> Vec<(String, String, Value)> {
    let mut operations = Vec::new();
    for (path, item) in document["paths"].as_object().expect("paths") {
        for (method, operation) in item.as_object().expect("an item") {
            operations.push((method.to_ascii_uppercase(), path.clone(), operation.clone()));
        }
    }
    operations
}

#[test]
fn the_committed_documents_are_current() {
    let process = undriven().unwrap();
    for (name, _, committed) in DOCUMENTS {
        let only = Module::ALL.into_iter().find(|module| module.name() == name);
        let current = generate(&process, only).unwrap();
        assert!(
            current == committed,
            "run `cargo run -- openapi`, then review the diff of openapi/{name}.json"
        );
    }
}

#[test]
fn the_merged_document_is_the_sum_of_the_modules() {
    let documents = documents();
    let (_, merged) = &documents[0];
    let sum: usize = documents[1..]
        .iter()
        .map(|(_, document)| operations(document).len())
        .sum();
    assert_eq!(operations(merged).len(), sum);
    for (name, document) in &documents[1..] {
        let module = Module::ALL.into_iter().find(|m| m.name() == *name).unwrap();
        for (_, path, _) in operations(document) {
            assert!(
                module.prefixes().iter().any(|p| path.starts_with(p)),
                "{path} in {name}"
            );
        }
    }
}

/// What an operation lacks.
fn gaps(method: &str, path: &str, operation: &Value) -> Vec<String> {
    let mut gaps = Vec::new();
    let mut need = |good: bool, what: &str| {
        if !good {
            gaps.push(format!("{method} {path}: {what}"));
        }
    };
    let summary = operation["summary"].as_str().unwrap_or_default();
    need((5..=120).contains(&summary.len()), "a one-line summary");
    need(operation["operationId"].is_string(), "an operationId");
    need(
        operation["tags"].as_array().is_some_and(|t| t.len() == 1),
        "one tag",
    );
    let public = operation["security"].as_array().is_some_and(|s| {
        s.iter()
            .all(|r| r.as_object().is_some_and(serde_json::Map::is_empty))
    });
    need(operation["security"].is_array(), "its security requirement");
    let responses = operation["responses"]
        .as_object()
        .cloned()
        .unwrap_or_default();
    need(responses.keys().any(|s| s.starts_with('2')), "a success");
    need(
        responses
            .values()
            .all(|r| r["description"].as_str().is_some_and(|d| !d.is_empty())),
        "a description per status",
    );
    if !public {
        for status in ["401", "403"] {
            need(responses.contains_key(status), status);
        }
    }
    for (status, response) in &responses {
        if status.starts_with('4') || status.starts_with('5') {
            need(
                response["content"]["application/problem+json"].is_object(),
                &format!("a problem for {status}"),
            );
        }
    }
    if let Some(json) = operation["requestBody"]["content"].get("application/json") {
        need(
            json.get("example").is_some() || json.get("examples").is_some(),
            "an example body",
        );
        for status in ["400", "413", "415"] {
            need(responses.contains_key(status), status);
        }
    }
    gaps
}

#[test]
fn every_operation_is_documented() {
    let documents = documents();
    let all: Vec<String> = operations(&documents[0].1)
        .iter()
        .flat_map(|(m, p, o)| gaps(m, p, o))
        .collect();
    assert!(all.is_empty(), "{} gaps:\n{}", all.len(), all.join("\n"));
}

#[test]
fn the_check_finds_a_gap() {
    let bare = serde_json::json!({"responses": {"200": {"description": "ok"}}});
    assert!(gaps("GET", "/x", &bare).len() >= 4);
}

#[test]
fn operation_ids_are_unique_and_references_resolve() {
    let documents = documents();
    let mut ids = BTreeSet::new();
    for (_, path, operation) in operations(&documents[0].1) {
        assert!(
            ids.insert(operation["operationId"].to_string()),
            "{} twice ({path})",
            operation["operationId"]
        );
    }
    for (name, document) in documents {
        let text = document.to_string();
        for reference in text.split("\"$ref\":\"#/components/schemas/").skip(1) {
            let schema = reference.split('"').next().unwrap();
            assert!(
                document["components"]["schemas"].get(schema).is_some(),
                "{name}: {schema} is not defined"
            );
        }
    }
}
