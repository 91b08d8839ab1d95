//! What goods cost the shop is told to nobody who may not know it, in whatever answer.

use std::collections::BTreeSet;

use kernel::auth::Role;
use serde_json::json;
use uuid::Uuid;

use crate::{
    access::{routes, send},
    app::{TOPOLOGIES, TestApp},
    requests::Fixture,
};

/// In cents, and unlike any other figure.
const COST: i64 = 7_654_321;

/// Where the cost stands in an answer to `role`, who is granted at `store`: as a figure of JSON, of
/// a multiple of ten, or of a file for people.
async fn told(app: &TestApp, fixture: &Fixture, store: Uuid, role: Role) -> BTreeSet<String> {
    let token = app.user(role, Some(store)).await;
    let mut told = BTreeSet::new();
    let elsewhere = |path: &str| path.starts_with("/api/auth") || path.starts_with("/api/users");
    for (method, path) in routes().into_iter().filter(|(_, path)| !elsewhere(path)) {
        let request = fixture.request(app, &method, &path, store).await.unwrap();
        let reply = send(app, &method, &request, &token).await;
        assert!(reply.status < 500, "{method} {path}: {}", reply.text);
        if ["7654321", "76543.21"]
            .iter()
            .any(|cost| reply.text.contains(cost))
        {
            told.insert(format!("{method} {path}"));
        }
    }
    told
}

#[actix_web::test]
async fn what_goods_cost_is_in_no_answer_to_those_who_may_not_know() {
    for topology in TOPOLOGIES {
        let app = TestApp::start(topology).await;
        let fixture = Fixture::new(&app).await;
        let store = fixture.given_shop(&app).await;
        // One that everything is done with, and one that stays as it is, in a category of its own.
        let idle = app.given_product(100).await;
        app.given_stock(store, idle, 1_000).await;
        let cost = json!({"amount": COST, "currency": "EUR"});
        for (product, changed) in [
            (fixture.product, json!({"cost": cost})),
            (idle, json!({"cost": cost, "category_id": fixture.category})),
        ] {
            let path = format!("/api/inventory/products/{product}");
            app.patch(&path, &changed).await.expect(200);
        }
        for role in [Role::Cashier, Role::Clerk] {
            let told = told(&app, &fixture, store, role).await;
            assert_eq!(told, BTreeSet::new(), "{role:?} in {topology:?}");
        }
        // The look can fail: who may know finds it where it belongs.
        let told = told(&app, &fixture, store, Role::Manager).await;
        for path in [
            "GET /api/inventory/products/{id}",
            "GET /api/inventory/products",
            "GET /api/inventory/exports/products",
            "GET /api/inventory/reports/stock-value",
        ] {
            assert!(told.contains(path), "{path} in {topology:?}: {told:?}");
        }
    }
}
