//! Tokens, sessions and passwords under attack.

use std::time::{Duration, Instant};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use comptoir::process::Module;
use futures::future::join_all;
use kernel::auth::Role;
use reqwest::Method;
use serde_json::{Value, json};

use crate::app::{ADMIN, PASSWORD, TOPOLOGIES, TestApp, Topology, WITH_REPLICAS};

async fn login(app: &TestApp, email: &str, password: &str) -> crate::app::Reply {
    let body = json!({"email": email, "password": password});
    app.send(Method::POST, "/api/auth/login", "", None, Some(&body))
        .await
}

async fn refresh(app: &TestApp, token: &str) -> crate::app::Reply {
    let body = json!({"refresh_token": token});
    app.send(Method::POST, "/api/auth/refresh", "", None, Some(&body))
        .await
}

fn encode(value: &Value) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(value.to_string())
}

/// The token with parts of its header or claims replaced; the signature stays.
fn forged(token: &str, part: usize, change: &Value) -> String {
    let mut parts: Vec<String> = token.split('.').map(str::to_owned).collect();
    let mut value: Value =
        serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(&parts[part]).unwrap()).unwrap();
    for (key, new) in change.as_object().unwrap() {
        value[key] = new.clone();
    }
    parts[part] = encode(&value);
    parts.join(".")
}

#[actix_web::test]
async fn a_forged_token_is_refused_in_every_module() {
    for topology in TOPOLOGIES {
        let app = TestApp::start(topology).await;
        let good = app.admin.clone();
        let unsigned = {
            let parts: Vec<&str> = good.split('.').collect();
            format!(
                "{}.{}.",
                encode(&json!({"alg": "none", "typ": "at+jwt"})),
                parts[1]
            )
        };
        let mut flipped = good.clone().into_bytes();
        let last = flipped.len() - 20;
        flipped[last] = if flipped[last] == b'A' { b'B' } else { b'A' };
        let bad = [
            unsigned,
            String::from_utf8(flipped).unwrap(),
            forged(&good, 0, &json!({"alg": "HS256"})),
            forged(&good, 0, &json!({"typ": "JWT"})),
            forged(&good, 0, &json!({"kid": "other"})),
            forged(&good, 1, &json!({"exp": 4_102_444_800_i64})),
            forged(&good, 1, &json!({"aud": "someone-else"})),
            "x".repeat(20_000),
            "a.b.c".into(),
        ];
        for path in [
            "/api/auth/me",
            "/api/users",
            "/api/stores",
            "/api/stocks",
            "/api/inventory/products",
            "/api/sales",
            "/api/returns",
        ] {
            app.get(path).await.expect(200);
            for token in &bad {
                let reply = app.send(Method::GET, path, token, None, None).await;
                assert_eq!(
                    reply.headers.get("www-authenticate").map(String::as_str),
                    Some("Bearer")
                );
                reply.expect_problem(401, "unauthenticated");
            }
        }
    }
}

#[actix_web::test]
async fn after_a_logout_the_token_is_refused_everywhere_within_ten_seconds() {
    for topology in TOPOLOGIES {
        let app = TestApp::start(topology).await;
        let tokens = login(&app, ADMIN, PASSWORD).await.expect(200);
        let token = tokens["access_token"].as_str().unwrap();
        let paths = [
            "/api/stores",
            "/api/inventory/products",
            "/api/sales",
            "/api/auth/me",
        ];
        for path in paths {
            app.send(Method::GET, path, token, None, None)
                .await
                .expect(200);
        }
        app.send(Method::POST, "/api/auth/logout", token, None, None)
            .await
            .expect(204);
        let since = Instant::now();
        for path in paths {
            app.eventually("the token is refused", async || {
                app.send(Method::GET, path, token, None, None).await.status == 401
            })
            .await;
        }
        assert!(
            since.elapsed() < Duration::from_secs(10),
            "{:?}",
            since.elapsed()
        );
        refresh(&app, tokens["refresh_token"].as_str().unwrap())
            .await
            .expect_problem(401, "invalid-refresh-token");
    }
}

#[actix_web::test]
async fn of_fifty_refreshes_at_once_every_answer_leads_on_and_a_replay_ends_the_session() {
    for topology in WITH_REPLICAS {
        let app = TestApp::start(topology).await;
        let first = login(&app, ADMIN, PASSWORD).await.expect(200);
        let old = first["refresh_token"].as_str().unwrap().to_owned();
        let replies = join_all((0..50).map(|_| refresh(&app, &old))).await;
        let winners: Vec<_> = replies.iter().filter(|r| r.status == 200).collect();
        assert!(!winners.is_empty(), "{:?}", replies[0]);
        // The grace is for an answer that got lost; once the successor is used, the old one is theft.
        let successor = winners.last().unwrap().body["refresh_token"]
            .as_str()
            .unwrap()
            .to_owned();
        let second = refresh(&app, &successor).await;
        if second.status == 200 {
            let next = second.body["refresh_token"].as_str().unwrap().to_owned();
            refresh(&app, &old)
                .await
                .expect_problem(401, "invalid-refresh-token");
            refresh(&app, &next)
                .await
                .expect_problem(401, "invalid-refresh-token");
        } else {
            panic!("the last winner's token must be good: {}", second.text);
        }
    }
}

