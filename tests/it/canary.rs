//! A password, a token and a customer's name go through every route, and come out nowhere but where
//! they belong; and what is logged can be changed while a service runs.

use kernel::{auth::Role, service_token::ServiceTokens};
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    access::send,
    app::{Options, TestApp, Topology},
    collector::Collector,
    metrics::Scrape,
    openapi::operations,
    requests::{Fixture, Request, bare},
    topology::SECRET,
};

const PASSWORD: &str = "kanari-Perch-Quill-7731";
const TOKEN: &str = "kanaritoken.eyJrYW5hcmkiOjF9.kanarisignature";
const NAME: &str = "Zaunkoenig Customer-Name";

/// `value` once for every text in it, with the canary there instead.
fn planted(value: &Value, canary: &str) -> Vec<Value> {
    match value {
        Value::String(_) => vec![json!(canary)],
        Value::Array(items) => (0..items.len())
            .flat_map(|n| {
                planted(&items[n], canary).into_iter().map(move |with| {
                    let mut all = items.clone();
                    all[n] = with;
                    Value::Array(all)
                })
            })
            .collect(),
        Value::Object(fields) => fields
            .iter()
            .flat_map(|(key, field)| {
                planted(field, canary).into_iter().map(move |with| {
                    let mut all = fields.clone();
                    all.insert(key.clone(), with);
                    Value::Object(all)
                })
            })
            .collect(),
        _ => Vec::new(),
    }
}

/// Sends every operation with the canaries in every place that a client can write to. An error must
/// not repeat what was sent.
async fn sing(app: &TestApp) {
    let mut repeated = Vec::new();
    let document: Value = serde_json::from_str(comptoir::openapi::DOCUMENTS[0].2).unwrap();
    let fixture = Fixture::new(app).await;
    let shop = fixture.given_shop(app).await;
    for (method, path, _) in operations(&document) {
        let request = fixture.request(app, &method, &path, shop).await.unwrap();
        let mut requests = vec![bare(format!(
            "{}?name={NAME}",
            request.path.replace(' ', "+")
        ))];
        for canary in [PASSWORD, TOKEN, NAME] {
            for body in planted(&request.body.clone().unwrap_or_default(), canary) {
                requests.push(Request {
                    path: request.path.clone(),
                    body: Some(body),
                    csv: None,
                });
            }
        }
        // A body of another shape, and a file whose line is broken.
        requests.push(Request {
            path: request.path.clone(),
            body: Some(json!([NAME, PASSWORD])),
            csv: None,
        });
        requests.extend(request.csv.map(|_| Request {
            path: request.path.clone(),
            body: None,
            csv: Some(
                "sku,name,unit,price,currency,tax_rate\nK-1,Zaunkoenig Customer-Name,each,x,EUR,20\n",
            ),
        }));
        // Some of them end the session that they are made in.
        let own = app.user(Role::Admin, None).await;
        let token = if path.starts_with("/api/auth/") {
            &own
        } else {
            &app.admin
        };
        for request in &requests {
            let reply = send(app, &method, request, token).await;
            assert!(reply.status < 500, "{method} {path}: {}", reply.text);
            let repeats = [PASSWORD, TOKEN, NAME]
                .iter()
                .any(|canary| reply.text.contains(canary));
            if reply.status >= 400 && repeats {
                repeated.push(format!("{method} {path}: {}", reply.text));
            }
        }
        let refused = send(app, &method, &request, TOKEN).await;
        assert!(!refused.text.contains(TOKEN), "{method} {path}");
        // In the path: only its sender sees it again, as the problem's `instance`.
        let lost = format!("{path}/{PASSWORD}");
        app.send(method.parse().unwrap(), &lost, TOKEN, Some(NAME), None)
            .await;
    }
    assert!(repeated.is_empty(), "{}", repeated.join("\n"));
    // Where they belong.
    let user =
        json!({"email": "singer@test.example", "name": NAME, "password": PASSWORD, "grants": []});
    app.post("/api/users", &user).await.expect(201);
    for password in [PASSWORD, "kanari-Perch-Quill-7731-wrong"] {
        let body = json!({"email": "singer@test.example", "password": password});
        app.send(Method::POST, "/api/auth/login", "", None, Some(&body))
            .await;
    }
}

#[actix_web::test]
async fn no_secret_and_no_name_comes_out_where_operators_look() {
    for topology in [Topology::Single, Topology::Split] {
        let collector = Collector::start();
        let options = Options {
            log_filter: "trace",
            otlp_url: collector.url.clone(),
            ..Options::default()
        };
        let app = TestApp::start_with(topology, options).await;
        sing(&app).await;
        app.eventually("the last request is traced", async || {
            collector
                .spans()
                .iter()
                .any(|span| span.name == "POST /api/auth/login")
        })
        .await;
        let metrics = Scrape::of(&app).await.text();
        let spans = format!("{:?}", collector.spans());
        assert!(metrics.len() > 10_000 && spans.len() > 10_000);
        let mut places = vec![("metrics", metrics), ("traces", spans)];
        for service in &app.services {
            let said = service.said();
            assert!(
                said.contains("\"message\":\"request\""),
                "{topology:?} logs requests"
            );
            places.push(("log", said));
        }
        for (place, text) in &places {
            for canary in ["kanari", "Zaunkoenig", app.admin.as_str()] {
                let at = text.find(canary);
                let around = at.map(|at| &text[at.saturating_sub(300)..(at + 60).min(text.len())]);
                assert_eq!(around, None, "{canary} in the {place} of {topology:?}");
            }
        }
    }
}

#[actix_web::test]
async fn a_request_has_one_line_in_the_log_and_the_level_changes_at_run_time() {
    let app = TestApp::start(Topology::Single).await;
    let me = |n: u32| format!("/api/auth/me?n={n}");
    app.get("/api/auth/me").await.expect(200);
    let said = || app.services[0].said();
    assert!(!said().contains("/api/auth/me"), "only warnings so far");
    let url = format!("{}/internal/log-filter", app.inside[0]);
    let put = async |token: String, filter: &'static str| {
        let request = app.http.put(&url).bearer_auth(token).body(filter);
        request.send().await.unwrap().status().as_u16()
    };
    let tokens = ServiceTokens::new(&SECRET.to_owned().into());
    let operator = || tokens.issue("operator").unwrap();
    assert_eq!(put(app.admin.clone(), "trace").await, 401);
    assert_eq!(put(tokens.issue("auth").unwrap(), "trace").await, 401);
    assert_eq!(put(operator(), "auth=loud").await, 400);
    assert_eq!(put(operator(), "access=info").await, 204);
    app.get("/api/auth/me").await.expect(200);
    app.eventually("the request is logged", async || {
        said().contains("/api/auth/me")
    })
    .await;
    let lines: Vec<Value> = said()
        .lines()
        .filter(|line| line.contains("/api/auth/me"))
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let [line] = lines.as_slice() else {
        panic!("one line: {lines:?}");
    };
    assert_eq!(line["module"], "auth");
    assert_eq!(
        (&line["method"], &line["status"]),
        (&json!("GET"), &json!(200))
    );
    assert_eq!(line["trace_id"].as_str().unwrap().len(), 32);
    assert_eq!(line["caller"].as_str().unwrap().len(), 36);
    assert!(line["duration_ms"].as_f64().unwrap() > 0.0);
    assert_eq!(put(operator(), "warn").await, 204);
    let _ = app.get(&me(1)).await;
    assert_eq!(said().matches("/api/auth/me").count(), 1);
}
