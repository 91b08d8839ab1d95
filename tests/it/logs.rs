//! What a real process writes to its log, and how an operator turns it up.

use std::process::Command;

use comptoir::process::Module;
use kernel::service_token::ServiceTokens;
use reqwest::Method;
use serde_json::Value;
use tokio::{io::AsyncWriteExt, net::TcpStream};

use crate::{
    app::{Options, TestApp, Topology},
    metrics::Scrape,
    topology::SECRET,
};

async fn app(log_filter: &'static str) -> TestApp {
    let options = Options {
        log_filter,
        ..Options::default()
    };
    TestApp::start_with(Topology::Single, options).await
}

/// The lines of the log that say this, read as JSON.
fn lines(app: &TestApp, what: &str) -> Vec<Value> {
    let said = app.services[0].said();
    let lines = said.lines().filter(|line| line.contains(what));
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[actix_web::test]
async fn an_error_is_logged_once_with_its_cause_and_found_by_its_trace() {
    let app = app("info").await;
    let db = app.db(Module::Inventory);
    db.execute("ALTER TABLE inventory.products RENAME TO elsewhere");
    let failed = app.get("/api/inventory/products").await;
    assert_eq!(failed.status, 500, "{}", failed.text);
    assert!(!failed.text.contains("does not exist"), "{}", failed.text);
    let trace = failed.body["trace_id"].as_str().unwrap();
    app.eventually("the request has its line", async || {
        lines(&app, trace).len() == 2
    })
    .await;
    let [error, request] = lines(&app, trace).try_into().unwrap();
    assert_eq!(error["level"], "ERROR");
    let message = error["message"].as_str().unwrap();
    assert!(
        message.contains("relation \"products\" does not exist"),
        "{message}"
    );
    assert_eq!(
        (&request["message"], &request["level"]),
        (&"request".into(), &"INFO".into())
    );
    assert_eq!(request["status"], 500);
    assert_eq!(request["caller"].as_str().unwrap().len(), 36);
    let scrape = Scrape::of(&app).await;
    let errors = scrape.value("comptoir_log_events_total", &[("level", "error")]);
    assert_eq!(errors, 1.0);
    // Nobody knows who this was.
    let path = "/api/inventory/products";
    let refused = app.send(Method::GET, path, "", None, None).await;
    assert_eq!(refused.status, 401);
    let trace = refused.body["trace_id"].as_str().unwrap();
    app.eventually("the request has its line", async || {
        !lines(&app, trace).is_empty()
    })
    .await;
    let [line] = lines(&app, trace).try_into().unwrap();
    assert_eq!(
        (&line["status"], &line["caller"]),
        (&401.into(), &Value::Null)
    );
    // Probes that succeed are no news.
    assert_eq!(lines(&app, "/health/").len(), 0);
}

#[actix_web::test]
async fn a_request_whose_client_goes_away_has_its_line_too() {
    let app = app("info").await;
    let mut keeper = app.db(Module::Inventory).connect();
    let execute = |conn: &mut diesel::PgConnection, sql: &str| {
        diesel::connection::SimpleConnection::batch_execute(conn, sql).unwrap();
    };
    execute(
        &mut keeper,
        "BEGIN; LOCK TABLE inventory.products IN ACCESS EXCLUSIVE MODE",
    );
    let address = app.services[0].base.strip_prefix("http://").unwrap();
    let mut client = TcpStream::connect(address).await.unwrap();
    let request = format!(
        "GET /api/inventory/products HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\n\r\n",
        app.admin
    );
    client.write_all(request.as_bytes()).await.unwrap();
    let waits = "SELECT count(*) FROM pg_locks WHERE NOT granted \
        AND relation = 'inventory.products'::regclass";
    app.eventually("the request waits", async || {
        app.db(Module::Inventory).number(waits) == 1
    })
    .await;
    client.set_zero_linger().unwrap();
    drop(client);
    app.eventually("it is told of", async || lines(&app, "\"gone\"").len() == 1)
        .await;
    let line = lines(&app, "\"gone\"").remove(0);
    assert_eq!(line["route"], "/api/inventory/products");
    assert_eq!(
        (&line["module"], &line["status"]),
        (&"inventory".into(), &Value::Null)
    );
    let scrape = Scrape::of(&app).await;
    let gone = scrape.value("comptoir_http_requests_cut_total", &[("cause", "gone")]);
    assert_eq!(gone, 1.0);
    execute(&mut keeper, "ROLLBACK");
}

#[actix_web::test]
async fn a_log_is_text_for_a_person_who_tries_the_product() {
    let mut app = app("info").await;
    let http = app.http.clone();
    let service = app.service(Module::Sales);
    service.kill();
    let before = service.said().len();
    service.tell("COMPTOIR__LOG__JSON", "auto");
    service.start_again();
    service.ready(&http).await;
    app.get("/api/auth/me").await.expect(200);
    let said = || app.services[0].said()[before..].to_owned();
    app.eventually("the request is logged", async || {
        said().contains("/api/auth/me")
    })
    .await;
    let said = said();
    let line = said.lines().find(|line| line.contains("/api/auth/me"));
    let line = line.unwrap();
    assert!(
        line.contains(" INFO request ") && line.contains("status=200"),
        "{line}"
    );
    // Colours are for terminals.
    assert!(!said.contains('\u{1b}'), "{line}");
}

fn log_filter(arguments: &[&str], secret: Option<&str>) -> (bool, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_comptoir"));
    command
        .arg("log-filter")
        .args(arguments)
        .current_dir(testkit::scratch("log-filter"))
        .envs(secret.map(|secret| ("COMPTOIR__INTERNAL__SECRET", secret)));
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.success(), said)
}

#[actix_web::test]
async fn the_log_is_turned_up_by_a_command_for_whoever_has_the_secret() {
    let app = app("warn").await;
    let url = ["--url", app.inside[0].as_str()];
    let run = |filter, secret| log_filter(&[&[filter], &url[..]].concat(), secret);
    let (done, said) = run("access=info", None);
    assert!(
        !done && said.contains("internal.secret is not set"),
        "{said}"
    );
    let (done, said) = run("access=info", Some("another-secret-of-32-characters!!"));
    assert!(!done && said.contains("401"), "{said}");
    let (done, said) = run("access=loud", Some(SECRET));
    assert!(!done && said.contains("400"), "{said}");
    app.get("/api/auth/me").await.expect(200);
    let (done, said) = run("access=info", Some(SECRET));
    assert!(done, "{said}");
    let me = app.get("/api/auth/me?n=2").await.expect(200);
    assert!(me.is_object());
    app.eventually("one of the two is logged", async || {
        lines(&app, "/api/auth/me").len() == 1
    })
    .await;
}

#[actix_web::test]
async fn a_service_token_that_is_refused_is_logged_where_it_was_refused() {
    let app = app("warn").await;
    let tokens = ServiceTokens::new(&SECRET.to_owned().into());
    let wrong = tokens.issue("auth").unwrap();
    let url = format!("{}/internal/log-filter", app.inside[0]);
    let request = app.http.put(url).bearer_auth(&wrong).body("trace");
    assert_eq!(request.send().await.unwrap().status(), 401);
    app.eventually("it is logged", async || {
        lines(&app, "a service token was refused").len() == 1
    })
    .await;
    assert!(!app.services[0].said().contains(&wrong));
}
