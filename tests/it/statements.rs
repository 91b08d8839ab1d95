//! One list is one query, however many rows it has.

use comptoir::{openapi::DOCUMENTS, process::Module};

use crate::{
    access::send,
    app::{Options, TestApp, Topology},
    openapi::operations,
    requests::Fixture,
};

/// Reads that need no database, or more than one statement for a reason.
const APART: &[(&str, u64)] = &[
    ("/api/auth/health", 1),
    ("/api/stores/health", 1),
    ("/api/inventory/health", 1),
    ("/api/sales/health", 1),
    // One per invariant.
    ("/api/stocks/integrity", 12),
    // A sale with its lines, payments and returns; each by primary key.
    ("/api/sales/{id}", 4),
    ("/api/returns/{id}", 4),
    // The same, and for a return its sale.
    ("/api/sales/{id}/receipt", 4),
    // The shifts, those left open, and the sums, in one snapshot.
    ("/api/sales/reports/day-close", 3),
    ("/api/returns/{id}/receipt", 5),
    // Paged inside one request: a statement per page of the file.
    ("/api/inventory/exports/products", 2),
    // The product here, its levels in the store module.
    ("/api/inventory/stock", 1),
    // The rules of the store, those of other stores for what is short, and what is asked of them.
    ("/api/inventory/replenishment/suggestions", 3),
];

#[actix_web::test]
async fn every_read_is_one_statement_however_many_rows_there_are() {
    let options = Options {
        count_statements: true,
        background: false,
        ..Options::default()
    };
    let app = TestApp::start_with(Topology::Whole, options).await;
    let fixture = Fixture::new(&app).await;
    let store = fixture.given_shop(&app).await;
    // An empty list may ask once more whether there is such a store at all.
    fixture
        .request(
            &app,
            "GET",
            "/api/stores/{id}/registers/{register_id}",
            store,
        )
        .await
        .unwrap();
    let document: serde_json::Value = serde_json::from_str(DOCUMENTS[0].2).unwrap();
    let reads: Vec<String> = operations(&document)
        .into_iter()
        .filter(|(m, ..)| m == "GET")
        .map(|(_, path, _)| path)
        .collect();
    assert!(reads.len() > 20);
    let few = count(&app, &fixture, store, &reads).await;
    for _ in 0..30 {
        fixture
            .request(&app, "GET", "/api/returns/{id}", store)
            .await
            .unwrap();
        fixture
            .request(&app, "GET", "/api/users/{id}", store)
            .await
            .unwrap();
        app.given_stock(store, app.given_product(1).await, 1).await;
        app.given_store().await;
    }
    let many = count(&app, &fixture, store, &reads).await;
    for ((path, few), (_, many)) in few.iter().zip(&many) {
        let allowed = APART
            .iter()
            .find(|(apart, _)| apart == path)
            .map_or(1, |(_, n)| *n);
        assert!(
            *few <= allowed,
            "{path}: {few} statements, {allowed} allowed"
        );
        assert_eq!(few, many, "{path}: the statements grow with the rows");
    }
}

/// The statements of each read, in the module that answers it.
async fn count(
    app: &TestApp,
    fixture: &Fixture,
    store: uuid::Uuid,
    reads: &[String],
) -> Vec<(String, u64)> {
    let mut counts = Vec::new();
    for path in reads {
        let owner = Module::ALL
            .into_iter()
            .find(|m| m.prefixes().iter().any(|p| path.starts_with(p)))
            .unwrap();
        let request = fixture.request(app, "GET", path, store).await.unwrap();
        // The first call may fill a cache that the second finds full.
        send(app, "GET", &request, &app.admin)
            .await
            .expect_success();
        let before = app.statements(owner);
        send(app, "GET", &request, &app.admin)
            .await
            .expect_success();
        counts.push((path.clone(), app.statements(owner) - before));
    }
    counts
}

#[actix_web::test]
async fn the_counter_counts() {
    let options = Options {
        count_statements: true,
        background: false,
        ..Options::default()
    };
    let app = TestApp::start_with(Topology::Whole, options).await;
    let before = app.statements(Module::Store);
    app.given_store().await;
    assert!(
        app.statements(Module::Store) - before >= 2,
        "a store and its event"
    );
}
