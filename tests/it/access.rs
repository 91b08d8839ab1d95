//! Every route × role × {own store, other store, no token}, against a checked-in table.
//!
//! `tests/it/access.txt` has a line per operation. A cell is what the guard answers: `ok` (it let
//! the caller through), 401, 403 or 404. `UPDATE=1` rewrites the table: review the diff as a
//! change of the product's rules.

use std::{collections::BTreeMap, fmt::Write as _, fs, path::Path};

use comptoir::openapi::DOCUMENTS;
use kernel::auth::Role;
use reqwest::Method;
use uuid::Uuid;

use crate::{
    app::{Reply, TOPOLOGIES, TestApp},
    openapi::operations,
    requests::{Fixture, ROLES, Request},
};

const HEAD: &str = "# operation | nobody | then own/other store for each role granted at the own store: admin manager\n\
    # cashier clerk auditor; then for those granted everywhere: admin auditor\n";

fn table_file() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/access.txt")
}

pub fn routes() -> Vec<(String, String)> {
    let document: serde_json::Value = serde_json::from_str(DOCUMENTS[0].2).unwrap();
    operations(&document)
        .into_iter()
        .map(|(method, path, _)| (method, path))
        .collect()
}

pub async fn send(app: &TestApp, method: &str, request: &Request, token: &str) -> Reply {
    let mut call = app.http.request(
        Method::from_bytes(method.as_bytes()).unwrap(),
        app.url(&request.path),
    );
    if !token.is_empty() {
        call = call.bearer_auth(token);
    }
    if let Some(body) = &request.body {
        call = call.json(body);
    }
    if let Some(csv) = request.csv {
        call = call.header("content-type", "text/csv").body(csv);
    }
    Reply::of(call.send().await.unwrap()).await
}

fn cell(reply: &Reply) -> String {
    match reply.status {
        401 if reply.body["code"] == "unauthenticated" => "401".into(),
        403 | 404 => reply.status.to_string(),
        status => {
            assert!(status < 500, "{}", reply.text);
            "ok".into()
        }
    }
}

#[actix_web::test]
async fn every_route_lets_in_whom_the_table_says_and_nobody_else() {
    for topology in TOPOLOGIES {
        let app = TestApp::start(topology).await;
        let fixture = Fixture::new(&app).await;
        let (own, other) = (
            fixture.given_shop(&app).await,
            fixture.given_shop(&app).await,
        );
        let mut found = BTreeMap::new();
        for (method, path) in routes() {
            let mut cells = Vec::new();
            let request = fixture.request(&app, &method, &path, own).await;
            let request = request.unwrap_or_else(|| {
                panic!("tests/it/requests.rs has no request for {method} {path}")
            });
            cells.push(cell(&send(&app, &method, &request, "").await));
            let at_own = ROLES.map(|role| (role, Some(own)));
            let everywhere = [(Role::Admin, None), (Role::Auditor, None)];
            for (role, granted_at) in at_own.into_iter().chain(everywhere) {
                // A session of its own per probe: some operations end it.
                let mut answers = Vec::new();
                for store in [own, other] {
                    let token = app.user(role, granted_at).await;
                    let request = fixture.request(&app, &method, &path, store).await.unwrap();
                    answers.push(cell(&send(&app, &method, &request, &token).await));
                }
                cells.push(answers.join("/"));
            }
            found.insert(format!("{method} {path}"), cells);
        }
        compare(&found);
    }
}

fn compare(found: &BTreeMap<String, Vec<String>>) {
    let mut text = HEAD.to_owned();
    for (operation, cells) in found {
        writeln!(text, "{operation} | {}", cells.join(" ")).unwrap();
    }
    if std::env::var_os("UPDATE").is_some() {
        fs::write(table_file(), &text).unwrap();
        return;
    }
    let committed = fs::read_to_string(table_file()).unwrap_or_default();
    let missing: Vec<_> = text
        .lines()
        .filter(|line| !committed.lines().any(|known| known == *line))
        .collect();
    let extra: Vec<_> = committed
        .lines()
        .filter(|line| !text.lines().any(|now| now == *line))
        .collect();
    assert!(
        missing.is_empty() && extra.is_empty(),
        "answered:\n{}\nthe table says:\n{}",
        missing.join("\n"),
        extra.join("\n")
    );
}

#[test]
fn a_route_that_is_missing_from_the_table_is_noticed() {
    let committed = fs::read_to_string(table_file()).unwrap();
    for (method, path) in routes() {
        assert!(
            committed
                .lines()
                .any(|line| line.starts_with(&format!("{method} {path} | "))),
            "{method} {path}"
        );
    }
    assert!(!committed.contains("GET /api/no-such-route | "));
}