#[actix_web::test]
async fn guessing_is_slowed_down_and_the_owner_still_gets_in() {
    for topology in TOPOLOGIES {
        let app = TestApp::start(topology).await;
        for _ in 0..5 {
            login(&app, ADMIN, "wrong-password-1")
                .await
                .expect_problem(401, "invalid-credentials");
        }
        let throttled = login(&app, ADMIN, "wrong-password-1").await;
        let wait: u64 = throttled.headers["retry-after"].parse().unwrap();
        throttled.expect_problem(429, "too-many-attempts");
        assert!((1..=60).contains(&wait), "{wait}");
        app.eventually("the owner gets in", async || {
            login(&app, ADMIN, PASSWORD).await.status == 200
        })
        .await;
    }
}

#[actix_web::test]
async fn an_unknown_user_gets_the_same_answer() {
    for topology in TOPOLOGIES {
        let app = TestApp::start(topology).await;
        let unknown = login(&app, "nobody@test.example", "wrong-password-1")
            .await
            .expect_problem(401, "invalid-credentials");
        let known = login(&app, ADMIN, "wrong-password-1")
            .await
            .expect_problem(401, "invalid-credentials");
        assert_eq!(
            (&unknown["detail"], &unknown["title"]),
            (&known["detail"], &known["title"])
        );
    }
}

#[actix_web::test]
async fn passwords_at_their_boundaries() {
    for topology in TOPOLOGIES {
        let app = TestApp::start(topology).await;
        let mut n = 0;
        for (password, good) in [
            ("short-7Kq9x".to_owned(), false),  // 11 characters
            ("plinth-92-vow".to_owned(), true), // 13
            ("x".repeat(200), false),           // too easy, or too long
            ("passwordpassword".to_owned(), false),
            ("comptoir-comptoir".to_owned(), false), // our own name
            ("wren-thimble-ocean-41-".repeat(5), true), // 110
        ] {
            n += 1;
            let body = json!({"email": format!("p{n}@test.example"), "name": "Test Person", "password": password, "grants": []});
            let reply = app.post("/api/users", &body).await;
            assert_eq!(reply.status == 201, good, "{password}: {}", reply.text);
        }
    }
}

#[actix_web::test]
async fn passwords_that_differ_only_after_72_bytes_are_different() {
    for topology in TOPOLOGIES {
        let app = TestApp::start(topology).await;
        let stem = "wren-thimble-ocean-41-grill-mantle-oboe-93-canyon-tulip-beacon-77-cobalt-";
        assert!(stem.len() > 72);
        let body = json!({"email": "long@test.example", "name": "Test Person", "password": format!("{stem}a"), "grants": []});
        app.post("/api/users", &body).await.expect(201);
        login(&app, "long@test.example", &format!("{stem}b"))
            .await
            .expect_problem(401, "invalid-credentials");
        login(&app, "long@test.example", &format!("{stem}a"))
            .await
            .expect(200);
    }
}

#[actix_web::test]
async fn a_change_of_grants_takes_the_old_rights_away() {
    for topology in TOPOLOGIES {
        let app = TestApp::start(topology).await;
        let store = app.given_store().await;
        let token = app.user(Role::Manager, Some(store)).await;
        let me = app
            .send(Method::GET, "/api/auth/me", &token, None, None)
            .await
            .expect(200);
        app.send(
            Method::GET,
            &format!("/api/stores/{store}"),
            &token,
            None,
            None,
        )
        .await
        .expect(200);
        let grants = json!({"grants": []});
        let path = format!("/api/users/{}/grants", me["id"].as_str().unwrap());
        app.send(Method::PUT, &path, &app.admin, None, Some(&grants))
            .await
            .expect(200);
        app.eventually("the old token is refused", async || {
            app.send(
                Method::GET,
                &format!("/api/stores/{store}"),
                &token,
                None,
                None,
            )
            .await
            .status
                == 401
        })
        .await;
    }
}

#[actix_web::test]
async fn secrets_are_stored_as_hashes_only() {
    for topology in TOPOLOGIES {
        let app = TestApp::start(topology).await;
        let tokens = login(&app, ADMIN, PASSWORD).await.expect(200);
        let db = app.db(Module::Auth);
        let dump = db.text("SELECT string_agg(t::text, ' ') FROM (SELECT u::text FROM auth.users u UNION ALL SELECT s::text FROM auth.refresh_tokens s) x(t)");
        for secret in [
            PASSWORD,
            tokens["refresh_token"].as_str().unwrap(),
            tokens["access_token"].as_str().unwrap(),
        ] {
            assert!(!dump.contains(secret));
        }
        assert!(dump.contains("$2b$"), "passwords are bcrypt");
    }
}

#[actix_web::test]
async fn the_internal_listener_lets_only_our_own_services_in() {
    let app = TestApp::start(Topology::Split).await;
    for (module, path) in [
        (Module::Store, "/internal/stock/hold"),
        (Module::Inventory, "/internal/catalog/resolve"),
        (Module::Sales, "/internal/sale_outcomes/resolve"),
        (Module::Auth, "/internal/sessions/trust"),
    ] {
        // The public listener has no such route at all.
        let url = format!("{}{path}", app.base(module));
        let reply = app
            .http
            .post(url)
            .bearer_auth(&app.admin)
            .json(&json!([]))
            .send()
            .await
            .unwrap();
        assert_eq!(reply.status().as_u16(), 404, "{path}");
        let internal = format!("{}{path}", app.internal(module));
        for token in ["", app.admin.as_str()] {
            let reply = app
                .http
                .post(&internal)
                .bearer_auth(token)
                .json(&json!([]))
                .send()
                .await
                .unwrap();
            assert_eq!(reply.status().as_u16(), 401, "{path}");
        }
    }
}
