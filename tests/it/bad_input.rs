//! Bad input over every route: the right problem, no 5xx, and nothing changed.

use comptoir::openapi::DOCUMENTS;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    app::{Options, Reply, TOPOLOGIES, TestApp, Topology},
    openapi::operations,
    requests::{Fixture, Request},
};

/// What a request could have changed, in one line.
const FINGERPRINT: &str = "SELECT concat_ws(' ', \
    (SELECT count(*) FROM auth.users), (SELECT sum(version) FROM auth.users), \
    (SELECT count(*) FROM store.stores), (SELECT sum(version) FROM store.stores), \
    (SELECT count(*) FROM store.registers), (SELECT sum(version) FROM store.levels), \
    (SELECT count(*) FROM store.movements), (SELECT count(*) FROM store.holds), \
    (SELECT sum(version) FROM store.transfers), (SELECT count(*) FROM store.answers), \
    (SELECT count(*) FROM store.discrepancies WHERE state = 'resolved'), \
    (SELECT string_agg(status, ' ' ORDER BY id) FROM store.counts), \
    (SELECT count(*) FROM store.count_entries), (SELECT sum(pass) FROM store.count_lines), \
    (SELECT sum(reserved) FROM store.levels), (SELECT sum(incoming) FROM store.levels), \
    (SELECT count(*) FROM inventory.products), (SELECT sum(version) FROM inventory.products), \
    (SELECT count(*) FROM inventory.prices), (SELECT sum(version) FROM inventory.prices), \
    (SELECT count(*) FROM inventory.promotions), (SELECT sum(version) FROM inventory.promotions), \
    (SELECT count(*) FROM inventory.tax_classes), (SELECT sum(version) FROM inventory.tax_rates), \
    (SELECT count(*) FROM inventory.categories), (SELECT sum(version) FROM inventory.categories), \
    (SELECT count(*) FROM inventory.reorder_rules), (SELECT sum(version) FROM inventory.reorder_rules), \
    (SELECT sum(version) FROM inventory.replenishment_requests), \
    (SELECT count(*) FROM inventory.replenishment_transfers), \
    (SELECT count(*) FROM inventory.answers), \
    (SELECT count(*) FROM sales.sales WHERE state <> 'aborted'), (SELECT sum(refunded_minor) FROM sales.sales), \
    (SELECT count(*) FROM sales.returns), (SELECT sum(last_receipt) FROM sales.registers), \
    (SELECT count(*) FROM sales.shifts), (SELECT count(*) FROM sales.z_reports), \
    (SELECT count(*) FROM sales.cash_movements), (SELECT count(*) FROM sales.answers), \
    (SELECT concat_ws(' ', count(*), count(end_id)) FROM sales.parked_sales))";

/// Every leaf of `body` replaced, one at a time, by each of `values`.
fn mutations(body: &Value) -> Vec<Value> {
    let hostile = [
        json!(null),
        json!(true),
        json!(-1),
        json!(0),
        json!(1.5),
        json!(i64::MAX),
        json!(i64::MIN),
        json!(1e300),
        json!(""),
        json!("\u{0}"),
        json!("x".repeat(100_000)),
        json!("' OR 1=1; --"),
        json!("../../etc/passwd"),
        json!([]),
        json!({}),
        json!([[[[]]]]),
        json!("9999-99-99"),
        json!("+262000-01-01T00:00:00Z"),
        json!("00000000-0000-0000-0000-000000000000"),
        json!("\u{202e}\u{feff}"),
    ];
    let mut pointers = vec![String::new()];
    collect(body, "", &mut pointers);
    let mut all = Vec::new();
    for pointer in pointers {
        for value in &hostile {
            let mut mutated = body.clone();
            *mutated.pointer_mut(&pointer).unwrap() = value.clone();
            all.push(mutated);
        }
    }
    let mut unknown = body.clone();
    if let Some(object) = unknown.as_object_mut() {
        object.insert("no_such_field".into(), json!(1));
    }
    all.push(unknown);
    all
}