/// Rules that must hold whatever the table says.
#[test]
fn the_table_itself_keeps_the_rules() {
    let committed = fs::read_to_string(table_file()).unwrap();
    for line in committed.lines().filter(|line| !line.starts_with('#')) {
        let (operation, cells) = line.split_once(" | ").unwrap();
        let cells: Vec<&str> = cells.split(' ').collect();
        let public = ["/health", "/login", "/refresh", "/jwks"]
            .iter()
            .any(|end| operation.ends_with(end));
        assert_eq!(
            cells[0] == "401",
            !public,
            "{operation}: nobody gets in without a token"
        );
        let auditor_writes = !operation.starts_with("GET") && !operation.contains("/api/auth/");
        if auditor_writes {
            assert!(
                !cells[5].contains("ok") && !cells[7].contains("ok"),
                "{operation}: an auditor changes nothing"
            );
            assert_eq!(
                cells[6], "ok/ok",
                "{operation}: the chain's administrator may do everything"
            );
        }
    }
}

#[actix_web::test]
async fn a_list_shows_only_the_caller_s_stores() {
    for topology in TOPOLOGIES {
        let app = TestApp::start(topology).await;
        let fixture = Fixture::new(&app).await;
        let (own, other) = (
            fixture.given_shop(&app).await,
            fixture.given_shop(&app).await,
        );
        for store in [own, other] {
            let sold = app
                .post(
                    "/api/sales",
                    &crate::sales::sale(store, &[(fixture.product, 1)], 100),
                )
                .await
                .expect(201);
            let body = serde_json::json!({"sale_id": sold["id"], "lines": [{"line": 1, "quantity": 1, "disposition": "restock"}], "reason": "other"});
            app.post("/api/returns", &body).await.expect(201);
            let body = crate::transfers::draft(fixture.depot, store, &[(fixture.product, 1)]);
            app.post("/api/stocks/transfers", &body).await.expect(201);
            let lines = [(fixture.product, 1)];
            crate::replenishment::given_request(&app, store, fixture.depot, &lines, false).await;
            let rule = format!("/api/inventory/reorder-rules/{store}/{}", fixture.product);
            let body = serde_json::json!({"min": 1, "max": 2});
            app.send(Method::PUT, &rule, &app.admin, None, Some(&body))
                .await
                .expect(201);
            let product = app.given_product(1).await;
            crate::counts::given_count(&app, store, &[product]).await;
            crate::discrepancies::given_discrepancy(&app, store, product).await;
            let body = crate::prices::price(fixture.product, Some(store), 100);
            app.post("/api/inventory/prices", &body).await.expect(201);
            let product = app.given_product(1).await;
            let body = crate::promotions::promotion(product, Some(&[store]), 100);
            app.post("/api/inventory/promotions", &body)
                .await
                .expect(201);
        }
        for role in [Role::Manager, Role::Auditor] {
            let token = app.user(role, Some(own)).await;
            for path in [
                "/api/stores".to_owned(),
                "/api/stocks".into(),
                "/api/stocks/movements".into(),
                "/api/stores/audit".into(),
                "/api/sales/audit".into(),
                "/api/stocks/low?below=1000000".into(),
                "/api/stocks/holds".into(),
                "/api/stocks/transfers".into(),
                "/api/inventory/reorder-rules".into(),
                "/api/inventory/replenishment/requests".into(),
                "/api/stocks/counts".into(),
                "/api/stocks/discrepancies".into(),
                "/api/sales".into(),
                "/api/returns".into(),
                "/api/inventory/prices".into(),
                "/api/inventory/promotions".into(),
                "/api/sales/reports/revenue?from=2026-01-01&to=2026-12-31&group_by=store".into(),
                format!("/api/inventory/stock?product_id={}", fixture.product),
            ] {
                let reply = app.send(Method::GET, &path, &token, None, None).await;
                assert_eq!(reply.status, 200, "{path}: {}", reply.text);
                assert!(
                    !reply.text.contains(&other.to_string()),
                    "{role:?} sees another store in {path}"
                );
                assert!(
                    reply.text.contains(&own.to_string()),
                    "{role:?} does not see the own store in {path}"
                );
            }
        }
    }
}

#[actix_web::test]
async fn an_id_of_another_store_is_a_404_also_with_its_key() {
    for topology in TOPOLOGIES {
        let app = TestApp::start(topology).await;
        let fixture = Fixture::new(&app).await;
        let (own, other) = (
            fixture.given_shop(&app).await,
            fixture.given_shop(&app).await,
        );
        let (mine, theirs) = (
            app.user(Role::Manager, Some(own)).await,
            app.user(Role::Manager, Some(other)).await,
        );
        let key = Uuid::now_v7().to_string();
        let body = crate::sales::sale(other, &[(fixture.product, 1)], 100);
        let sold = app
            .send(Method::POST, "/api/sales", &theirs, Some(&key), Some(&body))
            .await
            .expect(201);
        app.send(Method::POST, "/api/sales", &mine, Some(&key), Some(&body))
            .await
            .expect_problem(404, "not-found");
        let path = format!("/api/sales/{}", sold["id"].as_str().unwrap());
        app.send(Method::GET, &path, &mine, None, None)
            .await
            .expect_problem(404, "not-found");
        app.send(Method::GET, &path, &theirs, None, None)
            .await
            .expect(200);
    }
}
