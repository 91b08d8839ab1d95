//! Two replicas of every service on shared databases: nothing that matters is in one process only.
//! The races of sales, adjustments and returns run with replicas in their own files.

use std::time::{Duration, Instant};

use comptoir::process::Module;
use futures::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    app::{ADMIN, PASSWORD, Reply, TestApp, Topology},
    books::assert_books_agree,
    sales::sale,
};

async fn login(app: &TestApp, replica: usize, password: &str) -> Reply {
    let url = app.url_at(replica, "/api/auth/login");
    let body = json!({"email": ADMIN, "password": password});
    app.try_send(Method::POST, &url, "", None, Some(&body))
        .await
        .unwrap()
}

#[actix_web::test]
async fn a_logout_at_one_replica_is_heard_by_all_within_ten_seconds() {
    let app = TestApp::start(Topology::Replicas).await;
    let tokens = login(&app, 0, PASSWORD).await.expect(200);
    let token = tokens["access_token"].as_str().unwrap();
    let answer = async |replica, path: &str| {
        let url = app.url_at(replica, path);
        let reply = app.try_send(Method::GET, &url, token, None, None).await;
        reply.unwrap().status
    };
    let everywhere: Vec<(usize, &str)> = [
        "/api/stores",
        "/api/inventory/products",
        "/api/sales",
        "/api/auth/me",
    ]
    .into_iter()
    .flat_map(|path| [(0, path), (1, path)])
    .collect();
    for (replica, path) in &everywhere {
        assert_eq!(answer(*replica, path).await, 200, "{path} at {replica}");
    }
    let logout = app.url_at(0, "/api/auth/logout");
    app.try_send(Method::POST, &logout, token, None, None)
        .await
        .unwrap()
        .expect(204);
    let since = Instant::now();
    for (replica, path) in everywhere {
        app.eventually("the token is refused", async || {
            answer(replica, path).await == 401
        })
        .await;
    }
    assert!(
        since.elapsed() < Duration::from_secs(10),
        "{:?}",
        since.elapsed()
    );
    // The refresh token is in the database, so the other replica refuses it at once.
    let url = app.url_at(1, "/api/auth/refresh");
    let body = json!({"refresh_token": tokens["refresh_token"]});
    let refused = app
        .try_send(Method::POST, &url, "", None, Some(&body))
        .await;
    refused
        .unwrap()
        .expect_problem(401, "invalid-refresh-token");
}

#[actix_web::test]
async fn guesses_are_counted_together_whatever_replica_they_ask() {
    let app = TestApp::start(Topology::Replicas).await;
    for guess in 0..5 {
        login(&app, guess, "wrong-password-1")
            .await
            .expect_problem(401, "invalid-credentials");
    }
    for replica in 0..2 {
        login(&app, replica, "wrong-password-1")
            .await
            .expect_problem(429, "too-many-attempts");
    }
    // At once, too: forty guesses at two replicas are not let through forty times.
    let app = TestApp::start(Topology::Replicas).await;
    let guesses = join_all((0..40).map(|guess| login(&app, guess, "wrong-password-1"))).await;
    let tried = guesses.iter().filter(|reply| reply.status == 401).count();
    assert_eq!(tried, 5);
}

#[actix_web::test]
async fn a_new_price_is_charged_by_every_replica_within_ten_seconds() {
    let app = TestApp::start(Topology::Replicas).await;
    let (store, product) = (app.given_store().await, app.given_product(100).await);
    app.given_stock(store, product, 1_000).await;
    let sell = async |replica: usize, price: i64| {
        let url = app.url_at(replica, "/api/sales");
        let (key, body) = (
            Uuid::now_v7().to_string(),
            sale(store, &[(product, 1)], price),
        );
        let sold = app.try_send(Method::POST, &url, &app.admin, Some(&key), Some(&body));
        sold.await.unwrap()
    };
    for replica in 0..2 {
        sell(replica, 100).await.expect(201);
    }
    let path = format!("/api/inventory/products/{product}");
    let found = app.get(&path).await;
    let patch = app
        .http
        .patch(app.url(&path))
        .bearer_auth(&app.admin)
        .header("If-Match", &found.headers["etag"])
        .json(&json!({"price": {"amount": 120, "currency": "EUR"}}));
    Reply::of(patch.send().await.unwrap()).await.expect(200);
    let since = Instant::now();
    join_all([0, 1].map(async |replica| {
        app.eventually("the new price is charged", async || {
            sell(replica, 120).await.status == 201
        })
        .await;
        // Who hears of it forgets the old one at once; the other one after 10 s.
        println!("replica {replica}: after {:?}", since.elapsed());
        assert!(
            since.elapsed() < Duration::from_secs(11),
            "replica {replica}"
        );
    }))
    .await;
    for replica in 0..2 {
        assert_ne!(
            sell(replica, 100).await.status,
            201,
            "the old price is gone"
        );
    }
}

#[actix_web::test]
async fn relays_of_both_replicas_deliver_every_event_with_one_effect() {
    let app = TestApp::start(Topology::Replicas).await;
    let (store, product) = (app.given_store().await, app.given_product(100).await);
    app.given_stock(store, product, 60).await;
    let body = sale(store, &[(product, 2)], 200);
    let sold: Vec<Value> = join_all((0..30).map(|_| app.post("/api/sales", &body)))
        .await
        .into_iter()
        .map(|reply| reply.expect(201))
        .collect();
    let returned = join_all(sold.iter().map(async |sale| {
        let body = json!({"sale_id": sale["id"], "lines": [{"line": 1, "quantity": 1, "disposition": "restock"}], "reason": "unwanted"});
        app.post("/api/returns", &body).await
    }));
    for reply in returned.await {
        reply.expect(201);
    }
    assert_books_agree(&app).await;
    assert_eq!(app.on_hand(store, product).await, 30);
    let parked = "SELECT count(*) FROM sales.outbox WHERE parked_at IS NOT NULL";
    assert_eq!(app.db(Module::Sales).number(parked), 0);
}