fn collect(value: &Value, at: &str, pointers: &mut Vec<String>) {
    let children: Vec<(String, &Value)> = match value {
        Value::Object(object) => object
            .iter()
            .map(|(k, v)| (format!("{at}/{k}"), v))
            .collect(),
        Value::Array(array) => array
            .iter()
            .enumerate()
            .map(|(i, v)| (format!("{at}/{i}"), v))
            .collect(),
        _ => Vec::new(),
    };
    for (pointer, child) in children {
        pointers.push(pointer.clone());
        collect(child, &pointer, pointers);
    }
}

struct Prober<'a> {
    app: &'a TestApp,
    requests: usize,
}

impl Prober<'_> {
    async fn raw(
        &mut self,
        method: &str,
        path: &str,
        media: &str,
        body: Vec<u8>,
        note: &str,
    ) -> Reply {
        self.requests += 1;
        let before = self
            .app
            .db(comptoir::process::Module::Store)
            .text(FINGERPRINT);
        let request = self
            .app
            .http
            .request(
                Method::from_bytes(method.as_bytes()).unwrap(),
                self.app.url(path),
            )
            .bearer_auth(&self.app.admin)
            .header("content-type", media)
            .header("idempotency-key", Uuid::now_v7().to_string())
            .body(body);
        let reply = Reply::of(request.send().await.unwrap()).await;
        let at = format!(
            "{method} {path} {note}: {} {}",
            reply.status,
            reply.text.chars().take(300).collect::<String>()
        );
        assert!(reply.status < 500, "{at}");
        if reply.status >= 400 {
            assert_eq!(
                reply.headers["content-type"], "application/problem+json",
                "{at}"
            );
            assert_eq!(reply.body["status"], reply.status, "{at}");
            assert!(
                reply.body["detail"].as_str().is_some_and(|d| !d.is_empty()),
                "{at}"
            );
            assert!(
                reply.body["trace_id"].is_string() && reply.body["instance"].is_string(),
                "{at}"
            );
            assert_eq!(
                self.app
                    .db(comptoir::process::Module::Store)
                    .text(FINGERPRINT),
                before,
                "changed by {at}"
            );
        }
        reply
    }

    async fn must_fail(
        &mut self,
        method: &str,
        path: &str,
        media: &str,
        body: &[u8],
        status: &[u16],
        note: &str,
    ) {
        let reply = self.raw(method, path, media, body.to_vec(), note).await;
        assert!(
            status.contains(&reply.status),
            "{method} {path} {note}: {} {}",
            reply.status,
            reply.text
        );
    }

    async fn body(&mut self, method: &str, request: &Request) {
        const JSON: &str = "application/json";
        let (path, body) = (request.path.as_str(), request.body.clone().unwrap());
        // An id that is not there may be noticed before the body is read.
        let invalid = [400, 404];
        self.must_fail(method, path, JSON, b"{", &invalid, "half a body")
            .await;
        self.must_fail(method, path, JSON, b"", &invalid, "no body")
            .await;
        self.must_fail(method, path, JSON, b"\xff\xfe{}", &invalid, "invalid UTF-8")
            .await;
        self.must_fail(
            method,
            path,
            JSON,
            "[".repeat(10_000).as_bytes(),
            &invalid,
            "10,000 deep",
        )
        .await;
        self.must_fail(method, path, JSON, &vec![b' '; 2_000_000], &[413], "2 MB")
            .await;
        self.must_fail(
            method,
            path,
            "text/plain",
            body.to_string().as_bytes(),
            &[415],
            "text/plain",
        )
        .await;
        for mutated in mutations(&body) {
            let text = mutated.to_string();
            let note: String = text.chars().take(200).collect();
            self.raw(method, path, JSON, text.into_bytes(), &note).await;
        }
    }

    async fn path(&mut self, method: &str, template: &str, request: &Request) {
        let body = request
            .body
            .clone()
            .map(|b| b.to_string().into_bytes())
            .unwrap_or_default();
        if template.contains('{') {
            for value in [
                "x",
                "%00",
                "0",
                "%F0%9F%92%A9",
                "'",
                "00000000-0000-0000-0000-00000000000g",
            ] {
                let path = replaced(template, value);
                self.must_fail(
                    method,
                    &path,
                    "application/json",
                    &body,
                    &[400, 404],
                    "malformed id",
                )
                .await;
            }
            let path = replaced(template, &Uuid::now_v7().to_string());
            self.must_fail(
                method,
                &path,
                "application/json",
                &body,
                &[404],
                "unknown id",
            )
            .await;
        }
        if method == "GET" && !request.path.contains("/health") {
            let join = if request.path.contains('?') { '&' } else { '?' };
            for query in [
                "limit=0",
                "limit=201",
                "limit=x",
                "limit=-1",
                "cursor=%00",
                "cursor=AAAA",
                "no_such=1",
                "from=x",
                "store_id=x",
                "q=%00",
            ] {
                self.raw(
                    method,
                    &format!("{}{join}{query}", request.path),
                    "application/json",
                    Vec::new(),
                    query,
                )
                .await;
            }
        }
    }
}

