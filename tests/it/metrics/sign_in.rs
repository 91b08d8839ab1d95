//! Attempts to sign in and to refresh, and what remembers tokens.

use kernel::auth::Role;
use reqwest::Method;
use serde_json::{Value, json};

use super::{Change, Scrape, assert_rises};
use crate::{
    app::{ADMIN, PASSWORD, TOPOLOGIES, TestApp},
    reply::Reply,
};

const LOGINS: &str = "comptoir_logins_total";
const REFRESHES: &str = "comptoir_refreshes_total";
const TOKENS: &str = "comptoir_cache_requests_total";

/// After one good login, a theft, two tries too many, and passwords that were `wrong` until one more
/// was not even looked at.
fn changes(wrong: f64) -> [Change; 13] {
    [
        (LOGINS, &[("outcome", "ok")], 1.0),
        (LOGINS, &[("outcome", "wrong")], wrong),
        (LOGINS, &[("outcome", "throttled")], 1.0),
        (LOGINS, &[], 2.0 + wrong),
        (REFRESHES, &[("outcome", "ok")], 2.0),
        (REFRESHES, &[("outcome", "reused")], 1.0),
        (REFRESHES, &[("outcome", "refused")], 3.0),
        (REFRESHES, &[], 6.0),
        ("comptoir_bcrypt_duration_seconds_count", &[], 1.0 + wrong),
        (
            "comptoir_bcrypt_wait_duration_seconds_count",
            &[],
            1.0 + wrong,
        ),
        ("comptoir_bcrypt_refused_total", &[], 0.0),
        ("comptoir_bcrypt_waiting", &[], 0.0),
        ("comptoir_bcrypt_running", &[], 0.0),
    ]
}

async fn post(app: &TestApp, path: &str, body: Value) -> Reply {
    app.send(Method::POST, path, "", None, Some(&body)).await
}

async fn refresh(app: &TestApp, token: &Value) -> Value {
    let answer = post(app, "/api/auth/refresh", json!({"refresh_token": token})).await;
    answer.body["refresh_token"].clone()
}

#[actix_web::test]
async fn every_attempt_has_its_outcome() {
    for topology in TOPOLOGIES {
        let app = TestApp::start(topology).await;
        let before = Scrape::of(&app).await;
        let login = async |password: &str| {
            let body = json!({"email": ADMIN, "password": password});
            post(&app, "/api/auth/login", body).await
        };
        let first = login(PASSWORD).await.body["refresh_token"].clone();
        let second = refresh(&app, &first).await;
        let third = refresh(&app, &second).await;
        // Its successor was used: whoever shows it again is a thief, and the session ends.
        for token in [&first, &third, &third, &json!("no-token")] {
            assert_eq!(refresh(&app, token).await, Value::Null);
        }
        // The pause grows with each: on a busy machine the first one may be over before the next try.
        let mut wrong = 0.0;
        while login("shelf-candle-42-rover").await.status == 401 {
            wrong += 1.0;
        }
        assert!(wrong >= 5.0, "{wrong}");
        assert_rises(&before, &Scrape::of(&app).await, &changes(wrong));
    }
}

#[actix_web::test]
async fn a_token_is_verified_once_and_then_remembered() {
    for topology in TOPOLOGIES {
        let app = TestApp::start(topology).await;
        let token = app.user(Role::Manager, None).await;
        let before = Scrape::of(&app).await;
        for _ in 0..3 {
            app.send(Method::GET, "/api/sales", &token, None, None)
                .await
                .expect(200);
        }
        let after = Scrape::of(&app).await;
        let changes: &[Change] = &[
            (TOKENS, &[("cache", "tokens"), ("result", "miss")], 1.0),
            (TOKENS, &[("cache", "tokens"), ("result", "hit")], 2.0),
            ("comptoir_cache_entries", &[("cache", "tokens")], 1.0),
        ];
        assert_rises(&before, &after, changes);
    }
}