fn replaced(template: &str, value: &str) -> String {
    let mut path = String::new();
    for (index, part) in template.split('/').enumerate() {
        if index > 0 {
            path.push('/');
        }
        path.push_str(if part.starts_with('{') { value } else { part });
    }
    path
}

#[actix_web::test]
async fn bad_input_is_a_problem_and_changes_nothing() {
    // Without events on their way, so that what changes was changed by the request.
    let options = Options {
        background: false,
        // Nobody settles holds here, and the test may take minutes on a busy machine.
        hold_ttl: std::time::Duration::from_secs(3_600),
        ..Options::default()
    };
    let app = TestApp::start_with(Topology::Whole, options).await;
    let fixture = Fixture::new(&app).await;
    let store = fixture.given_shop(&app).await;
    let document: Value = serde_json::from_str(DOCUMENTS[0].2).unwrap();
    let mut prober = Prober {
        app: &app,
        requests: 0,
    };
    for (method, path, _) in operations(&document) {
        // These end the session that the probes are made with; their bodies are empty.
        if ["/api/auth/logout", "/api/auth/logout-all"].contains(&path.as_str()) {
            continue;
        }
        let request = fixture.request(&app, &method, &path, store).await.unwrap();
        if request.body.is_some() {
            prober.body(&method, &request).await;
        }
        prober.path(&method, &path, &request).await;
    }
    assert!(prober.requests > 2_000, "{} requests", prober.requests);
    // Nobody delivers events here, and on a busy machine this took longer than they may wait.
    app.db(comptoir::process::Module::Store)
        .execute("UPDATE store.outbox SET published_at = now()");
    app.assert_invariants().await;
}

#[actix_web::test]
async fn unknown_paths_and_wrong_methods_are_problems_too() {
    for topology in TOPOLOGIES {
        let app = TestApp::start(topology).await;
        let document: Value = serde_json::from_str(DOCUMENTS[0].2).unwrap();
        for (_, path, _) in operations(&document) {
            let concrete = replaced(&path, &Uuid::now_v7().to_string());
            let reply = app
                .send(Method::PUT, &concrete, &app.admin, None, None)
                .await;
            if document["paths"][&path].get("put").is_none() {
                assert!(!reply.headers["allow"].is_empty());
                reply.expect_problem(405, "method-not-allowed");
            }
        }
        for path in [
            "/api/salesXYZ",
            "/api/stores/x/y/z/w",
            "/api/auth/",
            "/api/sales/%2e%2e/x",
        ] {
            let reply = app.get(path).await;
            assert!(
                [400, 404].contains(&reply.status),
                "{path}: {}",
                reply.status
            );
            assert_eq!(reply.headers["content-type"], "application/problem+json");
        }
    }
}

#[actix_web::test]
async fn an_idempotency_key_has_bounds() {
    for topology in TOPOLOGIES {
        let app = TestApp::start(topology).await;
        let fixture = Fixture::new(&app).await;
        let store = fixture.given_shop(&app).await;
        let body = crate::sales::sale(store, &[(fixture.product, 1)], 100);
        app.post_keyed("/api/sales", &"k".repeat(256), &body)
            .await
            .expect_problem(400, "invalid-request");
        let longest = "k".repeat(255);
        let reply = app.post_keyed("/api/sales", &longest, &body).await;
        assert_eq!(reply.headers["idempotency-key"], longest);
        reply.expect(201);
        // Without a key the server makes one, and says which.
        let reply = app.post("/api/sales", &body).await;
        assert!(!reply.headers["idempotency-key"].is_empty());
    }
}
